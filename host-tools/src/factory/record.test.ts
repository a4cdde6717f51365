// The factory test's record: what is signed, and that nothing in it can be changed, left out or made up.
import { strict as assert } from "node:assert";
import { createHash, generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ExitCode } from "@salestag/protocol/team";
import { toolError, useFolder } from "@salestag/protocol/testing";
import { createSigningKey, publicBytes, readSigningKey, readTrustedKeys } from "../flash/signing";
import { assertFailed, salestag } from "../testing/salestag";
import { LIMITS } from "./limits";
import { type FactoryRecord, parseRecord, readRecord, signedBytes, signRecord, verdictOf } from "./record";
import { vectorKey, vectorRecord } from "./record.fixture";
import { STEPS } from "./step";

const PAGE = fileURLToPath(new URL("../../../docs/factory-record.md", import.meta.url));
const FAILED = { step: "button", verdict: "failed", says: "no press came", todo: "look at it" } as const;

/** Signs whatever it is given, as a forger with a key of his own can. */
const forged = (change: (record: FactoryRecord) => unknown): string => {
  const record = vectorRecord();
  return signRecord((change(record) ?? record) as FactoryRecord, vectorKey());
};

describe("factory record", () => {
  const folder = useFolder();

  it("factory record: the test vector of docs/factory-record.md", () => {
    const page = readFileSync(PAGE, "utf8");
    const bytes = signedBytes(vectorRecord());
    const signed = JSON.parse(signRecord(vectorRecord(), vectorKey())) as {
      signer: string;
      signature: string;
    };
    assert.equal(parseRecord(signRecord(vectorRecord(), vectorKey())) instanceof Object, true);
    for (const [what, value] of [
      ["bytes", `${bytes.length} bytes`],
      ["digest", createHash("sha256").update(bytes).digest("hex")],
      ["signer", signed.signer],
      ["signature", signed.signature],
    ])
      assert.ok(page.includes(value), `${what}: the page lacks ${value}`);
  });

  it("factory record: the page has every limit, as the table in the program has it", () => {
    const page = readFileSync(PAGE, "utf8");
    for (const [name, limit] of Object.entries(LIMITS)) {
      const { unit, least = "", most = "" } = limit as { unit: string; least?: number; most?: number };
      assert.ok(
        page.includes(`| \`${name}\` | ${unit} | ${least} | ${most} |`),
        `${name} ${unit} ${least} ${most}`,
      );
    }
  });

  it("factory record: any changed byte of its content is found, white space and order are not content", () => {
    const text = signRecord(vectorRecord(), vectorKey());
    const reordered = JSON.parse(text) as Record<string, Record<string, unknown>>;
    reordered.record = Object.fromEntries(Object.entries(reordered.record).reverse());
    assert.notEqual(typeof parseRecord(JSON.stringify(reordered)), "string");
    for (const [from, to] of [
      ["62.5", "63.5"],
      ["Zo\u00eb", "Zoe"],
      ["6c9452a2ffffffff", "6c9452a2fffffffe"],
      ['"most": 150', '"most": 151'],
      ["passed", "failed"],
      ["12:01:30", "12:01:31"],
    ])
      assert.equal(parseRecord(text.replace(from, to)), "its signature does not fit its contents", from);
  });

  it("factory record: one that is signed and says what cannot be is refused", () => {
    const why = (change: (record: FactoryRecord) => unknown) => parseRecord(forged(change));
    assert.match(
      String(why((record) => ({ ...record, version: 2 }))),
      /version 2, this program reads version 1/,
    );
    assert.match(String(why((record) => ({ ...record, operator: "a\nb" }))), /not in its form/);
    assert.match(String(why((record) => ({ ...record, steps: "all" }))), /not in its form/);
    assert.match(String(why((record) => ({ ...record, steps: [null] }))), /not in its form/);
    assert.match(String(why((record) => ({ ...record, program: undefined }))), /not in its form/);
    assert.match(String(why((record) => ({ ...record, verdict: "failed" }))), /verdict does not follow/);
    assert.match(
      String(why((record) => ({ ...record, steps: record.steps.slice(1) }))),
      /verdict does not follow/,
    );
    const tooMuch = vectorRecord({
      step: "current",
      values: [{ name: "currentDraw", value: 480, unit: "mA", most: 150 }],
    });
    assert.match(String(why(() => tooMuch)), /'current' passed with a value outside its limits/);
    for (const text of [
      "",
      "[]",
      "null",
      "{}",
      '{"record":{}}',
      '{"record":[],"signer":"00","signature":"00"}',
    ])
      assert.equal(typeof parseRecord(text), "string", text);
  });

  it("factory record: the verdict (all passed, one failed, one left out, one skipped)", () => {
    assert.equal(vectorRecord().verdict, "passed");
    assert.equal(vectorRecord(FAILED).verdict, "failed");
    assert.equal(vectorRecord({ step: "mute", verdict: "skipped" }).verdict, "incomplete");
    assert.equal(verdictOf(vectorRecord().steps.slice(0, STEPS.length - 1)), "incomplete");
  });

  it("factory record: who signed is asked (trusted, stranger, damaged, absent)", () => {
    const path = join(folder(), "record.json");
    writeFileSync(path, signRecord(vectorRecord(), vectorKey()));
    const stranger = generateKeyPairSync("ed25519").publicKey;
    const { signer, record } = readRecord(path, [stranger, vectorKey()]);
    assert.equal(signer, publicBytes(vectorKey()).toString("hex"));
    assert.deepEqual(record, vectorRecord());
    assert.throws(() => readRecord(path, [stranger]), toolError(ExitCode.Keys, /which you do not trust/));
    writeFileSync(path, readFileSync(path, "utf8").slice(0, -9));
    assert.throws(() => readRecord(path, [vectorKey()]), toolError(ExitCode.Damaged, /not JSON/));
    assert.throws(() => readRecord(join(folder(), "none"), []), toolError(ExitCode.Usage, /none/));
  });

  it("factory record: salestag factory-test verify (passed 0, failed 5, stranger 3, forged 4)", async () => {
    const keyPath = join(folder(), "factory.key");
    const { publicPath } = createSigningKey(keyPath);
    const key = readSigningKey(keyPath);
    const path = join(folder(), "record.json");
    const verify = (...more: string[]) =>
      salestag(folder(), "factory-test", "verify", path, "--trust", publicPath, ...more);
    writeFileSync(path, signRecord(vectorRecord(), key));
    const good = await verify();
    assert.deepEqual([good.code, good.stderr], [0, ""]);
    assert.match(good.stdout, /^verdict {3}passed$/m);
    assert.match(good.stdout, /^passed {3}current {5}step current$/m);
    const json = JSON.parse((await verify("--json")).stdout) as { record: FactoryRecord };
    assert.equal(json.record.hardwareId, vectorRecord().hardwareId);
    writeFileSync(path, signRecord(vectorRecord(FAILED), key));
    assertFailed(await verify(), 5, /6c9452a2ffffffff did not pass: failed/);
    writeFileSync(path, signRecord(vectorRecord(), vectorKey()));
    assertFailed(await verify(), 3, /do not trust/);
    writeFileSync(path, signRecord(vectorRecord(), key).replace("62.5", "12.5"));
    assertFailed(await verify(), 4, /signature does not fit/);
    assert.equal(readTrustedKeys(publicPath).length, 1);
  });
});
