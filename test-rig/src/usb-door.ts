// The USB port of an emulated badge, on a pseudo-terminal or on a TCP port of this machine: Jacdac frames and log text in the very
// framing of the DeviceScript runtime, so that tools that talk to a badge on a serial port can talk to this one.
import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import {
  decodeFrame,
  disablePacketsFrame,
  enablePacketsFrame,
  encodeUsb,
  UsbDecoder,
} from "@salestag/protocol/jacdac";
import type { Bench } from "./bench";
import { Pty } from "./pty";

/** As much may wait to be sent as in a real badge's buffer; more is dropped, and said so. */
const UNSENT_BYTES_MAX = 2048 * 16;
const FRAMES_DROPPED = Buffer.from([0xfe, 0xfb]);

/** What a cable does to the bytes on it: both ends of it, each with its own. */
export interface Cable {
  /** What arrives at the other end of these bytes, later or never. */
  toHost(bytes: Buffer, arrive: (bytes: Buffer) => void): void;
  toBadge(bytes: Buffer, arrive: (bytes: Buffer) => void): void;
}

const GOOD_CABLE: Cable = {
  toHost: (bytes, arrive) => arrive(bytes),
  toBadge: (bytes, arrive) => arrive(bytes),
};

/** As much of a bench as a cable needs. */
export type PortSide = Pick<Bench, "listen" | "listenLog" | "fromHost">;

export class UsbDoor {
  private constructor(
    /** What a tool takes as the badge's port: a path, or such as `tcp:127.0.0.1:40123`. */
    readonly port: string,
    /** Pulls the cable. Resolves when the port is gone. */
    readonly close: () => Promise<void>,
  ) {}

  /** Opens the door on loopback. @param tcpPort 0: the system chooses */
  static async onTcp(bench: PortSide, tcpPort: number, cable = GOOD_CABLE): Promise<UsbDoor> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      socket.setNoDelay(true);
      socket.on("error", () => socket.destroy());
      socket.once("close", plugIn(bench, socket, socket, cable));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(tcpPort, "127.0.0.1", resolve);
    });
    const { port } = server.address() as AddressInfo;
    return new UsbDoor(`tcp:127.0.0.1:${port}`, async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
  }

  /**
   * Opens the door on a pseudo-terminal.
   * @param linkPath a link to it, made here; without one the port is the terminal's own path
   */
  static async onTerminal(bench: PortSide, linkPath?: string, cable = GOOD_CABLE): Promise<UsbDoor> {
    const pty = await Pty.open(linkPath);
    const pullOut = plugIn(bench, pty.readable, pty.writable, cable);
    return new UsbDoor(linkPath ?? pty.path, async () => {
      pullOut();
      await pty.close();
    });
  }
}

/** One cable: the host has to ask for frames before any come, log text comes at once. @returns pulls it out */
function plugIn(bench: PortSide, fromHost: Readable, toHost: Writable, cable: Cable): () => void {
  const enable = enablePacketsFrame();
  const disable = disablePacketsFrame();
  let forwarding = false;
  let dropped = false;
  const arrive = (bytes: Buffer) => {
    if (!toHost.destroyed) toHost.write(bytes);
  };
  const send = (bytes: Buffer) => {
    if (toHost.writableLength > UNSENT_BYTES_MAX) {
      dropped = true;
      return;
    }
    if (dropped) arrive(FRAMES_DROPPED);
    dropped = false;
    cable.toHost(bytes, arrive);
  };
  const unlisten = bench.listen((frame) => {
    if (forwarding) send(encodeUsb(frame));
  });
  const unlog = bench.listenLog((line) => send(Buffer.from(`${line}\r\n`, "utf8")));
  const decoder = new UsbDecoder({
    frame: (bytes) => {
      if (bytes.equals(enable)) forwarding = true;
      else if (bytes.equals(disable)) forwarding = false;
      else if (decodeFrame(bytes) !== undefined) bench.fromHost(bytes);
    },
    line: () => undefined, // a badge has no ear for text
    dropped: () => undefined,
  });
  fromHost.on("data", (bytes: Buffer) => cable.toBadge(bytes, (arrived) => decoder.push(arrived)));
  return () => {
    forwarding = false;
    unlisten();
    unlog();
  };
}
