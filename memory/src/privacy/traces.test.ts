// What is left of an erased customer in the whole data folder of an embedded memory, byte by byte, also when the process is killed on its way.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { epochKeyFor, readIdentities, Vault } from "@salestag/protocol/team";
import { badgeKeys, useFolder } from "@salestag/protocol/testing";
import { Archive } from "../ingest/archive";
import type { Database } from "../store/database";
import { openDatabase } from "../store/open";
import { Eraser, type EraserParts } from "./erasure";
import { BADGES, eraserAt, fill, MANAGER, MILLER, NOW_MS, SECRET } from "./privacy.fixture";

/** What nobody may find any more: sentence, stems of the full-text search, names, the place, keys as bytes and as digits. */
const KEYS = [epochKeyFor(badgeKeys(0), 3), epochKeyFor(badgeKeys(1), 2)];
const TRACES: [string, Buffer][] = [
  ...[SECRET, ...SECRET.split(" "), "Zinnoberfrau", "zinnoberfrau", "Zinnoberfraugasse"].map(
    (text): [string, Buffer] => [text, Buffer.from(text)],
  ),
  ...KEYS.flatMap((key, n): [string, Buffer][] => [
    [`key ${n}`, key],
    [`digits of key ${n}`, Buffer.from(key.toString("hex"))],
  ]),
];
/** What must still be there, so that it is known that the search works. */
const KEPT = "Otterbein";
/** SALESTAG_KILL_EVERY=1: at every place; each takes half a minute. */
const KILL_EVERY = Number(process.env.SALESTAG_KILL_EVERY ?? 4);

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

/** @returns `trace in file`, each */
function tracesIn(folder: string): string[] {
  return filesOf(folder).flatMap((path) => {
    const bytes = readFileSync(path);
    return TRACES.filter(([, trace]) => bytes.includes(trace)).map(
      ([name]) => `${name} in ${path.slice(folder.length)}`,
    );
  });
}

function run(folder: string, call: number): { calls: number; killed: boolean } {
  const script = new URL("./eraser-process.fixture.ts", import.meta.url).pathname;
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", script, folder, join(folder, "operator.txt"), String(call)],
    { encoding: "utf8" },
  );
  if (signal === "SIGKILL") return { calls: call, killed: true };
  assert.equal(status, 0, stderr);
  return { calls: Number(stdout), killed: false };
}

describe("privacy: traces in the data folder (embedded)", () => {
  const folder = useFolder();

  async function filled(): Promise<string> {
    const data = join(folder(), "data");
    const database = await openDatabase({ folder: data });
    await fill(database);
    await eraserAt(data, database, undefined);
    await database.system((session) => session.query("analyze"));
    // A row that was written anew leaves its old bytes, and planners' samples come from a table that is full.
    await database.system((session) => session.query("update salestag.customer set note = note || '.'"));
    await database.alone("checkpoint", 60_000);
    await database.close();
    return data;
  }

  it("none after an erasure, while it runs and when it has ended", async () => {
    const data = await filled();
    const before = tracesIn(data);
    for (const [trace] of TRACES.slice(0, 5))
      assert.ok(
        before.some((found) => found.startsWith(`${trace} in /database/`)),
        `${trace} was never there`,
      );
    const database = await openDatabase({ folder: data });
    const { parts } = await reopened(data, database);
    await new Eraser(parts, () => NOW_MS).erase(MANAGER, { kind: "customer", id: MILLER }, "asked");
    assert.deepEqual(tracesIn(data), []);
    await database.close();
    assert.deepEqual(tracesIn(data), []);
    assert.ok(filesOf(data).some((path) => readFileSync(path).includes(KEPT)));
  });

  it(`none after a kill -9 and the next start (after each transaction, before each call to vault and archive, in a table's scrub; every ${KILL_EVERY}th of them)`, async function () {
    this.timeout(600_000);
    const data = await filled();
    const copyOf = (name: string) => {
      const copy = join(folder(), name);
      cpSync(data, copy, { recursive: true });
      return copy;
    };
    const { calls } = run(copyOf("whole"), 0);
    assert.ok(calls >= 10, `${calls} calls`);
    for (let call = 1; call <= calls; call += KILL_EVERY) {
      const copy = copyOf(String(call));
      assert.ok(run(copy, call).killed, `call ${call} was survived`);
      const database = await openDatabase({ folder: copy });
      await new Eraser((await reopened(copy, database)).parts, () => NOW_MS).finish();
      await database.close();
      assert.deepEqual(tracesIn(copy), [], `killed at call ${call}`);
      assert.deepEqual(chunksIn(copy), ["0000000004", "0000000005"]);
      rmSync(copy, { recursive: true });
    }
  });
});

function chunksIn(data: string): string[] {
  return BADGES.flatMap((badge) => readdirSync(join(data, "chunks", badge))).sort();
}

async function reopened(data: string, database: Database): Promise<{ parts: EraserParts }> {
  const identities = await readIdentities(join(data, "operator.txt"));
  const keys = { vault: Vault.open(join(data, "vault")), identities };
  const archive = Archive.open(join(data, "chunks"));
  return { parts: { database, archive, keys, databaseFolder: join(data, "database") } };
}
