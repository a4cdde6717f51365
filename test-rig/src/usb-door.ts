// The USB port of an emulated badge, on a TCP port of this machine: Jacdac frames and log text in the very framing of the
// DeviceScript runtime, so that tools that talk to a badge on a serial port can talk to this one.

import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { decodeFrame, enablePacketsFrame, encodeUsb, UsbDecoder } from "@salestag/protocol/jacdac";
import type { Bench } from "./bench";

/** As much may wait to be sent as in a real badge's buffer; more is dropped, and said so. */
const UNSENT_BYTES_MAX = 2048 * 16;
const FRAMES_DROPPED = Buffer.from([0xfe, 0xfb]);

export class UsbDoor {
  private constructor(
    private readonly server: Server,
    /** Such as `tcp:127.0.0.1:40123`. */
    readonly url: string,
  ) {}

  /** Opens the door on loopback. @param port 0: the system chooses */
  static async open(bench: Bench, port: number): Promise<UsbDoor> {
    const server = createServer((socket) => plugIn(bench, socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    return new UsbDoor(server, `tcp:127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  close(): void {
    this.server.close();
  }
}

/** One cable: the host has to ask for frames before any come, log text comes at once. */
function plugIn(bench: Bench, socket: Socket): void {
  const enable = enablePacketsFrame();
  let forwarding = false;
  let dropped = false;
  const send = (bytes: Buffer) => {
    if (socket.destroyed) return;
    if (socket.writableLength > UNSENT_BYTES_MAX) {
      dropped = true;
      return;
    }
    if (dropped) socket.write(FRAMES_DROPPED);
    dropped = false;
    socket.write(bytes);
  };
  const unlisten = bench.listen((frame) => {
    if (forwarding) send(encodeUsb(frame));
  });
  const unlog = bench.listenLog((line) => send(Buffer.from(`${line}\r\n`, "utf8")));
  const decoder = new UsbDecoder({
    frame: (bytes) => {
      if (bytes.equals(enable)) forwarding = true;
      else if (decodeFrame(bytes) !== undefined) bench.badge.receive(bytes);
    },
    line: () => undefined, // a badge has no ear for text
    dropped: () => undefined,
  });
  socket.setNoDelay(true);
  socket.on("data", (bytes: Buffer) => decoder.push(bytes));
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    unlisten();
    unlog();
  });
}
