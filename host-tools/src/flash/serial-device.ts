// A serial port (npm `serialport`) in the shape of Web Serial, which is what esptool-js talks to.

import { clauseOf, ExitCode, messageOf, ToolError } from "@salestag/protocol/team";
import { SerialPort } from "serialport";
import { type UsbIds, usbIdsOf } from "./usb-ids";

interface Signals {
  dataTerminalReady?: boolean;
  requestToSend?: boolean;
}

/** One port; it can be opened again after it was closed. */
export class SerialDevice {
  readable: ReadableStream<Uint8Array> | null = null;
  writable: WritableStream<Uint8Array> | null = null;
  private port: SerialPort | undefined;

  /** @param lost called once when the port goes away by itself: the cable was pulled */
  constructor(
    readonly path: string,
    private readonly lost: (cause: Error) => void,
  ) {}

  /** @throws ToolError when there is no such port, or it may not be used */
  async open({ baudRate }: { baudRate: number }): Promise<void> {
    // Not locked: the lock of a killed program stays on a pseudo-terminal, and two that flash at once are found by the digests.
    const port = new SerialPort({ path: this.path, baudRate, autoOpen: false, lock: false });
    await new Promise<void>((resolve, reject) => {
      port.open((error) => (error ? reject(portError(this.path, error)) : resolve()));
    });
    this.port = port;
    port.once("close", (cause: Error | null) => {
      if (cause) this.lost(cause);
    });
    port.on("error", (cause) => this.lost(cause));
    this.readable = readableOf(port);
    this.writable = new WritableStream({ write: (bytes) => writeTo(port, bytes) });
  }

  async close(): Promise<void> {
    const port = this.port;
    this.port = undefined;
    this.readable = this.writable = null;
    if (port?.isOpen) await new Promise<void>((resolve) => port.close(() => resolve()));
  }

  /** Lines that the port does not have (a pseudo-terminal), or has no more, are left alone. */
  async setSignals({ dataTerminalReady, requestToSend }: Signals): Promise<void> {
    const lines = {
      ...(dataTerminalReady === undefined ? {} : { dtr: dataTerminalReady }),
      ...(requestToSend === undefined ? {} : { rts: requestToSend }),
    };
    await new Promise<void>((resolve, reject) => {
      if (!this.port?.isOpen) return resolve();
      this.port.set(lines, (error) => {
        if (error && !/inappropriate ioctl|ENOTTY/i.test(error.message)) reject(error);
        else resolve();
      });
    });
  }

  async setBaudRate(baudRate: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      if (this.port === undefined) return resolve();
      this.port.update({ baudRate }, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Empty where unknown. The library resets the chip's own USB in another way than a converter's. */
  getInfo(): UsbIds {
    return usbIdsOf(this.path);
  }
}

function readableOf(port: SerialPort): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      port.on("data", (bytes: Buffer) => controller.enqueue(bytes));
      port.once("close", () => {
        try {
          controller.close();
        } catch {
          // cancelled by the reader before
        }
      });
    },
  });
}

async function writeTo(port: SerialPort, bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    port.write(Buffer.from(bytes), (error) => (error ? reject(error) : port.drain(() => resolve())));
  });
}

function portError(path: string, cause: Error): ToolError {
  const text = messageOf(cause);
  if (/ENOENT|no such file/i.test(text))
    return new ToolError(
      ExitCode.Badge,
      `there is no serial port '${path}'; plug the badge in and look under /dev (ttyACM0, ttyUSB0).`,
    );
  if (/EACCES|permission denied/i.test(text))
    return new ToolError(
      ExitCode.Usage,
      `'${path}' may not be opened by you; add yourself to the group that owns it (dialout).`,
    );
  return new ToolError(ExitCode.Badge, `'${path}' cannot be opened as a serial port: ${clauseOf(cause)}.`, {
    cause,
  });
}
