// Identities that are protected by a passphrase: ours and Debian's `age -p` read each other's. On a real terminal nothing of what
// is typed shows.
import { strict as assert } from "node:assert";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createIdentity, ExitCode, readIdentities, sealTo, Vault } from "@salestag/protocol/team";
import {
  badgeKeys,
  CREATED_MS,
  makeVault,
  modeOf,
  person,
  protectFile,
  requireProgram,
  toolError,
  useFolder,
} from "@salestag/protocol/testing";
import { armor } from "age-encryption";
import { homeEnvironment, PROGRAM, salestagWith } from "../testing/salestag";
import { onTerminal } from "../testing/terminal";

const PASSPHRASE = "trümmer lampe kreide segel";

describe("identity with a passphrase", () => {
  const folder = useFolder();
  const file = () => join(folder(), "identity.txt");
  const says = (passphrase: string) => async () => passphrase;

  it("identity: a wrong passphrase", async () => {
    await protectFile(file(), "# x\n", PASSPHRASE, false);
    await assert.rejects(
      readIdentities(file(), says("another one")),
      toolError(ExitCode.Keys, /passphrase does not open .*identity\.txt'; try again/),
    );
  });

  it("identity: a passphrase that is too short makes no file", async () => {
    await assert.rejects(
      createIdentity(file(), CREATED_MS, "1234567"),
      toolError(ExitCode.Usage, /shorter than 8 characters/),
    );
    assert.equal(existsSync(file()), false);
  });

  for (const binary of [true, false])
    it(`identity: a protected file with comments and two keys (${binary ? "binary" : "armored"})`, async () => {
      const [kim, lee] = [await person(folder(), "kim"), await person(folder(), "lee")];
      const text = readFileSync(kim.file, "utf8") + readFileSync(lee.file, "utf8");
      await protectFile(file(), text, PASSPHRASE, !binary);
      assert.deepEqual(await readIdentities(file(), says(PASSPHRASE)), [
        ...kim.identities,
        ...lee.identities,
      ]);
    });

  it("identity: a plain file asks nobody", async () => {
    const { file, identities } = await person(folder(), "kim");
    assert.deepEqual(await readIdentities(file, () => assert.fail("asked")), identities);
  });

  it("identity: protected, but others may read it, or it holds no key", async () => {
    await protectFile(file(), "# nothing\n", PASSPHRASE, false);
    await assert.rejects(
      readIdentities(file(), says(PASSPHRASE)),
      toolError(ExitCode.Usage, /holds no age identity/),
    );
    chmodSync(file(), 0o644);
    await assert.rejects(readIdentities(file(), says(PASSPHRASE)), toolError(ExitCode.Usage, /chmod 600/));
  });

  it("identity: encrypted to a recipient instead is refused before anybody is asked", async () => {
    const { recipient } = await person(folder(), "kim");
    writeFileSync(file(), await sealTo([recipient], "x"), { mode: 0o600 });
    await assert.rejects(
      readIdentities(file(), () => assert.fail("asked")),
      toolError(ExitCode.Usage, /not with a passphrase/),
    );
  });

  for (const [name, damage] of [
    ["armor cut", (text: string) => text.slice(0, -40)],
    ["armor with a letter more", (text: string) => text.replace("\n-----END", "A\n-----END")],
    ["header only", () => "age-encryption.org/v1\n-> scrypt \n"],
    ["last byte changed", (text: string) => armor.encode(changedAtEnd(armor.decode(text)))],
  ] as const)
    it(`identity: damaged protected file (${name})`, async () => {
      await protectFile(file(), "x", PASSPHRASE, true);
      writeFileSync(file(), damage(readFileSync(file(), "utf8")));
      await assert.rejects(readIdentities(file(), says(PASSPHRASE)), (error: unknown) => {
        const exitCode = error instanceof Error && "exitCode" in error ? error.exitCode : undefined;
        return toolError(exitCode === ExitCode.Keys ? ExitCode.Keys : ExitCode.Usage, /is damaged/)(error);
      });
    });

  it("identity: longer than any is refused", async () => {
    writeFileSync(file(), Buffer.alloc((1 << 16) + 1, "#"), { mode: 0o600 });
    await assert.rejects(readIdentities(file()), toolError(ExitCode.Usage, /65537 bytes, more than 65536/));
  });
});

describe("identity with a passphrase on a terminal", () => {
  const folder = useFolder();

  it("terminal: keys init --passphrase asks twice, keys list once; nothing typed shows; age opens it", async function () {
    requireProgram(this, "script");
    requireProgram(this, "age");
    const [identity, vault] = [join(folder(), "id.txt"), join(folder(), "vault")];
    const env = homeEnvironment(folder());
    const command = (...args: string[]) => [process.execPath, PROGRAM, "keys", ...args, "--vault", vault];
    // A letter too many is taken back, as people do.
    const made = await onTerminal(
      command("init", "--passphrase", "--identity", identity),
      [
        [/New passphrase: /, `${PASSPHRASE}x\x7f\r`],
        [/The same again: /, `${PASSPHRASE}\r`],
      ],
      env,
    );
    assert.equal(made.code, 0, made.screen);
    assert.equal(modeOf(identity), 0o600);
    assert.match(readFileSync(identity, "utf8"), /^-----BEGIN AGE ENCRYPTED FILE-----\n/);
    const listed = await onTerminal(
      command("list", "--identity", identity),
      [[/Passphrase of [^\n]*id\.txt: /, `${PASSPHRASE}\r`]],
      env,
    );
    assert.equal(listed.code, 0, listed.screen);
    assert.match(listed.screen, /recipients\r?\n {2}age1/);
    for (const { screen } of [made, listed]) assert.doesNotMatch(screen, /lampe|kreide|segel/);
    const opened = await onTerminal(["age", "-d", identity], [[/passphrase[^\n]*: /i, `${PASSPHRASE}\n`]]);
    assert.match(opened.screen, /AGE-SECRET-KEY-1/);
  });

  it("terminal: two passphrases that differ, and Ctrl-C, make nothing", async function () {
    requireProgram(this, "script");
    const vault = join(folder(), "vault");
    const command = [process.execPath, PROGRAM, "keys", "init", "--passphrase", "--vault", vault];
    const env = homeEnvironment(folder());
    const differ = await onTerminal(
      command,
      [
        [/New passphrase: /, `${PASSPHRASE}\r`],
        [/The same again: /, "something else\r"],
      ],
      env,
    );
    assert.deepEqual([differ.code, /passphrases differ/.test(differ.screen)], [2, true], differ.screen);
    const broken = await onTerminal(command, [[/New passphrase: /, "\x03"]], env);
    assert.deepEqual([broken.code, /was not answered/.test(broken.screen)], [2, true], broken.screen);
    assert.equal(existsSync(vault), false);
    assert.equal(existsSync(join(folder(), "config")), false);
  });

  it("terminal: an identity that Debian's age -p protected is read from a descriptor", async function () {
    requireProgram(this, "script");
    requireProgram(this, "age");
    const kim = await person(folder(), "kim");
    const identity = join(folder(), "kim.age");
    const made = await onTerminal(
      ["age", "-p", "-o", identity, kim.file],
      [
        [/Enter passphrase[^\n]*: /, `${PASSPHRASE}\n`],
        [/Confirm passphrase[^\n]*: /, `${PASSPHRASE}\n`],
      ],
    );
    assert.equal(made.code, 0, made.screen);
    chmodSync(identity, 0o600);
    const vault = join(folder(), "vault");
    await makeVault(vault, [kim], 1);
    const args = ["keys", "list", "--vault", vault, "--identity", identity, "--json"];
    const listed = await salestagWith(folder(), PASSPHRASE, ...args);
    assert.equal(listed.code, 0, listed.stderr);
    assert.equal(JSON.parse(listed.stdout).badges[0].label, badgeKeys(0).label);
    const wrong = await salestagWith(folder(), "wrong passphrase", ...args);
    assert.deepEqual([wrong.code, /passphrase does not open/.test(wrong.stderr)], [3, true], wrong.stderr);
  });

  it("terminal: an identity that keys init protected opens a badge for Debian's age", async function () {
    requireProgram(this, "script");
    requireProgram(this, "age");
    const [identity, vault] = [join(folder(), "id.txt"), join(folder(), "vault")];
    const args = ["keys", "init", "--vault", vault, "--identity", identity];
    const made = await salestagWith(folder(), PASSPHRASE, ...args);
    assert.equal(made.code, 0, made.stderr);
    await Vault.open(vault).add(badgeKeys(0));
    const path = join(vault, "badges", `${badgeKeys(0).badge}.age`);
    const opened = await onTerminal(
      ["age", "-d", "-i", identity, path],
      [[/passphrase[^\n]*: /i, `${PASSPHRASE}\n`]],
    );
    assert.ok(opened.screen.includes(`"badge":"${badgeKeys(0).badge}"`), opened.screen);
  });
});

function changedAtEnd(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[copy.length - 1] ^= 1;
  return copy;
}
