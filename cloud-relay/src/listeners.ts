// The sockets that the relay listens on: TLS anywhere, plain TCP on loopback.
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import type { Log } from "@salestag/protocol/service";
import type { Admission } from "./admission";
import { ExitCode, messageOf, RelayError } from "./errors";
import type { ListenAddress } from "./listen-address";

/** Certificate chain and key, PEM. */
export interface TlsFiles {
  cert: Buffer;
  key: Buffer;
}

const HANDSHAKE_MS_MAX = 10_000;

/** One address that is listened on. */
export interface Listener {
  /** Such as `tcp://127.0.0.1:7788`, with the port that the system chose. */
  url: string;
  /** Uses another certificate from now on; connections that are there stay. @throws RelayError when it cannot be used: the old one stays */
  useTls?(tls: TlsFiles): void;
  /** Accepts no more. @returns when the last connection is closed */
  close(): Promise<void>;
}

/**
 * @param admission says who may have a connection, before anything is read from it
 * @param accept takes each new connection; TLS is up by then
 * @throws RelayError when the certificate or the address cannot be used
 */
export async function listenOn(
  address: ListenAddress,
  tls: TlsFiles | undefined,
  admission: Admission,
  accept: (socket: Socket) => void,
  log: Log,
): Promise<Listener> {
  const { host, port } = address;
  const secure = address.tls ? tlsServer(tls, admission, accept, log) : undefined;
  const server: Server = secure ?? createTcpServer((socket) => admission.enter(socket) && accept(socket));
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new RelayError(
          ExitCode.Listen,
          `cannot listen on ${host} port ${port}: ${cause.message}; choose another address with --listen`,
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
  const bound = server.address() as AddressInfo;
  const shownHost = host.includes(":") ? `[${host}]` : host;
  return {
    url: `${address.tls ? "tls" : "tcp"}://${shownHost}:${bound.port}`,
    useTls: secure && ((files) => useTls(secure, files)),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function tlsServer(
  tls: TlsFiles | undefined,
  admission: Admission,
  accept: (socket: Socket) => void,
  log: Log,
): TlsServer {
  const options = { ...tls, minVersion: "TLSv1.2" as const, handshakeTimeout: HANDSHAKE_MS_MAX };
  try {
    const server = createTlsServer(options, accept);
    server.prependListener("connection", (socket: Socket) => void admission.enter(socket));
    server.on("tlsClientError", (cause) => log.warn("TLS handshake failed", { why: cause.message }));
    return server;
  } catch (cause) {
    throw unusable(cause);
  }
}

function useTls(server: TlsServer, tls: TlsFiles): void {
  try {
    server.setSecureContext({ ...tls, minVersion: "TLSv1.2" });
  } catch (cause) {
    throw unusable(cause);
  }
}

function unusable(cause: unknown): RelayError {
  return new RelayError(ExitCode.Usage, `the TLS certificate and key cannot be used: ${messageOf(cause)}`);
}
