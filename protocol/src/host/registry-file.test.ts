// The registry file on a real disk: every mistake is named, no key is, and a change is all or nothing.
import { strict as assert } from "node:assert";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  addBadge,
  LABEL_CHARACTERS_MAX,
  RegistryFileError,
  readRegistry,
  removeBadge,
  rotateBadge,
} from "./registry-file";

const BADGE = "00112233445566ff";
const KEY_HEX = "ab".repeat(32);
const ENTRY = { authKey: KEY_HEX, label: "Ana", addedMs: 1_750_000_000_000 };

describe("registry file", () => {
  let directory: string;
  let path: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "salestag-registry-"));
    path = join(directory, "registry.json");
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const write = (value: unknown): void => {
    writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value), { mode: 0o600 });
  };
  const added = { badge: BADGE, authKey: Buffer.from(KEY_HEX, "hex"), label: "Ana", addedMs: 5 };

  it("registry file: a badge that is added is read again, others are kept, mode is 0600", () => {
    addBadge(path, added);
    addBadge(path, { ...added, badge: "ffffffffffffffff", label: "Bo" });
    const registry = readRegistry(path);
    assert.deepEqual([...registry.keys()], [BADGE, "ffffffffffffffff"]);
    assert.deepEqual(registry.get(BADGE), { authKey: added.authKey, label: "Ana", addedMs: 5 });
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(existsSync(`${path}.new`), false);
  });

  it("another key takes the place of a badge's, all else stays; an unknown badge and a key that is none change nothing", () => {
    addBadge(path, { badge: BADGE, authKey: Buffer.from(KEY_HEX, "hex"), label: "Ana", addedMs: 5 });
    const fresh = Buffer.alloc(32, 7);
    assert.equal(rotateBadge(path, BADGE, fresh), true);
    const expected = new Map([[BADGE, { authKey: fresh, label: "Ana", addedMs: 5 }]]);
    assert.deepEqual(readRegistry(path), expected);
    assert.equal(rotateBadge(path, "ff".repeat(8), fresh), false);
    assert.throws(() => rotateBadge(path, BADGE, Buffer.alloc(31)), /64 lower-case hexadecimal digits/);
    assert.deepEqual(readRegistry(path), expected);
    assert.equal(existsSync(`${path}.new`), false);
  });

  it("registry file: a badge that is removed is gone, removing it again says false", () => {
    addBadge(path, added);
    assert.equal(removeBadge(path, BADGE), true);
    assert.equal(readRegistry(path).size, 0);
    assert.equal(removeBadge(path, BADGE), false);
    assert.equal(existsSync(`${path}.new`), false);
  });

  it("registry file: the same badge twice is refused and changes nothing", () => {
    addBadge(path, added);
    const before = readFileSync(path, "utf8");
    assert.throws(() => addBadge(path, { ...added, label: "Other" }), /registered already/);
    assert.equal(readFileSync(path, "utf8"), before);
    assert.equal(existsSync(`${path}.new`), false);
  });

  it("registry file: a change while another program makes one is refused", () => {
    writeFileSync(`${path}.new`, "");
    assert.throws(() => addBadge(path, added), /another program is changing it/);
    assert.equal(existsSync(path), false);
  });

  for (const mode of [0o640, 0o604, 0o620, 0o666])
    it(`registry file: refused when others may use it (mode ${mode.toString(8)})`, () => {
      write({ version: 1, badges: {} });
      chmodSync(path, mode);
      assert.throws(() => readRegistry(path), /chmod 600/);
    });

  const mistakes: [string, unknown, RegExp][] = [
    ["not JSON, text with a key in it", `{"authKey":"${KEY_HEX}`, /it is not JSON$/],
    ["an array", [], /must be a JSON object/],
    ["version 2", { version: 2, badges: {} }, /"version" must be 1, got 2/],
    ["no badges", { version: 1 }, /"badges" must be an object/],
    ["an unknown field", { version: 1, badges: {}, extra: 1 }, /unknown field "extra"/],
    ["an id of 15 digits", { version: 1, badges: { [BADGE.slice(1)]: ENTRY } }, /16 lower-case/],
    ["an id of 17 digits", { version: 1, badges: { [`${BADGE}0`]: ENTRY } }, /16 lower-case/],
    ["an id in upper case", { version: 1, badges: { [BADGE.toUpperCase()]: ENTRY } }, /16 lower-case/],
    [
      "a key of 63 digits",
      { version: 1, badges: { [BADGE]: { ...ENTRY, authKey: KEY_HEX.slice(1) } } },
      /"authKey"/,
    ],
    [
      "a key of 65 digits",
      { version: 1, badges: { [BADGE]: { ...ENTRY, authKey: `${KEY_HEX}a` } } },
      /"authKey"/,
    ],
    [
      "a label one too long",
      { version: 1, badges: { [BADGE]: { ...ENTRY, label: "x".repeat(LABEL_CHARACTERS_MAX + 1) } } },
      /"label"/,
    ],
    [
      "a label with a line break",
      { version: 1, badges: { [BADGE]: { ...ENTRY, label: "a\nb" } } },
      /"label"/,
    ],
    ["a time of -1", { version: 1, badges: { [BADGE]: { ...ENTRY, addedMs: -1 } } }, /"addedMs"/],
    ["a badge that is null", { version: 1, badges: { [BADGE]: null } }, /must be an object/],
  ];
  for (const [what, content, message] of mistakes)
    it(`registry file: a mistake is named and no key is (${what})`, () => {
      write(content);
      assert.throws(
        () => readRegistry(path),
        (error: unknown) => {
          assert(error instanceof RegistryFileError);
          assert.match(error.message, message);
          assert(!error.message.includes(KEY_HEX.slice(1)));
          return true;
        },
      );
    });

  it("registry file: all mistakes are named at once (3 badges, 4 mistakes)", () => {
    const badges = { a: ENTRY, [BADGE]: { ...ENTRY, label: 5, addedMs: "x" }, ff: ENTRY };
    write({ version: 1, badges });
    assert.throws(
      () => readRegistry(path),
      (error: unknown) => error instanceof RegistryFileError && error.mistakes.length === 4,
    );
  });

  it("registry file: a label of the longest length is accepted", () => {
    addBadge(path, { ...added, label: "x".repeat(LABEL_CHARACTERS_MAX) });
    assert.equal(readRegistry(path).get(BADGE)?.label.length, LABEL_CHARACTERS_MAX);
  });

  it("registry file: a file that is wrong is never replaced", () => {
    write("{");
    assert.throws(() => addBadge(path, added), /it is not JSON/);
    assert.equal(readFileSync(path, "utf8"), "{");
    assert.equal(existsSync(`${path}.new`), false);
  });
});
