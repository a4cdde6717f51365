// Who finds what: the functions of search run with the rights of the tables' owner, so it is tried here whether they show anybody more than row-level security does.
import assert from "node:assert/strict";
import { vectorText } from "../embed/embedder";
import { localEmbedder } from "../embed/local";
import type { Claims, Session } from "../store/database";
import { onBothDatabases } from "../testing/databases";
import { addSalesTeams, addTalk, claimsOf, IDS, uuid } from "../testing/talks";
import { answersTo } from "./answers";
import { before as saidBefore, timeline } from "./customer";
import { readyText } from "./query";
import { search } from "./search";
import { similar } from "./similar";
import { ensureVectorIndex } from "./vector-index";

const NEVER = new AbortController().signal;
const LOCAL = localEmbedder();
const TEXT = "solar panels are too expensive";
const LINES = ["R: Solar panels?", "C: Too expensive. [objection.pricing]", "R: They pay for themselves."];

/** Who, and ids of the talks that are theirs to see. */
const PEOPLE: [string, Claims, number[]][] = [
  ["a manager sees the team's", claimsOf(IDS.manager), [1000, 1001]],
  ["a rep sees own ones", claimsOf(IDS.rep), [1000]],
  ["another rep sees own ones", claimsOf(IDS.otherRep), [1001]],
  ["another team's manager sees that team's", claimsOf(IDS.manager, 1), [1002]],
  ["another team's rep without talks sees none", claimsOf(IDS.otherRep, 1), []],
  ["one whom nobody knows sees none", { sub: "nobody" }, []],
  ["an empty name sees none", { sub: "" }, []],
];

onBothDatabases("search: rights", (database) => {
  let indexed = false;
  beforeEach(async () => {
    await addSalesTeams(database());
    const common = { lines: LINES, summary: "Solar, too expensive.", customer: IDS.customer };
    await addTalk(database(), { ...common, number: 1000 });
    await addTalk(database(), { ...common, number: 1001, person: IDS.otherRep });
    await addTalk(database(), { ...common, number: 1002, team: 1 });
    if (!indexed) await ensureVectorIndex(database(), LOCAL);
    indexed = true;
    await database().maintain();
  });

  for (const [name, claims, numbers] of PEOPLE)
    it(`${name}, by every way to find`, async () => {
      const expected = numbers.map(uuid);
      const text = await readyText(TEXT, LOCAL, NEVER);
      const nothing = await readyText("", LOCAL, NEVER);
      const found = await database().as(claims, async (session) => {
        const customers = [uuid(IDS.customer), uuid(IDS.customer + 100)];
        const answers = [{ kind: "objection.pricing" as const }, { text }].map((asked) =>
          answersTo(session, asked),
        );
        return {
          visible: await idsIn(session, "select id from salestag.conversation"),
          search: idsOf((await search(session, text)).hits),
          newest: idsOf((await search(session, nothing)).hits),
          answers: idsOf((await answers[0]).moments),
          answersByText: idsOf((await answers[1]).moments),
          before: idsOf(
            (await Promise.all(customers.map((customer) => saidBefore(session, customer)))).flat(),
          ),
          timeline: idsOf(
            (await Promise.all(customers.map((customer) => timeline(session, customer)))).flatMap(
              ({ encounters }) => encounters,
            ),
          ),
        };
      });
      for (const [way, ids] of Object.entries(found)) assert.deepEqual(ids.sort(), expected, way);
    });

  for (const [name, claims, numbers] of PEOPLE)
    it(`${name}, by calling the functions with any values`, async () => {
      const vector = vectorText((await LOCAL.embed([TEXT], NEVER))[0]);
      const filters = [
        "{}",
        '{"tags":[]}',
        '{"tags":["x\') or true --"]}',
        "{\"tags\":[\"a'' | !''b\"]}",
        '{"tags":[null]}',
        `{"person":"${uuid(IDS.rep)}"}`,
        `{"customer":"${uuid(IDS.customer + 100)}"}`,
        '{"outcome":"open\' or true or \'"}',
        '{"since":"-infinity","until":"infinity"}',
        '{"person":null}',
        "null",
        "[]",
      ];
      for (const filter of filters) {
        const found = await database().as(claims, async (session) => [
          ...(await idsIn(
            session,
            "select conversation_id as id from salestag.search_newest($1, null, null, 1000)",
            [filter],
          )),
          ...(await idsIn(session, "select conversation_id as id from salestag.search_text($2, $1, 1000)", [
            filter,
            TEXT,
          ])),
          ...(await idsIn(
            session,
            "select conversation_id as id from salestag.search_text_some($2, $1, 1000)",
            [filter, "or solar'"],
          )),
          ...(await idsIn(
            session,
            "select conversation_id as id from salestag.search_vectors('conversation', $3, $2, $1, 1000, 0)",
            [filter, vector, LOCAL.name],
          )),
          ...(await idsIn(
            session,
            "select conversation_id as id from salestag.search_passages($3, $2, $1, 1000, 0)",
            [filter, vector, LOCAL.name],
          )),
          ...(await idsIn(
            session,
            "select conversation_id as id from salestag.search_vectors('moment', $3, $2, $1, 1000, 1000)",
            [filter, vector, LOCAL.name],
          )),
        ]);
        for (const id of found) assert.ok(numbers.map(uuid).includes(id), `${filter} shows ${id}`);
      }
    });

  for (const [name, claims, numbers] of PEOPLE)
    it(`${name}, of talks whose ids are known`, async () => {
      const all = [[1000, 1001, 1002].map(uuid)];
      const { cards, turns } = await database().as(claims, async (session) => ({
        cards: await idsIn(session, "select id from salestag.search_cards($1)", all),
        turns: await idsIn(
          session,
          "select id from salestag.search_turns($1, 10) where turns is not null",
          all,
        ),
      }));
      assert.deepEqual([cards.sort(), turns.sort()], [numbers.map(uuid), numbers.map(uuid)]);
    });

  it("a rep finds nothing that is like another's talk, whose vector stays unseen", async () => {
    const asked = (claims: Claims, number: number) =>
      database().as(claims, (session) => similar(session, LOCAL.name, uuid(number)));
    assert.equal(await asked(claimsOf(IDS.rep), 1001), undefined);
    assert.equal(await asked(claimsOf(IDS.manager), 1002), undefined);
    assert.deepEqual(await asked(claimsOf(IDS.rep), 1000), []);
    assert.deepEqual(idsOf((await asked(claimsOf(IDS.manager), 1000)) ?? []), [uuid(1001)]);
  });

  for (const call of [
    "salestag.search_candidates('true', 'solar', 10)",
    "salestag.search_condition('{}')",
    "salestag.search_common_words(0)",
    "salestag.search_telling_words('english', 'solar', '{}')",
    `salestag.search_document('${uuid(1002)}', 'english')`,
  ])
    it(`a person may not call what the functions are made of (${call.split("(")[0]})`, async () => {
      await assert.rejects(
        database().as(claimsOf(IDS.manager), (session) => session.query(`select * from ${call}`)),
        { code: "42501" },
      );
    });

  it("rights that are taken are gone with the next search", async () => {
    const find = () =>
      database().as(claimsOf(IDS.rep), (session) =>
        idsIn(session, "select conversation_id as id from salestag.search_newest('{}', null, null, 10)"),
      );
    assert.deepEqual(await find(), [uuid(1000)]);
    await database().system((session) =>
      session.query("update salestag.person set subject = null where id = $1", [uuid(IDS.rep)]),
    );
    assert.deepEqual(await find(), []);
  });
});

function idsOf(cards: readonly { conversationId: string }[]): string[] {
  return cards.map(({ conversationId }) => conversationId);
}

async function idsIn(session: Session, text: string, values: unknown[] = []): Promise<string[]> {
  return (await session.query<{ id: string }>(text, values)).map(({ id }) => id);
}
