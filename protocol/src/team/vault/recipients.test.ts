// Who can open a vault: the list, and what a change of it does to every file. Debian's `age` says who opens what.
import { strict as assert } from "node:assert";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { badgeKeys, makeVault, person } from "../../testing/team.fixture";
import { modeOf, requireProgram, runProgram, toolError, useFolder } from "../../testing/tools";
import { ExitCode } from "../errors";
import { isRecipient } from "./age";
import { addRecipient, removeRecipient } from "./change-recipients";
import { linesWithNames, readRecipients, withoutRecipient, withRecipient } from "./recipients";
import { Vault } from "./vault";

const A = "age1vgxdlf0xyknpnj2yuqkg2h4em7qcr55wnt0wcxzfrqynh4fam3lqm8x3gt";
const B = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

describe("recipients: list", () => {
  it("recipients: comments above are names, others are not", () => {
    const text = `# The team's list\n\n# Kim's laptop\n${A}\n\n${B}\r\n`;
    assert.deepEqual(readRecipients("r", text), [
      { recipient: A, name: "Kim's laptop" },
      { recipient: B, name: "" },
    ]);
  });

  for (const [name, before, added, after] of [
    ["with a name", `${A}\n`, { recipient: B, name: "Safe" }, `${A}\n# Safe\n${B}\n`],
    ["without", `# x\n${A}\n`, { recipient: B, name: "" }, `# x\n${A}\n${B}\n`],
    ["to a file without a line end", A, { recipient: B, name: "" }, `${A}\n${B}\n`],
    ["once more", `# x\n${A}\n`, { recipient: A, name: "" }, `# x\n${A}\n`],
    ["once more with another name", `# x\n${A}\n${B}\n`, { recipient: A, name: "y" }, `# y\n${A}\n${B}\n`],
  ] as const)
    it(`recipients: one more (${name})`, () => assert.equal(withRecipient(before, added), after));

  for (const [name, before, after] of [
    ["with its name", `# head\n\n# Kim\n${A}\n# Lee\n${B}\n`, `# head\n\n# Lee\n${B}\n`],
    ["without a name", `${A}\n${B}\n`, `${B}\n`],
    ["listed twice", `${A}\n${B}\n# again\n${A}\n`, `${B}\n`],
    ["not listed", `${B}\n`, undefined],
  ] as const)
    it(`recipients: one less (${name})`, () => assert.equal(withoutRecipient(before, A), after));

  for (const [name, text] of [
    ["empty", ""],
    ["a letter changed", A.replace("vgx", "vgy")],
    ["a letter less", A.slice(0, -1)],
    ["capitals", A.toUpperCase()],
    ["an SSH key", "ssh-ed25519 AAAA"],
    ["two", `${A} ${B}`],
    ["a line break", `${A}\n`],
  ])
    it(`recipients: none (${name})`, () => {
      assert.equal(isRecipient(text), false);
      assert.throws(
        () => withRecipient("", { recipient: text, name: "" }),
        toolError(ExitCode.Usage, /is no age recipient/),
      );
    });

  it("recipients: a secret key in the list is not shown", () => {
    const secret = `AGE-SECRET-KEY-1${"Q".repeat(58)}`;
    assert.throws(
      () => readRecipients("r", secret),
      toolError(ExitCode.Usage, /line 'AGE-SECRET-KEY-\.\.\.'/),
    );
  });

  for (const name of ["two\nlines", "x".repeat(101), "bell\u0007"])
    it(`recipients: name that cannot be one (${JSON.stringify(name).slice(0, 12)})`, () => {
      assert.throws(
        () => withRecipient("", { recipient: A, name }),
        toolError(ExitCode.Usage, /the name has/),
      );
    });
});

describe("recipients: changes of a vault", () => {
  const folder = useFolder();

  async function team(badges = 2) {
    const [kim, lee] = [await person(folder(), "kim"), await person(folder(), "lee")];
    const vaultFolder = join(folder(), "vault");
    const vault = await makeVault(vaultFolder, [kim], badges);
    return {
      kim,
      lee,
      vault,
      vaultFolder,
      list: () => readFileSync(join(vaultFolder, "recipients.txt"), "utf8"),
    };
  }

  it("recipients: one who is added opens everything, and Debian's age agrees", async function () {
    requireProgram(this, "age");
    const { kim, lee, vault, vaultFolder, list } = await team();
    const changed = await addRecipient(vault, kim.identities, { recipient: lee.recipient, name: "Lee" });
    assert.deepEqual(changed.badges, 2);
    assert.equal(list(), `${kim.recipient}\n# Lee\n${lee.recipient}\n`);
    assert.equal(vault.unfinished(), undefined);
    for (const number of [0, 1])
      for (const { file } of [kim, lee]) {
        const path = join(vaultFolder, "badges", `${badgeKeys(number).badge}.age`);
        assert.deepEqual(
          JSON.parse(runProgram("age", ["-d", "-i", file, path]).toString()),
          badgeKeys(number),
        );
        assert.equal(modeOf(path), 0o600);
      }
    assert.equal(modeOf(join(vaultFolder, "recipients.txt")), 0o600);
    assert.deepEqual(readdirSync(vaultFolder).sort(), ["badges", "recipients.txt", "vault.json"]);
  });

  it("recipients: one who is removed opens nothing, and Debian's age agrees", async function () {
    requireProgram(this, "age");
    const { kim, lee, vault, vaultFolder, list } = await team();
    await addRecipient(vault, kim.identities, { recipient: lee.recipient, name: "Lee" });
    await removeRecipient(vault, lee.identities, kim.recipient);
    assert.equal(list(), `# Lee\n${lee.recipient}\n`);
    for (const badge of vault.badges()) {
      const path = join(vaultFolder, "badges", `${badge}.age`);
      assert.throws(() => runProgram("age", ["-d", "-i", kim.file, path]), /no identity matched/);
      assert.ok(runProgram("age", ["-d", "-i", lee.file, path]).length > 0);
    }
    await vault.add(badgeKeys(5));
    await assert.rejects(vault.read(badgeKeys(5).badge, kim.identities), /does not open/);
  });

  it("recipients: one's own, the last, and one that is none are refused, and nothing changes", async () => {
    const { kim, lee, vault, list } = await team();
    await assert.rejects(
      removeRecipient(vault, kim.identities, kim.recipient),
      toolError(ExitCode.Usage, /identity of somebody who stays/),
    );
    await addRecipient(vault, kim.identities, { recipient: lee.recipient, name: "" });
    const before = list();
    for (const [own, removed, words] of [
      [kim.identities, kim.recipient, /identity of somebody who stays/],
      [kim.identities, A, /none of the vault's recipients/],
      [kim.identities, "nonsense", /none of the vault's recipients/],
    ] as const)
      await assert.rejects(removeRecipient(vault, [...own], removed), toolError(ExitCode.Usage, words));
    assert.equal(list(), before);
    assert.equal(vault.unfinished(), undefined);
  });

  it("recipients: an identity that does not open everything changes nothing", async () => {
    const { kim, lee, vault, vaultFolder, list } = await team();
    const before = list();
    await assert.rejects(
      addRecipient(vault, lee.identities, { recipient: lee.recipient, name: "" }),
      toolError(ExitCode.Keys, /does not open with this identity/),
    );
    const path = join(vaultFolder, "badges", `${badgeKeys(1).badge}.age`);
    writeFileSync(path, "damaged");
    await assert.rejects(
      addRecipient(vault, kim.identities, { recipient: lee.recipient, name: "" }),
      toolError(ExitCode.Keys, /does not open/),
    );
    assert.equal(list(), before);
    assert.equal(existsSync(join(vaultFolder, "recipients.next")), false);
    assert.equal(existsSync(join(vaultFolder, "lock")), false);
  });

  it("recipients: one who is listed by hand gets the old files by being added", async () => {
    const { kim, lee, vault, vaultFolder } = await team();
    writeFileSync(join(vaultFolder, "recipients.txt"), `${kim.recipient}\n${lee.recipient}\n`);
    await assert.rejects(vault.readAll(lee.identities), /does not open/);
    await addRecipient(vault, kim.identities, { recipient: lee.recipient, name: "" });
    assert.equal((await vault.readAll(lee.identities)).length, 2);
  });

  it("recipients: an unfinished change is told, and new badges are for the new list already", async () => {
    const { kim, lee, vault, vaultFolder } = await team();
    await addRecipient(vault, kim.identities, { recipient: lee.recipient, name: "" });
    writeFileSync(join(vaultFolder, "recipients.next"), `${lee.recipient}\n`, { mode: 0o600 });
    const again = Vault.open(vaultFolder);
    assert.deepEqual(again.unfinished(), { added: [], removed: [kim.recipient] });
    assert.match(
      again.warnings().join("\n"),
      /not finished: age1\w+ may still open some .* remove-recipient age1/,
    );
    await again.add(badgeKeys(5));
    await assert.rejects(vault.read(badgeKeys(5).badge, kim.identities), /does not open/);
    await removeRecipient(again, lee.identities, kim.recipient); // the second run
    assert.deepEqual(linesWithNames(readFileSync(join(vaultFolder, "recipients.txt"), "utf8")), [
      { recipient: lee.recipient, name: "" },
    ]);
    for (const badge of again.badges()) await assert.rejects(again.read(badge, kim.identities));
    assert.deepEqual(again.warnings(), []);
  });

  it("recipients: what interrupted changes left is cleared away, other files are not", async () => {
    const { kim, lee, vault, vaultFolder } = await team();
    const badges = join(vaultFolder, "badges");
    for (const name of [`.${badgeKeys(0).badge}.age.0a1b2c3d`, ".gitignore"])
      writeFileSync(join(badges, name), "");
    await addRecipient(vault, kim.identities, { recipient: lee.recipient, name: "" });
    assert.deepEqual(
      readdirSync(badges).filter((name) => name.startsWith(".")),
      [".gitignore"],
    );
  });
});
