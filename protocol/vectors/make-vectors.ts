// Makes the test vectors beside it, from cbor-x and node:crypto alone: nothing of the code under test has a part in them.
// Run `npm run vectors` after a change of the format, and read the difference before committing it.
import { createCipheriv, createHash, createHmac, hkdfSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { Encoder } from "cbor-x";
import { phraseVectors } from "./phrase-vectors";

const cbor = new Encoder({ useRecords: false, variableMapSize: true, tagUint8Array: false });

/** Bytes that look random and are the same each time. */
function bytes(label: string, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let i = 0; blocks.length * 32 < length; i++)
    blocks.push(createHash("sha256").update(`${label} ${i}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
}

/** Numbers beyond 32 bits go in as BigInt: cbor-x writes a large number as a float otherwise. */
function encode(value: unknown): Buffer {
  const wide = (v: unknown): unknown =>
    Array.isArray(v)
      ? v.map(wide)
      : typeof v === "number" && (v >= 2 ** 32 || v < -(2 ** 32))
        ? BigInt(v)
        : v;
  return Buffer.from(cbor.encode(wide(value)));
}

function hkdf(key: Buffer, salt: Buffer, info: Buffer): Buffer {
  return Buffer.from(hkdfSync("sha256", key, salt, info, 32));
}

const hex = (b: Buffer) => b.toString("hex");
const empty = Buffer.alloc(0);

// ---- the CBOR subset ----
const uints = [0, 1, 23, 24, 255, 256, 65535, 65536, 4294967295, 4294967296, 1750000000123, 2 ** 53 - 1];
const cborVectors = {
  valid: [
    ...uints.map((value) => ({ kind: "int", value, hex: hex(encode(value)) })),
    ...uints.map((value) => ({ kind: "int", value: -1 - value, hex: hex(encode(-1 - value)) })).slice(0, 11),
    ...[0, 1, 23, 24, 255, 256].map((length) => ({
      kind: "bytes",
      value: hex(bytes("bstr", length)),
      hex: hex(encode(bytes("bstr", length))),
    })),
    ...["", "a", "Grüße, 10 °C", "x".repeat(24)].map((value) => ({
      kind: "text",
      value,
      hex: hex(encode(value)),
    })),
  ],
  invalid: [
    ["missing", ""],
    ["not the shortest head, 1 byte", "1817"],
    ["not the shortest head, 2 bytes", "1900ff"],
    ["not the shortest head, 4 bytes", "1a0000ffff"],
    ["not the shortest head, 8 bytes", "1b00000000ffffffff"],
    ["larger than 2^53 - 1", "1b0020000000000000"],
    ["head cut short", "19ff"],
    ["reserved head", "1c"],
    ["indefinite length", "1f"],
    ["text where an integer must be", "6161"],
    ["float where an integer must be", "fb3ff0000000000000"],
    ["null where an integer must be", "f6"],
    ["tag where an integer must be", "c101"],
    ["value and a byte more", "0000"],
  ].map(([why, hexOf]) => ({ why, hex: hexOf })),
};

// ---- keys ----
const root = bytes("root", 32);
const chain = [root];
for (let i = 0; i < 3; i++) chain.push(hkdf(chain[i], empty, Buffer.from("salestag next epoch")));
const epochKeys = chain.map((key) => hkdf(key, empty, Buffer.from("salestag epoch key")));
const authKey = bytes("auth", 32);
const badgeId = bytes("badge", 8);
const badgeNonce = bytes("badge nonce", 16);
const relayNonce = bytes("relay nonce", 16);
const introduced = Buffer.concat([Buffer.from([1]), badgeId, badgeNonce, relayNonce]);
const proof = (label: string) => createHmac("sha256", authKey).update(label).update(introduced).digest();
const sessionKey = hkdf(authKey, Buffer.concat([badgeNonce, relayNonce]), Buffer.from("salestag session 1"));
const inboxKey = hkdf(root, empty, Buffer.from("salestag inbox"));
const keyVectors = {
  inbox: { chainKey: hex(root), inboxKey: hex(inboxKey) },
  chain: chain.map((key, n) => ({ epoch: n, chainKey: hex(key), epochKey: hex(epochKeys[n]) })),
  session: {
    authKey: hex(authKey),
    version: 1,
    badgeId: hex(badgeId),
    badgeNonce: hex(badgeNonce),
    relayNonce: hex(relayNonce),
    relayProof: hex(proof("salestag relay 1")),
    badgeProof: hex(proof("salestag badge 1")),
    sessionKey: hex(sessionKey),
  },
};

// ---- chunks ----
function chunk(
  name: string,
  epoch: number,
  index: number,
  kind: number,
  startMs: number,
  durationMs: number,
  codec: number,
  count: number,
  plaintext: Buffer,
) {
  const header = encode([1, badgeId, epoch, index, kind, startMs, durationMs, codec, count]);
  const key = hkdf(epochKeys[epoch], empty, Buffer.concat([Buffer.from("salestag chunk 1"), header]));
  const cipher = createCipheriv("aes-256-ccm", key, Buffer.alloc(13), { authTagLength: 16 });
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return {
    name,
    badgeId: hex(badgeId),
    epoch,
    index,
    kind,
    startMs,
    durationMs,
    codec,
    count,
    epochKey: hex(epochKeys[epoch]),
    header: hex(header),
    plaintext: hex(plaintext),
    sealed: hex(Buffer.concat([ciphertext, cipher.getAuthTag()])),
  };
}

interface Item {
  /** Whole Opus packet, hexadecimal. */
  packet?: string;
  gap?: "silence" | "lost";
  frames?: number;
}

/** The items of audio.ts, written down a second time. */
function packItems(items: Item[]): Buffer {
  const out: number[] = [];
  let toc: number | undefined;
  for (const item of items) {
    if (item.packet === undefined) {
      out.push(item.gap === "lost" ? 0xfe : 0xfd, item.frames ?? 0);
      continue;
    }
    const packet = Buffer.from(item.packet, "hex");
    if (toc === undefined) out.push(packet[0]);
    else if (toc !== packet[0]) out.push(0xff, packet[0]);
    toc = packet[0];
    out.push(packet.length - 1, ...packet.subarray(1));
  }
  return Buffer.from(out);
}

const packet = (toc: number, length: number) =>
  hex(Buffer.concat([Buffer.from([toc]), bytes(`opus ${toc}`, length - 1)]));
const audioItems: Item[][] = [
  [{ packet: packet(0x48, 38) }],
  [{ packet: packet(0x48, 1) }, { packet: packet(0x48, 250) }],
  [
    { packet: packet(0x48, 40) },
    { gap: "silence", frames: 7 },
    { gap: "lost", frames: 2 },
    { packet: packet(0x08, 12) },
    { packet: packet(0x48, 3) },
  ],
];
const events: [number, number, ...(number | string)[]][] = [
  [1, 0],
  [5, 20, 1750000000123],
  [3, 500, 1240],
  [4, 700, 60, 1],
  [6, 800, 720, -1843, -2460, "too expensive"],
  [7, 900, 2400, 2, 66],
  [8, 900, 12],
  [9, 900, 2],
  [10, 910],
  [11, 920, 600000, 61000, 40000, 22000],
  [12, 930, 3, 7],
  [13, 940, 5, 12, 93040, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 4294967295, 0, 1, 2],
  [14, 945, 1750000000123],
  [99, 950, 1, -7, "from a newer badge"],
  [2, 31000, 1],
];
const audioVectors = audioItems.map((items) => ({ items, plaintext: hex(packItems(items)) }));
const chunkVectors = {
  chunks: [
    chunk("audio, first of an epoch", 0, 0, 1, 1000, 20, 1, 1, packItems(audioItems[0])),
    chunk(
      "audio with gaps, after long uptime",
      3,
      4294967295,
      1,
      86400000 * 60,
      240,
      1,
      3,
      packItems(audioItems[2]),
    ),
    chunk("events", 1, 300, 2, 65536, 31000, 2, events.length, encode(events)),
    chunk(
      "audio of 2 s",
      2,
      24,
      1,
      70000,
      2000,
      1,
      100,
      packItems(Array.from({ length: 100 }, () => ({ packet: packet(0x48, 38) }))),
    ),
  ],
  audio: audioVectors,
  badAudio: [
    ["no packet", "48"],
    ["packet cut short", "48050102"],
    ["unknown tag", "4800fa01"],
    ["gap of no frames", "4800fd00"],
    ["gap cut short", "4800fd"],
    ["TOC cut short", "4800ff"],
    ["more than 2 s", "4800fd6400"],
  ].map(([why, plaintext]) => ({ why, plaintext })),
  events: {
    startMs: 1000,
    list: events.map(([kind, at, ...rest]) => {
      const values = rest.filter((value) => typeof value === "number");
      const [text] = rest.filter((value) => typeof value === "string");
      return text === undefined ? { kind, atMs: 1000 + at, values } : { kind, atMs: 1000 + at, values, text };
    }),
    plaintext: hex(encode(events)),
  },
  badEvents: [
    ["kind 0", [[0, 0]]],
    ["speech without its length", [[3, 0]]],
    ["speech with a text", [[3, 0, 5, "x"]]],
    ["speech with an empty text", [[3, 0, 5, ""]]],
    ["an unknown kind with an empty text", [[99, 0, 5, ""]]],
    ["a key phrase without its text", [[6, 0, 1, 2, 3]]],
    ["a key phrase with an empty text", [[6, 0, 1, 2, 3, ""]]],
    ["a text before a value", [[6, 0, 1, 2, "x", 3]]],
    ["a text of 161 bytes", [[6, 0, 1, 2, 3, "x".repeat(161)]]],
    ["17 values", [[99, 0, ...Array.from({ length: 17 }, (_, i) => i)]]],
    ["an account entry of 13 values", [[13, 0, ...Array.from({ length: 13 }, (_, i) => i)]]],
    ["a turn of two values", [[7, 0, 1, 2]]],
  ].map(([why, list]) => ({ why, plaintext: hex(encode(list)) })),
};

// ---- the account of the day ----
/** Sequence number, boot, start in ms; ms sent, silence, muted, paused, refused, unheard; ms evicted. */
const accountEntries = [
  [0, 1, 0, 0, 60000, 0, 0, 0, 40, 0],
  [1, 1, 60040, 31000, 2000, 0, 0, 0, 0, 0],
  [2, 1, 93040, 0, 0, 600000, 120000, 8000, 0, 2000],
  [3, 2, 0, 0, 0, 0, 0, 0, 0, 2 ** 40],
];
let accountHash = createHmac("sha256", badgeId).update("salestag account 1").digest().subarray(0, 16);
const accountVectors = {
  badgeId: hex(badgeId),
  first: hex(accountHash),
  entries: accountEntries.map((values) => {
    accountHash = createHmac("sha256", accountHash).update(encode(values)).digest().subarray(0, 16);
    return { values, hash: hex(accountHash) };
  }),
};

// ---- letters ----
function letter(info: string, id: number, content: unknown[]): string {
  const header = encode([1, badgeId, id]);
  const key = hkdf(inboxKey, empty, Buffer.concat([Buffer.from(info), header]));
  const cipher = createCipheriv("aes-256-ccm", key, Buffer.alloc(13), { authTagLength: 16 });
  const ciphertext = cipher.update(encode(content));
  cipher.final();
  return hex(encode([header, Buffer.concat([ciphertext, cipher.getAuthTag()])]));
}
function nudge(id: number, expiresUnixMs: number, pattern: number, text: string) {
  const body = letter("salestag nudge 1", id, [expiresUnixMs, pattern, text]);
  return { id, expiresUnixMs, pattern, text, body };
}
function configuration(version: number, tuning: string, consent: string) {
  return { version, tuning, consent, body: letter("salestag config 1", version, [tuning, consent]) };
}
const nudgeVectors = {
  badgeId: hex(badgeId),
  inboxKey: hex(inboxKey),
  nudges: [nudge(1, 1750000000123, 1, "Ask about the roof"), nudge(4294967295, 0, 255, "")],
};

const configurationVectors = {
  badgeId: hex(badgeId),
  inboxKey: hex(inboxKey),
  configurations: [
    configuration(1, '{"talkShareMax":60}', '{"policy":"verbal","withinMs":30000,"yes":["you may"],"no":[]}'),
    configuration(4294967295, "", ""),
  ],
};

// ---- frames ----
const header0 = Buffer.from(chunkVectors.chunks[0].header, "hex");
const sealed0 = Buffer.from(chunkVectors.chunks[0].sealed, "hex");
const bodies: [name: string, type: number, sender: "badge" | "relay", proven: boolean, values: unknown[]][] =
  [
    ["hello", 1, "badge", false, [1, badgeId, badgeNonce]],
    ["challenge", 2, "relay", false, [relayNonce, proof("salestag relay 1")]],
    ["proof", 3, "badge", false, [proof("salestag badge 1")]],
    ["error", 12, "relay", false, [3, "this relay has no badge 0011223344556677: provision it"]],
    ["welcome", 4, "relay", true, [1750000000123, 7, 300, 8, 0]],
    ["chunk", 5, "badge", true, [header0, sealed0]],
    ["ack", 6, "relay", true, [4294967295, 24, 0]],
    ["ping", 9, "badge", true, [1]],
    ["pong", 10, "relay", true, [1]],
    ["ping", 9, "relay", true, [65536]],
    ["pong", 10, "badge", true, [65536]],
    ["error", 12, "relay", true, [6, "the spool is full"]],
    ["bye", 11, "badge", true, [0]],
  ];
const counters = { badge: 0, relay: 0 };
const frameVectors = {
  session: keyVectors.session,
  frames: bodies.map(([name, type, sender, proven, values]) => {
    const body = encode(values);
    let mac = empty;
    if (proven) {
      const start = Buffer.alloc(6);
      start[0] = sender === "badge" ? 1 : 2;
      start.writeUInt32BE(counters[sender]++, 1);
      start[5] = type;
      mac = createHmac("sha256", sessionKey).update(start).update(body).digest().subarray(0, 8);
    }
    const length = Buffer.alloc(2);
    length.writeUInt16BE(1 + body.length + mac.length);
    const plain = values.map((value) => (Buffer.isBuffer(value) ? hex(value) : value));
    return {
      name,
      type,
      sender,
      proven,
      values: plain,
      body: hex(body),
      frame: hex(Buffer.concat([length, Buffer.from([type]), body, mac])),
    };
  }),
};

for (const [name, vectors] of Object.entries({
  cbor: cborVectors,
  keys: keyVectors,
  chunks: chunkVectors,
  frames: frameVectors,
  account: accountVectors,
  nudges: nudgeVectors,
  configurations: configurationVectors,
  phrases: phraseVectors(bytes),
}))
  writeFileSync(new URL(`${name}.json`, import.meta.url), `${JSON.stringify(vectors, null, 1)}\n`);
