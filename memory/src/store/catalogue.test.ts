// What the catalogue says of rights, so that a table, a function or a policy that is added later cannot lack them.
import assert from "node:assert/strict";
import { onBothDatabases } from "../testing/databases";
import { addTeams, badgeOf, idOf, NUMBERS, subjectOf } from "../testing/teams";

onBothDatabases("store: catalogue", (database) => {
  const namesOf = async (text: string): Promise<string[]> =>
    (await database().system((session) => session.query<{ name: string }>(text))).map(({ name }) => name);

  it("every table has row-level security", async () => {
    const open = await namesOf(
      "select relname as name from pg_class where relnamespace = 'salestag'::regnamespace and relkind in ('r', 'p') and not relrowsecurity",
    );
    assert.deepEqual(open, []);
  });

  it("there is no view, foreign table or materialized view, which row-level security would not bind", async () => {
    assert.deepEqual(
      await namesOf(
        "select relname as name from pg_class where relnamespace = 'salestag'::regnamespace and relkind in ('v', 'm', 'f')",
      ),
      [],
    );
  });

  it("only the owner and 'authenticated' have rights, and the latter none to remove, empty or refer", async () => {
    const rights = await namesOf(
      `select relname || ': ' || case grantee when 0 then 'public' else grantee::regrole::text end || ' ' || privilege_type as name
        from pg_class, aclexplode(relacl) where relnamespace = 'salestag'::regnamespace and grantee <> relowner
        and not (grantee = 'authenticated'::regrole and privilege_type in ('SELECT', 'INSERT', 'UPDATE') and not is_grantable)`,
    );
    assert.deepEqual(rights, []);
    assert.deepEqual(
      await namesOf(
        `select nspname || ' ' || privilege_type as name from pg_namespace, aclexplode(nspacl)
          where nspname = 'salestag' and grantee <> nspowner and not (grantee = 'authenticated'::regrole and privilege_type = 'USAGE')`,
      ),
      [],
    );
  });

  it("no column that says whose a row is may be updated", async () => {
    assert.deepEqual(
      await namesOf(
        `select attrelid::regclass || '.' || attname as name from pg_attribute, aclexplode(attacl)
          where privilege_type = 'UPDATE' and attname in ('id', 'team_id', 'conversation_id', 'badge_id') and attrelid in
            (select oid from pg_class where relnamespace = 'salestag'::regnamespace)`,
      ),
      [],
    );
    assert.deepEqual(
      await namesOf(
        `select relname as name from pg_class, aclexplode(relacl) where relnamespace = 'salestag'::regnamespace
          and grantee = 'authenticated'::regrole and privilege_type = 'UPDATE'`,
      ),
      [],
    );
  });

  it("functions that run as their owner look for names in fixed places, and nobody else may call any but those of the policies", async () => {
    assert.deepEqual(
      await namesOf(
        `select proname as name from pg_proc where pronamespace = 'salestag'::regnamespace and prosecdef
          and not coalesce(proconfig @> array['search_path=pg_catalog, pg_temp'], false)`,
      ),
      [],
    );
    assert.deepEqual(
      await namesOf(
        `select proname as name from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
          where pronamespace = 'salestag'::regnamespace and grantee = 0`,
      ),
      [],
    );
  });

  it("policies ask for the person in subqueries, once for a statement", async () => {
    assert.deepEqual(
      await namesOf(
        `select tablename || ' ' || policyname as name from pg_policies where schemaname = 'salestag'
          and regexp_replace(coalesce(qual, '') || coalesce(with_check, ''), 'SELECT salestag\\.(me|my_team|is_manager)\\(\\)', '', 'g')
            ~ 'salestag\\.(me|my_team|is_manager|subject)\\('`,
      ),
      [],
    );
  });

  it("plans: the person is asked for once, also for the parts of many conversations", async () => {
    await database().system(addTeams);
    await database().maintain();
    for (const table of ["conversation", "tag", "word", "filing"]) {
      const plan = await database().as({ sub: subjectOf("a", "manager") }, (session) =>
        session.query(`explain (analyze, costs off, timing off) select * from salestag.${table}`),
      );
      const text = plan.map((row) => row["QUERY PLAN"]).join("\n");
      const asked = [...text.matchAll(/-> {2}Result \((?:never executed|actual rows=\S+ loops=(\d+))\)/g)];
      assert.ok(asked.length >= 3, text);
      for (const [, loops] of asked) assert.ok(loops === undefined || loops === "1", text);
      assert.doesNotMatch(text, /Filter:.*(my_team|is_manager|salestag\.me)/);
    }
  });

  it("pgvector is where Supabase or PostgreSQL has extensions", async () =>
    assert.deepEqual(
      await namesOf(
        "select extnamespace::regnamespace::text as name from pg_extension where extname = 'vector'",
      ),
      ["public"],
    ));

  it("a conversation without consent is not stored", async () => {
    await database().system(addTeams);
    await assert.rejects(
      database().system((session) =>
        session.query(
          `insert into salestag.conversation (id, team_id, badge_id, epoch, started_at, started_source, duration_ms, state, complete, chunks)
            values ($1, $2, $3, 70, now(), 'unknown', 1, 'open', false, 1)`,
          [idOf("a", 70), idOf("a", NUMBERS.team), badgeOf("a")],
        ),
      ),
      { code: "23503" },
    );
  });

  it("every reference to a row of a team holds the team too", async () => {
    const plain = await namesOf(
      `select conrelid::regclass || ' to ' || confrelid::regclass as name from pg_constraint
        where contype = 'f' and connamespace = 'salestag'::regnamespace and array_length(conkey, 1) = 1
        and exists (select from pg_attribute where attrelid = conrelid and attname = 'team_id')
        and exists (select from pg_attribute where attrelid = confrelid and attname = 'team_id')`,
    );
    assert.deepEqual(plain, []);
  });
});
