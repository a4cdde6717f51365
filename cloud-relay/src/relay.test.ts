// The relay over real sockets: who gets in, what is refused and with which words, and what is acknowledged when.
import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import {
  addBadge,
  decodeChallenge,
  decodeError,
  decodeNumber,
  ErrorCode,
  encodeHello,
  encodeNumber,
  encodeProof,
  FRAME_PAYLOAD_BYTES_MAX,
  FRAME_UNPROVEN_BYTES_MAX,
  FrameType,
  NONCE_BYTES,
  nodeCrypto,
  PROTOCOL_VERSION,
  plainFrame,
  proofOf,
  removeBadge,
  rotateBadge,
  Session,
  Side,
} from "@salestag/protocol/host";
import { IDLE_MS_MAX, PROOF_MS_MAX, WINDOW_CHUNKS } from "./connection";
import { folderSink, nodeDisk } from "./index";
import { chunkBody, FrameConnection, RefusedError } from "./testing/badge-client";
import { Bench, ManualClock, namesOf, recordsIn, recordsInFolder, type TestBadge } from "./testing/rigging";

const SEALED = Buffer.alloc(100, 7);
const refusedWith = (code: ErrorCode) => (error: unknown) => {
  assert(error instanceof RefusedError, String(error));
  assert.equal(ErrorCode[error.refusal.code], ErrorCode[code], error.message);
  return true;
};

describe("relay", () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(() => bench.end());

  describe("proof", () => {
    it("proof: a registered badge is welcomed at position 0/0 and its chunk acked, stored and delivered", async () => {
      const badge = bench.badge();
      const relay = await bench.relay({ sinks: [folderSink(bench.folder, nodeDisk)] });
      const client = await bench.connect(relay, badge);
      const { nextEpoch, nextIndex, window, configVersion } = client.welcome;
      assert.deepEqual(
        { nextEpoch, nextIndex, window, configVersion },
        { nextEpoch: 0, nextIndex: 0, window: WINDOW_CHUNKS, configVersion: 0 },
      );
      client.sendChunk(0, 0, SEALED);
      assert.deepEqual(await client.nextAck(), { nextEpoch: 0, nextIndex: 1, window: WINDOW_CHUNKS });
      await relay.close();
      const [delivered] = recordsInFolder(bench.folder);
      assert.deepEqual(delivered.sealed, SEALED);
      assert.deepEqual(namesOf([delivered]), [`${badge.id}/0/0`]);
      assert.deepEqual(namesOf(await recordsIn(bench.spool, bench.log)), [`${badge.id}/0/0`]);
    });

    it("proof: a badge that is not registered is refused", async () => {
      bench.badge();
      const relay = await bench.relay();
      const stranger = { id: "", badgeId: randomBytes(8), authKey: randomBytes(32) };
      await assert.rejects(bench.connect(relay, stranger), refusedWith(ErrorCode.UnknownBadge));
    });

    it("proof: a relay with another key for the badge is recognized by the badge", async () => {
      const badge = { ...bench.badge(), authKey: randomBytes(32) };
      const relay = await bench.relay();
      await assert.rejects(bench.connect(relay, badge), /relay did not prove/);
    });

    for (const bit of [0, 100, 255])
      it(`proof: a badge whose proof is wrong is refused (bit ${bit} of 256 turned)`, async () => {
        const badge = bench.badge();
        const relay = await bench.relay();
        const connection = await FrameConnection.open(relay.addresses[0]);
        const { proof } = await introduce(connection, badge);
        proof[bit >> 3] ^= 1 << (bit & 7);
        connection.write(plainFrame(FrameType.Proof, encodeProof(proof)));
        const payload = (await connection.next()) as Buffer;
        assert.equal(payload[0], FrameType.Error);
        assert.equal(decodeError(payload.subarray(1)).code, ErrorCode.BadProof);
        assert.equal(await connection.next(), undefined);
      });

    it("proof: a connection that was recorded and is played back stores nothing", async () => {
      const badge = bench.badge();
      const relay = await bench.relay();
      const original = await FrameConnection.open(relay.addresses[0]);
      const { hello, proof, session } = await introduce(original, badge);
      const proofFrame = plainFrame(FrameType.Proof, encodeProof(proof));
      original.write(proofFrame);
      assert.equal(session.open((await original.next()) as Buffer).type, FrameType.Welcome);
      const chunk = session.frame(FrameType.Chunk, chunkBody(badge.badgeId, 0, 0, SEALED));
      await original.close();
      const replay = await FrameConnection.open(relay.addresses[0]);
      replay.write(Buffer.concat([hello, proofFrame, chunk]));
      assert.equal(((await replay.next()) as Buffer)[0], FrameType.Challenge);
      const answer = (await replay.next()) as Buffer;
      assert.equal(decodeError(answer.subarray(1)).code, ErrorCode.BadProof);
      assert.equal(await replay.next(), undefined);
      await relay.close();
      assert.deepEqual(await recordsIn(bench.spool, bench.log), []);
    });

    it("proof: a badge that was added while the relay runs gets in; who was removed, or got another key, is cut within a second", async () => {
      const clock = new ManualClock();
      const relay = await bench.relay({ clock });
      const [removed, rotated, kept] = [bench.badge(), bench.badge(), bench.badge()];
      const clients = [];
      for (const badge of [removed, rotated, kept]) clients.push(await bench.connect(relay, badge));
      removeBadge(bench.registry, removed.id);
      rotateBadge(bench.registry, rotated.id, randomBytes(32));
      clock.advance(1000);
      for (const client of clients.slice(0, 2))
        await assert.rejects(client.next(), refusedWith(ErrorCode.UnknownBadge));
      clients[2].send(FrameType.Ping, encodeNumber(2));
      assert.equal((await clients[2].next()).type, FrameType.Pong);
      await assert.rejects(bench.connect(relay, rotated), /did not prove/); // the badge's key is the old one
    });

    it("proof: a registry that a change broke stays in force as it was, and the mistake is logged once", async () => {
      const badge = bench.badge();
      const relay = await bench.relay();
      writeFileSync(bench.registry, "{");
      await bench.connect(relay, badge);
      await bench.connect(relay, badge);
      assert.equal(bench.lines.filter((line) => /registry cannot be used.*not JSON/.test(line)).length, 1);
    });

    it("proof: the log of it all has no key", async () => {
      const badge = bench.badge();
      const relay = await bench.relay();
      await bench.connect(relay, badge);
      assert.doesNotMatch(bench.lines.join("\n"), new RegExp(badge.authKey.toString("hex")));
      assert.match(bench.lines.join("\n"), new RegExp(`badge connected.*${badge.id}`));
    });

    it("proof: a relay does not start with a registry that others can read", async () => {
      bench.badge();
      chmodSync(bench.registry, 0o644);
      await assert.rejects(bench.relay(), /chmod 600/);
    });
  });

  describe("frames before the proof", () => {
    const hello = (version: number, idBytes = 8) =>
      encodeHello({ version, badgeId: Buffer.alloc(idBytes, 1), nonce: Buffer.alloc(16) });
    const framed = (payloadBytes: number) => {
      const bytes = Buffer.alloc(2 + payloadBytes, 1);
      bytes.writeUInt16BE(payloadBytes);
      return bytes;
    };
    const cases: [string, Buffer, ErrorCode][] = [
      ["length 0", Buffer.from([0, 0]), ErrorCode.BadFrame],
      ["length one over the limit", framed(FRAME_UNPROVEN_BYTES_MAX + 1), ErrorCode.BadFrame],
      ["length at the limit, body of ones", framed(FRAME_UNPROVEN_BYTES_MAX), ErrorCode.BadFrame],
      ["longest length", Buffer.from([255, 255]), ErrorCode.BadFrame],
      ["type 0", plainFrame(0, Buffer.alloc(0)), ErrorCode.BadFrame],
      ["type 127", plainFrame(127, Buffer.alloc(0)), ErrorCode.BadFrame],
      ["hello without a body", plainFrame(FrameType.Hello, Buffer.alloc(0)), ErrorCode.BadFrame],
      ["hello with an id of 7 bytes", plainFrame(FrameType.Hello, hello(1, 7)), ErrorCode.BadFrame],
      [
        "hello and one byte more",
        plainFrame(FrameType.Hello, Buffer.concat([hello(1), Buffer.alloc(1)])),
        ErrorCode.BadFrame,
      ],
      ["version 0", plainFrame(FrameType.Hello, hello(0)), ErrorCode.Version],
      ["version 2", plainFrame(FrameType.Hello, hello(2)), ErrorCode.Version],
      ["proof first", plainFrame(FrameType.Proof, encodeProof(Buffer.alloc(32))), ErrorCode.Unexpected],
      ["chunk first", plainFrame(FrameType.Chunk, Buffer.alloc(10)), ErrorCode.Unexpected],
      [
        "a type that may be ignored, then a proof",
        Buffer.concat([plainFrame(128, Buffer.alloc(3)), plainFrame(FrameType.Proof, Buffer.alloc(1))]),
        ErrorCode.Unexpected,
      ],
      ["HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: relay\r\n\r\n"), ErrorCode.BadFrame],
    ];
    for (const [what, bytes, code] of cases)
      for (const step of [1, bytes.length])
        it(`frames before the proof: refused with ${ErrorCode[code]} (${what}, ${step} bytes at a time)`, async () => {
          bench.badge();
          const relay = await bench.relay();
          const connection = await FrameConnection.open(relay.addresses[0]);
          for (let at = 0; at < bytes.length; at += step) connection.write(bytes.subarray(at, at + step));
          const payload = (await connection.next()) as Buffer;
          assert.equal(payload[0], FrameType.Error);
          const error = decodeError(payload.subarray(1));
          assert.equal(ErrorCode[error.code], ErrorCode[code], error.text);
          assert.equal(await connection.next(), undefined);
        });
  });

  describe("frames after the proof", () => {
    const cases: [string, number, Buffer | ((badgeId: Buffer) => Buffer), ErrorCode][] = [
      ["type 0", 0, Buffer.alloc(0), ErrorCode.BadFrame],
      ["type 127", 127, Buffer.alloc(0), ErrorCode.BadFrame],
      ["welcome", FrameType.Welcome, Buffer.alloc(0), ErrorCode.Unexpected],
      ["ack", FrameType.Ack, Buffer.alloc(0), ErrorCode.Unexpected],
      ["hello again", FrameType.Hello, Buffer.alloc(0), ErrorCode.Unexpected],
      ["ping without a number", FrameType.Ping, Buffer.alloc(0), ErrorCode.BadFrame],
      ["ping with two", FrameType.Ping, Buffer.from([0x82, 1, 1]), ErrorCode.BadFrame],
      ["chunk that is no chunk", FrameType.Chunk, Buffer.from([0x82, 0x40, 0x40]), ErrorCode.BadFrame],
      [
        "chunk with 15 sealed bytes",
        FrameType.Chunk,
        (id) => chunkBody(id, 0, 0, Buffer.alloc(15)),
        ErrorCode.BadFrame,
      ],
      [
        "chunk of another badge",
        FrameType.Chunk,
        chunkBody(Buffer.alloc(8), 0, 0, SEALED),
        ErrorCode.BadFrame,
      ],
      [
        "chunk of the last index",
        FrameType.Chunk,
        (id) => chunkBody(id, 0, 4294967295, SEALED),
        ErrorCode.BadFrame,
      ],
    ];
    for (const [what, type, body, code] of cases)
      it(`frames after the proof: refused with ${ErrorCode[code]} and a MAC (${what})`, async () => {
        const badge = bench.badge();
        const client = await bench.connect(await bench.relay(), badge);
        client.send(type, typeof body === "function" ? body(badge.badgeId) : body);
        await assert.rejects(client.next(), refusedWith(code));
        assert.equal(await client.connection.next(), undefined);
      });

    it("frames after the proof: types that may be ignored are (128, 255)", async () => {
      const badge = bench.badge();
      const client = await bench.connect(await bench.relay(), badge);
      client.send(128, Buffer.alloc(5));
      client.send(255, Buffer.alloc(0));
      client.send(FrameType.Ping, encodeNumber(77));
      const { type, body } = await client.next();
      assert.equal(type, FrameType.Pong);
      assert.equal(decodeNumber(body, "pong"), 77);
    });

    it("frames after the proof: the longest frame is stored, one byte longer is refused", async () => {
      const badge = bench.badge();
      const relay = await bench.relay();
      const client = await bench.connect(relay, badge);
      // What type, MAC, array, header and the two heads take is found by asking for one sealed byte.
      const overhead = chunkBody(badge.badgeId, 0, 0, Buffer.alloc(1000)).length - 1000 + 1 + 8;
      client.sendChunk(0, 0, Buffer.alloc(FRAME_PAYLOAD_BYTES_MAX - overhead));
      assert.equal((await client.nextAck()).nextIndex, 1);
      const tooLong = Buffer.alloc(2);
      tooLong.writeUInt16BE(FRAME_PAYLOAD_BYTES_MAX + 1);
      client.connection.write(tooLong);
      await assert.rejects(client.next(), refusedWith(ErrorCode.BadFrame));
    });

    for (const turned of ["type", "body", "MAC"])
      it(`frames after the proof: a turned bit is refused and nothing stored (in the ${turned})`, async () => {
        const badge = bench.badge();
        const relay = await bench.relay();
        const client = await bench.connect(relay, badge);
        const frame = client.session.frame(FrameType.Chunk, chunkBody(badge.badgeId, 0, 0, SEALED));
        const at = { type: 2, body: 60, MAC: frame.length - 1 }[turned] as number;
        frame[at] ^= 1;
        client.connection.write(frame);
        await assert.rejects(client.next(), refusedWith(ErrorCode.BadProof));
        await relay.close();
        assert.deepEqual(await recordsIn(bench.spool, bench.log), []);
      });

    it("frames after the proof: a frame that is sent twice is refused the second time", async () => {
      const badge = bench.badge();
      const client = await bench.connect(await bench.relay(), badge);
      const frame = client.session.frame(FrameType.Ping, encodeNumber(1));
      client.connection.write(Buffer.concat([frame, frame]));
      assert.equal((await client.next()).type, FrameType.Pong);
      await assert.rejects(client.next(), refusedWith(ErrorCode.BadProof));
    });
  });

  describe("chunks", () => {
    it("chunks: an index that goes back without being durable is refused", async () => {
      const badge = bench.badge();
      const gate = newGate();
      const relay = await bench.relay({ disk: { ...nodeDisk, open: heldBack(gate.opened) } });
      const client = await bench.connect(relay, badge);
      client.sendChunk(0, 5, SEALED);
      client.sendChunk(0, 4, SEALED);
      await assert.rejects(client.next(), refusedWith(ErrorCode.Unexpected));
      gate.open();
    });

    it("chunks: holes in epoch and index are accepted, acks name the position behind the highest", async () => {
      const badge = bench.badge();
      const relay = await bench.relay();
      const client = await bench.connect(relay, badge);
      for (const [epoch, index] of [
        [0, 0],
        [0, 7],
        [3, 2],
        [9, 0],
      ]) {
        client.sendChunk(epoch, index, SEALED);
        await client.ackedBefore(epoch, index + 1);
      }
      await relay.close();
      assert.equal((await recordsIn(bench.spool, bench.log)).length, 4);
    });

    it("chunks: what is durable is acked again and stored once (same connection, a new one, a new relay)", async () => {
      const badge = bench.badge();
      const relay = await bench.relay();
      const first = await bench.connect(relay, badge);
      for (const index of [0, 1, 2]) first.sendChunk(4, index, SEALED);
      await first.ackedBefore(4, 3);
      first.sendChunk(4, 1, SEALED);
      assert.deepEqual(await first.nextAck(), { nextEpoch: 4, nextIndex: 3, window: WINDOW_CHUNKS });
      await first.close();
      const second = await bench.connect(relay, badge);
      assert.deepEqual([second.welcome.nextEpoch, second.welcome.nextIndex], [4, 3]);
      for (const index of [0, 1, 2, 3]) second.sendChunk(4, index, SEALED);
      await second.ackedBefore(4, 4);
      await relay.close();
      const restarted = await bench.relay();
      const third = await bench.connect(restarted, badge);
      assert.deepEqual([third.welcome.nextEpoch, third.welcome.nextIndex], [4, 4]);
      third.sendChunk(4, 3, SEALED);
      third.sendChunk(5, 0, SEALED);
      await third.ackedBefore(5, 1);
      await restarted.close();
      const stored = namesOf(await recordsIn(bench.spool, bench.log));
      assert.deepEqual(
        stored,
        ["4/0", "4/1", "4/2", "4/3", "5/0"].map((name) => `${badge.id}/${name}`),
      );
    });

    it("chunks: a chunk that an older connection brought and is not durable yet is stored once, both its acks come after", async () => {
      const badge = bench.badge();
      const gate = newGate();
      const relay = await bench.relay({ disk: { ...nodeDisk, open: heldBack(gate.opened) } });
      const older = await bench.connect(relay, badge);
      older.sendChunk(0, 0, SEALED);
      older.send(FrameType.Ping, encodeNumber(1));
      assert.equal((await older.next()).type, FrameType.Pong); // the chunk has arrived
      const newer = await bench.connect(relay, badge);
      await assert.rejects(older.next(), refusedWith(ErrorCode.Replaced));
      assert.equal(newer.welcome.nextIndex, 0);
      newer.sendChunk(0, 0, SEALED);
      newer.send(FrameType.Ping, encodeNumber(2));
      assert.equal((await newer.next()).type, FrameType.Pong); // no ack came before it
      gate.open();
      assert.equal((await newer.nextAck()).nextIndex, 1);
      await relay.close();
      assert.equal((await recordsIn(bench.spool, bench.log)).length, 1);
    });

    it("chunks: two badges with the same epoch and index do not meet", async () => {
      const badges = [bench.badge(), bench.badge()];
      const relay = await bench.relay();
      for (const badge of badges) {
        const client = await bench.connect(relay, badge);
        client.sendChunk(0, 0, SEALED);
        await client.ackedBefore(0, 1);
      }
      await relay.close();
      assert.equal(new Set(namesOf(await recordsIn(bench.spool, bench.log))).size, 2);
    });
  });

  describe("time limits", () => {
    it("time limits: a connection without a proof ends after 10 s, at 10 s - 1 ms it does not", async () => {
      bench.badge();
      const clock = new ManualClock();
      const relay = await bench.relay({ clock });
      const connection = await FrameConnection.open(relay.addresses[0]);
      // An ignored frame, then a hello of a stranger on a second connection: once that is answered the first was accepted.
      const other = { id: "", badgeId: randomBytes(8), authKey: randomBytes(32) };
      await assert.rejects(bench.connect(relay, other), refusedWith(ErrorCode.UnknownBadge));
      clock.advance(PROOF_MS_MAX - 1);
      await assert.rejects(bench.connect(relay, other), refusedWith(ErrorCode.UnknownBadge));
      assert.equal(connection.received.length, 0);
      clock.advance(1);
      const payload = (await connection.next()) as Buffer;
      assert.equal(decodeError(payload.subarray(1)).code, ErrorCode.Timeout);
    });

    it("time limits: a badge that is silent for 90 s ends, one that pings does not", async () => {
      const clock = new ManualClock();
      const silentBadge = bench.badge();
      const pingingBadge = bench.badge();
      const relay = await bench.relay({ clock });
      const silent = await bench.connect(relay, silentBadge);
      const pinging = await bench.connect(relay, pingingBadge);
      clock.advance(IDLE_MS_MAX - 1);
      pinging.send(FrameType.Ping, encodeNumber(1));
      assert.equal((await pinging.next()).type, FrameType.Pong);
      clock.advance(1);
      await assert.rejects(silent.next(), refusedWith(ErrorCode.Timeout));
      pinging.send(FrameType.Ping, encodeNumber(2));
      assert.equal((await pinging.next()).type, FrameType.Pong);
    });
  });

  it("end: what has come is stored and acked before the goodbye", async () => {
    const badge = bench.badge();
    const gate = newGate();
    const relay = await bench.relay({ disk: { ...nodeDisk, open: heldBack(gate.opened) } });
    const client = await bench.connect(relay, badge);
    client.sendChunk(0, 0, SEALED);
    client.send(FrameType.Ping, encodeNumber(1));
    assert.equal((await client.next()).type, FrameType.Pong); // the chunk has arrived
    const closed = relay.close();
    gate.open();
    assert.equal((await client.nextAck()).nextIndex, 1);
    assert.equal((await client.next()).type, FrameType.Bye);
    await closed;
    assert.deepEqual(namesOf(await recordsIn(bench.spool, bench.log)), [`${badge.id}/0/0`]);
  });

  it("back-pressure: a badge that sends more than the queue takes is not read for a while, and all is stored (24 MB)", async () => {
    const badge = bench.badge();
    const gate = newGate();
    const relay = await bench.relay({ disk: { ...nodeDisk, open: heldBack(gate.opened) } });
    const client = await bench.connect(relay, badge);
    const sealed = Buffer.alloc(16000);
    const count = 1500;
    for (let index = 0; index < count; index++) client.sendChunk(0, index, sealed);
    while (!bench.lines.some((line) => /disk is slower than the badges/.test(line)))
      await new Promise((resolve) => setImmediate(resolve));
    gate.open();
    await client.ackedBefore(0, count);
    await relay.close();
    assert.equal((await recordsIn(bench.spool, bench.log)).length, count);
  });

  it("registry: a relay without a registry lets nobody in until there is one", async () => {
    const relay = await bench.relay();
    const stranger = { id: "", badgeId: randomBytes(8), authKey: randomBytes(32) };
    await assert.rejects(bench.connect(relay, stranger), refusedWith(ErrorCode.UnknownBadge));
    assert.match(bench.lines.join("\n"), /warn registry missing/);
    await bench.connect(relay, bench.badge());
  });

  it("registry: an unknown badge that is added with another program's hands gets in without a restart", async () => {
    bench.badge();
    const relay = await bench.relay();
    const late = { id: "", badgeId: randomBytes(8), authKey: randomBytes(32) };
    await assert.rejects(bench.connect(relay, late), refusedWith(ErrorCode.UnknownBadge));
    const badge = late.badgeId.toString("hex");
    addBadge(bench.registry, { badge, authKey: late.authKey, label: "late", addedMs: 2 });
    await bench.connect(relay, late);
  });
});

/** Goes through hello and challenge. @returns what comes next, not sent yet */
async function introduce(connection: FrameConnection, badge: TestBadge) {
  const nonce = randomBytes(NONCE_BYTES);
  const { badgeId, authKey } = badge;
  const hello = plainFrame(FrameType.Hello, encodeHello({ version: PROTOCOL_VERSION, badgeId, nonce }));
  connection.write(hello);
  const challenge = decodeChallenge(((await connection.next()) as Buffer).subarray(1));
  const relayNonce = challenge.nonce;
  const introduction = { version: PROTOCOL_VERSION, badgeId, badgeNonce: nonce, relayNonce };
  const proof = proofOf(nodeCrypto(), authKey, Side.Badge, introduction);
  return { hello, proof, session: new Session(nodeCrypto(), Side.Badge, authKey, introduction) };
}

/** A promise that the test keeps when it likes. */
function newGate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** A disk whose appends to segments wait: a write behind the header page does not begin before `until`. */
function heldBack(until: Promise<void>): typeof nodeDisk.open {
  return async (path, flags, mode) => {
    const file = await nodeDisk.open(path, flags, mode);
    return {
      write: async (bytes, offset) => {
        if (path.endsWith(".seg") && offset > 0) await until;
        await file.write(bytes, offset);
      },
      dataSync: () => file.dataSync(),
      truncate: (lengthBytes) => file.truncate(lengthBytes),
      close: () => file.close(),
    };
  };
}
