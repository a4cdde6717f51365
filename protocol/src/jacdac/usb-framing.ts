// Jacdac frames on a badge's USB serial port, as the DeviceScript runtime speaks it: escape sequences around frames, log text in
// between. 0xFE escapes: F8 a literal FE, FC start of a frame, FD its end, FB the device dropped frames here, FA it dropped
// log text, F9 nothing. Everything outside a frame is UTF-8 log text.
import { encodeFrame, JD_FLAG_COMMAND, JD_FLAG_IDENTIFIER_IS_CLASS } from "./frame";

const ESCAPE = 0xfe;
const LITERAL = 0xf8;
const FRAME_START = 0xfc;
const FRAME_END = 0xfd;
const FRAMES_DROPPED = 0xfb;
const LOG_DROPPED = 0xfa;
const NEWLINE = 10;

/** Longest frame on the wire. */
const FRAME_BYTES_MAX = 252;
/** A log line is cut at this length. */
const LINE_BYTES_MAX = 1024;

/** The class that a badge's USB bridge answers to, and its commands that turn frame forwarding off and on. */
const CLASS_USB_BRIDGE = 0x18f61a4a;
const COMMAND_DISABLE_PACKETS = 0x80;
const COMMAND_ENABLE_PACKETS = 0x81;
const INDEX_BROADCAST = 0x3d;

/** What came over the port. */
export interface UsbEvents {
  frame(bytes: Buffer): void;
  /** A line of log text, without its end. */
  line(text: string): void;
  /** The device or the line lost something: frames, log text, or a frame that was damaged. */
  dropped(what: string): void;
}

/** @returns the frame as it goes over the port */
export function encodeUsb(frame: Buffer): Buffer {
  let escapes = 0;
  for (const byte of frame) if (byte === ESCAPE) escapes++;
  const bytes = Buffer.alloc(frame.length + escapes + 4);
  bytes[0] = ESCAPE;
  bytes[1] = FRAME_START;
  let at = 2;
  for (const byte of frame) {
    bytes[at++] = byte;
    if (byte === ESCAPE) bytes[at++] = LITERAL;
  }
  bytes[at++] = ESCAPE;
  bytes[at] = FRAME_END;
  return bytes;
}

/** @returns the frame that a host sends until the badge forwards its bus to the port */
export function enablePacketsFrame(): Buffer {
  return bridgeFrame(COMMAND_ENABLE_PACKETS);
}

/** @returns the frame that ends it */
export function disablePacketsFrame(): Buffer {
  return bridgeFrame(COMMAND_DISABLE_PACKETS);
}

function bridgeFrame(command: number): Buffer {
  const deviceId = Buffer.alloc(8, 0xaa);
  deviceId.writeUInt32LE(CLASS_USB_BRIDGE, 0);
  return encodeFrame({
    flags: JD_FLAG_COMMAND | JD_FLAG_IDENTIFIER_IS_CLASS,
    deviceId: deviceId.toString("hex"),
    packets: [{ serviceIndex: INDEX_BROADCAST, command, data: Buffer.alloc(0) }],
  });
}

/** Takes the port's bytes apart, however they are cut. Holds at most one frame and one line. */
export class UsbDecoder {
  private escaped = false;
  private inFrame = false;
  private readonly frame = Buffer.alloc(FRAME_BYTES_MAX);
  private frameBytes = 0;
  private readonly text = Buffer.alloc(LINE_BYTES_MAX);
  private textBytes = 0;

  constructor(private readonly events: UsbEvents) {}

  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.escaped) this.control(byte);
      else if (byte === ESCAPE) this.escaped = true;
      else this.plain(byte);
    }
  }

  private control(byte: number): void {
    this.escaped = false;
    if (byte === LITERAL) this.plain(ESCAPE);
    else if (byte === FRAME_START) {
      if (this.inFrame) this.events.dropped("a frame without its end");
      this.inFrame = true;
      this.frameBytes = 0;
    } else if (byte === FRAME_END) this.endFrame();
    else if (byte === FRAMES_DROPPED) this.events.dropped("frames, by the device");
    else if (byte === LOG_DROPPED) this.events.dropped("log text, by the device");
  }

  private plain(byte: number): void {
    if (this.inFrame) {
      if (this.frameBytes < FRAME_BYTES_MAX) this.frame[this.frameBytes++] = byte;
      else {
        this.inFrame = false;
        this.events.dropped(`a frame of more than ${FRAME_BYTES_MAX} bytes`);
      }
      return;
    }
    if (byte !== NEWLINE && this.textBytes < LINE_BYTES_MAX) this.text[this.textBytes++] = byte;
    if (byte === NEWLINE || this.textBytes === LINE_BYTES_MAX) this.endLine();
  }

  private endFrame(): void {
    if (!this.inFrame) return;
    this.inFrame = false;
    this.events.frame(Buffer.from(this.frame.subarray(0, this.frameBytes)));
  }

  private endLine(): void {
    const text = this.text.toString("utf8", 0, this.textBytes).replace(/\r$/, "");
    this.textBytes = 0;
    if (text !== "") this.events.line(text);
  }
}
