// What was told to the embedded database stays, in files: through kill -9, and when the database itself is gone or damaged.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { modeOf, useFolder } from "@salestag/protocol/testing";
import { addTeams, idOf, NUMBERS } from "../testing/teams";
import type { Told } from "../testing/teller";
import type { Database } from "./database";
import { RebuildNeeded } from "./engine";
import { openDatabase, rebuildDatabase } from "./open";
import { TOLD, toldFiles } from "./told";

const ROUNDS = 3;
const TELLER = fileURLToPath(new URL("../testing/teller.ts", import.meta.url));

type Rows = Record<string, unknown[]>;

async function rowsOf(database: Database): Promise<Rows> {
  const rows: Rows = {};
  await database.system(async (session) => {
    await session.query("set local timezone = 'UTC'");
    for (const table of Object.keys(TOLD))
      rows[table] = (await session.query(`select to_jsonb(t) as row from salestag.${table} t`)).map(
        ({ row }) => row,
      );
  });
  return sorted(rows);
}

function filesOf(data: string): Rows {
  const rows: Rows = {};
  for (const table of Object.keys(TOLD))
    rows[table] = [...toldFiles(join(data, "told"), table)].flatMap((file) =>
      file.rows.map((row) => JSON.parse(row)),
    );
  return sorted(rows);
}

function sorted(rows: Rows): Rows {
  for (const [table, list] of Object.entries(rows)) {
    const texts = list.map((row) => JSON.stringify(row)).sort();
    // A line may be there twice where an interruption came between the file and the database.
    rows[table] = [...new Set(texts)].map((text) => JSON.parse(text));
  }
  return rows;
}

describe("store: what was told", () => {
  // One database is made, and each test has a copy of it.
  let template = "";
  const folder = useFolder();
  const data = () => join(folder(), "data");

  before(async () => {
    template = mkdtempSync(join(tmpdir(), "salestag-memory-"));
    const database = await openDatabase({ folder: template });
    await database.system(addTeams);
    await database.close();
  });
  beforeEach(() => cpSync(template, data(), { recursive: true }));
  after(() => rmSync(template, { recursive: true, force: true }));

  it("files and tables hold the same, files are the owner's only, a removed row's file goes", async () => {
    const database = await openDatabase({ folder: data() });
    assert.deepEqual(filesOf(data()), await rowsOf(database));
    const file = join(data(), "told", "customer", `${idOf("a", NUMBERS.customer)}.json`);
    assert.equal(modeOf(file), 0o600);
    for (const path of ["told", "told/customer", "database"]) assert.equal(modeOf(join(data(), path)), 0o700);
    await database.system(async (session) => {
      await session.query("delete from salestag.filing");
      await session.query("delete from salestag.hold");
      await session.query("delete from salestag.customer");
    });
    assert.ok(!existsSync(file));
    assert.deepEqual(filesOf(data()), await rowsOf(database));
    assert.deepEqual(filesOf(data()).site, []);
    await database.close();
  });

  it("what is taken back is in no file; a key that changes takes its file along", async () => {
    const database = await openDatabase({ folder: data() });
    const before = filesOf(data());
    await assert.rejects(
      database.system(async (session) => {
        await session.query("update salestag.customer set note = 'x'");
        throw new Error("no");
      }),
    );
    assert.deepEqual(filesOf(data()), before);
    await database.system((session) =>
      session.query("update salestag.wearer set since = since + interval '1.5 s'"),
    );
    assert.deepEqual(filesOf(data()), await rowsOf(database));
    assert.equal(filesOf(data()).wearer.length, 2);
    await database.close();
  });

  it(`kill -9 in the middle: nothing acknowledged is lost, files and tables hold the same (${ROUNDS} rounds)`, async () => {
    const customers = new Map<string, string | null>();
    const audits = new Set<string>();
    for (let round = 1; round <= ROUNDS; round++)
      for (const told of await tellUntilKilled(data(), round, 7 * round))
        if (told.kind === "audit") audits.add(told.id);
        else customers.set(told.id, told.note);
    const database = await openDatabase({ folder: data() });
    const rows = await rowsOf(database);
    assert.deepEqual(filesOf(data()), rows);
    const notes = new Map(
      (rows.customer as { id: string; note: string }[]).map(({ id, note }) => [id, note]),
    );
    // A customer is changed or removed in the step after its own: that may have happened unheard unless the step after was heard of.
    const settled = (id: string) => customers.has(idOf("a", numberOf(id) + 2));
    assert.ok([...customers.keys()].some(settled));
    for (const [id, note] of customers) if (settled(id)) assert.equal(notes.get(id) ?? null, note, id);
    const ids = new Set((rows.audit as { id: string }[]).map(({ id }) => id));
    for (const id of audits) assert.ok(ids.has(id), id);
    await database.close();
    const again = await rebuildDatabase(data());
    assert.deepEqual(await rowsOf(again), rows);
    await again.close();
  });

  const damages: [title: string, damage: (data: string) => void, words: RegExp][] = [
    ["folder gone", (at) => rmSync(join(at, "database"), { recursive: true }), /is gone or not whole/],
    [
      "folder and its state gone",
      (at) => {
        rmSync(join(at, "database"), { recursive: true });
        unlinkSync(join(at, "database.json"));
      },
      /something was told/,
    ],
    ["state gone", (at) => unlinkSync(join(at, "database.json")), /something was told/],
    ["state damaged", (at) => writeFileSync(join(at, "database.json"), '{"state":'), /is damaged/],
    [
      "not made to its end",
      (at) => writeFileSync(join(at, "database.json"), '{"state":"making"}'),
      /not made to its end/,
    ],
    [
      "machine stopped while it was open",
      (at) => writeFileSync(join(at, "database.json"), '{"state":"open","boot":"another"}'),
      /machine stopped/,
    ],
    [
      "control file cut off",
      (at) => truncateSync(join(at, "database/global/pg_control"), 100),
      /cannot be opened/,
    ],
    ["control file gone", (at) => unlinkSync(join(at, "database/global/pg_control")), /cannot be opened/],
    ["journal gone", (at) => rmSync(join(at, "database/pg_wal"), { recursive: true }), /cannot be opened/],
    ["data gone", (at) => rmSync(join(at, "database/base"), { recursive: true }), /cannot be opened/],
  ];
  for (const [title, damage, words] of damages)
    it(`a database that is no more is named (${title})`, async () => {
      const before = filesOf(data());
      damage(data());
      await assert.rejects(openDatabase({ folder: data() }), (error: Error) => {
        assert.ok(error instanceof RebuildNeeded, String(error));
        assert.match(error.message, words);
        assert.match(error.message, /salestag-memory rebuild/);
        return true;
      });
      assert.ok(!existsSync(join(data(), "lock")));
      assert.deepEqual(filesOf(data()), before);
    });

  it("a damaged table is named when it is read", async () => {
    const first = await openDatabase({ folder: data() });
    const [{ path }] = await first.system((session) =>
      session.query<{ path: string }>("select pg_relation_filepath('salestag.customer') as path"),
    );
    await first.close();
    const file = join(data(), "database", path);
    const bytes = readFileSync(file);
    bytes.fill(0xff, bytes.length - 200, bytes.length - 100);
    writeFileSync(file, bytes);
    const database = await openDatabase({ folder: data() });
    await assert.rejects(
      database.system((session) => session.query("select * from salestag.customer")),
      (error: Error) => error instanceof RebuildNeeded && /invalid page/.test(error.message),
    );
    await database.close();
  });

  it("a damaged told file stops a rebuild, by name; nothing is lost, and it goes on when the file is mended", async () => {
    const path = join(data(), "told", "customer", `${idOf("b", NUMBERS.customer)}.json`);
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, 20));
    await assert.rejects(rebuildDatabase(data()), new RegExp(`${path}.*is damaged`));
    await assert.rejects(openDatabase({ folder: data() }), /salestag-memory rebuild/);
    writeFileSync(path, whole);
    unlinkSync(join(data(), "told", "team", `${idOf("b", NUMBERS.team)}.json`));
    await assert.rejects(rebuildDatabase(data()), /cannot be taken into the database: .*foreign key/);
    assert.ok(readdirSync(join(data(), "told", "customer")).length === 2);
  });

  it("the part of a line that an interruption left is not taken for a row", async () => {
    const path = join(data(), "told", "audit", "2025-06-01.jsonl");
    writeFileSync(path, '{"half', { flag: "a" });
    const before = filesOf(data());
    const database = await rebuildDatabase(data());
    await database.system((session) =>
      session.query("insert into salestag.audit values ($1, $2, '2025-06-01T13:00:00Z', null, 'x', 'y')", [
        idOf("a", 500),
        idOf("a", NUMBERS.team),
      ]),
    );
    assert.equal(filesOf(data()).audit.length, before.audit.length + 1);
    assert.deepEqual(filesOf(data()), await rowsOf(database));
    await database.close();
  });

  it("a folder that another program holds is named", async () => {
    const database = await openDatabase({ folder: data() });
    await assert.rejects(openDatabase({ folder: data() }), new RegExp(`in use by process ${process.pid}`));
    await assert.rejects(rebuildDatabase(data()), /in use by process/);
    await database.close();
  });
});

/** @returns what was acknowledged before the process was killed, at the `count`th line that it said */
async function tellUntilKilled(data: string, seed: number, count: number): Promise<Told[]> {
  const child = spawn(process.execPath, ["--import", "tsx", TELLER, data, String(seed)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  const told: Told[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    told.push(JSON.parse(line));
    if (told.length === count) child.kill("SIGKILL");
  }
  const [, signal] = await closed;
  assert.equal(signal, "SIGKILL");
  return told;
}

function numberOf(id: string): number {
  return Number.parseInt(id.slice(-12), 16);
}
