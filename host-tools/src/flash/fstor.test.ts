// The runtime's store: the document's test vector, both banks, what is refused. That the runtime itself reads and writes the same bytes
// is tested in the rig (src/rom/store.test.ts).
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { bytesOf } from "@salestag/protocol/testing";
import fc from "fast-check";
import {
  BANK_BYTES,
  makeStore,
  PROGRAM_BYTES_MAX,
  readStore,
  replaceProgram,
  type Store,
  StoreError,
} from "./fstor";
import { STORE } from "./layout";

const PROGRAM = Buffer.concat([Buffer.from("446576530a6e29f1", "hex"), Buffer.alloc(24)]);
const OTHER = bytesOf(5, 8000);

function applied(image: Buffer, store: Store, program: Buffer): Buffer<ArrayBuffer> {
  const after = Buffer.from(image);
  const { prelude, writes } = replaceProgram(store, program);
  for (const { offset, bytes } of [prelude, ...writes]) bytes.copy(after, offset);
  return after;
}

/** A store with these settings, made the way that this program makes one. */
function storeWith(settings: Map<string, Buffer>, program: Buffer = PROGRAM): Buffer<ArrayBuffer> {
  const image = makeStore(PROGRAM);
  return applied(image, { ...readStore(image)!, settings }, program);
}

describe("fstor", () => {
  it("fstor: the document's vector", () => {
    const settings = new Map([
      [":badge", Buffer.from('"0123456789abcdef"')],
      ["wifi_ssid", Buffer.from("Office")],
    ]);
    const image = storeWith(settings);
    const bank = image.subarray(BANK_BYTES, 2 * BANK_BYTES);
    assert.equal(
      bank.subarray(0, 120).toString("hex"),
      "465354520aeaec6b02000000001000004000040000000000" +
        "3a626164676500000000000000000000e87f000012000000" +
        "776966695f7373696400000000000000e07f000006000000" +
        "2a70726f670000000000000000000000" +
        "00900000" +
        "a0000000" +
        "ff".repeat(24),
    );
    assert.equal(
      bank.subarray(-32).toString("latin1"),
      'Office\xff\xff"0123456789abcdef"\xff\xff\xff\xff\xff\xff',
    );
    assert.equal(image.subarray(0x9000, 0x9010).toString("hex"), "53bd8a8d200000002b4b7cb2" + "8b94816a");
    assert.equal(
      createHash("sha256").update(image).digest("hex"),
      "00947bec0674ce3ebd31739390ced5fb2eb2b0329a46f51e8e37c4112f5646fe",
    );
  });

  it("fstor: a new store has the program and no settings", () => {
    const image = makeStore(OTHER);
    assert.equal(image.length, STORE.lengthBytes);
    const { generation, bank, settings, program } = readStore(image)!;
    assert.deepEqual([generation, bank, settings.size, program?.offset], [1, 0, 0, 0x8000]);
    assert.ok(program?.bytecode?.equals(OTHER));
  });

  it("fstor: erased flash is no store; anything else that is none is refused", () => {
    const blank = Buffer.alloc(STORE.lengthBytes, 0xff);
    assert.equal(readStore(blank), undefined);
    for (const at of [0, 4, 12, 16, 18, 26, 40, 300]) {
      const image = makeStore(PROGRAM);
      image[at] ^= 4;
      assert.throws(() => readStore(image), StoreError, `byte ${at}`);
    }
    assert.throws(() => readStore(Buffer.alloc(STORE.lengthBytes)), StoreError);
    assert.throws(() => readStore(blank.subarray(1)), RangeError);
  });

  it("fstor: settings of any kind come through another program, the newest value of each (generated)", () => {
    const key = fc.stringMatching(/^[a-z:_][a-z0-9]{0,13}$/);
    const value = fc.uint8Array({ maxLength: 232 }).map((bytes): Buffer => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value), { maxLength: 40 }), (entries) => {
        const settings = new Map<string, Buffer>(entries);
        const image = storeWith(settings, OTHER);
        const store = readStore(image)!;
        assert.deepEqual(store.settings, settings);
        assert.ok(store.program?.bytecode?.equals(OTHER));
        const again = readStore(applied(image, store, PROGRAM))!;
        assert.deepEqual(
          [again.settings, again.bank, again.generation],
          [settings, 1 - store.bank, store.generation + 1],
        );
      }),
      { numRuns: 30 },
    );
  });

  it("fstor: while the other bank is written, the present one has everything (each byte of it lost)", () => {
    const settings = new Map([
      [":badge", Buffer.from('"0123"')],
      [":chain", bytesOf(3, 90)],
    ]);
    const image = storeWith(settings);
    const store = readStore(image)!;
    const { prelude, writes } = replaceProgram(store, OTHER);
    prelude.bytes.copy(image, prelude.offset);
    assert.deepEqual(readStore(image)?.settings, settings, "the runtime's view after the prelude");
    for (const { offset, bytes } of writes)
      for (
        let length = 0;
        length <= bytes.length;
        length += length < 128 || bytes.length - length < 256 ? 1 : 97
      ) {
        const cut = Buffer.from(image);
        bytes.copy(cut, offset, 0, length);
        const found = readStore(cut, true)!;
        assert.deepEqual([found.settings, found.generation], [settings, store.generation]);
      }
  });

  it("fstor: a program whose bytes are damaged is known as that, its settings stay", () => {
    const image = storeWith(new Map([[":a", Buffer.from("1")]]));
    const at = readStore(image)!.program!.offset;
    image[at + 130] ^= 1;
    const { program, settings } = readStore(image)!;
    assert.deepEqual([program?.bytecode, settings.size], [undefined, 1]);
  });

  it("fstor: the longest program fits beside itself, one byte more is refused", () => {
    const longest = bytesOf(8, PROGRAM_BYTES_MAX);
    const first = makeStore(longest);
    const store = readStore(first)!;
    const after = applied(first, store, bytesOf(9, PROGRAM_BYTES_MAX));
    assert.ok(readStore(after, true)?.program?.bytecode?.equals(longest), "the present one is not touched");
    assert.notEqual(readStore(after)!.program!.offset, store.program!.offset);
    assert.throws(() => makeStore(bytesOf(8, PROGRAM_BYTES_MAX + 1)), RangeError);
  });

  it("fstor: settings that fill a bank are refused, and nothing is lost by that", () => {
    const many = new Map(Array.from({ length: 63 }, (_, i) => [`:key${i}`, bytesOf(i, 232)] as const));
    const store = readStore(makeStore(PROGRAM))!;
    assert.throws(
      () => replaceProgram({ ...store, settings: new Map([...many, [":x", bytesOf(1, 232)]]) }, OTHER),
      StoreError,
    );
    assert.deepEqual(readStore(storeWith(many))?.settings, many);
  });
});
