// The configuration file: what it says, and every mistake by its line.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@salestag/protocol/service";
import { nodeDisk } from "../disk";
import { RelayError } from "../errors";
import { readConfig } from "./config";

describe("relay's configuration", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "relay-config-"));
    writeFileSync(join(folder, "hook.key"), `whsec_${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
    writeFileSync(join(folder, "word.key"), "open sesame\n", { mode: 0o600 });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const read = (text: string, environment: Record<string, string> = {}) => {
    writeFileSync(join(folder, "relay.yaml"), text);
    return readConfig(join(folder, "relay.yaml"), environment, nodeDisk, systemClock);
  };
  const mistakes = (text: string): string[] => {
    try {
      read(text);
    } catch (error) {
      assert.ok(error instanceof RelayError, String(error));
      return error.message.split("\n").map((line) => line.replace(`${join(folder, "relay.yaml")}, `, ""));
    }
    throw new Error("no mistake was found");
  };

  it("the least that is needed; paths are relative to the file", () => {
    const config = read("registry: registry.json\nspool:\n  folder: spool\n");
    assert.equal(config.registry, join(folder, "registry.json"));
    assert.equal(config.spool, join(folder, "spool"));
    assert.deepEqual(config.listen, [{ host: "127.0.0.1", port: 7788, tls: false }]);
    assert.deepEqual([config.sinks, config.json, config.tls], [[], false, undefined]);
  });

  it("everything", () => {
    const config = read(`
listen:
  - tcp://127.0.0.1:0
registry: /etc/salestag/registry.json
spool:
  folder: spool
  bytesMax: 1000000000
sinks:
  - folder: out
  - webhook:
      url: https://backend.example/hooks
      mode: structured
      secretFiles: [hook.key]
      timeoutMs: 2000
  - nats:
      servers: [nats://127.0.0.1:4222]
      stream: CHUNKS
      tokenFile: word.key
  - s3:
      endpoint: https://s3.example/
      region: eu-central-1
      bucket: chunks
      prefix: team/
      accessKeyId: AKID
      secretKeyFile: word.key
  - postgres: {host: db.example, database: sales, user: relay, passwordFile: word.key, table: sales.chunks}
limits:
  connectionsPerAddress: 50
log:
  json: true
`);
    assert.deepEqual(config.limits, { connections: 20_000, connectionsPerAddress: 50, unproven: 2000 });
    assert.equal(config.registry, "/etc/salestag/registry.json");
    assert.equal(config.spoolBytesMax, 1_000_000_000);
    assert.equal(config.json, true);
    assert.deepEqual(
      config.sinks.map(({ name }) => name),
      [
        `folder:${join(folder, "out")}`,
        "webhook:https://backend.example/hooks",
        "nats:nats://127.0.0.1:4222/CHUNKS",
        "s3:https://s3.example/chunks/team/",
        "postgres:db.example:5432/sales/sales.chunks",
      ],
    );
  });

  it("a spool in JetStream", () => {
    const nats = "spool:\n  nats: {servers: [nats://127.0.0.1:4222], stream: SPOOL, replicas: 3}\n";
    const { spool } = read(`registry: r.json\n${nats}`);
    assert.deepEqual(spool, {
      place: {
        servers: ["nats://127.0.0.1:4222"],
        creds: undefined,
        token: undefined,
        user: undefined,
        password: undefined,
        ca: undefined,
      },
      stream: { stream: "SPOOL", subject: "salestag.spool", replicas: 3, duplicateWindowMs: 600_000 },
      folder: undefined,
    });
    const sinks = "sinks:\n  - folder: out\n";
    assert.match(mistakes(`registry: r.json\n${nats}${sinks}`).join(), /has sinks and no spool\.folder/);
    assert.match(
      mistakes(`registry: r.json\n${nats}  bytesMax: 1000000\n`).join(),
      /bytesMax is for a folder/,
    );
    const withFolder = read(`registry: r.json\n${nats}  folder: keep\n${sinks}`).spool;
    assert.ok(typeof withFolder === "object" && withFolder.folder === join(folder, "keep"));
  });

  it("the environment overrides the file", () => {
    const config = read("registry: a\nspool: {folder: b}\n", {
      SALESTAG_RELAY_REGISTRY: "/r.json",
      SALESTAG_RELAY_SPOOL: "/s",
      SALESTAG_RELAY_JSON: "true",
    });
    assert.deepEqual([config.registry, config.spool, config.json], ["/r.json", "/s", true]);
  });

  const START = "registry: r.json\nspool:\n  folder: s\n"; // three lines
  for (const [what, text, wanted] of [
    ["empty", "", [/^line 1: /]],
    ["no YAML", "registry: [", [/^line 1: /]],
    ["a name twice", `${START}registry: again\n`, [/^line 4: /]],
    ["nothing that is needed", "listen: []\n", [/registry is missing/, /has no spool/]],
    [
      "an unknown name",
      `${START}sink: []\n`,
      [/^line 4: sink is not known; known are admin, limits, listen, log, registry, sinks, spool, tls$/],
    ],
    [
      "a number out of range",
      "registry: r\nspool:\n  folder: s\n  bytesMax: 5\n",
      [/^line 4: spool\.bytesMax must be a whole number from \d+ to \d+, got 5$/],
    ],
    ["a wrong address", `${START}listen:\n  - tcp://0.0.0.0:1\n`, [/^line 5: listen\[0\] /]],
    ["TLS without its files", `${START}listen: [tls://0.0.0.0:7789]\n`, [/tls\.cert and tls\.key/]],
    [
      "a certificate that is not there",
      `${START}tls:\n  cert: no.crt\n  key: no.key\n`,
      [/tls cannot be read: ENOENT/],
    ],
    [
      "an unknown sink",
      `${START}sinks:\n  - kafka: x\n`,
      [/^line 5: sinks\[0\] must be one sink, folder, webhook, nats, s3, postgres, got kafka$/],
    ],
    ["two sinks in one", `${START}sinks:\n  - folder: a\n    webhook: {}\n`, [/got folder and webhook$/]],
    ["the same sink twice", `${START}sinks:\n  - folder: a\n  - folder: ./a\n`, [/twice/]],
    [
      "a webhook with everything wrong",
      `${START}sinks:\n  - webhook:\n      url: http://backend.example/\n      mode: fast\n      timeoutMs: soon\n      secretFiles: [none.key]\n`,
      [
        /must be https/,
        /^line 7: sinks\[0\]\.webhook\.mode must be batched or structured or binary, got "fast"$/,
        /^line 8: sinks\[0\]\.webhook\.timeoutMs must be a whole number/,
        /^line 9: sinks\[0\]\.webhook\.secretFiles\[0\] cannot be read: ENOENT/,
      ],
    ],
    [
      "a password in the address",
      `${START}sinks:\n  - webhook: {url: "https://me:word@x.example/", secretFiles: [hook.key]}\n`,
      [/must not hold a password/],
    ],
    [
      "NATS with everything wrong",
      `${START}sinks:\n  - nats:\n      servers: [http://x, "nats://me:word@127.0.0.1", nats://far.example]\n      stream: a.b\n      tokenFile: none.key\n`,
      [
        /servers\[0\] must be nats:/,
        /servers\[1\] must hold no user or password/,
        /servers\[2\] must be tls:/,
        /stream must be letters/,
        /tokenFile cannot be read: ENOENT/,
      ],
    ],
    [
      "S3 with everything wrong",
      `${START}sinks:\n  - s3: {endpoint: "http://s3.example", bucket: X, prefix: no-slash}\n`,
      [
        /endpoint must be https/,
        /region is missing/,
        /bucket must be the name/,
        /prefix must end in a slash/,
        /secretKeyFile is missing/,
      ],
    ],
    [
      "PostgreSQL with everything wrong",
      `${START}sinks:\n  - postgres: {host: h, port: 0, table: "x; DROP TABLE y"}\n`,
      [
        /port must be a whole number/,
        /database is missing/,
        /user is missing/,
        /table must be small letters/,
      ],
    ],
    [
      "a limit that is none",
      `${START}limits:\n  unproven: 0\n  rate: 5\n`,
      [/^line 5: limits\.unproven/, /rate is not known/],
    ],
    ["no secret", `${START}sinks:\n  - webhook: {url: "https://x.example/"}\n`, [/needs secretFiles/]],
  ] as [string, string, RegExp[]][])
    it(`is refused with the line of each mistake: ${what}`, () => {
      const found = mistakes(text);
      for (const pattern of wanted)
        assert.ok(
          found.some((mistake) => pattern.test(mistake)),
          `${pattern} is not in ${JSON.stringify(found, null, 1)}`,
        );
    });

  it("a secret that others can read, or that is none, is refused, and never shown", () => {
    const secret = randomBytes(32).toString("base64");
    for (const [content, mode, wanted] of [
      [`whsec_${secret}`, 0o644, /can be read by other users/],
      [secret, 0o600, /must hold whsec_/],
      [`whsec_${randomBytes(23).toString("base64")}`, 0o600, /24 to 64 bytes/],
    ] as const) {
      const file = `s${mode}${content.length}.key`;
      writeFileSync(join(folder, file), content, { mode });
      const found = mistakes(
        `${START}sinks:\n  - webhook: {url: "https://x.example/", secretFiles: [${file}]}\n`,
      );
      assert.match(found.join("\n"), wanted);
      assert.ok(!found.join("\n").includes(content.replace("whsec_", "")));
    }
  });
});
