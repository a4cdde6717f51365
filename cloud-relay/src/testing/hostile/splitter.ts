// The frame splitter against the plainest reading of the same bytes, however they are cut.
import { FormatError, FrameSplitter } from "@salestag/protocol/host";
import type { Random } from "../random";

/**
 * @param cuts decides where the stream is cut
 * @throws Error when the splitter finds other frames than there are, or refuses at another place
 */
export function checkSplitter(cuts: Random, stream: Buffer, payloadBytesMax: number): void {
  const wanted = framesOf(stream, payloadBytesMax);
  const found: Buffer[] = [];
  let refused = false;
  const splitter = new FrameSplitter(payloadBytesMax);
  try {
    for (const piece of cutAnywhere(cuts, stream)) splitter.push(piece, (payload) => found.push(payload));
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    refused = true;
  }
  if (refused !== wanted.refused || !Buffer.concat(found).equals(Buffer.concat(wanted.payloads)))
    throw new Error(
      `splitter found ${found.length} frames${refused ? " and refused" : ""} where there are ${wanted.payloads.length}${wanted.refused ? " and a wrong length" : ""}`,
    );
}

/** @returns the bytes in pieces: whole, of one byte each, or cut at a few places */
export function cutAnywhere(random: Random, bytes: Buffer): Buffer[] {
  if (random.chance(50)) return [bytes];
  const steps = random.chance(10) && bytes.length < 300 ? 1 : 1 + random.below(Math.max(1, bytes.length));
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += steps) pieces.push(bytes.subarray(at, at + steps));
  return pieces;
}

function framesOf(stream: Buffer, payloadBytesMax: number): { payloads: Buffer[]; refused: boolean } {
  const payloads: Buffer[] = [];
  let at = 0;
  while (at + 2 <= stream.length) {
    const lengthBytes = stream.readUInt16BE(at);
    if (lengthBytes === 0 || lengthBytes > payloadBytesMax) return { payloads, refused: true };
    if (at + 2 + lengthBytes > stream.length) break;
    payloads.push(stream.subarray(at + 2, at + 2 + lengthBytes));
    at += 2 + lengthBytes;
  }
  return { payloads, refused: false };
}
