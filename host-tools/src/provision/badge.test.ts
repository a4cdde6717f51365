// Provisioning over real Jacdac frames: a badge that answers as the DeviceScript runtime does, and one for each way it can fail.
import { strict as assert } from "node:assert";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readRegistry } from "@salestag/protocol/host";
import {
  decodeFrame,
  encodeFrame,
  JacdacClient,
  JD_CLASS_DEVICESCRIPT_MANAGER,
  JD_CLASS_SETTINGS,
  JD_FLAG_COMMAND,
} from "@salestag/protocol/jacdac";
import { createIdentity, ExitCode, readIdentities, Vault } from "@salestag/protocol/team";
import { bytesOf, toolError, useFolder } from "@salestag/protocol/testing";
import { encodePhones } from "../phrases/phones";
import type { ListedPhrase } from "../phrases/phrase-list";
import { type BadgePlan, checkRelayUrl, provisionBadge } from "./badge";
import { registryFile } from "./registration";
import { writePhrases } from "./settings";

const DEVICE = "fedcba9876543210";
const phrasesOf = (...texts: string[]): ListedPhrase[] =>
  texts.map((text) => ({
    text,
    category: "other",
    falseAlarmsPerHour: 1,
    threshold: -2500,
    pronunciations: [encodePhones("s ow l er p ae n ah l z".split(" "))],
  }));
/** Numbers and texts of the phrases on a badge. */
const phrasesOn = (badge: FakeBadge) =>
  Object.fromEntries(
    [...badge.stored].flatMap(([key, value]) =>
      key.startsWith("phrase") ? [[key, JSON.parse(value.toString("utf8"))[0]]] : [],
    ),
  );
const NOW_MS = Date.UTC(2025, 5, 1, 12, 0, 0);
const RELAY = "tls://relay.example.com:7789";
const MANAGER_INDEX = 1;
const SETTINGS_INDEX = 2;
/** Key of the setting in a command or report: everything before the first zero. */
const keyOf = (data: Buffer) => data.toString("utf8").split("\0", 1)[0];

interface Faults {
  /** Keys that the flash does not keep; keys that it does not let go. */
  forgets?: string[];
  clings?: string[];
  /** Nothing is announced, nothing answered. */
  silent?: boolean;
  /** Commands of settings get no answer. */
  settingsSilent?: boolean;
  /** A program that cannot be stopped; one that does not start again. */
  neverStops?: boolean;
  neverStarts?: boolean;
  noSettings?: boolean;
}

/** The settings service and the DeviceScript manager of one badge. `log` has what was done to it, in order. */
class FakeBadge {
  readonly log: string[] = [];
  readonly stored = new Map<string, Buffer>();
  running = true;
  autostart = 1;
  report: (frame: Buffer) => void = () => undefined;

  constructor(private readonly faults: Faults = {}) {}

  announce(): void {
    if (this.faults.silent) return;
    const data = Buffer.alloc(this.faults.noSettings ? 8 : 12);
    data.writeUInt32LE(JD_CLASS_DEVICESCRIPT_MANAGER, 4);
    if (!this.faults.noSettings) data.writeUInt32LE(JD_CLASS_SETTINGS, 8);
    this.answer(0, 0, data);
  }

  /** A frame from the client. */
  receive(bytes: Buffer): void {
    const frame = decodeFrame(bytes);
    assert.ok(frame !== undefined, "the client sends whole frames");
    if (!(frame.flags & JD_FLAG_COMMAND) || frame.deviceId !== DEVICE) return;
    for (const { serviceIndex, command, data } of frame.packets)
      if (serviceIndex === MANAGER_INDEX) this.manage(command, data);
      else if (serviceIndex === SETTINGS_INDEX) this.settings(command, data);
  }

  private manage(command: number, data: Buffer): void {
    if (command === 0x2080) {
      this.log.push(data[0] ? "start" : "stop");
      const refused = data[0] ? this.faults.neverStarts : this.faults.neverStops;
      if (!refused) this.running = data[0] !== 0;
    } else if (command === 0x2081) {
      this.log.push(`autostart ${data[0]}`);
      this.autostart = data[0];
    } else if (command === 0x1081) this.answer(MANAGER_INDEX, command, Buffer.from([this.autostart]));
    else if (command === 0x1080) this.answer(MANAGER_INDEX, command, Buffer.from([this.running ? 1 : 0]));
  }

  private settings(command: number, data: Buffer): void {
    assert.equal(this.running, false, "settings are touched while the program is stopped only");
    const key = keyOf(data);
    if (command === 0x81) {
      this.log.push(`write ${key}`);
      if (!this.faults.forgets?.includes(key))
        this.stored.set(key, Buffer.from(data.subarray(key.length + 1)));
    } else if (command === 0x84) {
      this.log.push(`delete ${key}`);
      if (!this.faults.clings?.includes(key)) this.stored.delete(key);
    } else if (command === 0x80 && !this.faults.settingsSilent)
      this.answer(
        SETTINGS_INDEX,
        command,
        Buffer.concat([Buffer.from(`${key}\0`), this.stored.get(key) ?? Buffer.alloc(0)]),
      );
  }

  private answer(serviceIndex: number, command: number, data: Buffer): void {
    this.report(encodeFrame({ flags: 0, deviceId: DEVICE, packets: [{ serviceIndex, command, data }] }));
  }
}

/** A badge on a client's bus. Time passes only as fast as the client waits: 100 ms for each turn of the event loop. */
function connect(badge: FakeBadge) {
  const client = new JacdacClient("aa".repeat(8), (frame) => setImmediate(() => badge.receive(frame)));
  badge.report = (frame) => client.receive(frame);
  let nowMs = 0;
  let open = true;
  const turn = () => {
    if (!open) return;
    nowMs += 100;
    client.tick(nowMs);
    badge.announce();
    setImmediate(turn);
  };
  turn();
  return { client, close: () => (open = false) };
}

describe("provision", () => {
  const folder = useFolder();

  async function site() {
    const identity = join(folder(), "identity.txt");
    const vault = Vault.create(join(folder(), "vault"), "", [await createIdentity(identity, NOW_MS)]);
    const registryPath = join(folder(), "registry.json");
    return { vault, registryPath, identities: await readIdentities(identity) };
  }

  async function provision(
    badge: FakeBadge,
    { force, ...planned }: Partial<BadgePlan> & { force?: boolean } = {},
  ) {
    const at = existsSync(join(folder(), "vault"))
      ? {
          vault: Vault.open(join(folder(), "vault")),
          registryPath: join(folder(), "registry.json"),
          identities: await readIdentities(join(folder(), "identity.txt")),
        }
      : await site();
    let drawn = badge.log.length;
    const random = (lengthBytes: number) => bytesOf(++drawn, lengthBytes);
    const { client, close } = connect(badge);
    const { vault, registryPath } = at;
    const nowMs = () => NOW_MS;
    const registration = registryFile(registryPath, nowMs);
    const plan = { relayUrl: RELAY, label: "Kim", ...planned };
    try {
      return {
        result: await provisionBadge({ client, vault, registration, plan, random, nowMs, force }),
        ...at,
      };
    } finally {
      close();
    }
  }

  it("provision: badge, vault and registry have the same keys, in the form of docs/provisioning.md", async () => {
    const badge = new FakeBadge();
    const { result, vault, registryPath, identities } = await provision(badge);
    assert.equal(result.deviceId, DEVICE);
    assert.match(result.badge, /^[0-9a-f]{16}$/);
    const settings = Object.fromEntries(
      [...badge.stored].map(([key, value]) => [key, JSON.parse(value.toString("utf8"))]),
    );
    const keys = await vault.read(result.badge, identities);
    const { authKey, chain } = keys;
    assert.deepEqual(settings, { authKey, chain: { n: 0, k: chain.key }, relay: RELAY, badge: result.badge });
    assert.deepEqual(keys, {
      version: 1,
      badge: result.badge,
      deviceId: DEVICE,
      label: "Kim",
      createdMs: NOW_MS,
      authKey,
      chain: { epoch: 0, key: chain.key },
      epochKeys: {},
    });
    assert.notEqual(authKey, chain.key);
    const registered = readRegistry(registryPath).get(result.badge);
    assert.deepEqual(registered, { authKey: Buffer.from(authKey, "hex"), label: "Kim", addedMs: NOW_MS });
  });

  it("provision: program stopped first, badge id written last, program started at the end", async () => {
    const badge = new FakeBadge();
    await provision(badge);
    assert.deepEqual(badge.log, [
      "autostart 0",
      "stop",
      "write authKey",
      "write chain",
      "write relay",
      "write badge",
      "autostart 1",
      "start",
    ]);
    assert.equal(badge.running, true);
  });

  it("provision: a registry that takes nothing leaves vault and badge as they were", async () => {
    const { vault, registryPath } = await site();
    writeFileSync(registryPath, "damaged", { mode: 0o600 });
    const badge = new FakeBadge();
    await assert.rejects(provision(badge), toolError(ExitCode.Usage, /registry .* it is not JSON/));
    assert.deepEqual(vault.badges(), []);
    assert.equal(badge.stored.size, 0);
    assert.equal(badge.running, true);
  });

  it("provision: a vault that cannot be written keeps registry and badge untouched", async () => {
    const { registryPath } = await site();
    writeFileSync(join(folder(), "vault", "recipients.txt"), "age1nonsense\n");
    const badge = new FakeBadge();
    await assert.rejects(provision(badge), toolError(ExitCode.Usage, /no age recipient/));
    assert.equal(existsSync(registryPath), false);
    assert.deepEqual([badge.stored.size, badge.running], [0, true]);
  });

  it("provision: a provisioned badge is refused and stays as it is", async () => {
    const badge = new FakeBadge();
    const { result, vault } = await provision(badge);
    const before = new Map(badge.stored);
    await assert.rejects(
      provision(badge),
      toolError(ExitCode.Usage, new RegExp(`as "?${result.badge}"?; add --force`)),
    );
    assert.deepEqual(badge.stored, before);
    assert.deepEqual([vault.badges().length, badge.running], [1, true]);
  });

  it("provision: by force new keys, and the old ones stay in the vault", async () => {
    const badge = new FakeBadge();
    const first = await provision(badge);
    const second = await provision(badge, { force: true });
    assert.notEqual(first.result.badge, second.result.badge);
    assert.deepEqual(second.vault.badges(), [first.result.badge, second.result.badge].sort());
    assert.equal(JSON.parse(badge.stored.get("badge")?.toString("utf8") ?? ""), second.result.badge);
  });

  for (const broken of ["authKey", "chain", "relay", "badge"])
    it(`provision: by force, interrupted at '${broken}', leaves a badge that is not provisioned`, async () => {
      const faults: Faults = {};
      const badge = new FakeBadge(faults);
      await provision(badge);
      faults.forgets = [broken];
      await assert.rejects(
        provision(badge, { force: true, relayUrl: "tcp://127.0.0.1:7788" }),
        toolError(ExitCode.Badge, new RegExp(`setting '${broken}' is not on the badge`)),
      );
      assert.equal(badge.stored.has("badge"), false);
      assert.equal(badge.running, true);
    });

  for (const [broken, kept] of [
    ["authKey", 0],
    ["chain", 0],
    ["relay", 0],
    ["badge", 1], // it may have it all the same
  ] as const)
    it(`provision: flash does not keep '${broken}'; vault and registry have ${kept} badges, the program runs`, async () => {
      const badge = new FakeBadge({ forgets: [broken] });
      await assert.rejects(provision(badge), toolError(ExitCode.Badge, /flash may be full or worn/));
      assert.equal(readdirSync(join(folder(), "vault", "badges")).length, kept);
      assert.equal(readRegistry(join(folder(), "registry.json")).size, kept);
      assert.equal(badge.stored.has("badge"), false);
      assert.deepEqual(badge.log.slice(-2), ["autostart 1", "start"]);
      assert.equal(badge.running, true);
    });

  for (const [name, faults, words] of [
    ["nothing on the bus", { silent: true }, /no badge answers/],
    ["no settings service", { noSettings: true }, /has no settings/],
    ["settings do not answer", { settingsSilent: true }, /no answer in time/],
    ["program does not stop", { neverStops: true }, /did not stop/],
    ["program does not start again", { neverStarts: true }, /did not start/],
  ] as [string, Faults, RegExp][])
    it(`provision: badge that fails (${name})`, async () => {
      await assert.rejects(provision(new FakeBadge(faults)), toolError(ExitCode.Badge, words));
    });

  it("provision: the first failure is told when the program does not start again either", async () => {
    const badge = new FakeBadge({ forgets: ["chain"], neverStarts: true });
    await assert.rejects(
      provision(badge),
      toolError(ExitCode.Badge, /'chain' is not on the badge.*did not start/),
    );
  });

  it("provision: with phrases, in the place of those that were there, before the keys", async () => {
    const badge = new FakeBadge();
    badge.stored.set("phrase0", Buffer.from('["old",-1,"ABC"]'));
    badge.stored.set("phrase2", Buffer.from('["older",-1,"ABC"]'));
    await provision(badge, { phrases: phrasesOf("one", "two") });
    assert.deepEqual(phrasesOn(badge), { phrase0: "one", phrase1: "two" });
    assert.ok(badge.log.indexOf("write phrase0") < badge.log.indexOf("write authKey"));
  });

  it("provision: without phrases the badge keeps its own", async () => {
    const badge = new FakeBadge();
    badge.stored.set("phrase0", Buffer.from('["old",-1,"ABC"]'));
    await provision(badge);
    assert.deepEqual(phrasesOn(badge), { phrase0: "old" });
  });

  it("provision: phrases that the badge does not keep leave it as it was, without new keys", async () => {
    const badge = new FakeBadge({ forgets: ["phrase1"] });
    await assert.rejects(
      provision(badge, { phrases: phrasesOf("one", "two") }),
      toolError(ExitCode.Badge, /'phrase1' is not on the badge/),
    );
    assert.deepEqual([badge.stored.size, readdirSync(join(folder(), "vault", "badges"))], [0, []]);
  });

  it("provision: keys are in no file but vault and registry, and registry has no chain", async () => {
    const { result, vault, registryPath, identities } = await provision(new FakeBadge());
    const { chain } = await vault.read(result.badge, identities);
    assert.equal(readFileSync(registryPath, "utf8").includes(chain.key), false);
  });

  it("provision: a relay's address that cannot be used stops everything before the badge is touched", async () => {
    const badge = new FakeBadge();
    await assert.rejects(
      provision(badge, { relayUrl: "http://relay" }),
      toolError(ExitCode.Usage, /no address of a relay/),
    );
    assert.deepEqual([badge.log, readdirSync(join(folder(), "vault", "badges"))], [[], []]);
  });
});

describe("phrases on a badge", () => {
  async function write(badge: FakeBadge, phrases: ListedPhrase[]) {
    const { client, close } = connect(badge);
    try {
      return await writePhrases(client, phrases);
    } finally {
      close();
    }
  }

  it("phrases: a shorter list clears what the longer one had, the first number goes first and comes last", async () => {
    const badge = new FakeBadge();
    assert.equal(await write(badge, phrasesOf("one", "two", "three")), DEVICE);
    badge.log.length = 0;
    await write(badge, phrasesOf("four", "five"));
    assert.deepEqual(phrasesOn(badge), { phrase0: "four", phrase1: "five" });
    assert.deepEqual(badge.log, [
      "autostart 0",
      "stop",
      "delete phrase0",
      "delete phrase2",
      "write phrase1",
      "write phrase0",
      "autostart 1",
      "start",
    ]);
  });

  it("phrases: what an interrupted write left behind does not join the next list", async () => {
    const faults: Faults = { forgets: ["phrase1"] };
    const badge = new FakeBadge(faults);
    await assert.rejects(write(badge, phrasesOf("a", "b", "c", "d")), toolError(ExitCode.Badge, /'phrase1'/));
    assert.deepEqual([phrasesOn(badge), badge.running], [{ phrase2: "c", phrase3: "d" }, true]);
    faults.forgets = [];
    await write(badge, phrasesOf("one", "two"));
    assert.deepEqual(phrasesOn(badge), { phrase0: "one", phrase1: "two" });
  });

  it("phrases: as many as there are numbers, and none again", async () => {
    const badge = new FakeBadge();
    await write(badge, phrasesOf(...Array.from({ length: 32 }, (_, i) => `number ${i}`)));
    assert.deepEqual([Object.keys(phrasesOn(badge)).length, phrasesOn(badge).phrase31], [32, "number 31"]);
    await write(badge, []);
    assert.deepEqual(phrasesOn(badge), {});
  });

  it("phrases: one that cannot be deleted is told, and the program runs again", async () => {
    const badge = new FakeBadge({ clings: ["phrase3"] });
    badge.stored.set("phrase3", Buffer.from('["old",-1,"ABC"]'));
    await assert.rejects(
      write(badge, phrasesOf("one")),
      toolError(ExitCode.Badge, /'phrase3' is still on the badge/),
    );
    assert.deepEqual([phrasesOn(badge), badge.running], [{ phrase3: "old" }, true]);
  });
});

describe("relay's address", () => {
  const long = `tcp://${"h".repeat(189)}:1234`; // 200 characters
  for (const url of [
    "tcp://127.0.0.1:7788",
    "tls://relay.example.com:7789",
    "tcp://h:1",
    "tls://h:65535",
    long,
  ])
    it(`relay's address: ${url.slice(0, 40)} is taken`, () => assert.doesNotThrow(() => checkRelayUrl(url)));
  for (const url of [
    "",
    "relay.example.com:7789",
    "http://relay.example.com:80",
    "TLS://relay.example.com:7789",
    "tcp://relay.example.com",
    "tcp://relay.example.com:",
    "tcp://relay.example.com:0",
    "tcp://relay.example.com:65536",
    "tcp://relay.example.com:123456",
    "tcp://:7788",
    "tcp://a b:7788",
    "tcp://a/b:7788",
    "tcp://h:7788/",
    "tcp://h:7788\n",
    `${long}5`,
  ])
    it(`relay's address: ${JSON.stringify(url.slice(0, 40))} is refused`, () =>
      assert.throws(() => checkRelayUrl(url), toolError(ExitCode.Usage, /is no address of a relay/)));
});
