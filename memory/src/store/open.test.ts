// Opening the memory's database, and what its transactions promise, on both kinds alike.
import assert from "node:assert/strict";
import { PostgresServer, requirePgvector } from "@salestag/protocol/testing";
import { onBothDatabases } from "../testing/databases";
import { idOf } from "../testing/teams";
import type { Session } from "./database";
import { DatabaseTrouble } from "./engine";
import { openDatabase } from "./open";

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

  it("whoever swallows a statement's error hears that all was taken back", async () => {
    await assert.rejects(
      database().system(async (session) => {
        await addTeam(session);
        await session.query("select 1 / 0").catch(() => undefined);
      }),
      /taken back: one of its statements had failed/,
    );
    assert.deepEqual(await teams(), []);
  });

  it("what is refused only at the end is an error of the transaction", () =>
    assert.rejects(
      database().system(async (session) => {
        await addTeam(session);
        await session.query("insert into salestag.consent values ($1, 0, 'button')", [TEAM]);
      }),
      { name: "StatementRefused", code: "23503" },
    ));

  it("a session answers no more after its transaction", async () => {
    let kept: Session | undefined;
    await database().system(async (session) => {
      kept = session;
    });
    await assert.rejects(kept!.query("select 1"), /has ended/);
  });

  it("a query is one statement", () =>
    assert.rejects(
      database().system((session) => session.query("select 1; select 2")),
      /multiple commands/,
    ));

  it("many at once: each whole, none lost", async () => {
    await database().system((session) => addTeam(session));
    const ids = Array.from({ length: 40 }, (_, n) => idOf("b", n));
    await Promise.all(
      ids.map((id) =>
        database().system(async (session) => {
          const [{ n }] = await session.query<{ n: number }>("select count(*) as n from salestag.territory");
          await session.query("insert into salestag.territory values ($1, $2, $3)", [id, TEAM, `${n}`]);
        }),
      ),
    );
    const [{ n }] = await database().system((session) =>
      session.query<{ n: number }>("select count(*) as n from salestag.territory"),
    );
    assert.equal(n, ids.length);
  });

  it("a transaction inside of another is refused at once, a later one is not", async () => {
    await assert.rejects(
      database().system(() => teams()),
      /begun inside of another/,
    );
    const later = await database().system(async () => [teams]);
    assert.deepEqual(await later[0](), []);
  });
});

const ENDLESS = "select count(*) from pg_class a, pg_class b, pg_class c, pg_class d, pg_class e, pg_class f";

onBothDatabases(
  "store: limits",
  (database) => {
    it("a statement that does not end is ended, and the next transaction works", async () => {
      await assert.rejects(
        database().system((session) => session.query(ENDLESS)),
        /statement timeout|a statement took more than 3000 ms/,
      );
      await database().system((session) => addTeam(session));
      const rows = await database().as({ sub: "x" }, (session) => session.query("select 1 as one"));
      assert.deepEqual(rows, [{ one: 1 }]);
    });

    it("a transaction that stays open is taken back, and its session answers no more", async () => {
      let late: Session | undefined;
      await assert.rejects(
        database().system(async (session) => {
          late = session;
          await addTeam(session);
          await new Promise(() => undefined);
        }),
        /was open for more than 5000 ms and was taken back/,
      );
      await assert.rejects(late!.query("select 1"), /was open for more than/);
      assert.deepEqual(
        await database().system((session) => session.query("select * from salestag.team")),
        [],
      );
    });
  },
  { statementMsMax: 3000, openMsMax: 5000 },
);

describe("store: PostgreSQL", () => {
  let server: PostgresServer;
  before(async function () {
    requirePgvector(this as unknown as Mocha.Context);
    server = await PostgresServer.start();
  });
  after(() => server?.end());

  for (const [title, urlOf, words] of [
    [
      "wrong password",
      () => server.url("postgres", "postgres", "not-the-one"),
      /password authentication failed/,
    ],
    ["no such database", () => server.url("nowhere"), /database "nowhere" does not exist/],
    ["nothing there", () => "postgres://postgres:not-the-one@127.0.0.1:1/postgres", /ECONNREFUSED/],
    ["not its URL", () => "mysql://postgres:not-the-one@127.0.0.1/x", /is none of PostgreSQL/],
    ["no URL", () => "postgres://postgres:not-the-one@[/x", /is none of PostgreSQL/],
    ["TLS that the server has not", () => `${server.url()}?sslmode=verify-full`, /does not support SSL/],
  ] as const)
    it(`a database that cannot be used is named, its password is not (${title})`, () =>
      assert.rejects(openDatabase({ url: urlOf() }), (error: Error) => {
        assert.match(error.message, words);
        assert.doesNotMatch(`${error.message}${error.stack}`, /not-the-one|local-test/);
        return true;
      }));

  it("a server that goes away fails a transaction, and is used again when it is back", async () => {
    const database = await openDatabase({ url: server.url() });
    await assert.rejects(
      database.system(async (session) => {
        await addTeam(session);
        await server.down();
        await session.query("select 1");
      }),
      DatabaseTrouble,
    );
    await assert.rejects(
      database.system((session) => session.query("select 1")),
      /cannot be used: .*ECONNREFUSED/,
    );
    await server.up();
    assert.deepEqual(await database.system((session) => session.query("select * from salestag.team")), []);
    await database.close();
  });
});
