// Ways to spoil a body that was in order: bytes at random, and CBOR by its structure.
import type { Random } from "../random";

/** @returns bytes that differ from those given in most cases */
type Mutation = (random: Random, body: Buffer) => Buffer;

const MAJOR_ARRAY = 4;
const MAJORS = 8;
/** Bytes that decoders treat in some other way than their neighbours: CBOR heads and limits. */
const TELLING_BYTES = [
  0, 1, 0x17, 0x18, 0x1b, 0x1c, 0x1f, 0x20, 0x3b, 0x5f, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xff,
];
/** Lengths and numbers that are too large here, or are for whoever calculates with 32 bits or doubles. */
const HUGE = [24, 255, 65535, 65536, 2 ** 31 - 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 63];
const DEPTH_MAX = 16_000;
const GROWTH_BYTES_MAX = 300;
const WRONG_KEYS = [Buffer.from([0x00]), Buffer.from([0x20]), Buffer.from([0x61, 0x76]), Buffer.from([0xf6])];

/** Where a CBOR head stands in a body. */
interface Head {
  at: number;
  lengthBytes: number;
  major: number;
  value: number;
}

/** Every way, by its name. */
export const mutations: Readonly<Record<string, Mutation>> = {
  "bits turned": (random, body) => {
    const spoiled = Buffer.from(body);
    for (let turns = 1 + random.below(3); turns > 0 && body.length > 0; turns--)
      spoiled[random.below(body.length)] ^= 1 << random.below(8);
    return spoiled;
  },
  "telling byte": (random, body) => {
    const spoiled = Buffer.from(body);
    if (body.length > 0) spoiled[random.below(body.length)] = random.pick(TELLING_BYTES);
    return spoiled;
  },
  "cut short": (random, body) => body.subarray(0, random.below(body.length + 1)),
  grown: (random, body) => {
    const at = random.below(body.length + 1);
    return spliced(body, at, at, random.bytes(1 + random.below(GROWTH_BYTES_MAX)));
  },
  "part left out": (random, body) => {
    const at = random.below(body.length + 1);
    return spliced(body, at, at + 1 + random.below(8), Buffer.alloc(0));
  },
  "part repeated": (random, body) => {
    const at = random.below(body.length + 1);
    return spliced(body, at, at, body.subarray(at, at + 1 + random.below(16)));
  },
  "other major type": onHead((random, { major, value }) =>
    cborHead((major + 1 + random.below(MAJORS - 1)) % MAJORS, value),
  ),
  "not the shortest head": onHead((random, { major, value }) => longHead(random, major, value)),
  "huge length or number": onHead((random, { major }) => cborHead(major, random.pick(HUGE))),
  "indefinite or reserved head": onHead((random, { major }) =>
    Buffer.from([(major << 5) | (28 + random.below(4))]),
  ),
  "deep nesting": (random, body) => {
    const depth = random.chance(90) ? 1 + random.below(100) : random.below(DEPTH_MAX);
    const opener = random.pick([0x81, 0x9f, 0xa1, 0xbf, 0xc1]);
    const at = random.pick(headsOf(body))?.at ?? 0;
    return spliced(body, at, at, Buffer.alloc(depth, opener));
  },
  "map in place of the array": (random, body) => {
    const [outer] = headsOf(body);
    if (outer === undefined || outer.major !== MAJOR_ARRAY)
      return Buffer.concat([Buffer.from([0xa1, 0]), body]);
    const pairs: Buffer[] = [cborHead(5, outer.value)];
    const heads = headsOf(body).slice(1);
    heads.forEach(({ at }, i) => {
      pairs.push(random.pick(WRONG_KEYS), body.subarray(at, heads[i + 1]?.at ?? body.length));
    });
    return Buffer.concat(pairs);
  },
};

const NAMES = Object.keys(mutations);

/** @returns the name of one of the ways, and the body spoiled by it */
export function mutate(random: Random, body: Buffer): { name: string; spoiled: Buffer } {
  const name = random.pick(NAMES);
  const spoiled = mutations[name](random, body);
  return { name, spoiled };
}

/** @returns the head of a CBOR value in its shortest form; from 2^53 on only powers of 2 are exact */
export function cborHead(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  const lengthBytes = value < 256 ? 1 : value < 65536 ? 2 : value < 2 ** 32 ? 4 : 8;
  return headOf(major, value, lengthBytes);
}

function longHead(random: Random, major: number, value: number): Buffer {
  const longer = [1, 2, 4, 8].filter((lengthBytes) => 1 + lengthBytes > cborHead(major, value).length);
  return longer.length === 0 ? cborHead(major, value + 1) : headOf(major, value, random.pick(longer));
}

function headOf(major: number, value: number, lengthBytes: number): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(value));
  return Buffer.concat([
    Buffer.from([(major << 5) | (24 + Math.log2(lengthBytes))]),
    number.subarray(8 - lengthBytes),
  ]);
}

function onHead(replacement: (random: Random, head: Head) => Buffer): Mutation {
  return (random, body) => {
    const heads = headsOf(body);
    if (heads.length === 0) return random.bytes(1 + random.below(20));
    const head = random.pick(heads);
    return spliced(body, head.at, head.at + head.lengthBytes, replacement(random, head));
  };
}

/** The heads of a body that is in order; of any other as many as can be made out. */
function headsOf(body: Buffer): Head[] {
  const heads: Head[] = [];
  let at = 0;
  while (at < body.length) {
    const major = body[at] >> 5;
    const info = body[at] & 31;
    const extraBytes = info < 24 ? 0 : 1 << (info - 24);
    if (info > 27 || at + 1 + extraBytes > body.length) return heads;
    let value = info < 24 ? info : 0;
    for (let i = 1; i <= extraBytes; i++) value = value * 256 + body[at + i];
    heads.push({ at, lengthBytes: 1 + extraBytes, major, value });
    at += 1 + extraBytes + (major === 2 || major === 3 ? value : 0);
  }
  return heads;
}

function spliced(body: Buffer, from: number, to: number, insert: Buffer): Buffer {
  return Buffer.concat([body.subarray(0, from), insert, body.subarray(to)]);
}
