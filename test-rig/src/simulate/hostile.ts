// Those who mean harm: a relay that is none, and a badge that is none. What they know is what passed on the wire before.
import { Duplex } from "node:stream";
import type { BadgeSocket } from "@salestag/cloud-relay";
import {
  ChunkCodec,
  ChunkKind,
  decodeChallenge,
  decodeHello,
  encodeChallenge,
  encodeChunkBodyStart,
  encodeChunkHeader,
  encodeHello,
  encodeProof,
  FrameType,
  type Introduction,
  NONCE_BYTES,
  PROOF_BYTES,
  PROTOCOL_VERSION,
  plainFrame,
  proofOf,
  Session,
  Side,
} from "@salestag/protocol";
import { nodeCrypto } from "@salestag/protocol/host";
import type { Random } from "../emulator/random";
import type { VirtualTime } from "../emulator/virtual-time";

/** What passed on one connection, each way. */
export interface Recorded {
  toRelay: Buffer[];
  toBadge: Buffer[];
}

/** Stands where the relay should: takes a badge's connection and does one of several wrong things. */
export function hostileRelay(socket: BadgeSocket, random: Random, recorded: Recorded[]): string {
  const kinds = ["garbage", "long frame", "wrong proof", "replay", "silence"] as const;
  const kind = kinds[random.uint32() % kinds.length];
  const say = (bytes: Buffer) => {
    if (!socket.writableEnded && !socket.destroyed) socket.write(bytes);
  };
  const replayed = recorded.length > 0 ? recorded[random.uint32() % recorded.length].toBadge : [];
  socket.on("error", () => undefined);
  socket.on("data", (bytes: Buffer) => {
    if (kind === "garbage") say(random.bytes(1 + (random.uint32() % 300)));
    else if (kind === "long frame") say(Buffer.from([0xff, 0xff, FrameType.Challenge]));
    else if (kind === "replay") for (const old of replayed.slice(0, 6)) say(old);
    else if (kind === "wrong proof" && bytes[2] === FrameType.Hello) {
      decodeHello(bytes.subarray(3));
      const challenge = { nonce: random.bytes(NONCE_BYTES), proof: random.bytes(PROOF_BYTES) };
      say(plainFrame(FrameType.Challenge, encodeChallenge(challenge)));
    }
  });
  return kind;
}

/** What a thief has of a badge: its name, and maybe its key. */
export interface Stolen {
  badgeId: Buffer;
  authKey: Buffer;
}

/** Comes to the relay as a badge that it is not, or as one whose key was stolen. */
export function hostileBadge(
  accept: (socket: BadgeSocket) => void,
  badges: readonly Stolen[],
  random: Random,
  recorded: Recorded[],
  time: VirtualTime,
  settle: () => void,
): string {
  const kinds = [
    "garbage",
    "replay",
    "forged proof",
    "oversized",
    "hello flood",
    "unknown badge",
    "wrong check value after a stolen key's proof",
    "another badge's chunk after a stolen key's proof",
  ] as const;
  const kind = kinds[random.uint32() % kinds.length];
  const victim = badges[random.uint32() % badges.length];
  const stream = new HostileSocket();
  accept(stream);
  const nonce = random.bytes(NONCE_BYTES);
  const helloOf = (badgeId: Buffer) =>
    plainFrame(FrameType.Hello, encodeHello({ version: PROTOCOL_VERSION, badgeId, nonce }));
  const hello = helloOf(victim.badgeId);
  const linesOf = {
    garbage: () => [random.bytes(500)],
    replay: () => (recorded.length > 0 ? recorded[random.uint32() % recorded.length].toRelay : []),
    "forged proof": () => [hello, plainFrame(FrameType.Proof, encodeProof(random.bytes(PROOF_BYTES)))],
    oversized: () => [hello, Buffer.from([0xff, 0xff]), random.bytes(70_000)],
    "hello flood": () => Array.from({ length: 20 }, () => hello),
    "unknown badge": () => [helloOf(random.bytes(8))],
    "wrong check value after a stolen key's proof": () => [hello],
    "another badge's chunk after a stolen key's proof": () => [hello],
  };
  if (kind.endsWith("proof") && kind !== "forged proof")
    stream.onFirst = (bytes) => {
      const { nonce: relayNonce } = decodeChallenge(bytes.subarray(3));
      const introduction = {
        version: PROTOCOL_VERSION,
        badgeId: victim.badgeId,
        badgeNonce: nonce,
        relayNonce,
      };
      const wrong = kind.startsWith("wrong check");
      const target = wrong ? victim : badges[(badges.indexOf(victim) + 1) % badges.length];
      time.at(time.nowMs() + 10, () => {
        stream.say(stolenFrames(victim.authKey, introduction, target.badgeId, wrong, random));
        settle();
      });
    };
  const lines = linesOf[kind]();
  for (const [place, bytes] of lines.entries())
    time.at(time.nowMs() + 10 * (place + 1), () => {
      stream.say(bytes);
      settle();
    });
  time.at(time.nowMs() + 10 * lines.length + 2000, () => {
    stream.destroy();
    settle();
  });
  return kind;
}

/** A proof that holds, and a chunk that must not be taken. */
function stolenFrames(
  authKey: Buffer,
  introduction: Introduction,
  badgeId: Buffer,
  wrongCheck: boolean,
  random: Random,
): Buffer {
  const crypto = nodeCrypto();
  const proof = encodeProof(proofOf(crypto, authKey, Side.Badge, introduction));
  const sealed = random.bytes(60);
  const header = encodeChunkHeader({
    badgeId,
    epoch: 0,
    index: 1_000_000,
    kind: ChunkKind.Audio,
    startMs: 0,
    durationMs: 20,
    codec: ChunkCodec.OpusItems,
    count: 1,
  });
  const body = Buffer.concat([encodeChunkBodyStart(header, sealed.length), sealed]);
  const frame = new Session(crypto, Side.Badge, authKey, introduction).frame(FrameType.Chunk, body);
  if (wrongCheck) frame[frame.length - 1] ^= 1;
  return Buffer.concat([plainFrame(FrameType.Proof, proof), frame]);
}

/** The stranger's end of a connection. */
class HostileSocket extends Duplex implements BadgeSocket {
  readonly remoteAddress = "stranger";
  /** Called with what the relay says first. */
  onFirst: ((bytes: Buffer) => void) | undefined;

  constructor() {
    super();
    this.on("error", () => undefined);
  }

  setNoDelay(): void {}

  say(bytes: Buffer): void {
    if (!this.destroyed) this.push(bytes);
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.onFirst?.(bytes);
    this.onFirst = undefined;
    done();
  }
}
