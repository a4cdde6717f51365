// Search over the API: what is found comes with its evidence, is the asker's to see, and is written down without its words.
import assert from "node:assert/strict";
import { localEmbedder } from "../embed";
import { indexConversation } from "../search";
import { idOf, NUMBERS } from "../testing/teams";
import { PURPOSE, useApi } from "./api.fixture";

const A = (name: keyof typeof NUMBERS) => idOf("a", NUMBERS[name]);
const header = PURPOSE;

describe("memory: search over the API", () => {
  const served = useApi();
  const rep = () => served().client("a", "rep");
  const manager = () => served().client("a", "manager");

  beforeEach(async () => {
    const { database } = served();
    await database.system(async (session) => {
      await session.query("delete from salestag.embedding");
      await session.query(
        `insert into salestag.turn select id, 1, 'rep', 1000, 3000, 'You pay in rates, the roof pays them back' from salestag.conversation`,
      );
    });
    for (const team of ["a", "b"] as const)
      for (const name of ["conversation", "otherConversation"] as const)
        await indexConversation(
          database,
          localEmbedder(),
          idOf(team, NUMBERS[name]),
          new AbortController().signal,
        );
  });

  it("search: words find conversations with the passage, only those that one may see", async () => {
    const body = { text: "too expensive", filter: { customer: A("customer") } };
    const mine = await rep().POST("/v1/search", { params: { header }, body });
    assert.deepEqual(
      mine.data?.hits.map(({ conversationId }) => conversationId),
      [A("conversation")],
      JSON.stringify(mine.error),
    );
    const [hit] = mine.data!.hits;
    assert.equal(hit.passages[0].text, "too expensive");
    assert.ok(hit.passages[0].marks.length > 0);
    assert.deepEqual(hit.consent, { means: "announced", atMs: 0 });
    const all = await manager().POST("/v1/search", { params: { header }, body: { text: "too expensive" } });
    assert.equal(all.data?.hits.length, 2);
    const none = await served().client("b", "rep").POST("/v1/search", { params: { header }, body });
    assert.deepEqual(none.data?.hits, []);
  });

  it("search: pages join", async () => {
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const body = { text: "expensive", limit: 1, ...(cursor !== undefined && { cursor }) };
      const { data } = await manager().POST("/v1/search", { params: { header }, body });
      ids.push(...data!.hits.map(({ conversationId }) => conversationId));
      cursor = data!.next ?? undefined;
    } while (cursor !== undefined);
    assert.deepEqual(ids.sort(), [A("conversation"), A("otherConversation")]);
  });

  it("search: an objection's answers, those before, a timeline, those alike", async () => {
    const answers = await rep().POST("/v1/answers", {
      params: { header },
      body: { objection: "objection.pricing" },
    });
    assert.deepEqual(
      answers.data?.moments.map(({ answer }) => answer[0]?.text),
      ["You pay in rates, the roof pays them back"],
      JSON.stringify(answers.error),
    );
    const path = { id: A("customer") };
    const before = await manager().GET("/v1/customers/{id}/before", { params: { path, header } });
    assert.equal(before.data?.conversations.length, 2, JSON.stringify(before.error));
    assert.equal(before.data?.conversations[0].said[0].text, "too expensive");
    const timeline = await rep().GET("/v1/customers/{id}/timeline", { params: { path, header } });
    assert.deepEqual(
      timeline.data?.encounters.map(({ conversationId }) => conversationId),
      [A("conversation")],
    );
    const alike = { params: { path: { id: A("conversation") }, header } };
    const found = await manager().GET("/v1/conversations/{id}/similar", alike);
    assert.deepEqual(
      found.data?.similar.map(({ conversationId }) => conversationId),
      [A("otherConversation")],
    );
    assert.deepEqual((await rep().GET("/v1/conversations/{id}/similar", alike)).data?.similar, []);
  });

  it("search: the audit log has ids and purpose, not the words", async () => {
    await rep().POST("/v1/search", { params: { header }, body: { text: "expensive hyazinth" } });
    await rep().POST("/v1/answers", { params: { header }, body: { text: "hyazinth costs too much" } });
    const rows = await served().database.system((session) =>
      session.query<{ action: string; ids: string[]; whole: string }>(
        "select action, conversation_ids as ids, to_jsonb(a)::text as whole from salestag.audit a where purpose = 'quality' order by at",
      ),
    );
    assert.deepEqual(
      rows.map(({ action }) => action),
      ["search", "answers"],
    );
    assert.deepEqual(rows[0].ids, [A("conversation")]);
    assert.ok(rows.every(({ whole }) => !/hyazinth|expensive/.test(whole)));
  });

  for (const [what, body] of [
    ["no objection", { objection: "competitor" }],
    ["neither kind nor text", {}],
    ["a cursor of something else", { text: "x", cursor: "bm90aGluZw" }],
  ] as const)
    it(`search: what cannot be asked is refused (${what})`, async () => {
      const path = "cursor" in body ? "/v1/search" : "/v1/answers";
      const { response, error } = await rep().POST(path, { params: { header }, body });
      assert.equal(response.status, 400);
      assert.match(error?.detail ?? "", /\.$/);
    });

  for (const text of [
    "",
    "the and of",
    "a & b | !c <-> (",
    "'; drop table salestag.turn; --",
    "%_\\",
    "\0",
    "\ud800",
    "x ".repeat(499),
  ])
    it(`search: strange words are harmless (${JSON.stringify(text.slice(0, 20))})`, async () => {
      const { response, error } = await rep().POST("/v1/search", { params: { header }, body: { text } });
      assert.equal(response.status, 200, JSON.stringify(error));
      const answered = await rep().POST("/v1/answers", { params: { header }, body: { text } });
      assert.ok([200, 400].includes(answered.response.status));
      assert.deepEqual(served().logged, []);
    });
});
