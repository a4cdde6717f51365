// What a hostile badge sends, by kind: frames in order in between, so that the others are met at every point of a connection. A kind says what must
// become of the connection, where that can be said.
import {
  ChunkCodec,
  decodeChunkFrame,
  decodeChunkHeader,
  ErrorCode,
  encodeChunkHeader,
  encodeError,
  encodeHello,
  encodeNumber,
  FRAME_PAYLOAD_BYTES_MAX,
  FRAME_UNPROVEN_BYTES_MAX,
  FrameType,
  PROTOCOL_VERSION,
  plainFrame,
  type Session,
} from "@salestag/protocol/host";
import { comparePositions, type Position } from "../../spool/position";
import { BadgeLink } from "./badge-link";
import { cborHead, mutate } from "./mutations";
import { hashOf, nameOf } from "./world";

/** Sends one frame, or many that count as one. @returns how it was spoiled, where that is chosen inside */
type Kind = (link: BadgeLink) => Promise<string | undefined> | string | undefined;

const EPOCH_MAX = 4294967295;
const INDEX_MAX = 4294967294;
const NUMBERS = [0, 1, 2 ** 31 - 1, 2 ** 31, EPOCH_MAX - 1, EPOCH_MAX];
/** Types that a badge may not send before the proof, or ever. */
const MISPLACED = [FrameType.Challenge, FrameType.Welcome, FrameType.Ack];
const UNKNOWN_TYPES = [0, 7, 8, 13, 64, 127];
/** So many pings fill what the relay keeps for a badge that does not read. */
const UNREAD_PINGS = 8000;
const FLOOD_FRAMES = 500;
const SEALED_BYTES_MAX = FRAME_PAYLOAD_BYTES_MAX - 100;

/** Kinds at any point of a connection. */
const anywhere: Record<string, Kind> = {
  rubbish: (link) => {
    link.loseStep();
    link.send(link.random.bytes(1 + link.random.below(2000)));
    return undefined;
  },
  "length wrong": (link) => {
    const frame = nextFrame(link);
    const limit = link.phase === "open" ? FRAME_PAYLOAD_BYTES_MAX : FRAME_UNPROVEN_BYTES_MAX;
    const right = frame.readUInt16BE();
    const length = link.random.pick([0, 1, right - 1, right + 1, limit, limit + 1, 65535]);
    if (length === 0 || length > limit) link.doom(ErrorCode.BadFrame);
    else link.loseStep();
    frame.writeUInt16BE(length);
    link.send(frame);
    return undefined;
  },
  "cut short": (link) => {
    const frame = nextFrame(link);
    link.loseStep();
    link.send(frame.subarray(0, 1 + link.random.below(frame.length - 1)));
    return undefined;
  },
  "unknown type": (link) => {
    link.doom(ErrorCode.BadFrame);
    link.send(framed(link, link.random.pick(UNKNOWN_TYPES), link.random.bytes(link.random.below(40))));
    return undefined;
  },
  "type that may be ignored": (link) => {
    const room = link.phase === "open" ? 3000 : 200;
    link.send(framed(link, 128 + link.random.below(128), link.random.bytes(link.random.below(room))));
    return undefined;
  },
  misplaced: (link) => {
    const known = link.phase === "hello" ? FrameType.Chunk : FrameType.Hello;
    link.doom(ErrorCode.Unexpected);
    link.send(
      framed(link, link.random.pick([...MISPLACED, known]), link.random.bytes(link.random.below(40))),
    );
    return undefined;
  },
  "flood of tiny frames": (link) => {
    const ignorable = link.phase !== "open" && link.random.chance(70);
    if (!ignorable) link.doom(link.phase === "open" ? ErrorCode.BadProof : ErrorCode.BadFrame);
    const flood = Buffer.alloc(3 * (1 + link.random.below(FLOOD_FRAMES)));
    for (let at = 0; at < flood.length; at += 3) flood.set([0, 1, ignorable ? 200 : 0], at);
    link.send(flood);
    return undefined;
  },
  "error or goodbye, spoiled": (link) => {
    const { name, spoiled } = mutate(link.random, encodeError({ code: 1, text: "no" }));
    link.question();
    link.send(framed(link, FrameType.Error, spoiled.subarray(0, 200)));
    return name;
  },
};

const beforeHello: Record<string, Kind> = {
  hello: (link) => link.hello().then(() => undefined),
  "hello, spoiled": (link) => {
    const { name, spoiled } = mutate(link.random, link.helloBody());
    link.question();
    link.send(plainFrame(FrameType.Hello, spoiled.subarray(0, 2 * FRAME_UNPROVEN_BYTES_MAX)));
    return name;
  },
  "hello of a stranger": (link) => {
    const { random } = link;
    link.doom(ErrorCode.UnknownBadge);
    const stranger = { version: PROTOCOL_VERSION, badgeId: random.bytes(8), nonce: random.bytes(16) };
    link.send(plainFrame(FrameType.Hello, encodeHello(stranger)));
    return undefined;
  },
  "hello of another version": (link) => {
    const { badge, random } = link;
    link.doom(ErrorCode.Version);
    const hello = { version: 2 + random.below(254), badgeId: badge.badgeId, nonce: random.bytes(16) };
    link.send(plainFrame(FrameType.Hello, encodeHello(hello)));
    return undefined;
  },
};

const beforeProof: Record<string, Kind> = {
  proof: (link) => link.prove().then(() => undefined),
  "proof, a bit turned": (link) => {
    const body = link.proofBody();
    body[body.length - 1 - link.random.below(32)] ^= 1 << link.random.below(8);
    link.doom(ErrorCode.BadProof);
    link.send(plainFrame(FrameType.Proof, body));
    return undefined;
  },
  "proof, spoiled": (link) => {
    const { name, spoiled } = mutate(link.random, link.proofBody());
    if (spoiled.equals(link.proofBody())) return name;
    link.doom();
    link.send(plainFrame(FrameType.Proof, spoiled.subarray(0, 2 * FRAME_UNPROVEN_BYTES_MAX)));
    return name;
  },
};

const afterProof: Record<string, Kind> = {
  chunk: (link) => sendChunk(link),
  ping: (link) => ping(link),
  "chunk, spoiled under a right MAC": async (link) => {
    const { name, spoiled } = spoiledChunk(link);
    sendDoubtfulChunk(link, spoiled.subarray(0, FRAME_PAYLOAD_BYTES_MAX - 100));
    await ping(link);
    return name;
  },
  "chunk of extreme values": async (link) => {
    sendDoubtfulChunk(link, extremeChunk(link));
    return await ping(link);
  },
  "ping, spoiled under a right MAC": async (link) => {
    const { name, spoiled } = mutate(link.random, encodeNumber(link.random.uint32()));
    link.question();
    link.send(
      open(link).frame(link.random.pick([FrameType.Ping, FrameType.Pong]), spoiled.subarray(0, 16_000)),
    );
    await ping(link);
    return name;
  },
  "MAC wrong": (link) => {
    const frame = open(link).frame(FrameType.Ping, encodeNumber(1));
    frame[frame.length - 1 - link.random.below(8)] ^= 1 << link.random.below(8);
    link.doom(ErrorCode.BadProof);
    link.send(frame);
    return undefined;
  },
  "body changed under its MAC": (link) => {
    const frame = open(link).frame(FrameType.Ping, encodeNumber(1));
    frame[2 + link.random.below(frame.length - 10)] ^= 1 << link.random.below(8);
    link.doom(ErrorCode.BadProof);
    link.send(frame);
    return undefined;
  },
  "frame sent twice": (link) => {
    const frame = open(link).frame(FrameType.Ping, encodeNumber(1));
    link.doom(ErrorCode.BadProof);
    link.send(Buffer.concat([frame, frame]));
    return undefined;
  },
  "frame left out": (link) => {
    open(link).frame(FrameType.Ping, encodeNumber(1));
    link.doom(ErrorCode.BadProof);
    link.send(open(link).frame(FrameType.Ping, encodeNumber(2)));
    return undefined;
  },
  "frame without a MAC": (link) => {
    link.doom(ErrorCode.BadProof);
    link.send(plainFrame(FrameType.Ping, encodeNumber(link.random.uint32())));
    return undefined;
  },
  "chunk sent again by a second connection": async (link) => {
    if (link.fate !== "stands" || link.position.index > INDEX_MAX) return await ping(link);
    const body = bodyOf(link, headerOf(link, link.position));
    sendDoubtfulChunk(link, body);
    const second = new BadgeLink(link.world, link.badge, link.random);
    await second.hello();
    link.fate = "doomed";
    link.expectedCode = ErrorCode.Replaced;
    await second.prove();
    second.send(open(second).frame(FrameType.Chunk, body));
    await ping(second);
    second.socket.badgeVanishes();
    return undefined;
  },
  "pings that are not read": async (link) => {
    if (!link.random.chance(3)) return await ping(link);
    link.socket.badgeStopsReading();
    link.doom();
    const pings: Buffer[] = [];
    while (pings.length < UNREAD_PINGS) pings.push(open(link).frame(FrameType.Ping, encodeNumber(0)));
    link.socket.badgeSends(Buffer.concat(pings));
    return undefined;
  },
};

const HONEST_PERCENT = { hello: 75, proof: 80, open: 50 };
const HONEST: Record<BadgeLink["phase"], string[]> = {
  hello: ["hello"],
  proof: ["proof"],
  open: ["chunk", "chunk", "ping", "type that may be ignored"],
};
const KINDS: Record<BadgeLink["phase"], Record<string, Kind>> = {
  hello: { ...anywhere, ...beforeHello },
  proof: { ...anywhere, ...beforeProof },
  open: { ...anywhere, ...afterProof },
};

/** Kinds to choose a hostile frame from: those with many ways of their own come more often. */
const HOSTILE: Record<BadgeLink["phase"], string[]> = {
  hello: Object.keys(KINDS.hello),
  proof: Object.keys(KINDS.proof),
  open: Object.keys(KINDS.open).flatMap((kind) =>
    kind.includes("spoiled under") ? Array(6).fill(kind) : [kind],
  ),
};

/** Sends a frame of some kind. @returns its name */
export async function sendSome(link: BadgeLink): Promise<string> {
  const { phase, random } = link;
  const honest = random.chance(HONEST_PERCENT[phase]);
  const kind = random.pick(honest ? HONEST[phase] : HOSTILE[phase]);
  const how = await KINDS[phase][kind](link);
  return how === undefined ? kind : `${kind}: ${how}`;
}

function open(link: BadgeLink): Session {
  return link.session as Session;
}

/** A frame of any type and body, with its MAC where it needs one. */
function framed(link: BadgeLink, type: number, body: Buffer): Buffer {
  return link.phase === "open" ? open(link).frame(type, body) : plainFrame(type, body);
}

/** The frame that would be in order now. */
function nextFrame(link: BadgeLink): Buffer {
  if (link.phase === "hello") return plainFrame(FrameType.Hello, link.helloBody());
  if (link.phase === "proof") return plainFrame(FrameType.Proof, link.proofBody());
  return open(link).frame(FrameType.Ping, encodeNumber(link.random.uint32()));
}

async function ping(link: BadgeLink): Promise<undefined> {
  const token = link.random.uint32();
  await link.probe(encodeNumber(token), token);
}

function sendChunk(link: BadgeLink): undefined {
  const { random, position } = link;
  const newEpoch = random.chance(10) || position.index > INDEX_MAX;
  if (newEpoch && position.epoch === EPOCH_MAX) return undefined;
  const chunk = newEpoch ? { epoch: position.epoch + 1, index: 0 } : position;
  const body = bodyOf(link, headerOf(link, chunk));
  remember(link, body);
  link.chunk(body, chunk);
  return undefined;
}

function headerOf(link: BadgeLink, { epoch, index }: Position): Buffer {
  const { badgeId } = link.badge;
  const times = { startMs: link.random.uint32(), durationMs: 2000, count: 100 };
  return encodeChunkHeader({ badgeId, epoch, index, kind: 1, codec: ChunkCodec.OpusItems, ...times });
}

function bodyOf({ random }: BadgeLink, header: Buffer): Buffer {
  const sealedBytes = 16 + random.below(random.chance(3) ? SEALED_BYTES_MAX - 16 : 100);
  const sealed = Buffer.alloc(sealedBytes, random.below(256));
  // Not by the protocol's own encoder, which has room for no header that is too long.
  return Buffer.concat([
    cborHead(4, 2),
    cborHead(2, header.length),
    header,
    cborHead(2, sealed.length),
    sealed,
  ]);
}

/** A chunk's frame spoiled as a whole, or its header inside a frame that is in order. */
function spoiledChunk(link: BadgeLink): { name: string; spoiled: Buffer } {
  const { random } = link;
  const header = headerOf(link, link.position);
  if (random.chance(50)) return mutate(random, bodyOf(link, header));
  const { name, spoiled } = mutate(random, header);
  return { name: `header, ${name}`, spoiled: bodyOf(link, spoiled) };
}

function extremeChunk(link: BadgeLink): Buffer {
  const { random, position, badge } = link;
  const header = encodeChunkHeader({
    badgeId: random.chance(90) ? badge.badgeId : random.bytes(8),
    epoch: random.pick(random.chance(3) ? NUMBERS : [0, position.epoch, position.epoch + 1]) % 2 ** 32,
    index: random.pick([...NUMBERS, position.index, Math.max(0, position.index - 1)]),
    kind: random.pick([0, 1, 2, 3, 255]),
    startMs: random.pick([0, 2 ** 32, 2 ** 53 - 1]),
    durationMs: random.pick(NUMBERS),
    codec: random.pick([0, 1, 2, 255]),
    count: random.pick([0, 100, 101, EPOCH_MAX]),
  });
  return bodyOf(link, header);
}

/** A chunk that the relay may take, under a right MAC. */
function sendDoubtfulChunk(link: BadgeLink, body: Buffer): void {
  link.question();
  remember(link, body);
  link.send(open(link).frame(FrameType.Chunk, body));
}

/** Notes what the relay may store of a chunk frame. */
function remember(link: BadgeLink, body: Buffer): void {
  try {
    const { header, sealed } = decodeChunkFrame(body);
    const { badgeId, epoch, index } = decodeChunkHeader(header);
    if (!badgeId.equals(link.badge.badgeId) || index > INDEX_MAX || link.fate === "doomed") return;
    const chunk = { epoch, index };
    const hashes = link.badge.sent.get(nameOf(chunk)) ?? new Set();
    link.badge.sent.set(nameOf(chunk), hashes.add(hashOf(header, sealed)));
    if (comparePositions(chunk, link.position) < 0) return;
    link.position = { epoch, index: index + 1 };
    link.badge.reached = link.position;
  } catch {
    // No chunk: the relay must refuse it, which the ping behind it shows.
  }
}
