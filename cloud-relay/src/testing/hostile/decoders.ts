// Every decoder of the protocol with bodies that are in order, and what must hold for any other bytes: a FormatError and nothing
// else, or a value that is encoded to the very same bytes.
import {
  type BadgeEvent,
  CHUNK_FRAMES_MAX,
  CHUNK_HEADER_BYTES_MAX,
  decodeAck,
  decodeChallenge,
  decodeChunkFrame,
  decodeChunkHeader,
  decodeError,
  decodeEvents,
  decodeHello,
  decodeNumber,
  decodeProof,
  decodeRecord,
  decodeWelcome,
  EventKind,
  encodeAck,
  encodeChallenge,
  encodeChunkBodyStart,
  encodeChunkHeader,
  encodeError,
  encodeEvents,
  encodeHello,
  encodeNumber,
  encodeProof,
  encodeRecord,
  encodeWelcome,
  FormatError,
  nodeCrypto,
  openNudge,
  readAccountEvent,
  readConsentPolicy,
  readNudgeHeader,
  readPhrase,
  sealNudge,
  unpackAudio,
} from "@salestag/protocol/host";
import { decodeFrame, encodeFrame, encodeUsb, UsbDecoder } from "@salestag/protocol/jacdac";
import type { Random } from "../random";

/** One decoder. */
interface Decoder {
  name: string;
  /** @returns a body that is in order, but for its meaning */
  sample: (random: Random) => Buffer;
  /**
   * Decodes `body`.
   * @returns the same value encoded again; undefined where the format has several encodings of a value
   * @throws FormatError when it is not in order
   */
  read: (body: Buffer) => Buffer | undefined;
}

const NUMBERS = [0, 1, 23, 24, 255, 256, 65535, 65536, 2 ** 32 - 1];
const TIMES = [...NUMBERS, 2 ** 32, 1_750_000_000_000, 2 ** 53 - 1];
const crypto = nodeCrypto();
const INBOX_KEY = Buffer.alloc(32, 5);
const BADGE_ID = Buffer.alloc(8, 7);
/** So near the end of what a number holds that the times of most events cannot be added to it. */
const LATE_START_MS = 2 ** 53 - 1000;

/** All of them. */
export const decoders: readonly Decoder[] = [
  {
    name: "hello",
    sample: (r) => encodeHello({ version: r.below(256), badgeId: r.bytes(8), nonce: r.bytes(16) }),
    read: (body) => encodeHello(decodeHello(body)),
  },
  {
    name: "challenge",
    sample: (r) => encodeChallenge({ nonce: r.bytes(16), proof: r.bytes(32) }),
    read: (body) => encodeChallenge(decodeChallenge(body)),
  },
  {
    name: "proof",
    sample: (r) => encodeProof(r.bytes(32)),
    read: (body) => encodeProof(decodeProof(body)),
  },
  {
    name: "welcome",
    sample: (r) =>
      encodeWelcome({
        unixMs: r.pick(TIMES),
        nextEpoch: r.pick(NUMBERS),
        nextIndex: r.pick(NUMBERS),
        window: r.below(256),
        configVersion: r.pick(NUMBERS),
      }),
    read: (body) => encodeWelcome(decodeWelcome(body)),
  },
  { name: "chunk frame", sample: sampleChunkFrame, read: readChunkFrame },
  {
    name: "chunk header",
    sample: sampleHeader,
    read: (body) => encodeChunkHeader(decodeChunkHeader(body)),
  },
  {
    name: "ack",
    sample: (r) =>
      encodeAck({ nextEpoch: r.pick(NUMBERS), nextIndex: r.pick(NUMBERS), window: r.below(256) }),
    read: (body) => encodeAck(decodeAck(body)),
  },
  {
    name: "number",
    sample: (r) => encodeNumber(r.pick(NUMBERS)),
    read: (body) => encodeNumber(decodeNumber(body, "ping")),
  },
  {
    name: "error",
    sample: (r) => encodeError({ code: r.below(256), text: r.pick(["", "no", "ä€😀", "x".repeat(200)]) }),
    read: (body) => encodeError(decodeError(body)),
  },
  { name: "nudge", sample: sampleNudge, read: readNudge },
  { name: "events", sample: sampleEvents, read: readEvents },
  { name: "audio", sample: sampleAudio, read: readAudio },
  { name: "record", sample: sampleRecord, read: readRecord },
  {
    name: "phrase setting",
    sample: () => Buffer.from('["too much",-2400,"_TAHI","_TAI"]'),
    read: (body) => readSetting(body, readPhrase),
  },
  {
    name: "consent setting",
    sample: () => Buffer.from('{"policy":"verbal","withinMs":60000,"yes":["yes"],"no":[]}'),
    read: (body) => readSetting(body, readConsentPolicy),
  },
  { name: "Jacdac frame", sample: sampleJacdac, read: readJacdac },
  { name: "USB stream", sample: (r) => encodeUsb(sampleJacdac(r)), read: readUsb },
];

/**
 * Gives `body` to a decoder.
 * @returns true when it is in order
 * @throws Error when the decoder does what it must not do
 */
export function accepts(decoder: Decoder, body: Buffer): boolean {
  let again: Buffer | undefined;
  try {
    again = decoder.read(body);
  } catch (cause) {
    if (cause instanceof FormatError) return false;
    throw cause;
  }
  if (again !== undefined && !again.equals(body))
    throw new Error(
      `${decoder.name}: accepted bytes that are encoded otherwise: ${hex(body)} became ${hex(again)}`,
    );
  return true;
}

function hex(bytes: Buffer): string {
  return bytes.length > 64
    ? `${bytes.toString("hex", 0, 64)}... (${bytes.length} bytes)`
    : bytes.toString("hex");
}

function sampleHeader(r: Random): Buffer {
  return encodeChunkHeader({
    badgeId: r.bytes(8),
    epoch: r.pick(NUMBERS),
    index: r.pick(NUMBERS),
    kind: 1 + r.below(255),
    startMs: r.pick(TIMES),
    durationMs: r.pick(NUMBERS),
    codec: 1 + r.below(255),
    count: r.below(CHUNK_FRAMES_MAX + 1),
  });
}

function sampleChunkFrame(r: Random): Buffer {
  const header = r.chance(80) ? sampleHeader(r) : r.bytes(1 + r.below(CHUNK_HEADER_BYTES_MAX));
  const sealed = r.bytes(16 + r.below(100));
  return Buffer.concat([encodeChunkBodyStart(header, sealed.length), sealed]);
}

function readChunkFrame(body: Buffer): Buffer {
  const { header, sealed } = decodeChunkFrame(body);
  return Buffer.concat([encodeChunkBodyStart(header, sealed.length), sealed]);
}

function sampleNudge(r: Random): Buffer {
  const nudge = { id: r.pick(NUMBERS), expiresUnixMs: r.pick(TIMES), pattern: r.below(256), text: "Ask" };
  return sealNudge(crypto, INBOX_KEY, BADGE_ID, nudge);
}

/** Sealing is deterministic, so a nudge that opens must be sealed to the same bytes. */
function readNudge(body: Buffer): Buffer | undefined {
  readNudgeHeader(body);
  const nudge = openNudge(crypto, INBOX_KEY, BADGE_ID, body);
  return nudge === undefined ? undefined : sealNudge(crypto, INBOX_KEY, BADGE_ID, nudge);
}

function sampleEvents(r: Random): Buffer {
  const events: BadgeEvent[] = [];
  for (let count = r.below(6); count > 0; count--) {
    const values = (n: number) => Array.from({ length: n }, () => r.pick(TIMES) * (r.chance(20) ? -1 : 1));
    const atMs = r.pick(NUMBERS);
    events.push(
      r.pick([
        { kind: EventKind.Mark, atMs, values: [] },
        { kind: EventKind.Turn, atMs, values: values(3) },
        { kind: EventKind.KeyPhrase, atMs, values: values(3), text: r.pick(["solar", "größer"]) },
        { kind: EventKind.Account, atMs, values: values(14).map(Math.abs) },
        { kind: 200, atMs, values: values(r.below(17)) },
      ]),
    );
  }
  return encodeEvents(events, 0);
}

function readEvents(body: Buffer): Buffer {
  const startMs = body.length % 2 === 0 ? 1000 : LATE_START_MS;
  const events = decodeEvents(body, startMs);
  for (const event of events) if (event.kind === EventKind.Account) readAccountEvent(event);
  return encodeEvents(events, startMs);
}

function sampleAudio(r: Random): Buffer {
  const items: Buffer[] = [r.bytes(1)];
  for (let count = 1 + r.below(12); count > 0; count--) {
    const packet = r.bytes(r.below(60));
    items.push(Buffer.from([packet.length]), packet);
    if (r.chance(30)) items.push(Buffer.from([r.pick([0xfd, 0xfe, 0xff]), 1 + r.below(6)]));
  }
  return Buffer.concat(items);
}

/** Gaps and changes of the TOC may be written in several ways. What is read must lie in order within the chunk's time. */
function readAudio(body: Buffer): undefined {
  let frames = 0;
  for (const item of unpackAudio(body)) {
    if (item.atFrame !== frames) throw new Error(`audio: an item is at frame ${item.atFrame}, not ${frames}`);
    frames += item.type === "packet" ? 1 : item.frames;
  }
  if (frames > CHUNK_FRAMES_MAX) throw new Error(`audio: ${frames} frames were accepted`);
  return undefined;
}

function sampleRecord(r: Random): Buffer {
  const header = sampleHeader(r);
  const { badgeId, epoch, index } = decodeChunkHeader(header);
  const sealed = r.bytes(16 + r.below(50));
  const badge = badgeId.toString("hex");
  return encodeRecord({ badge, epoch, index, receivedMs: r.pick(TIMES), header, sealed });
}

/** MessagePack has several encodings of a value. */
function readRecord(body: Buffer): undefined {
  const again = decodeRecord(encodeRecord(decodeRecord(body)));
  if (!Number.isSafeInteger(again.receivedMs)) throw new Error(`record: received at ${again.receivedMs}`);
  return undefined;
}

/** What is no JSON does not get to the reader. */
function readSetting(body: Buffer, read: (value: unknown) => unknown): undefined {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw new FormatError("no JSON");
  }
  read(value);
  return undefined;
}

function sampleJacdac(r: Random): Buffer {
  const packets = Array.from({ length: 1 + r.below(3) }, () => {
    return { serviceIndex: r.below(64), command: r.below(65536), data: r.bytes(r.below(60)) };
  });
  return encodeFrame({ flags: r.below(256), deviceId: r.bytes(8).toString("hex"), packets });
}

function readJacdac(body: Buffer): undefined {
  if (decodeFrame(body) === undefined) throw new FormatError("no Jacdac frame");
  return undefined;
}

function readUsb(body: Buffer): undefined {
  let frames = 0;
  const decoder = new UsbDecoder({
    frame: (bytes) => void (decodeFrame(bytes) !== undefined && frames++),
    line: () => undefined,
    dropped: () => undefined,
  });
  decoder.push(body);
  if (frames === 0) throw new FormatError("no Jacdac frame in the stream");
  return undefined;
}
