// Cuts a conversation into parts that a recogniser takes, with long silences made short, and maps times in a part back to the conversation.
//
//   conversation  |ooooo....oooo................ooo|     o packets, . nothing
//   part          |ooooo....oooo..||..ooo|               a short silence stays, of a long one the two ends stay
import type { PlacedPacket } from "@salestag/protocol/team";

/** Length of a packet. */
export const PACKET_MS = 20;

/** How a conversation is cut. */
export interface CutLimits {
  /** Longest part, with its silences, ms. */
  partMsMax: number;
  /** A silence up to twice as long stays as it is; of a longer one so much stays at either end, ms. */
  silenceKeptMs: number;
}

/** Packets with one offset between their time in the part and in the conversation. */
export interface Piece {
  packets: PlacedPacket[];
  /** Where the piece begins and ends, with the silence that stays around it, ms in the part. */
  fromMs: number;
  toMs: number;
  /** Time in the conversation less time in the part, ms. */
  offsetMs: number;
}

/** One file's worth of a conversation. */
export interface Part {
  pieces: Piece[];
  durationMs: number;
}

/**
 * @param packets in order, without overlap
 * @returns parts that hold every packet once, in order
 */
export function cut(packets: readonly PlacedPacket[], limits: CutLimits): Part[] {
  const parts: Part[] = [];
  for (let from = 0; from < packets.length; ) {
    const to = endOfPart(packets, from, limits);
    parts.push(partOf(packets.slice(from, to), limits.silenceKeptMs));
    from = to;
  }
  return parts;
}

/** @returns place behind the part's last packet: all that fit, or up to the longest silence in the second half, or up to where it is quietest there */
function endOfPart(packets: readonly PlacedPacket[], from: number, limits: CutLimits): number {
  const { partMsMax, silenceKeptMs } = limits;
  let lengthMs = PACKET_MS;
  let best = from + 1;
  let bestGapMs = 0;
  let half = packets.length;
  for (let at = from + 1; at < packets.length; at++) {
    const gapMs = gapBefore(packets, at);
    lengthMs += shortened(gapMs, silenceKeptMs) + PACKET_MS;
    if (lengthMs > partMsMax) return bestGapMs > 0 ? best : quietest(packets, Math.min(half, at), at);
    if (lengthMs <= partMsMax / 2) continue;
    half = Math.min(half, at);
    if (gapMs >= bestGapMs) [best, bestGapMs] = [at, gapMs];
  }
  return packets.length;
}

/** Packets are of a variable rate: where they are smallest, there is least to hear. */
const QUIET_PACKETS = 10;

/** @returns place in [from, to] in whose neighbourhood the packets are smallest, the latest of them */
function quietest(packets: readonly PlacedPacket[], from: number, to: number): number {
  let best = to;
  let bestBytes = Number.POSITIVE_INFINITY;
  for (let at = from; at <= to; at++) {
    const around = packets.slice(Math.max(from - 1, at - QUIET_PACKETS / 2), at + QUIET_PACKETS / 2);
    const bytes = around.reduce((sum, { packet }) => sum + packet.length, 0) / around.length;
    if (bytes <= bestBytes) [best, bestBytes] = [at, bytes];
  }
  return best;
}

function gapBefore(packets: readonly PlacedPacket[], at: number): number {
  return packets[at].startMs - packets[at - 1].startMs - PACKET_MS;
}

function shortened(gapMs: number, keptMs: number): number {
  return Math.min(gapMs, 2 * keptMs);
}

function partOf(packets: readonly PlacedPacket[], keptMs: number): Part {
  const pieces: Piece[] = [];
  let first = 0;
  let fromMs = 0;
  let leadMs = 0;
  for (let at = 1; at <= packets.length; at++) {
    const gapMs = at < packets.length ? gapBefore(packets, at) : 0;
    if (at < packets.length && gapMs <= 2 * keptMs) continue;
    const lengthMs = packets[at - 1].startMs + PACKET_MS - packets[first].startMs;
    const tailMs = at < packets.length ? keptMs : 0;
    const toMs = fromMs + leadMs + lengthMs + tailMs;
    const offsetMs = packets[first].startMs - fromMs - leadMs;
    pieces.push({ packets: packets.slice(first, at), fromMs, toMs, offsetMs });
    [first, fromMs, leadMs] = [at, toMs, keptMs];
  }
  return { pieces, durationMs: fromMs };
}

/**
 * @param startMs in the part
 * @param endMs in the part, at or after `startMs`
 * @returns the stretch in the conversation; what reaches over a shortened silence is taken to lie in the piece that holds more of it, the earlier of equals
 */
export function placeOf(part: Part, startMs: number, endMs: number): { startMs: number; endMs: number } {
  let best = part.pieces.find(({ toMs }) => startMs < toMs) ?? part.pieces[part.pieces.length - 1];
  let bestMs = Math.min(endMs, best.toMs) - startMs;
  for (const piece of part.pieces) {
    const sharedMs = Math.min(endMs, piece.toMs) - Math.max(startMs, piece.fromMs);
    if (sharedMs > bestMs) [best, bestMs] = [piece, sharedMs];
  }
  const { fromMs, toMs, offsetMs } = best;
  const inside = (ms: number) => Math.min(Math.max(ms, fromMs), toMs) + offsetMs;
  return { startMs: inside(startMs), endMs: inside(endMs) };
}
