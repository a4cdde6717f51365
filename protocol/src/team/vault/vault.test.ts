// The identity and the vault: files on disk, age in both directions against Debian's `age`, the derivation of epoch keys
// against protocol/vectors/keys.json, and every way in which a vault can be unusable.
import { strict as assert } from "node:assert";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bytesOf, modeOf, requireProgram, runProgram, toolError, useFolder } from "../../testing/tools";
import { ExitCode } from "../errors";
import { type BadgeKeys, epochKeyFor } from "./badge-keys";
import { createIdentity, defaultIdentityPath, readIdentities } from "./identity";
import { Vault } from "./vault";

const VECTORS = fileURLToPath(new URL("../../../vectors/keys.json", import.meta.url));
const CREATED_MS = Date.UTC(2025, 5, 1, 12, 0, 0);
const BADGE = "0123456789abcdef";

function keysOf(badge: string): BadgeKeys {
  return {
    version: 1,
    badge,
    deviceId: "fedcba9876543210",
    label: "Kim",
    createdMs: CREATED_MS,
    authKey: bytesOf(1, 32).toString("hex"),
    chain: { epoch: 0, key: bytesOf(2, 32).toString("hex") },
    epochKeys: {},
  };
}

async function makeTeam(folder: string) {
  const identityFile = join(folder, "keys", "identity.txt");
  const recipient = await createIdentity(identityFile, CREATED_MS);
  const vault = Vault.create(join(folder, "vault"), "Sunny Roofs", [recipient]);
  return { identityFile, recipient, vault, vaultFolder: join(folder, "vault") };
}

describe("identity", () => {
  const folder = useFolder();

  it("identity: new file (mode, content, folder's mode)", async () => {
    const path = join(folder(), "a", "b", "identity.txt");
    const recipient = await createIdentity(path, CREATED_MS);
    assert.equal(modeOf(path), 0o600);
    assert.equal(modeOf(join(folder(), "a", "b")), 0o700);
    const lines = readFileSync(path, "utf8").split("\n");
    assert.equal(lines[0], "# created: 2025-06-01T12:00:00Z");
    assert.equal(lines[1], `# public key: ${recipient}`);
    assert.match(recipient, /^age1[02-9ac-hj-np-z]{58}$/);
    assert.deepEqual(await readIdentities(path), [lines[2]]);
  });

  it("identity: a file that is there is never overwritten", async () => {
    const path = join(folder(), "identity.txt");
    writeFileSync(path, "precious", { mode: 0o600 });
    await assert.rejects(createIdentity(path, CREATED_MS), toolError(ExitCode.Usage, /not overwritten/));
    assert.equal(readFileSync(path, "utf8"), "precious");
  });

  it("identity: its recipient is what age-keygen derives from it", async function () {
    requireProgram(this, "age-keygen");
    const path = join(folder(), "identity.txt");
    const recipient = await createIdentity(path, CREATED_MS);
    assert.equal(runProgram("age-keygen", ["-y", path]).toString("utf8").trim(), recipient);
  });

  for (const mode of [0o601, 0o610, 0o640, 0o604, 0o666])
    it(`identity: refused when others may use it (mode ${mode.toString(8)})`, async function () {
      if (process.platform === "win32") this.skip();
      const path = join(folder(), "identity.txt");
      await createIdentity(path, CREATED_MS);
      chmodSync(path, mode);
      await assert.rejects(readIdentities(path), toolError(ExitCode.Usage, /run: chmod 600/));
    });

  for (const [name, text] of [
    ["empty", ""],
    ["only a comment", "# AGE-SECRET-KEY-1 is not here\n"],
    ["a public key", "age1qqqq\n"],
  ])
    it(`identity: file without a key is refused (${name})`, async () => {
      const path = join(folder(), "identity.txt");
      writeFileSync(path, text, { mode: 0o600 });
      await assert.rejects(readIdentities(path), toolError(ExitCode.Usage, /holds no age identity/));
    });

  it("identity: no file, and a folder in its place", async () => {
    await assert.rejects(readIdentities(join(folder(), "no")), toolError(ExitCode.Usage, /There is no file/));
    mkdirSync(join(folder(), "dir"), { mode: 0o700 });
    await assert.rejects(readIdentities(join(folder(), "dir")), toolError(ExitCode.Usage, /cannot be read/));
  });

  it("identity: default place (XDG_CONFIG_HOME set, empty)", () => {
    assert.equal(defaultIdentityPath({ XDG_CONFIG_HOME: "/c" }), join("/c", "salestag", "identity.txt"));
    assert.match(defaultIdentityPath({ XDG_CONFIG_HOME: "" }), /\.config.salestag.identity\.txt$/);
  });
});

describe("vault", () => {
  const folder = useFolder();

  it("vault: new folder (modes, files)", async () => {
    const { vault, vaultFolder, recipient } = await makeTeam(folder());
    await vault.add(keysOf(BADGE));
    assert.equal(modeOf(vaultFolder), 0o700);
    assert.equal(modeOf(join(vaultFolder, "badges")), 0o700);
    for (const file of ["vault.json", "recipients.txt", `badges/${BADGE}.age`])
      assert.equal(modeOf(join(vaultFolder, file)), 0o600, file);
    assert.deepEqual(JSON.parse(readFileSync(join(vaultFolder, "vault.json"), "utf8")), {
      version: 1,
      label: "Sunny Roofs",
    });
    assert.equal(readFileSync(join(vaultFolder, "recipients.txt"), "utf8"), `${recipient}\n`);
    assert.deepEqual(vault.badges(), [BADGE]);
  });

  it("vault: what was put in comes out, after opening it again", async () => {
    const { vault, vaultFolder, identityFile } = await makeTeam(folder());
    await vault.add(keysOf(BADGE));
    const again = Vault.open(vaultFolder);
    assert.deepEqual(await again.read(BADGE, await readIdentities(identityFile)), keysOf(BADGE));
  });

  it("vault: no key in plain in any of its files", async () => {
    const { vault, vaultFolder } = await makeTeam(folder());
    const keys = keysOf(BADGE);
    await vault.add(keys);
    const sealed = readFileSync(join(vaultFolder, "badges", `${BADGE}.age`));
    for (const key of [keys.authKey, keys.chain.key]) {
      assert.equal(sealed.includes(key), false);
      assert.equal(sealed.includes(Buffer.from(key, "hex")), false);
    }
  });

  it("vault: two recipients, each reads alone", async () => {
    const files = [join(folder(), "one.txt"), join(folder(), "two.txt")];
    const recipients = await Promise.all(files.map((file) => createIdentity(file, CREATED_MS)));
    const vault = Vault.create(join(folder(), "vault"), "", recipients);
    await vault.add(keysOf(BADGE));
    for (const file of files)
      assert.deepEqual(await vault.read(BADGE, await readIdentities(file)), keysOf(BADGE));
  });

  it("vault: a vault and a badge are never overwritten", async () => {
    const { vault, vaultFolder, recipient } = await makeTeam(folder());
    await vault.add(keysOf(BADGE));
    const before = readFileSync(join(vaultFolder, "badges", `${BADGE}.age`));
    await assert.rejects(vault.add(keysOf(BADGE)), toolError(ExitCode.Usage, /not overwritten/));
    assert.throws(
      () => Vault.create(vaultFolder, "x", [recipient]),
      toolError(ExitCode.Usage, /not overwritten/),
    );
    assert.deepEqual(readFileSync(join(vaultFolder, "badges", `${BADGE}.age`)), before);
    assert.match(readFileSync(join(vaultFolder, "vault.json"), "utf8"), /Sunny Roofs/);
  });

  it("vault: Debian's age opens a badge's file with the identity", async function () {
    requireProgram(this, "age");
    const { vault, vaultFolder, identityFile } = await makeTeam(folder());
    await vault.add(keysOf(BADGE));
    const text = runProgram("age", ["-d", "-i", identityFile, join(vaultFolder, "badges", `${BADGE}.age`)]);
    assert.deepEqual(JSON.parse(text.toString("utf8")), keysOf(BADGE));
  });

  it("vault: a file that Debian's age made to recipients.txt is read", async function () {
    requireProgram(this, "age");
    const { vault, vaultFolder, identityFile } = await makeTeam(folder());
    const path = join(vaultFolder, "badges", `${BADGE}.age`);
    const args = ["-R", join(vaultFolder, "recipients.txt"), "-o", path];
    runProgram("age", args, JSON.stringify(keysOf(BADGE)));
    assert.deepEqual(await vault.read(BADGE, await readIdentities(identityFile)), keysOf(BADGE));
  });
});

describe("vault that cannot be used", () => {
  const folder = useFolder();

  it("vault: folder that is none", () => {
    assert.throws(() => Vault.open(folder()), toolError(ExitCode.Usage, /is no vault/));
    assert.throws(() => Vault.open(join(folder(), "no")), toolError(ExitCode.Usage, /is no vault/));
  });

  for (const [name, file, text, words] of [
    ["not JSON", "vault.json", "{", /cannot be read/],
    ["null", "vault.json", "null", /cannot be read/],
    ["version 2", "vault.json", '{"version":2}', /has version 2/],
    ["no version", "vault.json", "{}", /has version undefined/],
    ["no recipient", "recipients.txt", "# nobody\n", /names no recipient/],
  ] as const)
    it(`vault: damaged folder (${name})`, async () => {
      const { vaultFolder } = await makeTeam(folder());
      writeFileSync(join(vaultFolder, file), text);
      assert.throws(() => Vault.open(vaultFolder), toolError(ExitCode.Usage, words));
    });

  it("vault: recipient that is none is refused when a badge is added", async () => {
    const { vaultFolder } = await makeTeam(folder());
    writeFileSync(join(vaultFolder, "recipients.txt"), "age1nonsense\n");
    await assert.rejects(
      Vault.open(vaultFolder).add(keysOf(BADGE)),
      toolError(ExitCode.Usage, /recipients\.txt/),
    );
    assert.equal(existsSync(join(vaultFolder, "badges", `${BADGE}.age`)), false);
  });

  it("vault: unknown badge", async () => {
    const { vault, identityFile } = await makeTeam(folder());
    await assert.rejects(
      vault.read(BADGE, await readIdentities(identityFile)),
      toolError(ExitCode.Keys, /has no badge 0123456789abcdef/),
    );
  });

  it("vault: identity of another team", async () => {
    const { vault } = await makeTeam(folder());
    await vault.add(keysOf(BADGE));
    const other = join(folder(), "other.txt");
    await createIdentity(other, CREATED_MS);
    await assert.rejects(
      vault.read(BADGE, await readIdentities(other)),
      toolError(ExitCode.Keys, /does not open with this identity/),
    );
  });

  for (const [name, damage] of [
    ["a letter that bech32 has not", (key: string) => `${key.slice(0, 30)}B${key.slice(31)}`],
    ["a letter too few", (key: string) => key.slice(0, -1)],
    ["last two letters changed", (key: string) => key.slice(0, -2) + (key.endsWith("Q") ? "PP" : "QQ")],
  ] as const)
    it(`vault: damaged identity is not quoted in the error (${name})`, async () => {
      const { vault, identityFile } = await makeTeam(folder());
      await vault.add(keysOf(BADGE));
      const [key] = await readIdentities(identityFile);
      await assert.rejects(
        vault.read(BADGE, [damage(key)]),
        toolError(ExitCode.Keys, /secret key .* is damaged/),
      );
    });

  for (const [name, damage] of [
    ["empty", () => Buffer.alloc(0)],
    ["cut by one byte", (sealed: Buffer) => sealed.subarray(0, -1)],
    ["last bit flipped", (sealed: Buffer) => flipped(sealed, sealed.length - 1)],
    ["first bit flipped", (sealed: Buffer) => flipped(sealed, 0)],
    ["one byte longer", (sealed: Buffer) => Buffer.concat([sealed, Buffer.alloc(1)])],
  ] as const)
    it(`vault: damaged badge file (${name})`, async () => {
      const { vault, vaultFolder, identityFile } = await makeTeam(folder());
      await vault.add(keysOf(BADGE));
      const path = join(vaultFolder, "badges", `${BADGE}.age`);
      writeFileSync(path, damage(readFileSync(path)));
      await assert.rejects(
        vault.read(BADGE, await readIdentities(identityFile)),
        toolError(ExitCode.Keys, /does not open with this identity/),
      );
    });

  const good = keysOf(BADGE);
  for (const [name, content] of [
    ["not JSON", `${good.authKey} is the key`],
    ["null", null],
    ["version 2", { ...good, version: 2 }],
    ["another badge's keys", { ...good, badge: "ff".repeat(8) }],
    ["short key", { ...good, authKey: good.authKey.slice(2) }],
    ["key in capitals", { ...good, chain: { epoch: 0, key: "AB".repeat(32) } }],
    ["epoch of 1.5", { ...good, chain: { ...good.chain, epoch: 1.5 } }],
    ["negative epoch", { ...good, chain: { ...good.chain, epoch: -1 } }],
    ["no epochKeys", { ...good, epochKeys: undefined }],
    ["epoch key that is none", { ...good, epochKeys: { 0: "x" } }],
    ["epoch named 01", { ...good, epochKeys: { "01": good.authKey } }],
    [
      "epoch named __proto__",
      JSON.stringify(good).replace('"epochKeys":{', `"epochKeys":{"__proto__":"${good.authKey}"`),
    ],
    ["inbox key that is none", { ...good, inboxKey: "x" }],
    ["no label", { ...good, label: undefined }],
  ] as const)
    it(`vault: badge file with content that cannot be used (${name})`, async function () {
      requireProgram(this, "age");
      const { vault, vaultFolder, identityFile } = await makeTeam(folder());
      const text = typeof content === "string" ? content : JSON.stringify(content);
      const path = join(vaultFolder, "badges", `${BADGE}.age`);
      runProgram("age", ["-R", join(vaultFolder, "recipients.txt"), "-o", path], text);
      await assert.rejects(
        vault.read(BADGE, await readIdentities(identityFile)),
        toolError(ExitCode.Damaged, /holds no keys of badge/),
      );
    });
});

describe("epoch keys", () => {
  const { chain } = JSON.parse(readFileSync(VECTORS, "utf8")) as {
    chain: { epoch: number; chainKey: string; epochKey: string }[];
  };
  const from = (epoch: number): BadgeKeys => ({
    ...keysOf(BADGE),
    chain: { epoch, key: chain[epoch].chainKey },
  });

  for (const start of chain.map(({ epoch }) => epoch))
    for (const { epoch, epochKey } of chain.slice(start))
      it(`epoch keys: vector (chain at ${start}, epoch ${epoch})`, () => {
        assert.equal(epochKeyFor(from(start), epoch).toString("hex"), epochKey);
      });

  it("epoch keys: a stored key wins over the chain, for its epoch alone", () => {
    const stored = "5a".repeat(32);
    const keys = { ...from(2), epochKeys: { 1: stored, 2: stored } };
    assert.equal(epochKeyFor(keys, 1).toString("hex"), stored);
    assert.equal(epochKeyFor(keys, 2).toString("hex"), stored);
    assert.equal(epochKeyFor(keys, 3).toString("hex"), chain[3].epochKey);
    assert.throws(() => epochKeyFor(keys, 0), toolError(ExitCode.Keys, /was shredded/));
  });

  it("epoch keys: before the chain is shredded (by 1)", () => {
    assert.throws(() => epochKeyFor(from(1), 0), toolError(ExitCode.Keys, /conversation 0 .* was shredded/));
  });

  it("epoch keys: 1,000,001 steps are refused, 1,000,000 are not", () => {
    assert.throws(() => epochKeyFor(from(0), 1_000_001), toolError(ExitCode.Damaged, /1000001 ahead/));
    assert.throws(() => epochKeyFor(from(3), 1_000_004), toolError(ExitCode.Damaged, /1000001 ahead/));
    assert.equal(epochKeyFor(from(0), 1_000_000).length, 32);
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] ^= 1;
  return copy;
}
