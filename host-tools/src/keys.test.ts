// `salestag keys` as a user meets it: each command as a process of its own, on a real terminal where it asks, and what of its secrets
// the system gets to see.
import { strict as assert } from "node:assert";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { epochKeyFor, Vault } from "@salestag/protocol/team";
import {
  audioChunk,
  badgeKeys,
  makeVault,
  modeOf,
  opusPackets,
  type Person,
  person,
  protectFile,
  recordOf,
  requireProgram,
  useFolder,
  writeRecord,
} from "@salestag/protocol/testing";
import {
  assertFailed,
  assertNoKey,
  type Ended,
  homeEnvironment,
  PROGRAM,
  runToEnd,
  salestag,
  salestagWith,
} from "./testing/salestag";
import { onTerminal } from "./testing/terminal";

const BADGE = badgeKeys(0).badge;
const COMMANDS = ["init", "list", "add-recipient", "remove-recipient", "shred", "export", "import"];

/** Registers hooks: a team of Kim, with a vault of two badges, and Lee outside of it. */
function useTeam() {
  const folder = useFolder();
  const team = { kim: {} as Person, lee: {} as Person, vault: "", folder };
  beforeEach(async () => {
    team.vault = join(folder(), "vault");
    [team.kim, team.lee] = [await person(folder(), "kim"), await person(folder(), "lee")];
    await makeVault(team.vault, [team.kim], 2);
  });
  const keys = (command: string, ...args: string[]) =>
    salestag(folder(), "keys", command, "--vault", team.vault, "--identity", team.kim.file, ...args);
  return { team, keys };
}

const json = ({ code, stdout, stderr }: Ended) => {
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
};

describe("salestag keys", () => {
  const { team, keys } = useTeam();

  for (const command of COMMANDS)
    it(`keys: ${command} --help shows examples`, async () => {
      const { code, stdout } = await salestag(team.folder(), "keys", command, "--help");
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`Examples:\n  salestag keys ${command} `));
    });

  it("keys: list without an identity tells ids alone", async () => {
    const run = await salestag(team.folder(), "keys", "list", "--vault", team.vault, "--json");
    assert.deepEqual(json(run), {
      label: "Sunny Roofs",
      recipients: [{ recipient: team.kim.recipient, name: "" }],
      unfinished: null,
      badges: [{ badge: BADGE }, { badge: badgeKeys(1).badge }],
    });
  });

  it("keys: list groups entries of the same hardware, the newest is the current one", async () => {
    const renewed = { ...badgeKeys(5), deviceId: badgeKeys(0).deviceId, label: "Kim\u001b[31m" };
    await Vault.open(team.vault).add(renewed);
    const { badges } = json(await keys("list", "--json"));
    assert.deepEqual(
      badges.map((one: { badge: string; replacedBy: string | null }) => [one.badge, one.replacedBy]),
      [
        [BADGE, renewed.badge],
        [renewed.badge, null],
        [badgeKeys(1).badge, null],
      ],
    );
    const { stdout } = await keys("list");
    assert.match(stdout, new RegExp(`  ${BADGE}  2025-06-01  Kim 0  replaced by ${renewed.badge}\n`));
    assert.match(stdout, new RegExp(`  ${renewed.badge}  2025-06-01  Kim\\?\\[31m\n`));
  });

  it("keys: list tells what opens when a file does not (exit 3)", async () => {
    writeFileSync(join(team.vault, "badges", `${BADGE}.age`), "damaged");
    const run = await keys("list", "--json");
    assert.equal(run.code, 3);
    assert.match(run.stderr, /does not open with this identity/);
    assert.equal(JSON.parse(run.stdout).badges[0].label, "Kim 1");
  });

  it("keys: add-recipient and remove-recipient, with a name, and the word on copies", async () => {
    const { lee, kim } = team;
    const added = await keys("add-recipient", lee.recipient, "--name", "Lee's laptop", "--json");
    assert.deepEqual(json(added).recipients[1], { recipient: lee.recipient, name: "Lee's laptop" });
    assert.match((await keys("list")).stdout, new RegExp(`  ${lee.recipient}  Lee's laptop\n`));
    assertFailed(await keys("remove-recipient", kim.recipient), 2, /identity of somebody who stays/);
    const removed = await keys("remove-recipient", lee.recipient);
    assert.equal(removed.code, 0, removed.stderr);
    assert.match(removed.stderr, /kept a copy of the vault .* still opens that copy.*new keys/);
    assertFailed(await keys("add-recipient", "age1nonsense"), 2, /'age1nonsense' is no age recipient/);
    const secret = kim.identities[0];
    assertFailed(await keys("add-recipient", secret), 2, /'AGE-SECRET-KEY-\.\.\.' is no age recipient/);
  });

  it("keys: shred asks on a terminal; the id and the label confirm, anything else does not", async function () {
    requireProgram(this, "script");
    const { vault, kim, folder } = team;
    const shred = (epoch: string, answer: string) =>
      onTerminal(
        [process.execPath, PROGRAM, "keys", "shred", BADGE, epoch, "--vault", vault, "--identity", kim.file],
        [[/Type the badge's label or id: /, `${answer}\r`]],
        homeEnvironment(folder()),
      );
    const other = await shred("1", badgeKeys(1).badge);
    assert.deepEqual([other.code, /nothing was shredded/.test(other.screen)], [2, true], other.screen);
    for (const [epoch, answer] of [
      ["3", "Kim 0"],
      ["4", BADGE],
    ]) {
      const { code, screen } = await shred(epoch, answer);
      assert.equal(code, 0, screen);
      assert.match(screen, new RegExp(`conversation ${epoch} of "Kim 0" \\(${BADGE}\\)`));
    }
    const { badges } = json(await keys("list", "--json"));
    assert.deepEqual([badges[0].shredded, badges[0].ownKeys], [[[3, 4]], 3]);
  });

  it("keys: shred without a terminal needs --yes (exit 2); it says what it did and what it does not reach", async () => {
    // A session of its own has no terminal.
    const args = [PROGRAM, "keys", "shred", BADGE, "1", "--vault", team.vault, "--identity", team.kim.file];
    const options = { env: homeEnvironment(team.folder()), detached: true };
    assertFailed(await runToEnd(process.execPath, args, options), 2, /no terminal .* use --yes/);
    const run = await keys("shred", BADGE, "1", "4", "--yes", "--json");
    assert.deepEqual(json(run), { badge: BADGE, shredded: [1, 4], already: [] });
    assert.match(run.stderr, /does not reach copies of the vault .*exports/);
    const again = await keys("shred", BADGE, "4", "2", "--yes");
    assert.equal(again.stdout, "shredded   2\nbefore     4\n");
    assertFailed(await keys("shred", "0".repeat(16), "1", "--yes"), 3, /no badge 0000000000000000/);
    for (const epoch of ["x", "1.5", "-1"])
      assert.equal((await keys("shred", BADGE, "--yes", "--", epoch)).code, 2);
  });

  it("keys: after shred, open refuses that conversation and opens the one before and the one after (exit 3)", async () => {
    const relay = join(team.folder(), "relay");
    for (const epoch of [0, 1, 2])
      writeRecord(
        relay,
        recordOf(audioChunk(0, 0, opusPackets(5)), epochKeyFor(badgeKeys(0), epoch), epoch, 0, BADGE),
      );
    await keys("shred", BADGE, "1", "--yes");
    const args = ["--vault", team.vault, "--identity", team.kim.file, "--out", join(team.folder(), "out")];
    const run = await salestag(team.folder(), "open", relay, ...args);
    assert.equal(run.code, 3);
    assert.match(run.stderr, /1 of 3 conversations were not opened, .*conversation 1 .* was shredded/);
    const opened = readdirSync(join(team.folder(), "out")).filter((name) => name.endsWith(".opus"));
    assert.deepEqual(opened.sort(), [`${BADGE}-000000.opus`, `${BADGE}-000002.opus`]);
  });

  it("keys: export and import, new and again", async () => {
    const out = join(team.folder(), "backup.age");
    const exported = json(await keys("export", "--out", out, "--json"));
    assert.deepEqual(exported, { out, badges: [BADGE, badgeKeys(1).badge] });
    assertFailed(await keys("export", "--out", out), 2, /not overwritten/);
    const vault = join(team.folder(), "restored");
    const into = ["keys", "import", out, "--vault", vault, "--identity", team.kim.file];
    const first = await salestag(team.folder(), ...into);
    assert.match(first.stdout, /restored \(new\)\nadded {6}2\nchanged {4}0\nunchanged {2}0\n/);
    const second = json(await salestag(team.folder(), ...into, "--json"));
    assert.deepEqual([second.created, second.unchanged.length], [false, 2]);
  });

  it("keys: a vault that others may look into, and one with an unfinished change, are told by each command", async function () {
    if (process.platform === "win32") this.skip();
    chmodSync(team.vault, 0o755);
    writeFileSync(join(team.vault, "recipients.next"), `${team.kim.recipient}\n${team.lee.recipient}\n`);
    for (const run of [
      await keys("list"),
      await keys("export", "--out", join(team.folder(), "x.age")),
      await salestag(
        team.folder(),
        "audit",
        team.folder(),
        "--vault",
        team.vault,
        "--identity",
        team.kim.file,
      ),
    ]) {
      assert.match(run.stderr, /warning: other users may look .* \(mode 755\); run: chmod -R go= /);
      assert.match(
        run.stderr,
        new RegExp(`warning: .* not finished: ${team.lee.recipient} may open only some`),
      );
    }
  });

  it("keys: every command with an identity takes a protected one", async () => {
    const identity = join(team.folder(), "id.txt");
    await protectFile(identity, readFileSync(team.kim.file), "correct horse");
    const keyring = ["--vault", team.vault, "--identity", identity];
    const token = join(team.folder(), "token");
    writeFileSync(token, "t", { mode: 0o600 });
    for (const args of [
      ["open", team.folder(), "--out", "o"],
      ["audit", team.folder()],
      ["nudge", BADGE, "--token-file", token],
      ["configure", BADGE, "--token-file", token, "--policy", "off"],
      ["keys", "shred", BADGE, "1"],
    ]) {
      const run = await salestagWith(team.folder(), "wrong passphrase", ...args, ...keyring);
      assertFailed(run, 3, /the passphrase does not open/);
    }
    const right = await salestagWith(team.folder(), "correct horse", "keys", "list", "--json", ...keyring);
    assert.equal(json(right).badges[0].label, "Kim 0");
  });
});

describe("salestag keys: secrets", () => {
  const { team } = useTeam();
  const PASSPHRASE = "nobody must see this one";

  /** A run of each command with a protected identity, in an order in which each works. */
  function runs(identity: string): string[][] {
    const [vault, out] = [team.vault, join(team.folder(), "export.age")];
    const existing = ["--vault", vault, "--identity", identity];
    return [
      ["init", "--vault", join(team.folder(), "new"), "--identity", join(team.folder(), "new.txt")],
      ["add-recipient", team.lee.recipient, ...existing],
      ["list", ...existing],
      ["export", "--out", out, ...existing],
      ["import", out, "--vault", join(team.folder(), "imported"), "--identity", identity],
      ["shred", BADGE, "2", "--yes", ...existing],
      ["remove-recipient", team.lee.recipient, ...existing],
    ];
  }

  /** Every file and folder is its owner's alone. */
  function assertPrivate(path: string): void {
    const folder = statSync(path).isDirectory();
    assert.equal(modeOf(path), folder ? 0o700 : 0o600, path);
    if (folder) for (const name of readdirSync(path)) assertPrivate(join(path, name));
  }

  it("secrets: in no argument, no environment and no file that others may read, whatever the umask (each command)", async function () {
    this.timeout(120_000);
    const traces = hasStrace();
    const identity = join(team.folder(), "protected.txt");
    await protectFile(identity, readFileSync(team.kim.file), PASSPHRASE);
    for (const args of runs(identity)) {
      const trace = join(team.folder(), `trace-${args[0]}`);
      const strace = ["strace", "-f", "-v", "-s", "4096", "-e", "trace=execve,openat", "-o", trace];
      const program = [process.execPath, PROGRAM, "keys", ...args, "--passphrase-fd", "3"];
      const command = [...(traces ? strace : []), ...program];
      const options = { env: homeEnvironment(team.folder()) };
      // The worst umask that there is.
      const run = await runToEnd("sh", ["-c", `umask 000; exec "$@"`, "sh", ...command], options, PASSPHRASE);
      assert.equal(run.code, 0, `${args[0]}: ${run.stderr}`);
      if (traces) assertTraceIsClean(readFileSync(trace, "utf8"), args[0]);
    }
    for (const name of ["new", "new.txt", "vault", "imported", "export.age"])
      assertPrivate(join(team.folder(), name));
  });

  function assertTraceIsClean(trace: string, command: string): void {
    assert.ok(trace.includes("execve("), command);
    assertNoKey(trace);
    assert.ok(!trace.includes(PASSPHRASE), `${command}: the passphrase is in an argument or the environment`);
    const made = trace.split("\n").filter((line) => line.includes("O_CREAT") && line.includes(team.folder()));
    if (command !== "list") assert.ok(made.length > 0, command);
    for (const line of made) assert.match(line, /, 0600\) = /, `${command}: ${line}`);
  }

  it("secrets: while a passphrase is used, it is in no list of processes", async function () {
    if (!existsSync("/proc/self/cmdline")) this.skip();
    const [identity, vault] = [join(team.folder(), "id.txt"), join(team.folder(), "v2")];
    const args = ["keys", "init", "--vault", vault, "--identity", identity, "--passphrase-fd", "3"];
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      env: homeEnvironment(team.folder()),
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    const pipe = child.stdio[3] as NodeJS.WritableStream;
    pipe.write(PASSPHRASE); // without its end: the command waits for the rest
    for (const file of ["cmdline", "environ"]) {
      const text = readFileSync(`/proc/${child.pid}/${file}`, "utf8");
      assert.ok(text.length > 0 && !text.includes(PASSPHRASE), file);
      assertNoKey(text);
    }
    pipe.end("\n");
    assert.equal(await ended, 0);
  });
});

/** True where strace is installed and may trace. */
function hasStrace(): boolean {
  return spawnSync("strace", ["-e", "trace=none", "true"]).status === 0;
}
