// Where the relay may listen: TLS anywhere, plain TCP on loopback only.
import { isIP } from "node:net";
import { ExitCode, RelayError } from "./errors";

export interface ListenAddress {
  tls: boolean;
  host: string;
  /** 0: the system chooses. */
  port: number;
}

/**
 * Reads `tcp://127.0.0.1:7788`, `tls://0.0.0.0:7789` or `tls://[::]:7789`.
 * @throws RelayError for anything else, and for plain TCP on an address that others can reach
 */
export function parseListenAddress(text: string): ListenAddress {
  const parts = /^(tcp|tls):\/\/(\[[0-9a-fA-F:.]+\]|[^:/[\]]+):(\d{1,5})$/.exec(text);
  if (parts === null || Number(parts[3]) > 65535)
    throw new RelayError(
      ExitCode.Usage,
      `'${text}' is no address to listen on; write tcp://127.0.0.1:7788 or tls://0.0.0.0:7789`,
    );
  const host = parts[2].replace(/^\[|\]$/g, "");
  const tls = parts[1] === "tls";
  if (!tls && !isLoopback(host))
    throw new RelayError(
      ExitCode.Usage,
      `plain TCP on ${host} would show badge ids and traffic to the network; use tls:// there, or tcp:// on 127.0.0.1`,
    );
  return { tls, host, port: Number(parts[3]) };
}

function isLoopback(host: string): boolean {
  if (host === "localhost" || host === "::1") return true;
  return isIP(host) === 4 && host.startsWith("127.");
}
