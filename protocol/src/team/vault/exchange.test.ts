// Exports and imports of whole vaults, against a file that `age` made (vectors/vault-export.json) and against Debian's `age`.
import { strict as assert } from "node:assert";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { badgeKeys, CREATED_MS, makeVault, person } from "../../testing/team.fixture";
import { modeOf, requireProgram, runProgram, toolError, useFolder } from "../../testing/tools";
import { ExitCode } from "../errors";
import { sealTo } from "./age";
import { epochKeyFor } from "./badge-keys";
import { exportVault, importVault, type VaultExport } from "./exchange";
import { shredEpochs } from "./shred";
import { Vault } from "./vault";

const VECTOR = JSON.parse(
  readFileSync(fileURLToPath(new URL("../../../vectors/vault-export.json", import.meta.url)), "utf8"),
) as { identity: string; file: string; content: VaultExport; epochKeys: Record<string, string | null> };

describe("vault export", () => {
  const folder = useFolder();
  const out = () => join(folder(), "export.age");

  /** Kim's vault with two badges, of which one has a conversation shredded. */
  async function team() {
    const [kim, lee] = [await person(folder(), "kim"), await person(folder(), "lee")];
    const vault = await makeVault(join(folder(), "vault"), [kim], 2);
    await vault.change((change) => change.replace(shredEpochs(badgeKeys(1), [2]).keys));
    const write = (to: string[] = []) =>
      exportVault({ vault, identities: kim.identities, out: out(), to, nowMs: CREATED_MS });
    return { kim, lee, vault, write };
  }

  const sealedExport = async (recipient: string, change: object) =>
    writeFileSync(out(), await sealTo([recipient], JSON.stringify({ ...VECTOR.content, ...change })));

  it("export: the vector is taken into a new vault, and its keys are the vector's", async () => {
    writeFileSync(out(), Buffer.from(VECTOR.file, "base64"));
    const target = join(folder(), "new");
    const result = await importVault(out(), target, [VECTOR.identity]);
    const ids = VECTOR.content.badges.map(({ badge }) => badge);
    assert.deepEqual(result, { created: true, added: ids, changed: [], unchanged: [] });
    const vault = Vault.open(target);
    assert.deepEqual(vault.label, VECTOR.content.label);
    assert.deepEqual(vault.recipients(), VECTOR.content.recipients);
    assert.deepEqual(await vault.readAll([VECTOR.identity]), VECTOR.content.badges);
    for (const [epoch, key] of Object.entries(VECTOR.epochKeys)) {
      const read = () => epochKeyFor(VECTOR.content.badges[0], Number(epoch)).toString("hex");
      if (key === null) assert.throws(read, toolError(ExitCode.Keys, /was shredded/));
      else assert.equal(read(), key);
    }
  });

  it("export: Debian's age reads it, with the vector's fields", async function () {
    requireProgram(this, "age");
    const { kim, vault, write } = await team();
    assert.deepEqual(await write(), vault.badges());
    assert.equal(modeOf(out()), 0o600);
    const content = JSON.parse(runProgram("age", ["-d", "-i", kim.file, out()]).toString("utf8"));
    assert.deepEqual(Object.keys(content), Object.keys(VECTOR.content));
    assert.deepEqual(content, {
      format: "salestag vault export",
      version: 1,
      exportedMs: CREATED_MS,
      label: "Sunny Roofs",
      recipients: [{ recipient: kim.recipient, name: "" }],
      badges: [badgeKeys(0), shredEpochs(badgeKeys(1), [2]).keys],
    });
  });

  it("export: --to is for those named and nobody else; the vault that they make of it is theirs as well", async () => {
    const { kim, lee, write } = await team();
    await write([lee.recipient]);
    await assert.rejects(
      importVault(out(), join(folder(), "new"), kim.identities),
      toolError(ExitCode.Keys, /does not open/),
    );
    assert.equal(existsSync(join(folder(), "new")), false);
    await importVault(out(), join(folder(), "new"), lee.identities);
    const vault = Vault.open(join(folder(), "new"));
    assert.equal(modeOf(join(folder(), "new")), 0o700);
    for (const { identities } of [kim, lee]) assert.equal((await vault.readAll(identities)).length, 2);
  });

  it("export: a file that is there, a recipient that is none, a badge that does not open", async () => {
    const { lee, vault, write } = await team();
    await assert.rejects(write(["age1x"]), toolError(ExitCode.Usage, /'age1x' is no age recipient/));
    writeFileSync(out(), "precious");
    await assert.rejects(write(), toolError(ExitCode.Usage, /not overwritten/));
    assert.equal(readFileSync(out(), "utf8"), "precious");
    const options = { vault, identities: lee.identities, out: join(folder(), "other"), to: [], nowMs: 0 };
    await assert.rejects(exportVault(options), toolError(ExitCode.Keys, /does not open/));
    assert.equal(existsSync(join(folder(), "other")), false);
  });

  it("import: what was shredded in either stays shredded, the rest opens; a second time changes nothing", async () => {
    const { kim, vault, write } = await team();
    await write(); // badge 1 without conversation 2
    await vault.change(async (change) => {
      await change.replace(shredEpochs(badgeKeys(0), [1]).keys);
      await change.replace(shredEpochs(badgeKeys(1), [5]).keys); // 2 is there again, as from another backup
    });
    const result = await importVault(out(), join(folder(), "vault"), kim.identities);
    const [first, second] = [badgeKeys(0).badge, badgeKeys(1).badge];
    assert.deepEqual(result, { created: false, added: [], changed: [second], unchanged: [first] });
    assert.deepEqual(await vault.read(first, kim.identities), shredEpochs(badgeKeys(0), [1]).keys);
    assert.deepEqual(await vault.read(second, kim.identities), shredEpochs(badgeKeys(1), [2, 5]).keys);
    const again = await importVault(out(), join(folder(), "vault"), kim.identities);
    assert.deepEqual(again.changed, []);
  });

  it("import: who can open the vault does not change, and new badges are for them", async () => {
    const { kim, lee, write } = await team();
    await write([lee.recipient]);
    const other = await makeVault(join(folder(), "other"), [lee], 0);
    const result = await importVault(out(), join(folder(), "other"), lee.identities);
    assert.equal(result.added.length, 2);
    assert.deepEqual(
      other.recipients().map(({ recipient }) => recipient),
      [lee.recipient],
    );
    await assert.rejects(other.readAll(kim.identities), /does not open/);
  });

  it("import: one badge with other keys, and nothing at all changes", async () => {
    const { kim, vault } = await team();
    await sealedExport(kim.recipient, {
      badges: [badgeKeys(4), { ...badgeKeys(0), authKey: "0".repeat(64) }],
    });
    await assert.rejects(
      importVault(out(), join(folder(), "vault"), kim.identities),
      toolError(ExitCode.Keys, /different keys for badge 0123456789abcde0 \(authKey\)/),
    );
    assert.deepEqual(vault.badges(), [badgeKeys(0).badge, badgeKeys(1).badge]);
  });

  for (const [name, change, words] of [
    ["another format", { format: "something" }, /it is something else/],
    ["version 2", { version: 2 }, /has version 2/],
    ["no badges", { badges: undefined }, /badges are no list/],
    ["a badge's name as a path", { badges: [{ ...badgeKeys(0), badge: "../../../../etc" }] }, /badge 1 of 1/],
    ["a key that is none", { badges: [badgeKeys(0), { ...badgeKeys(1), authKey: "x" }] }, /badge 2 of 2/],
    ["null in the place of a badge", { badges: [null] }, /badge 1 of 1/],
    ["a badge twice", { badges: [badgeKeys(0), badgeKeys(0)] }, /a badge twice/],
    ["a recipient that is none", { recipients: [{ recipient: "age1x", name: "" }] }, /'age1x' is no age/],
    ["a recipient without a name", { recipients: [{ recipient: "age1x" }] }, /recipient cannot be used/],
    ["a name of two lines", { recipients: [{ recipient: "age1x", name: "a\nb" }] }, /line break/],
    ["no label", { label: 3 }, /label is no text/],
  ] as const)
    it(`import: content that cannot be used makes no vault (${name})`, async () => {
      const { identities, recipient } = await person(folder(), "kim");
      await sealedExport(recipient, change);
      const target = join(folder(), "new");
      await assert.rejects(importVault(out(), target, identities), toolError(ExitCode.Damaged, words));
      assert.deepEqual(readdirSync(folder()).sort(), ["export.age", "kim.txt"]);
    });

  it("import: no file, a folder, a file that is not age, a vault folder that is something else", async () => {
    const { kim, write } = await team();
    await write();
    const at = (file: string, target = join(folder(), "new")) => importVault(file, target, kim.identities);
    await assert.rejects(at(join(folder(), "no")), toolError(ExitCode.Usage, /There is no file/));
    await assert.rejects(at(folder()), toolError(ExitCode.Usage, /There is no file/));
    writeFileSync(join(folder(), "text"), "text");
    await assert.rejects(at(join(folder(), "text")), toolError(ExitCode.Keys, /does not open/));
    mkdirSync(join(folder(), "docs"));
    writeFileSync(join(folder(), "docs", "x"), "");
    await assert.rejects(at(out(), join(folder(), "docs")), toolError(ExitCode.Usage, /is no vault/));
    assert.deepEqual(readdirSync(join(folder(), "docs")), ["x"]);
  });

  it("import: into an empty folder", async () => {
    const { kim, write } = await team();
    await write();
    mkdirSync(join(folder(), "new"));
    assert.equal((await importVault(out(), join(folder(), "new"), kim.identities)).created, true);
    assert.equal(Vault.open(join(folder(), "new")).badges().length, 2);
  });
});
