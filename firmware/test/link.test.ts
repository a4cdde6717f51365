// The badge's side of a connection against a relay played by hand with the shared code.
import assert from "node:assert/strict";
import {
  decodeChunkFrame,
  decodeHello,
  decodeNumber,
  decodeProof,
  ErrorCode,
  encodeAck,
  encodeChallenge,
  encodeChunkBodyStart,
  encodeError,
  encodeNumber,
  encodeWelcome,
  equalBytes,
  FRAME_PAYLOAD_BYTES_MAX,
  FrameSplitter,
  FrameType,
  type Introduction,
  plainFrame,
  proofOf,
  Session,
  Side,
} from "@salestag/protocol";
import { PING_AFTER_MS } from "../src/config";
import { FlashLog } from "../src/flash/log";
import { Link } from "../src/link";
import { Outbox } from "../src/outbox";
import { Trace } from "../src/trace";
import { chipOf } from "./nor-flash";
import { BADGE_ID, crypto, newNor } from "./support";

const AUTH_KEY = Buffer.alloc(32, 9);

/** A link, its outbox, and the relay at the other end. */
class Pair {
  readonly outbox: Outbox;
  readonly letters: { type: number; body: Buffer }[] = [];
  readonly lines: string[] = [];
  readonly link: Link;
  unixMs: number | undefined;
  private session: Session | undefined;
  private readonly splitter = new FrameSplitter(FRAME_PAYLOAD_BYTES_MAX);

  constructor() {
    const identity = {
      badgeId: BADGE_ID,
      authKey: AUTH_KEY,
      relay: { proto: "tcp" as const, host: "relay", port: 1 },
    };
    const log = new FlashLog(chipOf(newNor(16)), crypto, 0, 16);
    const deaf = () => undefined;
    this.outbox = new Outbox(log, false, { work: deaf, stored: deaf, failed: deaf, lost: deaf });
    const ports = {
      crypto,
      identity,
      outbox: this.outbox,
      trace: new Trace((line) => this.lines.push(line)),
      onClock: (unixMs: number) => {
        this.unixMs = unixMs;
      },
      onLetter: (type: number, body: Buffer) => this.letters.push({ type, body }),
    };
    this.link = new Link(ports, 0);
  }

  /** @returns the payloads of all frames that the badge wants to send now */
  async sent(nowMs = 0): Promise<Buffer[]> {
    const payloads: Buffer[] = [];
    for (;;) {
      const parts = await this.link.next(nowMs);
      if (parts.length === 0) return payloads;
      for (const part of parts) this.splitter.push(part, (payload) => payloads.push(payload));
    }
  }

  /** Goes through the proof. @param relayKey the key that the relay believes the badge to have */
  async prove(relayKey = AUTH_KEY): Promise<void> {
    const [hello] = await this.sent();
    const { version, badgeId, nonce } = decodeHello(hello.subarray(1));
    const introduction: Introduction = {
      version,
      badgeId,
      badgeNonce: nonce,
      relayNonce: Buffer.alloc(16, 3),
    };
    const proof = proofOf(crypto, relayKey, Side.Relay, introduction);
    const challenge = encodeChallenge({ nonce: introduction.relayNonce, proof });
    this.link.receive(plainFrame(FrameType.Challenge, challenge));
    const [answer] = await this.sent();
    assert.ok(
      equalBytes(decodeProof(answer.subarray(1)), proofOf(crypto, AUTH_KEY, Side.Badge, introduction)),
    );
    this.session = new Session(crypto, Side.Relay, AUTH_KEY, introduction);
  }

  frame(type: number, body: Buffer): Buffer {
    return (this.session as Session).frame(type, body);
  }

  welcome(window: number, nextEpoch = 0, nextIndex = 0): void {
    const welcome = { unixMs: 1750000000123, nextEpoch, nextIndex, window, configVersion: 0 };
    this.link.receive(this.frame(FrameType.Welcome, encodeWelcome(welcome)));
  }

  ack(nextEpoch: number, nextIndex: number, window: number): void {
    this.link.receive(this.frame(FrameType.Ack, encodeAck({ nextEpoch, nextIndex, window })));
  }

  /** Opens what the badge sent, as the relay does. @returns the first bytes of the sealed chunks, which tell them apart */
  async chunks(nowMs = 0): Promise<number[]> {
    return (await this.sent(nowMs)).map((payload) => {
      const { type, body } = (this.session as Session).open(payload);
      assert.equal(type, FrameType.Chunk);
      return decodeChunkFrame(body).sealed[0];
    });
  }

  /** Opens one frame of the badge. */
  opened(frame: Buffer): { type: number; body: Buffer } {
    let payload = Buffer.alloc(0);
    this.splitter.push(frame, (whole) => {
      payload = Buffer.from(whole);
    });
    return (this.session as Session).open(payload);
  }

  /** Puts chunks 0 to `count` - 1 of an epoch into the outbox, and stores them. */
  async put(epoch: number, count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const sealed = Buffer.alloc(40, 10 * epoch + index);
      const start = encodeChunkBodyStart(Buffer.alloc(30, 1), sealed.length);
      this.outbox.put({ epoch, index, kind: 1, held: false, durationMs: 20, start, sealed });
      await this.outbox.work();
    }
  }
}

describe("link: proof", () => {
  it("says hello, checks the relay's proof, gives its own, and is up with the welcome", async () => {
    const pair = new Pair();
    await pair.prove();
    assert.equal(pair.link.up, false);
    pair.welcome(4);
    assert.equal(pair.link.up, true);
    assert.equal(pair.unixMs, 1750000000123);
  });

  it("a relay without the badge's key gets no proof from it", async () => {
    const pair = new Pair();
    await assert.rejects(pair.prove(Buffer.alloc(32, 8)), /relay-not-proved/);
    assert.deepEqual(await pair.sent(), []);
  });

  it("an error of the relay is told with its code, before the proof and after it", async () => {
    const early = new Pair();
    await early.sent();
    const body = encodeError({ code: ErrorCode.UnknownBadge, text: "no such badge" });
    assert.throws(() => early.link.receive(plainFrame(FrameType.Error, body)), /refused 3: no such badge/);
    const late = new Pair();
    await late.prove();
    const refused = encodeError({ code: ErrorCode.BadProof, text: "wrong" });
    assert.throws(() => late.link.receive(plainFrame(FrameType.Error, refused)), /refused 4: wrong/);
  });

  const wrong: [what: string, send: (pair: Pair) => Buffer, error: RegExp][] = [
    ["a welcome without a MAC", () => plainFrame(FrameType.Welcome, encodeNumber(1)), /MAC/],
    [
      "an ack before the welcome",
      (p) => p.frame(FrameType.Ack, encodeAck({ nextEpoch: 0, nextIndex: 0, window: 1 })),
      /before the welcome/,
    ],
    ["a hello", (p) => p.frame(FrameType.Hello, encodeNumber(1)), /before the welcome/],
    ["a frame of length 0", () => Buffer.alloc(2), /length/],
    ["a frame that is too long", () => Buffer.from([0xff, 0xff]), /length/],
  ];
  for (const [what, send, error] of wrong)
    it(`instead of the welcome comes ${what}: the connection ends`, async () => {
      const pair = new Pair();
      await pair.prove();
      assert.throws(() => pair.link.receive(send(pair)), error);
      assert.equal(pair.link.up, false);
    });
});

describe("link: chunks", () => {
  it("sends no more than the window, oldest first, and goes on with each ack", async () => {
    const pair = new Pair();
    await pair.put(0, 5);
    await pair.prove();
    assert.deepEqual(await pair.sent(), []);
    pair.welcome(2);
    assert.deepEqual(await pair.chunks(), [0, 1]);
    pair.ack(0, 1, 2);
    assert.deepEqual(await pair.chunks(), [2]);
    pair.ack(0, 3, 3);
    assert.deepEqual(await pair.chunks(), [3, 4]);
    pair.ack(0, 5, 3);
    assert.equal(pair.outbox.count(), 0);
  });

  it("a window of 0 stops it and is traced once; the next ack lets it go on", async () => {
    const pair = new Pair();
    await pair.put(0, 3);
    await pair.prove();
    pair.welcome(1);
    assert.deepEqual(await pair.chunks(), [0]);
    pair.ack(0, 1, 0);
    pair.ack(0, 1, 0);
    assert.deepEqual(await pair.chunks(), []);
    assert.deepEqual(pair.lines.filter((line) => line === "@held").length, 1);
    pair.ack(0, 1, 2);
    assert.deepEqual(await pair.chunks(), [1, 2]);
  });

  it("after a reconnect forgets what the welcome says is durable and sends all else again", async () => {
    const first = new Pair();
    await first.put(0, 2);
    await first.put(1, 2);
    await first.prove();
    first.welcome(8);
    assert.deepEqual(await first.chunks(), [0, 1, 10, 11]);
    const second = new Pair();
    await second.put(0, 2);
    await second.put(1, 2);
    await second.prove();
    second.welcome(8, 1, 1);
    assert.deepEqual(await second.chunks(), [11]);
  });

  it("an ack twice, or one that goes back, forgets nothing and sends nothing twice", async () => {
    const pair = new Pair();
    await pair.put(0, 3);
    await pair.prove();
    pair.welcome(3);
    assert.deepEqual(await pair.chunks(), [0, 1, 2]);
    pair.ack(0, 2, 3);
    pair.ack(0, 2, 3);
    pair.ack(0, 1, 3);
    assert.deepEqual(await pair.chunks(), []);
    assert.equal(pair.outbox.count(), 1);
  });

  for (const [what, epoch, index] of [
    ["a chunk that was not sent yet", 0, 3],
    ["an epoch that was never begun", 9, 0],
  ] as const)
    it(`an ack of ${what} ends the connection and forgets nothing`, async () => {
      const pair = new Pair();
      await pair.put(0, 3);
      await pair.prove();
      pair.welcome(2);
      assert.deepEqual(await pair.chunks(), [0, 1]);
      assert.throws(() => pair.ack(epoch, index, 2), /not sent/);
      assert.equal(pair.outbox.count(), 3);
    });

  it("a frame whose MAC is wrong, that is repeated or left out ends the connection", async () => {
    const pair = new Pair();
    await pair.prove();
    pair.welcome(3);
    const frame = pair.frame(FrameType.Ping, encodeNumber(5));
    pair.link.receive(frame);
    assert.throws(() => pair.link.receive(frame), /MAC of frame 2/);
  });
});

describe("link: keeping the line", () => {
  it("answers a ping with its token", async () => {
    const pair = new Pair();
    await pair.prove();
    pair.welcome(1);
    pair.link.receive(pair.frame(FrameType.Ping, encodeNumber(77)));
    const [pong] = await pair.sent();
    assert.equal(pong[0], FrameType.Pong);
    assert.equal(decodeNumber(pong.subarray(1, pong.length - 8), "pong"), 77);
  });

  it("a relay that floods it with pings, or with long frames, loses the connection", async () => {
    const pair = new Pair();
    await pair.prove();
    pair.welcome(1);
    const ping = () => pair.link.receive(pair.frame(FrameType.Ping, encodeNumber(1)));
    for (let i = 0; i < 8; i++) ping();
    assert.throws(ping, /flood/);
    const other = new Pair();
    await other.prove();
    other.welcome(1);
    other.link.receive(other.frame(128, Buffer.alloc(1024 - 9)));
    assert.throws(() => other.link.receive(other.frame(128, Buffer.alloc(1024 - 8))), /1 to 1024 bytes/);
  });

  it("pings when it has sent nothing for 30 s, and not a ms earlier", async () => {
    const pair = new Pair();
    await pair.prove();
    pair.welcome(1);
    assert.deepEqual(await pair.sent(PING_AFTER_MS - 1), []);
    const [ping] = await pair.sent(PING_AFTER_MS);
    assert.equal(ping[0], FrameType.Ping);
    assert.deepEqual(await pair.sent(PING_AFTER_MS + 1), []);
  });

  it("is idle only when it is up, all is written, sent and acknowledged; then its farewell opens at the relay", async () => {
    const pair = new Pair();
    assert.equal(pair.link.isIdle(), false, "not up");
    await pair.prove();
    await pair.put(0, 1);
    pair.welcome(1);
    assert.deepEqual(await pair.chunks(), [0]);
    assert.equal(pair.link.isIdle(), false, "a chunk is on its way");
    pair.ack(0, 1, 1);
    assert.equal(pair.link.isIdle(), true);
    const start = encodeChunkBodyStart(Buffer.alloc(30, 1), 40);
    const sealed = Buffer.alloc(40, 1);
    pair.outbox.put({ epoch: 0, index: 1, kind: 1, held: false, durationMs: 20, start, sealed });
    assert.equal(pair.link.isIdle(), false, "a chunk is not written yet");
    await pair.outbox.work();
    assert.deepEqual(await pair.chunks(), [1]);
    pair.ack(0, 2, 1);
    const { type, body } = pair.opened(pair.link.farewell());
    assert.equal(type, FrameType.Bye);
    assert.equal(decodeNumber(body, "bye"), 2);
  });

  it("ignores types that may be ignored, refuses others, ends with a bye", async () => {
    const pair = new Pair();
    await pair.prove();
    pair.welcome(1);
    pair.link.receive(pair.frame(128, Buffer.from([1, 2, 3])));
    pair.link.receive(pair.frame(255, Buffer.alloc(0)));
    assert.throws(() => pair.link.receive(pair.frame(FrameType.Bye, encodeNumber(1))), /bye/);
    const other = new Pair();
    await other.prove();
    other.welcome(1);
    assert.throws(
      () => other.link.receive(other.frame(FrameType.Chunk, encodeNumber(1))),
      /must not come from the relay/,
    );
  });
});
