// Holds wire.cddl, the vectors and an independent CBOR decoder together: every frame's body in the vectors, decoded by cbor-x,
// must match the rule of its type number, and every rule must have a vector.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decode, Encoder } from "cbor-x";
import { parse } from "cddl";
import { CborReader, CborWriter } from "../shared";

const at = (path: string) => new URL(`../../${path}`, import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(at(`vectors/${name}.json`), "utf8"));

// biome-ignore lint/suspicious/noExplicitAny: the parser's syntax tree has many shapes and we read four of them
type Node = any;

const rules = new Map<string, Node>();
for (const rule of parse(fileURLToPath(at("wire.cddl")))) rules.set((rule as Node).Name, rule);

/** @returns the rule of this name, aliases followed */
function ruleOf(name: string): Node {
  const rule = rules.get(name);
  assert.ok(rule, `wire.cddl has no rule '${name}'`);
  const alias = rule.Type === "variable" ? rule.PropertyType?.[0]?.Value : undefined;
  return typeof alias === "string" && rules.has(alias) ? ruleOf(alias) : rule;
}

/** @returns what is wrong with `value` under the type of one array entry, or undefined */
function mismatch(value: unknown, type: Node): string | undefined {
  const name: string = typeof type === "string" ? type : (type.Type ?? type.Value);
  const operator = type.Operator;
  const limit = operator?.Value?.Value ?? operator?.Value;
  if (name === "group") return arrayMismatch(value, ruleOf(type.Value));
  const whole = typeof value === "bigint" || Number.isSafeInteger(value);
  if (name === "uint" && !(whole && (value as number) >= 0)) return `${value} is no uint`;
  if (name === "int" && !whole) return `${value} is no int`;
  if (name === "bstr" && !Buffer.isBuffer(value)) return `${value} is no bstr`;
  if (name === "tstr" && typeof value !== "string") return `${value} is no tstr`;
  if (!["uint", "int", "bstr", "tstr"].includes(name)) return `this test does not know the type '${name}'`;
  if (operator?.Type === "le" && (value as number) > limit) return `${value} is more than ${limit}`;
  if (operator?.Type === "size" && (value as Buffer).length !== limit) return `not ${limit} bytes`;
  return undefined;
}

function arrayMismatch(value: unknown, rule: Node): string | undefined {
  if (!Array.isArray(value)) return `${value} is no array`;
  const entries: Node[] = rule.Values;
  let place = 0;
  for (const [index, entry] of entries.entries()) {
    const many = entry.Occurrence?.m !== 1;
    const count = many ? value.length - place - (entries.length - index - 1) : 1;
    for (let i = 0; i < count; i++) {
      const wrong = mismatch(value[place++], entry.Type[0] ?? entry.Type);
      if (wrong) return `${entry.Name}: ${wrong}`;
    }
  }
  return place === value.length ? undefined : `${value.length} values, ${place} in the rule`;
}

describe("protocol: wire.cddl", () => {
  const nudges = read("nudges").nudges as { body: string }[];
  const configurations = read("configurations").configurations as { body: string }[];
  const frames: { type: number; name: string; body: string }[] = [
    ...read("frames").frames,
    ...nudges.map(({ body }) => ({ type: 128, name: "nudge", body })),
    ...configurations.map(({ body }) => ({ type: 129, name: "configuration", body })),
  ];

  it("every frame in the vectors matches the rule of its type", () => {
    for (const { type, name, body } of frames) {
      assert.equal(ruleOf(`body-${type}`), ruleOf(name), `body-${type} is not '${name}'`);
      assert.equal(arrayMismatch(decode(Buffer.from(body, "hex")), ruleOf(name)), undefined, name);
    }
  });

  it("every rule of a body has a vector", () => {
    const types = new Set(frames.map(({ type }) => `body-${type}`));
    const bodies = [...rules.keys()].filter((name) => name.startsWith("body-"));
    assert.ok(bodies.length >= 10);
    for (const rule of bodies) assert.ok(types.has(rule), `no vector for ${rule}`);
  });

  it("chunk headers and events match their rules", () => {
    const { chunks, events } = read("chunks");
    for (const chunk of chunks)
      assert.equal(
        arrayMismatch(decode(Buffer.from(chunk.header, "hex")), ruleOf("chunk-header")),
        undefined,
      );
    const list = decode(Buffer.from(events.plaintext, "hex")) as unknown[];
    for (const event of list) {
      const hasText = typeof (event as unknown[]).at(-1) === "string";
      assert.equal(arrayMismatch(event, ruleOf(hasText ? "text-event" : "event")), undefined);
    }
  });

  it("this test sees a body that is wrong (a value too many, too large, of another type, of another size)", () => {
    const wrong = [
      [1, Buffer.alloc(8), Buffer.alloc(16), 0],
      [256, Buffer.alloc(8), Buffer.alloc(16)],
      ["1", Buffer.alloc(8), Buffer.alloc(16)],
      [1, Buffer.alloc(9), Buffer.alloc(16)],
    ];
    for (const values of wrong) assert.notEqual(arrayMismatch(values, ruleOf("hello")), undefined);
    assert.equal(arrayMismatch([1, Buffer.alloc(8), Buffer.alloc(16)], ruleOf("hello")), undefined);
  });
});

describe("protocol: CBOR subset against cbor-x", () => {
  it("cbor-x reads what we write (random arrays of every kind, 500 of them)", () => {
    let state = 12345;
    const random = (below: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state % below;
    };
    for (let round = 0; round < 500; round++) {
      const values: unknown[] = [];
      const count = random(30);
      const writer = new CborWriter(20000).array(count);
      for (let i = 0; i < count; i++) {
        const kind = random(4);
        const magnitude = random(2 ** [3, 6, 9, 17, 32][random(5)]);
        const bytes = Buffer.alloc(random(300), magnitude & 255);
        const text = "ö".repeat(random(40));
        values.push([magnitude, -magnitude, bytes, text][kind]);
        if (kind === 0) writer.uint(magnitude);
        else if (kind === 1) writer.int(-magnitude);
        else if (kind === 2) writer.bytes(bytes);
        else writer.text(text);
      }
      assert.deepEqual(decode(writer.done()), values);
    }
  });

  it("we read what cbor-x writes, below 2^32", () => {
    const encoder = new Encoder({ useRecords: false, tagUint8Array: false });
    for (const value of [0, 23, 24, 255, 256, 65535, 65536, 4294967295])
      assert.equal(new CborReader(encoder.encode(value)).uint("value"), value);
  });
});
