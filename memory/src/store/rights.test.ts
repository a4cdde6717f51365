// Row-level security, by trying to cross it: other team, other rep, forged rows, forged claims.
import assert from "node:assert/strict";
import { onBothDatabases } from "../testing/databases";
import { addTeams, badgeOf, idOf, NUMBERS, subjectOf } from "../testing/teams";
import type { Session } from "./database";

const N = NUMBERS;
const REP = { sub: subjectOf("a", "rep") };
const MANAGER = { sub: subjectOf("a", "manager") };

/** Tables with rows of a team, and how many of team a's a manager and a rep see. */
const SEEN: Record<string, [manager: number, rep: number]> = {
  team: [1, 1],
  person: [3, 3],
  badge: [1, 1],
  wearer: [1, 1],
  territory: [1, 1],
  customer: [1, 1],
  site: [1, 1],
  retention: [1, 1],
  conversation: [2, 1],
  consent: [2, 1],
  phrase: [2, 1],
  turn: [2, 1],
  word: [2, 1],
  tag: [2, 1],
  insight: [2, 1],
  embedding: [2, 1],
  transcript: [2, 1],
  filing: [2, 1],
  hold: [1, 0],
  erasure: [1, 0],
  customer_erasure: [1, 0],
  audit: [1, 0],
};

const POLICY = { code: "42501" };
const FOREIGN_KEY = { code: "23503" };

onBothDatabases("store: rights", (database) => {
  beforeEach(() => database().system(addTeams));

  const as = <T>(claims: { sub: string }, work: (session: Session) => Promise<T>) =>
    database().as(claims, work);
  const one = (claims: { sub: string }, text: string, values?: unknown[]) =>
    as(claims, (session) => session.query(text, values));
  const countAs = async (claims: { sub: string }, table: string) => {
    const [{ n }] = await one(claims, `select count(*) as n from salestag.${table}`);
    return n;
  };

  it("every table is in this test", async () => {
    const rows = await database().system((session) =>
      session.query<{ name: string }>(
        "select tablename as name from pg_tables where schemaname = 'salestag'",
      ),
    );
    const names = rows
      .map(({ name }) => name)
      .filter((name) => !["migration", "change", "scrub_due"].includes(name));
    assert.deepEqual(names.sort(), Object.keys(SEEN).sort());
  });

  it("a manager sees the team's rows, a rep the own ones, nobody another team's", async () => {
    for (const [table, [manager, rep]] of Object.entries(SEEN)) {
      assert.equal(await countAs(MANAGER, table), manager, `manager, ${table}`);
      assert.equal(await countAs(REP, table), rep, `rep, ${table}`);
    }
  });

  for (const [title, sub] of [
    ["unknown", "nobody"],
    ["empty", ""],
    ["missing", undefined as unknown as string],
    ["a team's id", idOf("a", N.team)],
    ["JSON", '"},"sub":"a-manager'],
    ["SQL", "' or true --"],
    ["an object", { sub: "a-manager" } as unknown as string],
    ["null", null as unknown as string],
    ["with NUL", "a-manager\0"],
  ] as const)
    it(`claims: sub that names nobody sees nothing and adds nothing (${title})`, async () => {
      for (const table of Object.keys(SEEN))
        assert.equal(await countAs({ sub }, table).catch((cause) => refused(cause)), 0, table);
      await assert.rejects(
        one({ sub }, "insert into salestag.customer (id, team_id, name) values ($1, $2, 'x')", [
          idOf("a", 50),
          idOf("a", N.team),
        ]),
      );
    });

  it("claims do not stay, after an end, an error or a transaction taken back", async () => {
    const left = () =>
      database().system((session) =>
        session.query(
          "select current_user <> 'authenticated' as service, coalesce(current_setting('request.jwt.claims', true), '') as claims, (select count(*) from salestag.team) as teams",
        ),
      );
    const nothing = [{ service: true, claims: "", teams: 2 }];
    await one(REP, "select 1");
    assert.deepEqual(await left(), nothing);
    await assert.rejects(one(REP, "select 1 / 0"));
    assert.deepEqual(await left(), nothing);
    await assert.rejects(as(REP, () => Promise.reject(new Error("no"))));
    assert.deepEqual(await left(), nothing);
  });

  it("one who is removed or moved loses rights at once", async () => {
    const system = (text: string, values: unknown[]) =>
      database().system((session) => session.query(text, values));
    await system("update salestag.person set role = 'rep' where id = $1", [idOf("a", N.manager)]);
    assert.equal(await countAs(MANAGER, "audit"), 0);
    await system("update salestag.person set subject = null where id = $1", [idOf("a", N.rep)]);
    assert.equal(await countAs(REP, "conversation"), 0);
  });

  describe("forged rows", () => {
    const teamA = idOf("a", N.team);
    const teamB = idOf("b", N.team);
    const cases: [title: string, claims: { sub: string }, text: string, values: unknown[], code: object][] = [
      [
        "customer in another team",
        MANAGER,
        "insert into salestag.customer (id, team_id, name) values ($1, $2, 'x')",
        [idOf("a", 50), teamB],
        POLICY,
      ],
      [
        "customer with another team's territory",
        MANAGER,
        "insert into salestag.customer (id, team_id, name, territory_id) values ($1, $2, 'x', $3)",
        [idOf("a", 50), teamA, idOf("b", N.territory)],
        FOREIGN_KEY,
      ],
      [
        "customer with a territory that is not there",
        MANAGER,
        "insert into salestag.customer (id, team_id, name, territory_id) values ($1, $2, 'x', $3)",
        [idOf("a", 50), teamA, idOf("b", 77)],
        FOREIGN_KEY,
      ],
      [
        "customer moved to another team",
        MANAGER,
        "update salestag.customer set team_id = $1",
        [teamB],
        POLICY,
      ],
      [
        "customer gets another team's territory",
        REP,
        "update salestag.customer set territory_id = $1",
        [idOf("b", N.territory)],
        FOREIGN_KEY,
      ],
      [
        "site with another team's customer",
        REP,
        "insert into salestag.site values ($1, $2, $3, null, 'x')",
        [idOf("a", 50), teamA, idOf("b", N.customer)],
        FOREIGN_KEY,
      ],
      [
        "rep adds a manager",
        REP,
        "insert into salestag.person values ($1, $2, 'x', 'manager', 'x')",
        [idOf("a", 50), teamA],
        POLICY,
      ],
      [
        "manager adds a person to another team",
        MANAGER,
        "insert into salestag.person values ($1, $2, 'x', 'manager', 'x')",
        [idOf("a", 50), teamB],
        POLICY,
      ],
      [
        "person moved to another team",
        MANAGER,
        "update salestag.person set team_id = $1 where id = $2",
        [teamB, idOf("a", N.rep)],
        POLICY,
      ],
      [
        "badge claimed",
        MANAGER,
        "insert into salestag.badge values ('0123456789abcdef', $1, 'x')",
        [teamA],
        POLICY,
      ],
      ["badge moved to another team", MANAGER, "update salestag.badge set team_id = $1", [teamB], POLICY],
      [
        "wearer of another team's badge",
        MANAGER,
        "insert into salestag.wearer values ($1, now(), $2)",
        [badgeOf("b"), idOf("a", N.rep)],
        POLICY,
      ],
      [
        "wearer from another team",
        MANAGER,
        "insert into salestag.wearer values ($1, now(), $2)",
        [badgeOf("a"), idOf("b", N.rep)],
        POLICY,
      ],
      [
        "wearer changed to one of another team",
        MANAGER,
        "update salestag.wearer set person_id = $1",
        [idOf("b", N.rep)],
        POLICY,
      ],
      [
        "rep takes a badge",
        REP,
        "insert into salestag.wearer values ($1, now(), $2)",
        [badgeOf("a"), idOf("a", N.rep)],
        POLICY,
      ],
      [
        "retention of another team",
        MANAGER,
        "insert into salestag.retention values ($1, $2, 'x', 1)",
        [idOf("a", 50), teamB],
        POLICY,
      ],
      [
        "retention by a rep",
        REP,
        "insert into salestag.retention values ($1, $2, 'x', 1)",
        [idOf("a", 50), teamA],
        POLICY,
      ],
      [
        "hold on another team's customer",
        MANAGER,
        "insert into salestag.hold (id, team_id, customer_id, reason, since) values ($1, $2, $3, 'x', now())",
        [idOf("a", 50), teamA, idOf("b", N.customer)],
        FOREIGN_KEY,
      ],
      [
        "hold on another team's conversation",
        MANAGER,
        "insert into salestag.hold (id, team_id, conversation_id, reason, since) values ($1, $2, $3, 'x', now())",
        [idOf("a", 50), teamA, idOf("b", N.conversation)],
        POLICY,
      ],
      [
        "hold by a rep",
        REP,
        "insert into salestag.hold (id, team_id, customer_id, reason, since) values ($1, $2, $3, 'x', now())",
        [idOf("a", 50), teamA, idOf("a", N.customer)],
        POLICY,
      ],
      [
        "filing of another rep's conversation",
        REP,
        "insert into salestag.filing (conversation_id, team_id) values ($1, $2) on conflict do nothing",
        [idOf("a", N.otherConversation), teamA],
        POLICY,
      ],
      [
        "filing of another team's conversation",
        MANAGER,
        "insert into salestag.filing (conversation_id, team_id) values ($1, $2)",
        [idOf("b", N.conversation), teamA],
        POLICY,
      ],
      [
        "filing of a conversation that is not there",
        MANAGER,
        "insert into salestag.filing (conversation_id, team_id) values ($1, $2)",
        [idOf("b", 77), teamA],
        POLICY,
      ],
      [
        "filing upserted over another rep's",
        REP,
        "insert into salestag.filing (conversation_id, team_id) values ($1, $2) on conflict (conversation_id) do update set note = 'x'",
        [idOf("a", N.otherConversation), teamA],
        POLICY,
      ],
      [
        "filing with another team's customer",
        REP,
        "update salestag.filing set customer_id = $1",
        [idOf("b", N.customer)],
        FOREIGN_KEY,
      ],
      [
        "filing with another team's site",
        REP,
        "update salestag.filing set site_id = $1",
        [idOf("b", N.site)],
        FOREIGN_KEY,
      ],
      [
        "filing put on another conversation",
        REP,
        "update salestag.filing set conversation_id = $1",
        [idOf("a", N.otherConversation)],
        POLICY,
      ],
      ["filing moved to another team", REP, "update salestag.filing set team_id = $1", [teamB], POLICY],
      [
        "audit in another's name",
        REP,
        "insert into salestag.audit values ($1, $2, now(), $3, 'x', 'x')",
        [idOf("a", 50), teamA, idOf("a", N.manager)],
        POLICY,
      ],
      [
        "audit in nobody's name",
        REP,
        "insert into salestag.audit values ($1, $2, now(), null, 'x', 'x')",
        [idOf("a", 50), teamA],
        POLICY,
      ],
      [
        "audit in another team",
        MANAGER,
        "insert into salestag.audit values ($1, $2, now(), $3, 'x', 'x')",
        [idOf("a", 50), teamB, idOf("a", N.manager)],
        POLICY,
      ],
      ["audit changed", MANAGER, "update salestag.audit set purpose = 'x'", [], POLICY],
      ["audit removed", MANAGER, "delete from salestag.audit", [], POLICY],
      [
        "conversation added",
        MANAGER,
        "insert into salestag.conversation (id, team_id) values ($1, $2)",
        [idOf("a", 50), teamA],
        POLICY,
      ],
      [
        "conversation taken over",
        REP,
        "update salestag.conversation set person_id = $1",
        [idOf("a", N.rep)],
        POLICY,
      ],
      ["conversation removed", MANAGER, "delete from salestag.conversation", [], POLICY],
      [
        "tag added",
        REP,
        "insert into salestag.tag (conversation_id) values ($1)",
        [idOf("a", N.conversation)],
        POLICY,
      ],
      ["transcript changed", REP, "update salestag.transcript set source = 'x'", [], POLICY],
      ["team renamed", MANAGER, "update salestag.team set name = 'x'", [], POLICY],
      ["migrations read", MANAGER, "select * from salestag.migration", [], POLICY],
    ];
    for (const [title, claims, text, values, code] of cases)
      it(title, () => assert.rejects(one(claims, text, values), code));
  });

  it("what may be changed is: and only rows that are seen", async () => {
    const changed = (claims: { sub: string }, text: string) =>
      one(claims, `${text} returning 1`).then((rows) => rows.length);
    assert.equal(await changed(REP, "update salestag.person set role = 'manager'"), 0);
    assert.equal(await changed(REP, "update salestag.hold set released_at = now()"), 0);
    assert.equal(await changed(REP, "update salestag.filing set note = 'x'"), 1);
    assert.equal(await changed(MANAGER, "update salestag.filing set note = 'y'"), 2);
    assert.equal(await changed(MANAGER, "update salestag.badge set label = 'x'"), 1);
    assert.equal(await changed(MANAGER, "update salestag.person set name = 'x'"), 3);
    assert.equal(await changed(MANAGER, "update salestag.hold set released_at = now()"), 1);
    assert.equal(await changed(REP, "update salestag.customer set note = 'x'"), 1);
    const rows = await database().system((session) =>
      session.query("select count(*) as n from salestag.filing where note <> '' and team_id = $1", [
        idOf("b", N.team),
      ]),
    );
    assert.deepEqual(rows, [{ n: 0 }]);
  });

  it("audit: not even the service changes or removes a row", async () => {
    for (const text of [
      "update salestag.audit set purpose = 'x'",
      "delete from salestag.audit",
      "truncate salestag.audit",
    ])
      await assert.rejects(
        database().system((session) => session.query(text)),
        POLICY,
      );
  });
});

/** A server that refuses the claims as such shows nothing either. */
function refused(cause: { code?: string }): number {
  if (cause.code === "22P05" || cause.code === "22021") return 0;
  throw cause;
}
