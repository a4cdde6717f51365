// A recorded connection sent again: whole, from each of its frames on, mixed from two, within a connection that is in order, and the relay's side of it
// to a badge. Recorded between badge and relay, as somebody on the network would.
import { strict as assert } from "node:assert";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { decodeError, ErrorCode, encodeNumber, FrameSplitter, FrameType } from "@salestag/protocol/host";
import type { Relay } from "./index";
import { BadgeClient, FrameConnection } from "./testing/badge-client";
import { Bench, recordsIn, type TestBadge } from "./testing/rigging";

/** All bytes of one connection. */
interface Recording {
  toRelay: Buffer;
  toBadge: Buffer;
  /** The frames to the relay, with their length prefixes: hello, proof, and those with a MAC. */
  frames: Buffer[];
}

describe("replay", () => {
  let bench: Bench;
  let badge: TestBadge;
  /** Another relay of the team, whose spool has nothing: what it took of a replay would be there. */
  let target: Relay;
  let tapes: Recording[];
  beforeEach(async () => {
    bench = new Bench();
    badge = bench.badge();
    const original = await bench.relay();
    tapes = [await record(original, badge, 0), await record(original, badge, 10)];
    await original.close();
    target = await bench.relay({ spool: join(bench.directory, "target") });
  });
  afterEach(() => bench.end());

  const assertNothingStored = async () => {
    await target.close();
    assert.deepEqual(await recordsIn(join(bench.directory, "target"), bench.log), []);
    assert.doesNotMatch(bench.lines.join("\n"), /connection failed/);
  };

  for (const step of [1, 7, 65536])
    it(`replay: a whole connection is refused at its proof and nothing stored (${step} bytes at a time)`, async () => {
      const { types, code } = await play(target, piecesOf(tapes[0].toRelay, step));
      assert.deepEqual(types, [FrameType.Challenge, FrameType.Error]);
      assert.equal(ErrorCode[code as number], "BadProof");
      await assertNothingStored();
    });

  it("replay: a connection from each of its frames on is refused and nothing stored", async () => {
    const { frames } = tapes[0];
    assert.deepEqual(
      frames.map((frame) => FrameType[frame[2]]),
      ["Hello", "Proof", "Chunk", "Chunk", "Chunk", "Ping", "Bye"],
    );
    for (let from = 1; from < frames.length; from++) {
      const { types, code } = await play(target, [Buffer.concat(frames.slice(from))]);
      // A goodbye needs no answer at any point.
      const isBye = frames[from][2] === FrameType.Bye;
      assert.deepEqual(types, isBye ? [] : [FrameType.Error], `from frame ${from}`);
      assert.equal(code, isBye ? undefined : ErrorCode.Unexpected, `from frame ${from}`);
    }
    await assertNothingStored();
  });

  it("replay: hello, proof and the rest from two connections in every mixture are refused and nothing stored", async () => {
    for (const hello of tapes)
      for (const proof of tapes)
        for (const rest of tapes) {
          const bytes = Buffer.concat([hello.frames[0], proof.frames[1], ...rest.frames.slice(2)]);
          const { types, code } = await play(target, [bytes]);
          assert.deepEqual(types, [FrameType.Challenge, FrameType.Error]);
          assert.equal(code, ErrorCode.BadProof);
        }
    await assertNothingStored();
  });

  it("replay: each frame of an older connection is refused within a new one of the same badge", async () => {
    for (const frame of tapes[0].frames.slice(2)) {
      const client = await bench.connect(target, badge);
      client.connection.write(frame);
      await assert.rejects(client.next(), /code 4/);
      assert.equal(await client.connection.next(), undefined);
    }
    await assertNothingStored();
  });

  it("replay: it does not take the place of the badge's own connection", async () => {
    const client = await bench.connect(target, badge);
    await play(target, [tapes[0].toRelay]);
    client.send(FrameType.Ping, encodeNumber(1));
    assert.equal((await client.next()).type, FrameType.Pong);
  });

  it("replay: the relay's side of a connection, played to its badge, is not taken for the relay", async () => {
    const falseRelay = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end(tapes[0].toBadge);
      socket.resume();
    });
    falseRelay.listen(0, "127.0.0.1");
    await once(falseRelay, "listening");
    const { port } = falseRelay.address() as AddressInfo;
    const connecting = BadgeClient.connect({ address: `tcp://127.0.0.1:${port}`, ...badge });
    await assert.rejects(connecting, /relay did not prove/);
    falseRelay.close();
  });
});

/** A badge's connection from hello to goodbye with three chunks, all acked, through somebody who listens in. */
async function record(relay: Relay, badge: TestBadge, firstIndex: number): Promise<Recording> {
  const upstream = new URL(relay.addresses[0]);
  const toRelay: Buffer[] = [];
  const toBadge: Buffer[] = [];
  const server = createServer((near) => {
    const far = connect(Number(upstream.port), upstream.hostname);
    near.on("data", (bytes: Buffer) => toRelay.push(bytes)).pipe(far);
    far.on("data", (bytes: Buffer) => toBadge.push(bytes)).pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = await BadgeClient.connect({ address: `tcp://127.0.0.1:${port}`, ...badge });
  for (let index = firstIndex; index < firstIndex + 3; index++)
    client.sendChunk(0, index, Buffer.alloc(50, index));
  await client.ackedBefore(0, firstIndex + 3);
  client.send(FrameType.Ping, encodeNumber(firstIndex));
  client.send(FrameType.Bye, encodeNumber(1));
  while ((await client.connection.next()) !== undefined);
  const closed = once(server, "close");
  server.close();
  await closed;
  const all = Buffer.concat(toRelay);
  return { toRelay: all, toBadge: Buffer.concat(toBadge), frames: framesOf(all) };
}

function framesOf(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  new FrameSplitter(16384).push(bytes, (payload) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(payload.length);
    frames.push(Buffer.concat([length, payload]));
  });
  return frames;
}

function piecesOf(bytes: Buffer, step: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += step) pieces.push(bytes.subarray(at, at + step));
  return pieces;
}

/** Sends bytes over a new connection. @returns types of the relay's frames until it ended, and the code of its error */
async function play(relay: Relay, pieces: Buffer[]): Promise<{ types: number[]; code: number | undefined }> {
  const connection = await FrameConnection.open(relay.addresses[0]);
  for (const piece of pieces) connection.write(piece);
  const types: number[] = [];
  let code: number | undefined;
  for (;;) {
    const payload = await connection.next();
    if (payload === undefined) return { types, code };
    types.push(payload[0]);
    if (payload[0] === FrameType.Error) code = decodeError(payload.subarray(1)).code;
  }
}
