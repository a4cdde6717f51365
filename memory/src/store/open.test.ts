// Opening the memory's database, and what its transactions promise, on both kinds alike.
import assert from "node:assert/strict";
import { onBothDatabases } from "../testing/databases";
import type { Session } from "./database";

const TEAM = "00000000-0000-4000-8000-000000000001";

function addTeam(session: Session, id = TEAM, name = "A"): Promise<unknown> {
  return session.query("insert into salestag.team values ($1, $2, $3)", [id, name, new Date(5)]);
}

onBothDatabases("store: transactions", (database) => {
  const teams = () => database().system((session) => session.query("select id, name from salestag.team"));

  it("values come back alike", async () => {
    const rows = await database().system((session) =>
      session.query(
        `select $1::timestamptz as at, $2::bigint as big, $3::int as small, $4::uuid[] as ids, $5::jsonb as body, $6::vector as vector,
          $7::text as text, $8::real as real, $9::text[] as texts, array[1, null]::bigint[] as bigs, null::text as nothing, true as yes,
          '2025-01-02'::date as day, $10::bytea as bytes, 1.5::float8 as double, count(*) as n, $11::int[] as ints,
          array['2025-01-02T03:04:05Z']::timestamptz[] as times, array[0.5]::real[] as reals`,
        [
          new Date(5),
          2 ** 53 - 1,
          -3,
          [TEAM],
          '{"a":[1,"x"]}',
          "[1,2.5]",
          "ä'\"\\",
          0.5,
          ["a,b", 'c"', "{}", ""],
          Buffer.from([0, 255]),
          [1, 2],
        ],
      ),
    );
    const { bytes, ...rest } = rows[0];
    assert.deepEqual([...(bytes as Uint8Array)], [0, 255]);
    assert.deepEqual(rest, {
      at: new Date(5),
      big: 2 ** 53 - 1,
      small: -3,
      ids: [TEAM],
      body: { a: [1, "x"] },
      vector: "[1,2.5]",
      text: "ä'\"\\",
      real: 0.5,
      texts: ["a,b", 'c"', "{}", ""],
      bigs: [1, null],
      nothing: null,
      yes: true,
      day: "2025-01-02",
      double: 1.5,
      n: 1,
      ints: [1, 2],
      times: [new Date("2025-01-02T03:04:05Z")],
      reals: [0.5],
    });
  });

  it("what throws is taken back, the next one works", async () => {
    await assert.rejects(
      database().system(async (session) => {
        await addTeam(session);
        throw new Error("no");
      }),
      /^Error: no$/,
    );
    await assert.rejects(
      database().system(async (session) => {
        await addTeam(session);
        await session.query("select 1 / 0");
      }),
      { code: "22012" },
    );
    assert.deepEqual(await teams(), []);
    await database().system((session) => addTeam(session));
    assert.equal((await teams()).length, 1);
  });
});
