// Runs the test vectors through the shared code, on the badge's virtual machine and on Node alike: the same source, the same
// JSON, two platforms. Written in the subset that DeviceScript compiles.
import {
  type AccountEntry,
  AudioPacker,
  accountEvent,
  accountHash,
  type BadgeEvent,
  CborReader,
  CborWriter,
  CHUNK_PLAINTEXT_BYTES_MAX,
  type Crypto,
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
  firstAccountHash,
  GapCause,
  inboxKeyOf,
  joinBytes,
  nextChainKey,
  openChunk,
  openConfiguration,
  openNudge,
  PHONE_CLASSES,
  type Phrase,
  PhraseDecoder,
  PronunciationPaths,
  phraseSetting,
  plainFrame,
  proofOf,
  readAccountEvent,
  readPhrase,
  Session,
  Side,
  sealChunk,
  sealConfiguration,
  sealNudge,
  unpackAudio,
} from "../shared";

// The vectors are JSON: their fields are described where they are made, protocol/vectors/make-vectors.ts.
// biome-ignore lint/suspicious/noExplicitAny: the shapes of JSON files
type Json = any;

/** The vector files. */
export interface Vectors {
  cbor: Json;
  keys: Json;
  chunks: Json;
  frames: Json;
  account: Json;
  nudges: Json;
  configurations: Json;
  phrases: Json;
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

/** Called between cases: the badge's virtual machine stops a program that runs for too long without a pause. */
export type Pause = () => Promise<void>;

/** Runs every vector. @returns what passed and what failed */
export async function runVectors(vectors: Vectors, crypto: Crypto, pause: Pause): Promise<Tally> {
  const tally = new Tally();
  for (const vector of vectors.cbor.valid) {
    runCborValue(tally, vector.kind, vector.value, vector.hex);
    await pause();
  }
  for (const vector of vectors.cbor.invalid) refuseCbor(tally, `cbor ${vector.why}`, "int", vector.hex);
  await pause();
  runKeys(tally, vectors.keys, crypto);
  await pause();
  for (const vector of vectors.chunks.chunks) {
    runChunk(tally, vector, crypto);
    await pause();
  }
  runPlaintexts(tally, vectors.chunks);
  await runFrames(tally, vectors.frames, crypto, pause);
  runAccount(tally, vectors.account, crypto);
  await pause();
  for (const vector of vectors.nudges.nudges) {
    runNudge(tally, vectors.nudges, vector, crypto);
    await pause();
  }
  for (const vector of vectors.configurations.configurations) {
    await runConfiguration(tally, vectors.configurations, vector, crypto, pause);
  }
  for (const one of vectors.phrases.cases) {
    await runPhraseCase(tally, one.name, one, pause);
  }
  await pause();
  refusePhrases(tally, vectors.phrases);
  return tally;
}

function runCborValue(tally: Tally, kind: string, value: Json, encoded: string): void {
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
  refuseCbor(tally, `${what} cut short`, kind, encoded.slice(0, encoded.length - 2));
}

function refuseCbor(tally: Tally, what: string, kind: string, encoded: string): void {
  tally.refused(`${what} ${encoded}`, () => readAny(kind, unhex(encoded)));
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
  tally.equal("inbox key", hex(inboxKeyOf(crypto, unhex(keys.inbox.chainKey))), keys.inbox.inboxKey);
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

function runAccount(tally: Tally, account: Json, crypto: Crypto): void {
  let hash = firstAccountHash(crypto, unhex(account.badgeId));
  tally.equal("account, first hash", hex(hash), account.first);
  for (const vector of account.entries) {
    const [seq, boot, startMs, sentMs, silenceMs, mutedMs, pausedMs, refusedMs, unheardMs, evictedMs] =
      vector.values;
    const times = { sentMs, silenceMs, mutedMs, pausedMs, refusedMs, unheardMs, evictedMs };
    const entry: AccountEntry = { seq, boot, startMs, ...times };
    hash = accountHash(crypto, hash, entry);
    tally.equal(`account, hash of entry ${seq}`, hex(hash), vector.hash);
    const read = readAccountEvent(accountEvent(entry, hash, 7));
    tally.equal(`account, entry ${seq} read`, JSON.stringify(read.entry), JSON.stringify(entry));
    tally.equal(`account, hash of entry ${seq} read`, hex(read.hash), vector.hash);
  }
}

function runNudge(tally: Tally, nudges: Json, vector: Json, crypto: Crypto): void {
  const badgeId = unhex(nudges.badgeId);
  const inboxKey = unhex(nudges.inboxKey);
  const { id, expiresUnixMs, pattern, text } = vector;
  const nudge = { id, expiresUnixMs, pattern, text };
  const body = unhex(vector.body);
  tally.equal(`nudge ${id}`, hex(sealNudge(crypto, inboxKey, badgeId, nudge)), vector.body);
  const opened = openNudge(crypto, inboxKey, badgeId, body);
  tally.equal(`nudge ${id} opened`, JSON.stringify(opened), JSON.stringify(nudge));
  tally.refused(`nudge ${id} for another badge`, () =>
    openNudge(crypto, inboxKey, flipped(badgeId, 0), body),
  );
  for (let at = 0; at < body.length; at++) refuseNudge(tally, id, at, crypto, inboxKey, badgeId, body);
}

async function runConfiguration(
  tally: Tally,
  configurations: Json,
  vector: Json,
  crypto: Crypto,
  pause: Pause,
): Promise<void> {
  const badgeId = unhex(configurations.badgeId);
  const inboxKey = unhex(configurations.inboxKey);
  const { version, tuning, consent } = vector;
  const configuration = { version, tuning, consent };
  const body = unhex(vector.body);
  const name = `configuration ${version}`;
  tally.equal(name, hex(sealConfiguration(crypto, inboxKey, badgeId, configuration)), vector.body);
  const opened = openConfiguration(crypto, inboxKey, badgeId, body);
  tally.equal(`${name} opened`, JSON.stringify(opened), JSON.stringify(configuration));
  tally.refused(`${name} for another badge`, () =>
    openConfiguration(crypto, inboxKey, flipped(badgeId, 0), body),
  );
  tally.refused(`${name} as a nudge`, () => openNudge(crypto, inboxKey, badgeId, body));
  for (let at = 0; at < body.length; at++) {
    refuseConfiguration(tally, name, at, crypto, inboxKey, badgeId, body);
    if (at % 16 === 0) await pause();
  }
}

function refuseConfiguration(
  tally: Tally,
  name: string,
  at: number,
  crypto: Crypto,
  inboxKey: Buffer,
  badgeId: Buffer,
  body: Buffer,
): void {
  tally.refused(`${name}, byte ${at} changed`, () =>
    openConfiguration(crypto, inboxKey, badgeId, flipped(body, at)),
  );
}

function refuseNudge(
  tally: Tally,
  id: number,
  at: number,
  crypto: Crypto,
  inboxKey: Buffer,
  badgeId: Buffer,
  body: Buffer,
): void {
  tally.refused(`nudge ${id}, byte ${at} changed`, () =>
    openNudge(crypto, inboxKey, badgeId, flipped(body, at)),
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

function runPlaintexts(tally: Tally, chunks: Json): void {
  for (const vector of chunks.audio) {
    tally.equal("audio items packed", hex(packItems(vector.items)), vector.plaintext);
    tally.equal("audio items read", hex(packItems(describeItems(unhex(vector.plaintext)))), vector.plaintext);
  }
  for (const vector of chunks.badAudio) refuseAudio(tally, vector.why, vector.plaintext);
  const { startMs, list, plaintext } = chunks.events;
  tally.equal("events", hex(encodeEvents(list as BadgeEvent[], startMs)), plaintext);
  tally.equal("events read", JSON.stringify(decodeEvents(unhex(plaintext), startMs)), JSON.stringify(list));
  for (const vector of chunks.badEvents) refuseEvents(tally, vector.why, vector.plaintext);
}

function refuseEvents(tally: Tally, why: string, plaintext: string): void {
  tally.refused(`events: ${why}`, () => decodeEvents(unhex(plaintext), 0));
}

function refusePhrases(tally: Tally, phrases: Json): void {
  for (const bad of phrases.bad) refusePhrase(tally, bad.why, bad.setting);
}

function refusePhrase(tally: Tally, why: string, setting: Json): void {
  tally.refused(`phrase: ${why}`, () => readPhrase(setting));
}

/** Runs the decoder over a case's posteriors and compares every score and every hit. */
async function runPhraseCase(tally: Tally, name: string, one: Json, pause: Pause): Promise<void> {
  const vectors = unhex(one.posteriors);
  const phrases: Phrase[] = [];
  for (const setting of one.settings) phrases.push(readPhrase(setting));
  const decoder = new PhraseDecoder(phrases);
  const path = new PronunciationPaths([phrases[0].pronunciations[0]]);
  const ticks = vectors.length / PHONE_CLASSES;
  const scores: number[] = [];
  const hits: Json[] = [];
  for (let t = 0; t < ticks; t++) {
    const tick = one.firstTick + t;
    const ended = path.step(0, vectors, t * PHONE_CLASSES, tick);
    scores.push(ended ? path.score(0) : 1);
    const hit = decoder.tick(vectors, t * PHONE_CLASSES, tick);
    if (t % 8 === 0) await pause();
    if (hit !== undefined) hits.push([phrases[hit.phrase].text, hit.startTick, hit.endTick, hit.score]);
  }
  tally.equal(`scores of ${name}`, JSON.stringify(scores), JSON.stringify(one.scores));
  tally.equal(`hits of ${name}`, JSON.stringify(hits), JSON.stringify(one.hits));
  tally.equal(
    `setting of ${name}`,
    JSON.stringify(phraseSetting(phrases[0])),
    JSON.stringify(one.settings[0]),
  );
}

function refuseAudio(tally: Tally, why: string, plaintext: string): void {
  tally.refused(`audio ${why}`, () => unpackAudio(unhex(plaintext)));
}

function runChunk(tally: Tally, vector: Json, crypto: Crypto): void {
  const { name, epoch, index, kind, startMs, durationMs, codec, count } = vector;
  const fields = { badgeId: unhex(vector.badgeId), epoch, index, kind, startMs, durationMs, codec, count };
  const header = encodeChunkHeader(fields);
  tally.equal(`chunk header, ${name}`, hex(header), vector.header);
  tally.equal(`chunk header read, ${name}`, hex(encodeChunkHeader(decodeChunkHeader(header))), vector.header);
  const key = unhex(vector.epochKey);
  const sealed = sealChunk(crypto, key, header, unhex(vector.plaintext));
  tally.equal(`sealed chunk, ${name}`, hex(sealed), vector.sealed);
  const opened = openChunk(crypto, key, header, sealed);
  tally.equal(`opened chunk, ${name}`, opened === undefined ? "refused" : hex(opened), vector.plaintext);
  for (let at = 0; at < header.length; at++)
    refuseChunk(tally, `chunk ${name}, header byte ${at} changed`, crypto, key, flipped(header, at), sealed);
  for (let at = 0; at < sealed.length; at += 1 + (sealed.length >> 5))
    refuseChunk(tally, `chunk ${name}, sealed byte ${at} changed`, crypto, key, header, flipped(sealed, at));
}

function refuseChunk(
  tally: Tally,
  what: string,
  crypto: Crypto,
  key: Buffer,
  header: Buffer,
  sealed: Buffer,
): void {
  tally.refused(what, () => openChunk(crypto, key, header, sealed));
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.alloc(bytes.length);
  copy.set(bytes, 0);
  copy[at] ^= 1;
  return copy;
}

function packItems(items: Json): Buffer {
  const packer = new AudioPacker(CHUNK_PLAINTEXT_BYTES_MAX);
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

async function runFrames(tally: Tally, frames: Json, crypto: Crypto, pause: Pause): Promise<void> {
  const introduction = introductionOf(frames.session);
  const authKey = unhex(frames.session.authKey);
  const badge = new Session(crypto, Side.Badge, authKey, introduction);
  const relay = new Session(crypto, Side.Relay, authKey, introduction);
  for (const vector of frames.frames) {
    runFrame(tally, vector, badge, relay);
    await pause();
  }
  for (const vector of frames.frames)
    if (vector.proven) {
      const receiver = vector.sender === "badge" ? relay : badge;
      refuseFrame(
        tally,
        `frame ${vector.name} from the ${vector.sender} repeated`,
        receiver,
        payloadOf(vector),
      );
    }
  await pause();
  const welcome = payloadOf(frames.frames[4]);
  for (let at = 0; at < welcome.length; at++) {
    const fresh = new Session(crypto, Side.Badge, authKey, introduction);
    refuseFrame(tally, `welcome, byte ${at} changed`, fresh, flipped(welcome, at));
  }
}

function runFrame(tally: Tally, vector: Json, badge: Session, relay: Session): void {
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
  tally.equal(`${what}, split`, `${wrongSplits(frame)} wrong`, "0 wrong");
  if (!vector.proven) return;
  const receiver = vector.sender === "badge" ? relay : badge;
  const opened = receiver.open(payloadOf(vector));
  tally.equal(`${what} opened`, `${opened.type} ${hex(opened.body)}`, `${vector.type} ${vector.body}`);
}

function payloadOf(vector: Json): Buffer {
  const frame = unhex(vector.frame);
  return frame.slice(2, frame.length);
}

function refuseFrame(tally: Tally, what: string, receiver: Session, payload: Buffer): void {
  tally.refused(what, () => receiver.open(payload));
}

/** Cuts a frame in two at every place. @returns at how many the payload does not come out whole */
function wrongSplits(frame: Buffer): number {
  let wrong = 0;
  for (let at = 0; at <= frame.length; at++) if (!splitsWell(frame, at)) wrong++;
  return wrong;
}

function splitsWell(frame: Buffer, at: number): boolean {
  const splitter = new FrameSplitter(FRAME_PAYLOAD_BYTES_MAX);
  const seen: string[] = [];
  const take = (payload: Buffer) => {
    seen.push(hex(payload));
  };
  splitter.push(frame.slice(0, at), take);
  splitter.push(frame.slice(at, frame.length), take);
  return seen.length === 1 && seen[0] === hex(frame.slice(2, frame.length));
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
  return joinBytes([encodeChunkBodyStart(header, sealed.length), sealed]);
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
