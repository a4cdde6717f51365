// Runs the test vectors through the shared code, on the badge's virtual machine and on Node alike: the same source, the same
// JSON, two platforms. Written in the subset that DeviceScript compiles.
import {
  AudioPacker,
  type BadgeEvent,
  CborReader,
  CborWriter,
  type Crypto,
  chunkBodyBytes,
  decodeAck,
  decodeChallenge,
  decodeChunkFrame,
  decodeChunkHeader,
  decodeError,
  decodeEvents,
  decodeHello,
  decodeNumber,
  decodeProof,
  decodeWelcome,
  encodeAck,
  encodeChallenge,
  encodeChunkBodyStart,
  encodeChunkHeader,
  encodeError,
  encodeEvents,
  encodeHello,
  encodeNumber,
  encodeProof,
  encodeWelcome,
  epochKeyOf,
  FRAME_PAYLOAD_BYTES_MAX,
  FrameSplitter,
  FrameType,
  GapCause,
  joinBytes,
  nextChainKey,
  openChunk,
  plainFrame,
  proofOf,
  Session,
  Side,
  sealChunk,
  unpackAudio,
} from "../shared";

// The vectors are JSON: their fields are described where they are made, protocol/vectors/make-vectors.ts.
// biome-ignore lint/suspicious/noExplicitAny: the shapes of JSON files
type Json = any;

/** The four vector files. */
export interface Vectors {
  cbor: Json;
  keys: Json;
  chunks: Json;
  frames: Json;
}

/** Counts checks and collects what failed. */
export class Tally {
  passed = 0;
  failures: string[] = [];

  equal(what: string, got: string, wanted: string): void {
    if (got === wanted) this.passed++;
    else this.failures.push(`${what}: got ${got}, wanted ${wanted}`);
  }

  /** Checks that `attempt` throws or returns undefined. */
  refused(what: string, attempt: () => unknown): void {
    let accepted = true;
    try {
      accepted = attempt() !== undefined;
    } catch (_error) {
      accepted = false;
    }
    this.equal(what, accepted ? "accepted" : "refused", "refused");
  }
}

const unhex = (digits: string): Buffer => Buffer.from(digits, "hex");
const hex = (bytes: Buffer): string => bytes.toString("hex");

/** Runs every vector. @returns what passed and what failed */
export function runVectors(vectors: Vectors, crypto: Crypto): Tally {
  const tally = new Tally();
  runCbor(tally, vectors.cbor);
  runKeys(tally, vectors.keys, crypto);
  runChunks(tally, vectors.chunks, crypto);
  runFrames(tally, vectors.frames, crypto);
  return tally;
}

function runCbor(tally: Tally, cbor: Json): void {
  for (const { kind, value, hex: encoded } of cbor.valid) {
    const writer = new CborWriter(encoded.length);
    const reader = new CborReader(unhex(encoded));
    const what = `cbor ${kind} ${encoded}`;
    if (kind === "int") {
      tally.equal(what, hex(writer.int(value).done()), encoded);
      tally.equal(what, `${reader.int(what)}`, `${value}`);
    } else if (kind === "bytes") {
      tally.equal(what, hex(writer.bytes(unhex(value)).done()), encoded);
      tally.equal(what, hex(reader.bytes(what, 0, 256)), value);
    } else {
      tally.equal(what, hex(writer.text(value).done()), encoded);
      tally.equal(what, reader.text(what, 256), value);
    }
    tally.equal(`${what} read to its end`, `${reader.atEnd()}`, "true");
    tally.refused(`${what} cut short`, () => readAny(kind, unhex(encoded.slice(0, encoded.length - 2))));
  }
  for (const { why, hex: encoded } of cbor.invalid)
    tally.refused(`cbor ${why} ${encoded}`, () => readAny("int", unhex(encoded)));
}

function readAny(kind: string, encoded: Buffer): unknown {
  const reader = new CborReader(encoded);
  const value =
    kind === "int" ? reader.int("x") : kind === "bytes" ? reader.bytes("x", 0, 256) : reader.text("x", 256);
  reader.end("x");
  return value;
}

function runKeys(tally: Tally, keys: Json, crypto: Crypto): void {
  let chainKey = unhex(keys.chain[0].chainKey);
  for (const link of keys.chain) {
    tally.equal(`chain ${link.epoch}`, hex(chainKey), link.chainKey);
    tally.equal(`epoch key ${link.epoch}`, hex(epochKeyOf(crypto, chainKey)), link.epochKey);
    chainKey = nextChainKey(crypto, chainKey);
  }
  const introduction = introductionOf(keys.session);
  const authKey = unhex(keys.session.authKey);
  tally.equal(
    "relay proof",
    hex(proofOf(crypto, authKey, Side.Relay, introduction)),
    keys.session.relayProof,
  );
  tally.equal(
    "badge proof",
    hex(proofOf(crypto, authKey, Side.Badge, introduction)),
    keys.session.badgeProof,
  );
}

function introductionOf(session: Json) {
  return {
    version: session.version as number,
    badgeId: unhex(session.badgeId),
    badgeNonce: unhex(session.badgeNonce),
    relayNonce: unhex(session.relayNonce),
  };
}

function runChunks(tally: Tally, chunks: Json, crypto: Crypto): void {
  for (const vector of chunks.chunks) {
    const { name, epoch, index, kind, startMs, durationMs, codec, count } = vector;
    const fields = { badgeId: unhex(vector.badgeId), epoch, index, kind, startMs, durationMs, codec, count };
    const header = encodeChunkHeader(fields);
    tally.equal(`chunk header, ${name}`, hex(header), vector.header);
    tally.equal(
      `chunk header read, ${name}`,
      hex(encodeChunkHeader(decodeChunkHeader(header))),
      vector.header,
    );
    const key = unhex(vector.epochKey);
    const sealed = sealChunk(crypto, key, header, unhex(vector.plaintext));
    tally.equal(`sealed chunk, ${name}`, hex(sealed), vector.sealed);
    const opened = openChunk(crypto, key, header, sealed);
    tally.equal(`opened chunk, ${name}`, opened === undefined ? "refused" : hex(opened), vector.plaintext);
    for (let at = 0; at < header.length; at++)
      tally.refused(`chunk ${name}, header byte ${at} changed`, () =>
        openChunk(crypto, key, flipped(header, at), sealed),
      );
    for (let at = 0; at < sealed.length; at += 1 + (sealed.length >> 5))
      tally.refused(`chunk ${name}, sealed byte ${at} changed`, () =>
        openChunk(crypto, key, header, flipped(sealed, at)),
      );
  }
  for (const { items, plaintext } of chunks.audio) {
    tally.equal("audio items packed", hex(packItems(items)), plaintext);
    tally.equal("audio items read", hex(packItems(describeItems(unhex(plaintext)))), plaintext);
  }
  for (const { why, plaintext } of chunks.badAudio)
    tally.refused(`audio ${why}`, () => unpackAudio(unhex(plaintext)));
  const { startMs, list, plaintext } = chunks.events;
  tally.equal("events", hex(encodeEvents(list as BadgeEvent[], startMs)), plaintext);
  tally.equal("events read", JSON.stringify(decodeEvents(unhex(plaintext), startMs)), JSON.stringify(list));
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.alloc(bytes.length);
  copy.set(bytes, 0);
  copy[at] ^= 1;
  return copy;
}

function packItems(items: Json): Buffer {
  const packer = new AudioPacker();
  for (const item of items) {
    if (item.packet === undefined)
      packer.gap(item.frames, item.gap === "lost" ? GapCause.Lost : GapCause.Silence);
    else packer.packet(unhex(item.packet), 0, item.packet.length >> 1);
  }
  return packer.take();
}

function describeItems(plaintext: Buffer): Json {
  const described: Json[] = [];
  for (const item of unpackAudio(plaintext)) {
    if (item.type === "packet") described.push({ packet: hex(item.packet) });
    else described.push({ gap: item.cause === GapCause.Lost ? "lost" : "silence", frames: item.frames });
  }
  return described;
}

function runFrames(tally: Tally, frames: Json, crypto: Crypto): void {
  const introduction = introductionOf(frames.session);
  const authKey = unhex(frames.session.authKey);
  const badge = new Session(crypto, Side.Badge, authKey, introduction);
  const relay = new Session(crypto, Side.Relay, authKey, introduction);
  const repeats: (() => void)[] = [];
  for (const vector of frames.frames) {
    const body = unhex(vector.body);
    const what = `frame ${vector.name} from the ${vector.sender}`;
    tally.equal(`${what}, body`, hex(encodeBody(vector.type, vector.values)), vector.body);
    tally.equal(`${what}, body read`, hex(recode(vector.type, body)), vector.body);
    tally.refused(`${what}, body cut short`, () => recode(vector.type, body.slice(0, body.length - 1)));
    tally.refused(`${what}, body with a byte more`, () =>
      recode(vector.type, joinBytes([body, Buffer.alloc(1)])),
    );
    const sender = vector.sender === "badge" ? badge : relay;
    const frame = vector.proven ? sender.frame(vector.type, body) : plainFrame(vector.type, body);
    tally.equal(what, hex(frame), vector.frame);
    const payload = splitEverywhere(tally, what, frame);
    if (!vector.proven) continue;
    const receiver = vector.sender === "badge" ? relay : badge;
    const opened = receiver.open(payload);
    tally.equal(`${what} opened`, `${opened.type} ${hex(opened.body)}`, `${vector.type} ${vector.body}`);
    repeats.push(() => tally.refused(`${what} repeated`, () => receiver.open(payload)));
  }
  for (const repeat of repeats) repeat();
  const first = unhex(frames.frames[4].frame).slice(2, 65536);
  for (let at = 0; at < first.length; at++)
    tally.refused(`welcome, byte ${at} changed`, () =>
      new Session(crypto, Side.Badge, authKey, introduction).open(flipped(first, at)),
    );
}

/** Cuts a frame in two at every place: the payload must come out the same. @returns the payload */
function splitEverywhere(tally: Tally, what: string, frame: Buffer): Buffer {
  const payload = frame.slice(2, frame.length);
  let wrong = 0;
  for (let at = 0; at <= frame.length; at++) {
    const splitter = new FrameSplitter(FRAME_PAYLOAD_BYTES_MAX);
    const seen: Buffer[] = [];
    splitter.push(frame.slice(0, at), (part) => seen.push(part));
    splitter.push(frame.slice(at, frame.length), (part) => seen.push(part));
    if (seen.length !== 1 || hex(seen[0]) !== hex(payload)) wrong++;
  }
  tally.equal(`${what}, cut in two at each of ${frame.length + 1} places`, `${wrong} wrong`, "0 wrong");
  return payload;
}

function encodeBody(type: number, v: Json): Buffer {
  if (type === FrameType.Hello)
    return encodeHello({ version: v[0], badgeId: unhex(v[1]), nonce: unhex(v[2]) });
  if (type === FrameType.Challenge) return encodeChallenge({ nonce: unhex(v[0]), proof: unhex(v[1]) });
  if (type === FrameType.Proof) return encodeProof(unhex(v[0]));
  if (type === FrameType.Welcome)
    return encodeWelcome({
      unixMs: v[0],
      nextEpoch: v[1],
      nextIndex: v[2],
      window: v[3],
      configVersion: v[4],
    });
  if (type === FrameType.Chunk) return chunkBody(unhex(v[0]), unhex(v[1]));
  if (type === FrameType.Ack) return encodeAck({ nextEpoch: v[0], nextIndex: v[1], window: v[2] });
  if (type === FrameType.Error) return encodeError({ code: v[0], text: v[1] });
  return encodeNumber(v[0]);
}

function chunkBody(header: Buffer, sealed: Buffer): Buffer {
  const body = joinBytes([encodeChunkBodyStart(header, sealed.length), sealed]);
  if (body.length !== chunkBodyBytes(header.length, sealed.length))
    throw new Error("chunkBodyBytes is wrong");
  return body;
}

/** Decodes a body and encodes what was read. */
function recode(type: number, body: Buffer): Buffer {
  if (type === FrameType.Hello) return encodeHello(decodeHello(body));
  if (type === FrameType.Challenge) return encodeChallenge(decodeChallenge(body));
  if (type === FrameType.Proof) return encodeProof(decodeProof(body));
  if (type === FrameType.Welcome) return encodeWelcome(decodeWelcome(body));
  if (type === FrameType.Ack) return encodeAck(decodeAck(body));
  if (type === FrameType.Error) return encodeError(decodeError(body));
  if (type !== FrameType.Chunk) return encodeNumber(decodeNumber(body, "number"));
  const chunk = decodeChunkFrame(body);
  return chunkBody(chunk.header, chunk.sealed);
}
