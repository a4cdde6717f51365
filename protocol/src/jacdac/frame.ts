// Jacdac frames: what travels on the badge's bus and over its USB port. Layout after the Jacdac protocol reference
// ("Jacdac Protocol", frames and packets): CRC-16/CCITT, size, flags, device id, then packets padded to 4 bytes.
// Decoding never throws on bytes from outside: damage gives `undefined`.

/** Bytes before the packets: CRC 2, size 1, flags 1, device id 8. */
export const JD_FRAME_HEADER_BYTES = 12;
/** Most bytes of packets in one frame, their 4-byte heads included. */
export const JD_FRAME_PACKETS_BYTES_MAX = 240;
/** Most bytes of data in one packet. */
export const JD_PACKET_DATA_BYTES_MAX = 236;

/** Bits of a frame's flags. */
export const JD_FLAG_COMMAND = 0x01;
export const JD_FLAG_ACK_REQUESTED = 0x02;
export const JD_FLAG_IDENTIFIER_IS_CLASS = 0x04;

/** The service that every device has first. */
export const JD_INDEX_CONTROL = 0;
/** The service index of an acknowledgement: its command is the CRC of the frame that asked for it. */
export const JD_INDEX_ACK = 0x3f;

/** Parts of a 16-bit command. */
export const JD_GET_REGISTER = 0x1000;
export const JD_SET_REGISTER = 0x2000;

/** One packet of a frame. */
export interface JdPacket {
  /** 0 to 63. */
  serviceIndex: number;
  /** u16. */
  command: number;
  /** At most JD_PACKET_DATA_BYTES_MAX bytes. */
  data: Buffer;
}

/** A frame, decoded. */
export interface JdFrame {
  flags: number;
  /** 16 hexadecimal digits, first byte on the wire first: the target of a command, the sender of a report. */
  deviceId: string;
  packets: JdPacket[];
}

/** @returns CRC-16/CCITT with initial value 0xFFFF, as Jacdac uses it */
export function crc16(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0xffff;
  for (let i = from; i < to; i++) {
    let x = (crc >> 8) ^ bytes[i];
    x ^= x >> 4;
    crc = ((crc << 8) ^ (x << 12) ^ (x << 5) ^ x) & 0xffff;
  }
  return crc;
}

/**
 * @returns the frame's bytes
 * @throws RangeError when the packets do not fit into one frame
 */
export function encodeFrame(frame: JdFrame): Buffer {
  let sizeBytes = 0;
  for (const { data } of frame.packets) {
    if (data.length > JD_PACKET_DATA_BYTES_MAX)
      throw new RangeError(
        `Jacdac packet holds at most ${JD_PACKET_DATA_BYTES_MAX} bytes, got ${data.length}`,
      );
    sizeBytes += (4 + data.length + 3) & ~3;
  }
  if (sizeBytes === 0 || sizeBytes > JD_FRAME_PACKETS_BYTES_MAX)
    throw new RangeError(
      `Jacdac frame holds 4 to ${JD_FRAME_PACKETS_BYTES_MAX} bytes of packets, got ${sizeBytes}`,
    );
  const bytes = Buffer.alloc(JD_FRAME_HEADER_BYTES + sizeBytes);
  bytes[2] = sizeBytes;
  bytes[3] = frame.flags;
  bytes.write(frame.deviceId, 4, 8, "hex");
  let at = JD_FRAME_HEADER_BYTES;
  for (const { serviceIndex, command, data } of frame.packets) {
    bytes[at] = data.length;
    bytes[at + 1] = serviceIndex;
    bytes.writeUInt16LE(command, at + 2);
    bytes.set(data, at + 4);
    at += (4 + data.length + 3) & ~3;
  }
  bytes.writeUInt16LE(crc16(bytes, 2, bytes.length), 0);
  return bytes;
}

/** @returns the frame, or undefined when length, CRC or packet sizes are wrong */
export function decodeFrame(bytes: Buffer): JdFrame | undefined {
  if (bytes.length < JD_FRAME_HEADER_BYTES + 4 || bytes.length !== JD_FRAME_HEADER_BYTES + bytes[2])
    return undefined;
  if (bytes.readUInt16LE(0) !== crc16(bytes, 2, bytes.length)) return undefined;
  const frame: JdFrame = { flags: bytes[3], deviceId: bytes.toString("hex", 4, 12), packets: [] };
  let at = JD_FRAME_HEADER_BYTES;
  while (at < bytes.length) {
    const end = at + 4 + bytes[at];
    if (end > bytes.length) return undefined;
    const data = bytes.subarray(at + 4, end);
    frame.packets.push({ serviceIndex: bytes[at + 1] & 0x3f, command: bytes.readUInt16LE(at + 2), data });
    at = (end + 3) & ~3;
  }
  return frame;
}
