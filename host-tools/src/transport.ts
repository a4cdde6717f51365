// A Jacdac client on a badge's USB port, in real time. The port is a byte stream in the USB framing; an emulated badge offers one
// on a TCP port of this machine.
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { enablePacketsFrame, encodeUsb, JacdacClient, UsbDecoder } from "@salestag/protocol/jacdac";
import { ExitCode, ToolError } from "./errors";

const TICK_MS = 50;
const ENABLE_MS = 100;

export interface BadgePort {
  client: JacdacClient;
  close(): void;
}

/**
 * Opens `tcp:HOST:PORT`.
 * @throws ToolError when it cannot be opened
 */
export async function openBadgePort(url: string): Promise<BadgePort> {
  const parts = /^tcp:([^:]+):(\d{1,5})$/.exec(url);
  if (parts === null)
    throw new ToolError(
      ExitCode.Usage,
      `'${url}' is no badge that this program can reach; write tcp:127.0.0.1:PORT, as 'rig badge' prints it.`,
    );
  const socket = await dial(url, parts[1], Number(parts[2]));
  const client = new JacdacClient(randomBytes(8).toString("hex"), (frame) => socket.write(encodeUsb(frame)));
  let heard = false;
  const decoder = new UsbDecoder({
    frame: (bytes) => {
      heard = true;
      client.receive(bytes);
    },
    line: () => undefined,
    dropped: () => undefined, // requests have deadlines; a lost frame shows there
  });
  socket.on("data", (bytes: Buffer) => decoder.push(bytes));
  socket.on("error", () => socket.destroy());
  const tick = setInterval(() => client.tick(performance.now()), TICK_MS);
  const enable = setInterval(() => {
    if (heard) clearInterval(enable);
    else socket.write(encodeUsb(enablePacketsFrame()));
  }, ENABLE_MS);
  client.tick(performance.now());
  return {
    client,
    close: () => {
      clearInterval(tick);
      clearInterval(enable);
      socket.destroy();
    },
  };
}

function dial(url: string, host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    socket.setNoDelay(true);
    socket.once("connect", () => resolve(socket));
    socket.once("error", (error) =>
      reject(
        new ToolError(
          ExitCode.Badge,
          `no badge at ${url} (${error.message}); check the address and that it is switched on.`,
        ),
      ),
    );
  });
}
