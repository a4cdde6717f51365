// The command line on real processes: a memory is set up, asked while it runs and while it does not, rebuilt, and says what is wrong.
import { strict as assert } from "node:assert";
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeRecord } from "@salestag/protocol/testing";
import { MemoryUnderTest } from "../testing/memory-under-test";
import { MemoryProcess } from "../testing/process";
import { talk } from "../testing/team";

const RECORDS = talk({ phrases: ["too expensive"] });
const BADGE = RECORDS[0].badge;

describe("memory: command line", function () {
  this.timeout(600_000);
  const test = new MemoryUnderTest();
  let memory: MemoryProcess;

  before(async () => {
    await test.makeTeam(1);
    mkdirSync(test.path("own"));
    memory = new MemoryProcess(test.path("own"), test.team);
    mkdirSync(memory.relayFolder);
  });
  after(async () => {
    await memory.kill();
    await test.end();
  });

  /** Runs a command that must do. @returns what it prints */
  function done(...args: string[]): Record<string, unknown> {
    const { status, stdout, stderr } = memory.command(...args);
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  it("setting up: people and badges while it does not run, and while it does; they last through a rebuild", async () => {
    const kim = done("person", "add", "Kim Lee", "--role", "rep", "--subject", "kim@example.com");
    await memory.start();
    const worn = done("badge", "wear", BADGE, "Kim Lee", "--since", "2025-06-01T00:00:00Z");
    assert.equal(worn.personId, kim.id);
    const socket = statSync(join(memory.data, "control.sock"));
    assert.equal(socket.mode & 0o777, 0o600);
    const twice = memory.command("person", "add", "Kim L", "--role", "rep", "--subject", "kim@example.com");
    assert.equal(twice.status, 2);
    assert.match(twice.stderr, /signs in as "kim@example.com" already/);
    assert.equal(await memory.post(RECORDS, Date.now()), 204);
    const held = memory.command("rebuild");
    assert.equal(held.status, 4);
    assert.match(held.stderr, /in use by process/);
    assert.equal(await memory.stop(), 0);
    assert.deepEqual(done("status"), { running: false });
    const rebuilt = done("rebuild") as { conversations: unknown };
    assert.deepEqual(rebuilt.conversations, { open: 0, final: 1, transcribed: 0, structured: 1 });
    const [shown] = done("badge", "list") as unknown as { wornBy: string; label: string }[];
    assert.equal(shown.wornBy, "Kim Lee");
    assert.deepEqual(
      readdirSync(memory.data).filter((name) => name.startsWith("database.old")),
      [],
    );
  });

  it("rebuild: a database folder that is gone or damaged is told, and made anew with all conversations", async () => {
    for (const record of RECORDS) writeRecord(join(memory.data, "chunks"), record);
    writeFileSync(join(memory.data, "database", "PG_VERSION"), "damaged");
    rmSync(join(memory.data, "database", "base"), { recursive: true });
    await assert.rejects(memory.start(), /salestag-memory rebuild/);
    const rebuilt = done("rebuild") as { conversations: { final: number } };
    assert.equal(rebuilt.conversations.final, 1);
    await memory.start();
    const status = done("status") as {
      running: boolean;
      conversations: { final: number };
      problems: unknown[];
    };
    assert.deepEqual([status.running, status.conversations.final, status.problems], [true, 1, []]);
    assert.equal(await memory.stop(), 0);
  });

  it("mistakes: each is named with its line, all at once, and no secret is told", () => {
    const config = test.path("own/wrong.yaml");
    writeFileSync(test.path("own/open.key"), "whsec_secretsecretsecret", { mode: 0o644 });
    writeFileSync(
      config,
      [
        "data: data",
        "vault: vault",
        "team: 5",
        "quietMinutes: 0",
        "embeddings: nonsense",
        "transcriber: whisper",
        "retention: { at: 25:00 }",
        "ingest:",
        "  webhook: { secretFiles: [open.key, none.key] }",
        "  nats: { servers: ['nats://db.example:4222', 'nats://u:p@127.0.0.1'], stream: 'a b' }",
        "api: { listen: 0.0.0.0:7790, jwt: { } }",
        "other: 1",
      ].join("\n"),
    );
    const own = new MemoryProcess(test.path("own"), test.team);
    Object.assign(own, { config });
    const { status, stderr } = own.command();
    assert.equal(status, 2);
    const told = stderr.split("\n").map((line) => line.replace(/^.*wrong\.yaml, line (\d+): /, "$1: "));
    for (const expected of [
      /^1: identity is missing/,
      /^3: team must be a text, got 5/,
      /^4: quietMinutes must be a whole number from 1/,
      /embeddings: The embedder's setting/,
      /transcriber: the transcriber's setting/,
      /^7: retention at must be a time of day/,
      /^9: ingest\.webhook\.secretFiles\[0\] can be read by other users/,
      /^9: ingest\.webhook\.secretFiles\[1\] cannot be read/,
      /^10: ingest\.nats\.servers\[0\] must be tls/,
      /^10: ingest\.nats\.servers\[1\] must hold no user/,
      /^10: ingest\.nats stream must be letters/,
      /^11: api listen is 0\.0\.0\.0/,
      /^11: api\.jwt must have either/,
      /^12: other is not known/,
    ])
      assert.ok(
        told.some((line) => expected.test(line)),
        `${expected} in\n${told.join("\n")}`,
      );
    assert.ok(!stderr.includes("secretsecret"));
  });
});
