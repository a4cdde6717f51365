// Those who mean harm: a relay that is none, and a badge that is none. What they know is what passed on the wire before.
import { Duplex } from "node:stream";
import type { BadgeSocket } from "@salestag/cloud-relay";
import {
  decodeHello,
  encodeChallenge,
  encodeHello,
  FrameType,
  NONCE_BYTES,
  PROOF_BYTES,
  PROTOCOL_VERSION,
  plainFrame,
} from "@salestag/protocol";
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

/** Comes to the relay as a badge that it is not. */
export function hostileBadge(
  accept: (socket: BadgeSocket) => void,
  badgeId: Buffer,
  random: Random,
  recorded: Recorded[],
  time: VirtualTime,
  settle: () => void,
): string {
  const kinds = ["garbage", "replay", "forged proof", "oversized", "hello flood"] as const;
  const kind = kinds[random.uint32() % kinds.length];
  const stream = new (class extends Duplex implements BadgeSocket {
    readonly remoteAddress = "stranger";
    setNoDelay(): void {}
    override _read(): void {}
    override _write(_bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
      done();
    }
  })();
  stream.on("error", () => undefined);
  accept(stream);
  const hello = plainFrame(
    FrameType.Hello,
    encodeHello({ version: PROTOCOL_VERSION, badgeId, nonce: random.bytes(NONCE_BYTES) }),
  );
  const old = recorded.length > 0 ? recorded[random.uint32() % recorded.length].toRelay : [];
  const lines =
    kind === "garbage"
      ? [random.bytes(500)]
      : kind === "replay"
        ? old
        : kind === "forged proof"
          ? [
              hello,
              plainFrame(FrameType.Proof, Buffer.concat([Buffer.from([0x81, 0x58, 32]), random.bytes(32)])),
            ]
          : kind === "oversized"
            ? [hello, Buffer.from([0xff, 0xff]), random.bytes(70_000)]
            : Array.from({ length: 20 }, () => hello);
  for (const [place, bytes] of lines.entries())
    time.at(time.nowMs() + 10 * (place + 1), () => {
      if (!stream.destroyed) stream.push(bytes);
      settle();
    });
  time.at(time.nowMs() + 10 * lines.length + 2000, () => {
    stream.destroy();
    settle();
  });
  return kind;
}
