// The configuration file: what it says, and every mistake by its line.
import { strict as assert } from "node:assert";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { useFolder } from "@salestag/protocol/testing";
import { ExitCode, MemoryError } from "../errors";
import { type Environment, readConfig } from "./config";

const SECRET = "s".repeat(32);
const HOOK = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

describe("memory's configuration", () => {
  const folder = useFolder();
  const path = (name: string) => join(folder(), name);

  function read(text: string, environment: Environment = {}) {
    writeFileSync(path("jwt.key"), SECRET, { mode: 0o600 });
    writeFileSync(path("hook.key"), HOOK, { mode: 0o600 });
    writeFileSync(path("api.key"), "key-of-somebody", { mode: 0o600 });
    writeFileSync(path("open.key"), SECRET, { mode: 0o644 });
    writeFileSync(path("memory.yaml"), text);
    return readConfig(path("memory.yaml"), environment, () => 0);
  }

  const SMALLEST = [
    "data: data",
    "vault: vault",
    "identity: id.txt",
    "team: Sunny Roofs",
    "ingest: { folder: out }",
    "api: { jwt: { secretFile: jwt.key } }",
  ];

  it("the smallest: loopback, no transcriber, everything local", () => {
    const { settings, transcriber, structurer, embedder, json } = read(SMALLEST.join("\n"));
    assert.deepEqual(
      [settings.data, settings.relayFolder, settings.listen, settings.postgres, settings.quietMinutes],
      [path("data"), path("out"), { host: "127.0.0.1", port: 7790 }, undefined, 30],
    );
    assert.equal(transcriber, undefined);
    assert.match(`${structurer.name} ${embedder.name}`, /^local\/\d+ local\//);
    assert.equal(json, false);
  });

  it("everything named: a file's paths are relative to it, the environment puts the database elsewhere", () => {
    const text = [
      ...SMALLEST.slice(0, 4),
      "ingest:",
      "  webhook: { secretFiles: [hook.key] }",
      "  nats: { servers: ['nats://127.0.0.1:4222'], stream: CHUNKS, tokenFile: api.key }",
      "api:",
      "  listen: 127.0.0.1:0",
      "  jwt: { jwksUrl: 'https://id.example/jwks.json', issuer: 'https://id.example', audience: sales }",
      "transcriber: whisper.cpp+http://127.0.0.1:8080",
      "structurer: openai+https://models.example/v1?model=tagger&key-file=api.key",
      "embeddings: openai+https://models.example/v1?model=small&dims=512&key-file=api.key",
      "quietMinutes: 5",
      "consentWaitHours: 2",
      "retention: { at: '04:30' }",
      "log: { json: true }",
    ].join("\n");
    const { settings, transcriber, structurer, embedder, json } = read(text, {
      DATABASE_URL: "postgres://db/sales",
    });
    assert.deepEqual(settings.webhookSecrets, [Buffer.alloc(32, 7)]);
    assert.deepEqual([settings.nats?.stream, settings.nats?.token], ["CHUNKS", "key-of-somebody"]);
    assert.deepEqual(settings.tokens, {
      jwksUrl: "https://id.example/jwks.json",
      issuer: "https://id.example",
      audience: "sales",
    });
    assert.deepEqual([settings.postgres?.url, settings.retentionAtMs], ["postgres://db/sales", 16_200_000]);
    assert.deepEqual([transcriber?.name, structurer.name, json], ["whisper.cpp", "chat/1:tagger", true]);
    assert.match(embedder.name, /small/);
  });

  const wrong: [string, string[], RegExp][] = [
    [
      "nothing that is needed",
      ["log: { json: true }"],
      /data is missing[\s\S]*vault is missing[\s\S]*no ingest[\s\S]*no api/,
    ],
    ["an unknown name", [...SMALLEST, "transcribe: x"], /line 7: transcribe is not known; known are/],
    ["no source", [...SMALLEST.slice(0, 4), "ingest: {}", SMALLEST[5]], /line 5: ingest names no source/],
    [
      "a number out of range",
      [...SMALLEST, "quietMinutes: 0"],
      /line 7: quietMinutes must be a whole number from 1/,
    ],
    [
      "a secret that others can read",
      [...SMALLEST.slice(0, 5), "api: { jwt: { secretFile: open.key } }"],
      /chmod 600/,
    ],
    [
      "both ways to sign in",
      [...SMALLEST.slice(0, 5), "api: { jwt: { secretFile: jwt.key, jwksUrl: 'https://x/' } }"],
      /either secretFile or jwksUrl/,
    ],
    [
      "open to the network without TLS",
      [...SMALLEST.slice(0, 5), "api: { listen: '0.0.0.0:7790', jwt: { secretFile: jwt.key } }"],
      /name tls.cert and tls.key/,
    ],
    ["a transcriber that is none", [...SMALLEST, "transcriber: ears"], /transcriber: /],
    [
      "a time of day that is none",
      [...SMALLEST, "retention: { at: noon }"],
      /time of day \(UTC\) such as 03:00, got "noon"/,
    ],
    [
      "a webhook secret that is none",
      [...SMALLEST.slice(0, 4), "ingest: { webhook: { secretFiles: [api.key] } }", SMALLEST[5]],
      /must hold whsec_ and 24 to 64 bytes/,
    ],
  ];
  for (const [what, lines, words] of wrong)
    it(`refused with its line: ${what}`, () => {
      assert.throws(
        () => read(lines.join("\n")),
        (cause) => {
          assert.ok(cause instanceof MemoryError);
          assert.equal(cause.exitCode, ExitCode.Usage);
          assert.match(cause.message, words);
          assert.doesNotMatch(cause.message, /key-of-somebody|ssssssss/);
          return true;
        },
      );
    });
});
