// A line of bytes to a badge: a serial port of this machine, or a TCP port where the rig offers an emulated one.
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { ExitCode, messageOf, ToolError } from "@salestag/protocol/team";
import type { SerialPort } from "serialport";

/** USB serial ports have no speed; the runtime's own host programs name this one, and a UART needs it. */
const BAUD = 1_500_000;
/** What a device has not taken by then when the port is closed, it never gets: one that hangs must not hold the tool. */
const UNSENT_MS_MAX = 1000;

/** Why a port cannot be opened: not allowed, used by another program, not there, or whatever the system says. */
export type PortTrouble = "not allowed" | "in use" | "absent" | "refused";

/** A port that cannot be opened. */
export class PortError extends ToolError {
  constructor(
    readonly trouble: PortTrouble,
    message: string,
    options?: ErrorOptions,
  ) {
    super(ExitCode.Badge, message, options);
    this.name = "PortError";
  }
}

export interface ByteLine {
  stream: Duplex;
  /** Sends what was written and lets go of the port. Resolves when others may open it. */
  close(): Promise<void>;
}

/**
 * Opens a badge's port.
 * @param port a path, such as `/dev/ttyACM0` or `COM3`, or `tcp:HOST:PORT`
 * @throws PortError when it cannot be opened
 * @throws ToolError when it is no port
 */
export async function openLine(port: string): Promise<ByteLine> {
  const tcp = /^tcp:([^:]+):(\d{1,5})$/.exec(port);
  if (tcp !== null) return await dial(port, tcp[1], Number(tcp[2]));
  if (port.includes(":") && !/^[A-Za-z]:[\\/]/.test(port))
    throw new ToolError(
      ExitCode.Usage,
      `'${port}' is no port of a badge; write a path as 'salestag ports' shows it, or tcp:127.0.0.1:PORT.`,
    );
  return await openSerial(port);
}

function dial(port: string, host: string, tcpPort: number): Promise<ByteLine> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: tcpPort });
    socket.setNoDelay(true);
    const close = () =>
      new Promise<void>((closed) => {
        if (socket.destroyed) closed();
        socket.once("close", () => closed());
        socket.end(() => socket.destroy());
      });
    socket.once("connect", () => resolve({ stream: socket, close }));
    socket.once("error", (error) =>
      reject(
        new PortError(
          "absent",
          `no badge at ${port} (${error.message}); check the address and that it is switched on.`,
        ),
      ),
    );
  });
}

async function openSerial(path: string): Promise<ByteLine> {
  const { SerialPort } = await import("serialport"); // commands without a badge do not wait for it
  return await new Promise((resolve, reject) => {
    const line = new SerialPort({ path, baudRate: BAUD, autoOpen: false });
    line.open((error) => {
      if (error === null) resolve({ stream: line, close: () => closeSerial(line) });
      else reject(refused(path, error));
    });
  });
}

/** A port that was unplugged fails to drain and to close, and is free all the same. */
function closeSerial(line: SerialPort): Promise<void> {
  return new Promise((resolve) => {
    if (!line.isOpen) {
      resolve();
      return;
    }
    const unsent = setTimeout(() => line.flush(), UNSENT_MS_MAX);
    line.drain(() => {
      clearTimeout(unsent);
      line.close(() => resolve());
    });
  });
}

/** The binding's words name the cause only in their text. */
export function refused(path: string, cause: Error): PortError {
  const text = messageOf(cause);
  const trouble = troubleOf(text);
  const hints = {
    "not allowed": `you may not use it; run 'salestag doctor --badge ${path}', which says how to be allowed`,
    "in use": "another program uses it; end that one (a monitor, a serial console, ModemManager)",
    absent: "there is no such port; 'salestag ports' lists what is plugged in",
    refused: `the system refuses it (${text}); pull the cable and plug it in again`,
  };
  return new PortError(trouble, `the port ${path} cannot be opened: ${hints[trouble]}.`, { cause });
}

function troubleOf(text: string): PortTrouble {
  if (/permission denied|access denied|EACCES/i.test(text)) return "not allowed";
  if (/lock|busy|EAGAIN|EBUSY/i.test(text)) return "in use";
  return /no such file|not found|ENOENT|unknown error code 2\b/i.test(text) ? "absent" : "refused";
}
