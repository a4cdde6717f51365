// The command line as a user meets it: `salestag` as a process of its own, its exit codes, its streams.
import { strict as assert } from "node:assert";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EndReason, EventKind } from "@salestag/protocol/host";
import { epochKeyFor, readIdentities, Vault } from "@salestag/protocol/team";
import {
  audioChunk,
  BADGE,
  bytesOf,
  eventsChunk,
  modeOf,
  opusPackets,
  recordOf,
  useFolder,
  writeRecord,
} from "@salestag/protocol/testing";
import { assertFailed, salestag } from "./testing/salestag";

const whole = () => [
  audioChunk(0, 0, opusPackets(40)),
  eventsChunk(1, [
    { kind: EventKind.Speech, atMs: 0, values: [400] },
    { kind: EventKind.ConversationEnd, atMs: 800, values: [EndReason.Silence] },
  ]),
];

describe("salestag keys init", () => {
  const folder = useFolder();

  it("keys init: identity at its default place, vault, the word on a copy", async () => {
    const vault = join(folder(), "vault");
    const { code, stdout, stderr } = await salestag(
      folder(),
      "keys",
      "init",
      "--vault",
      vault,
      "--label",
      "Sun",
    );
    const identity = join(folder(), "config", "salestag", "identity.txt");
    assert.equal(code, 0, stderr);
    assert.deepEqual([modeOf(identity), modeOf(vault)], [0o600, 0o700]);
    assert.match(stdout, /^identity {3}.*identity\.txt\nrecipient {2}age1\w+\nvault {6}.*vault\n$/);
    assert.match(stderr, /^Keep a copy of the identity file[^\n]+\n$/);
    assert.equal((await readIdentities(identity)).length, 1);
    assert.deepEqual(Vault.open(vault).badges(), []);
  });

  it("keys init: --json is one line of JSON", async () => {
    const [identity, vault] = [join(folder(), "id.txt"), join(folder(), "vault")];
    const run = await salestag(folder(), "keys", "init", "--vault", vault, "--identity", identity, "--json");
    assert.equal(run.code, 0, run.stderr);
    const { recipient, ...rest } = JSON.parse(run.stdout);
    assert.match(recipient, /^age1/);
    assert.deepEqual(rest, { identity, vault });
  });

  it("keys init: the second run is refused and changes nothing (same vault; other vault, same identity)", async () => {
    const vault = join(folder(), "vault");
    const identity = join(folder(), "config", "salestag", "identity.txt");
    await salestag(folder(), "keys", "init", "--vault", vault);
    const before = [identity, join(vault, "recipients.txt")].map((path) => readFileSync(path, "utf8"));
    assertFailed(await salestag(folder(), "keys", "init", "--vault", vault), 2, /vault' is there already/);
    const other = join(folder(), "other");
    assertFailed(
      await salestag(folder(), "keys", "init", "--vault", other),
      2,
      /identity\.txt' is there already/,
    );
    assert.equal(existsSync(other), false);
    const after = [identity, join(vault, "recipients.txt")].map((path) => readFileSync(path, "utf8"));
    assert.deepEqual(after, before);
  });

  it("keys init: a folder that cannot be made is a mistake of the user, not of the program", async () => {
    writeFileSync(join(folder(), "file"), "");
    const run = await salestag(folder(), "keys", "init", "--vault", join(folder(), "file", "vault"));
    assertFailed(run, 2, /the system refuses .*file/);
  });
});

describe("salestag open", () => {
  const folder = useFolder();
  let vault = "";
  let relay = "";

  /** A team with one badge and one whole conversation. */
  beforeEach(async () => {
    [vault, relay] = [join(folder(), "vault"), join(folder(), "relay")];
    const made = await salestag(folder(), "keys", "init", "--vault", vault);
    assert.equal(made.code, 0, made.stderr);
    const keys = {
      version: 1 as const,
      badge: BADGE,
      deviceId: "fedcba9876543210",
      label: "Kim",
      createdMs: 0,
      authKey: bytesOf(1, 32).toString("hex"),
      chain: { epoch: 0, key: bytesOf(2, 32).toString("hex") },
      epochKeys: {},
    };
    await Vault.open(vault).add(keys);
    for (const plan of whole()) writeRecord(relay, recordOf(plan, epochKeyFor(keys, 0)));
  });

  const open = (...more: string[]) =>
    salestag(folder(), "open", relay, "--vault", vault, "--out", join(folder(), "out"), ...more);
  const chunkFile = () => join(relay, BADGE, "0000000000", "0000000000.chunk");

  it("open: a whole conversation, for people", async () => {
    const { code, stdout, stderr } = await open();
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = stdout.split("\n");
    assert.match(
      lines[0],
      /^0123456789abcdef 0 {2}2025-06-01T11:59:59Z {2}0:01 {2}█{20} {20} {2}50% speech$/,
    );
    assert.deepEqual(readdirSync(join(folder(), "out")).sort(), [
      `${BADGE}-000000.json`,
      `${BADGE}-000000.opus`,
    ]);
  });

  it("open: --json is one line for each conversation", async () => {
    const { code, stdout } = await open("--json");
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), {
      opusFile: join(folder(), "out", `${BADGE}-000000.opus`),
      timelineFile: join(folder(), "out", `${BADGE}-000000.json`),
      badge: BADGE,
      epoch: 0,
      durationMs: 800,
      speechMs: 400,
      phrases: [],
      missing: [],
      problems: [],
      complete: true,
    });
  });

  it("open: no such folder (exit 2)", async () => {
    relay = join(folder(), "nowhere");
    assertFailed(await open(), 2, /nowhere' is no folder/);
  });

  it("open: empty folder (exit 2)", async () => {
    relay = join(folder(), "empty");
    mkdirSync(relay);
    assertFailed(await open(), 2, /empty' holds no chunks/);
  });

  it("open: no identity (exit 2)", async () => {
    assertFailed(await open("--identity", join(folder(), "none.txt")), 2, /There is no file .*none\.txt'/);
  });

  it("open: identity that others may read (exit 2)", async function () {
    if (process.platform === "win32") this.skip();
    chmodSync(join(folder(), "config", "salestag", "identity.txt"), 0o644);
    assertFailed(await open(), 2, /other users may use it \(mode 644\)/);
  });

  it("open: identity of another team (exit 3)", async () => {
    const other = join(folder(), "other.txt");
    await salestag(folder(), "keys", "init", "--identity", other, "--vault", join(folder(), "vault2"));
    assertFailed(await open("--identity", other), 3, /does not open with this identity/);
  });

  it("open: damaged identity (exit 3)", async () => {
    const identity = join(folder(), "config", "salestag", "identity.txt");
    const text = readFileSync(identity, "utf8").trimEnd();
    writeFileSync(identity, text.slice(0, -2) + (text.endsWith("Q") ? "PP" : "QQ"));
    assertFailed(await open(), 3, /secret key in the identity file is damaged/);
  });

  it("open: badge that is not in the vault (exit 3)", async () => {
    const plan = audioChunk(0, 0, opusPackets(1));
    writeRecord(relay, recordOf(plan, bytesOf(9, 32), 0, 0, "ee".repeat(8)));
    assertFailed(await open(), 3, /vault has no badge eeeeeeeeeeeeeeee/);
    assert.equal((await open("--badge", BADGE)).code, 0);
  });

  it("open: no vault (exit 2)", async () => {
    vault = join(folder(), "config");
    assertFailed(await open(), 2, /is no vault/);
  });

  it("open: corrupted chunk (exit 4), the rest is written and the problem named", async () => {
    const bytes = readFileSync(chunkFile());
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(chunkFile(), bytes);
    const run = await open("--json");
    assertFailed(run, 4, /1 of 1 conversations are damaged/);
    const { problems, complete, opusFile } = JSON.parse(run.stdout);
    assert.deepEqual([problems.length, complete, opusFile], [1, false, undefined]);
  });

  it("open: not one file that can be read (exit 4)", async () => {
    for (const name of readdirSync(join(relay, BADGE, "0000000000")))
      writeFileSync(join(relay, BADGE, "0000000000", name), "");
    const run = await open();
    assertFailed(run, 4, /1 of 1 conversations are damaged/);
    assert.match(run.stdout, /at an unknown time/);
  });

  it("open: folder for the results that is a file (exit 2)", async () => {
    writeFileSync(join(folder(), "out"), "");
    assertFailed(await open(), 2, /the system refuses .*out/);
  });

  for (const epoch of ["x", "-1", "1.5"])
    it(`open: --epoch ${epoch} is refused (exit 2)`, async () => {
      const { code, stderr } = await open(`--epoch=${epoch}`);
      assert.deepEqual([code, /--epoch.*whole number/.test(stderr)], [2, true]);
    });
});

describe("salestag phrases", () => {
  const folder = useFolder();
  const file = () => join(folder(), "phrases.json");
  const phrases = (command: string, ...more: string[]) =>
    salestag(folder(), "phrases", command, "--file", file(), ...more);

  it("phrases: --say beside the text, in any order and more than once; --json on one line", async () => {
    const ways = ["--say", "S OW1 L ER0 EH1 JH P AE N AH L Z", "--say", "S OW L AH EH JH P AE N AH L Z"];
    const run = await phrases("add", ...ways, "solaredge panels", "--category", "competitor", "--json");
    assert.equal(run.code, 0, run.stderr);
    const { text, category, pronunciations, words } = JSON.parse(run.stdout);
    assert.deepEqual([text, category, words], ["solaredge panels", "competitor", []]);
    assert.deepEqual(pronunciations, ["S OW L ER EH JH P AE N AH L Z", "S OW L AH EH JH P AE N AH L Z"]);
    const listed = await phrases("list", "--json");
    assert.deepEqual(JSON.parse(listed.stdout)[0].pronunciations, pronunciations);
  });

  it("phrases: more ways to say it than a badge takes are refused, and the list stays (exit 2)", async () => {
    await phrases("add", "where do i sign the contract");
    const before = readFileSync(file(), "utf8");
    const ways = Array.from({ length: 7 }, () => ["--say", "S OW L ER P AE N AH L Z"]).flat();
    assertFailed(await phrases("add", "solar panels", ...ways), 2, /has 7 pronunciations, not 1 to 6/);
    assert.equal(readFileSync(file(), "utf8"), before);
  });

  it("phrases: calibrate finds for other rates other thresholds", async () => {
    const added = await phrases("add", "where do i sign the contract", "--json");
    const run = await phrases("calibrate", "--false-alarms", "20", "--json");
    assert.equal(run.code, 0, run.stderr);
    const [{ threshold, falseAlarmsPerHour }] = JSON.parse(run.stdout);
    assert.equal(falseAlarmsPerHour, 20);
    assert.ok(threshold < JSON.parse(added.stdout).threshold);
  });

  it("phrases: sets are listed with their phrases", async () => {
    const { code, stdout } = await salestag(folder(), "phrases", "sets", "--json");
    assert.equal(code, 0);
    const sets = JSON.parse(stdout) as { name: string; phrases: [string, string][] }[];
    assert.deepEqual(
      sets.map(({ name }) => name),
      ["roofing", "security", "solar"],
    );
    assert.ok(sets.every(({ phrases }) => phrases.length >= 15));
    const people = await salestag(folder(), "phrases", "sets");
    assert.match(people.stdout, /^solar {2}Solar, [^\n]+ phrases\n(?: {2}[^\n]+ \([a-z ]+\)\n)+/m);
  });

  it("phrases: write and provision refuse a list without phrases before they look for a badge (exit 2)", async () => {
    const badge = ["--badge", "tcp:127.0.0.1:1"];
    assertFailed(await phrases("write", ...badge), 2, /phrases\.json' has no phrases; add some/);
    const rest = ["--vault", folder(), "--registry", join(folder(), "r.json"), "--relay", "tcp://h:1"];
    const run = await salestag(folder(), "provision", ...badge, ...rest, "--phrases", file());
    assertFailed(run, 2, /phrases\.json' has no phrases; add some/);
  });
});

describe("salestag", () => {
  const folder = useFolder();

  for (const command of [["keys", "init"], ["provision"], ["open"], ["phrases"], ["monitor"]])
    it(`help: ${command.join(" ")} --help shows an example (exit 0)`, async () => {
      const { code, stdout, stderr } = await salestag(folder(), ...command, "--help");
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, new RegExp(`Example[^]*salestag ${command.join(" ")} `));
    });

  it("help: --help lists commands and exit codes (exit 0)", async () => {
    const { code, stdout } = await salestag(folder(), "--help");
    assert.equal(code, 0);
    for (const words of ["keys", "provision", "open", "Exit codes: 0 done"])
      assert.ok(stdout.includes(words), words);
  });

  for (const args of [["nonsense"], ["open"], ["keys", "init"], ["open", "x", "--nonsense"]])
    it(`arguments: '${args.join(" ")}' is refused (exit 2)`, async () => {
      const { code, stdout, stderr } = await salestag(folder(), ...args);
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, /^error: [^\n]+\n$/);
    });

  it("provision: a port that nothing listens on (exit 5), and one that is no port (exit 2)", async () => {
    const vault = join(folder(), "vault");
    await salestag(folder(), "keys", "init", "--vault", vault);
    const rest = [
      "--vault",
      vault,
      "--registry",
      join(folder(), "r.json"),
      "--relay",
      "tcp://127.0.0.1:7788",
    ];
    const at = (port: string) => salestag(folder(), "provision", "--badge", port, ...rest);
    assertFailed(await at("tcp:127.0.0.1:1"), 5, /no badge at tcp:127\.0\.0\.1:1/);
    assertFailed(await at("/dev/null"), 5, /the port \/dev\/null cannot be opened/);
    assertFailed(await at("udp:127.0.0.1:1"), 2, /'udp:127.0.0.1:1' is no port of a badge/);
    assert.deepEqual(Vault.open(vault).badges(), []);
  });
});
