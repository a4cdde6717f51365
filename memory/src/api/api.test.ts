// The API as its users see it, over the generated client.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { badgeOf, idOf, NUMBERS } from "../testing/teams";
import { AUDIO, PURPOSE, TROUBLE, useApi } from "./api.fixture";
import type { ProblemAnswer } from "./problem";

const A = (name: keyof typeof NUMBERS) => idOf("a", NUMBERS[name]);
const B = (name: keyof typeof NUMBERS) => idOf("b", NUMBERS[name]);
const header = PURPOSE;

describe("memory: API", () => {
  const served = useApi();
  const rep = () => served().client("a", "rep");
  const manager = () => served().client("a", "manager");
  const audited = () =>
    served().database.system((session) =>
      session.query<{ action: string; purpose: string; ids: string[]; person: string }>(
        `select action, purpose, conversation_ids as ids, person_id as person from salestag.audit where purpose <> 'a call' order by at`,
      ),
    );

  it("api: a person learns who they are", async () => {
    const { data } = await rep().GET("/v1/me");
    assert.deepEqual(data, {
      id: A("rep"),
      name: "rep of a",
      role: "rep",
      team: { id: A("team"), name: "Team a" },
    });
  });

  it("api: a subject that nobody has is in no team", async () => {
    const headers = { authorization: `Bearer ${await served().token("nobody")}` };
    const answer = await fetch(`${served().url}/v1/me`, { headers });
    assert.equal(answer.status, 403);
    assert.match(((await answer.json()) as ProblemAnswer).detail, /ask a manager/);
  });

  it("api: lists show own conversations to a rep, the team's to a manager", async () => {
    const mine = await rep().GET("/v1/conversations", { params: { header } });
    assert.deepEqual(
      mine.data?.conversations.map(({ id }) => id),
      [A("conversation")],
    );
    const all = await manager().GET("/v1/conversations", { params: { header } });
    assert.deepEqual(all.data?.conversations.map(({ id }) => id).sort(), [
      A("conversation"),
      A("otherConversation"),
    ]);
  });

  it("api: a conversation with all that is known of it", async () => {
    const path = { id: A("conversation") };
    const { data } = await rep().GET("/v1/conversations/{id}", {
      params: { path, header, query: { words: true } },
    });
    assert.equal(data?.transcript, "none yet");
    assert.deepEqual(data?.consent, { means: "announced", atMs: 0 });
    assert.deepEqual(data?.customer, { id: A("customer"), name: "Miller" });
    assert.deepEqual(data?.turns, [
      {
        ...{ turn: 0, speaker: "other", startMs: 0, endMs: 1000, text: "too expensive" },
        words: [{ text: "too", startMs: 0, endMs: 400 }],
      },
    ]);
    assert.equal(data?.allTags[0].quote, "too expensive");
    assert.equal(data?.summary, "x");
  });

  it("api: what only the badge heard says so", async () => {
    await served().database.system((session) =>
      session.query("update salestag.conversation set transcribed_by = 'badge'"),
    );
    const { data } = await rep().GET("/v1/conversations", { params: { header } });
    assert.equal(data?.conversations[0].transcript, "badge only");
  });

  it("api: pages join to the whole list, each conversation once", async () => {
    const found: string[] = [];
    let after: string | undefined;
    do {
      const { data } = await manager().GET("/v1/conversations", {
        params: { header, query: { tag: [], limit: 1, ...(after && { after }) } },
      });
      found.push(...data!.conversations.map(({ id }) => id));
      after = data!.next;
    } while (after !== undefined);
    assert.deepEqual(found.sort(), [A("conversation"), A("otherConversation")]);
  });

  const filters: [object, number][] = [
    [{ tag: ["objection.pricing"] }, 2],
    [{ tag: ["objection.pricing", "competitor"] }, 0],
    [{ person: A("otherRep") }, 1],
    [{ customer: A("customer") }, 2],
    [{ customer: B("customer") }, 0],
    [{ territory: A("territory") }, 2],
    [{ outcome: "won" }, 0],
    [{ from: "2025-06-01T12:00:00Z" }, 2],
    [{ to: "2025-06-01T14:00:00+02:00" }, 0],
  ];
  for (const [filter, count] of filters)
    it(`api: lists are filtered (${JSON.stringify(filter)})`, async () => {
      const query = { tag: [], limit: 50, ...filter };
      const { data, error } = await manager().GET("/v1/conversations", { params: { header, query } });
      assert.equal(data?.conversations.length, count, JSON.stringify(error));
    });

  it("api: what is hidden and what is not there look the same", async () => {
    const answers = [];
    for (const id of [A("otherConversation"), B("conversation"), idOf("a", 77)]) {
      const params = { path: { id }, header };
      const whole = await rep().GET("/v1/conversations/{id}", {
        params: { ...params, query: { words: false } },
      });
      const audio = await rep().GET("/v1/conversations/{id}/audio", { params, parseAs: "arrayBuffer" });
      const body = { customerId: null, siteId: null, outcome: "won", note: "" } as const;
      const filed = await rep().PUT("/v1/conversations/{id}/filing", { params, body });
      for (const { response, error } of [whole, audio, filed]) {
        assert.equal(response.status, 404);
        answers.push(JSON.stringify(error));
      }
    }
    assert.equal(new Set(answers).size, 1);
    assert.deepEqual(await audited(), []);
  });

  it("api: every look at content is in the audit log, with ids and purpose", async () => {
    const path = { id: A("conversation") };
    await rep().GET("/v1/conversations", { params: { header } });
    await rep().GET("/v1/conversations/{id}", { params: { path, header, query: { words: false } } });
    const audio = await rep().GET("/v1/conversations/{id}/audio", {
      params: { path, header },
      parseAs: "arrayBuffer",
    });
    assert.deepEqual(Buffer.from(audio.data as unknown as ArrayBuffer), AUDIO);
    assert.equal(audio.response.headers.get("content-type"), "audio/ogg");
    const entry = { purpose: "quality", ids: [A("conversation")], person: A("rep") };
    assert.deepEqual(await audited(), [
      { action: "conversations.list", ...entry },
      { action: "conversation.read", ...entry },
      { action: "conversation.audio", ...entry },
    ]);
    const { data } = await manager().GET("/v1/audit", {
      params: { query: { conversation: A("conversation"), limit: 10 } },
    });
    assert.equal(data?.entries.length, 3);
    assert.equal((await rep().GET("/v1/audit")).response.status, 403);
  });

  it("api: a conversation is filed, and filed again", async () => {
    const params = { path: { id: A("conversation") }, header };
    for (const outcome of ["won", "lost"] as const) {
      const body = { customerId: A("customer"), siteId: A("site"), outcome, note: `it was ${outcome}` };
      assert.deepEqual((await rep().PUT("/v1/conversations/{id}/filing", { params, body })).data, body);
      const { data } = await rep().GET("/v1/conversations/{id}", {
        params: { ...params, query: { words: false } },
      });
      assert.equal(data?.outcome, outcome);
      assert.equal(data?.site?.name, "Elm Street 1");
      assert.equal(data?.filing.note, body.note);
    }
  });

  it("api: nothing of another team can be referred to, and one cannot tell it from nothing", async () => {
    const params = { path: { id: A("conversation") }, header };
    const filed = (customerId: string | null, siteId: string | null) =>
      rep().PUT("/v1/conversations/{id}/filing", {
        params,
        body: { customerId, siteId, outcome: "open", note: "" },
      });
    for (const id of [B("customer"), idOf("b", 77)]) {
      const { response, error } = await filed(id, null);
      assert.equal(response.status, 422);
      assert.match(error?.detail ?? "", new RegExp(`no customer with the id ${id}`));
    }
    assert.equal((await filed(null, B("site"))).response.status, 422);
    assert.equal((await filed(null, A("site"))).response.status, 422);
    const body = { name: "Mine", territoryId: B("territory"), note: "" };
    assert.equal((await rep().POST("/v1/customers", { body })).response.status, 422);
  });

  it("api: customers, sites and territories are added, listed in pages, changed", async () => {
    const client = manager();
    const { data: north } = await client.POST("/v1/territories", { body: { name: "South" } });
    for (const name of ["Archer", "archer & sons", "Baker"]) {
      const body = { name, territoryId: north!.id, note: "" };
      assert.equal((await client.POST("/v1/customers", { body })).response.status, 201);
    }
    const { data: page } = await client.GET("/v1/customers", {
      params: { query: { name: "arch", limit: 1 } },
    });
    const { data: rest } = await client.GET("/v1/customers", {
      params: { query: { name: "ARCH", limit: 5, after: page!.next } },
    });
    assert.equal(rest?.next, undefined);
    const names = [...page!.customers, ...rest!.customers].map(({ name }) => name);
    assert.deepEqual(names.sort(), ["Archer", "archer & sons"]);
    const body = { address: "Oak Street 2", customerId: page!.customers[0].id, territoryId: null };
    const { data: site } = await client.POST("/v1/sites", { body });
    const path = { id: site!.id };
    await client.PUT("/v1/sites/{id}", { params: { path }, body: { ...body, address: "Oak Street 3" } });
    const { data: changed } = await client.GET("/v1/sites/{id}", { params: { path } });
    assert.deepEqual(changed, { ...body, id: site!.id, address: "Oak Street 3" });
  });

  it("api: people and badges are the manager's to change", async () => {
    const body = { name: "New", role: "rep", subject: "a-new" } as const;
    assert.equal((await rep().POST("/v1/people", { body })).response.status, 403);
    const { data: person } = await manager().POST("/v1/people", { body });
    const path = { id: person!.id };
    const twice = await manager().POST("/v1/people", { body });
    assert.equal(twice.response.status, 409);
    const promoted = await manager().PUT("/v1/people/{id}", {
      params: { path },
      body: { ...body, role: "manager" },
    });
    assert.equal(promoted.data?.role, "manager");
    const self = {
      params: { path: { id: A("rep") } },
      body: { ...body, subject: "a-rep", role: "manager" },
    } as const;
    assert.equal((await rep().PUT("/v1/people/{id}", self)).response.status, 403);
    const other = { params: { path: { id: B("rep") } }, body } as const;
    assert.equal((await manager().PUT("/v1/people/{id}", other)).response.status, 404);
  });

  it("api: who wears a badge is said, and listed", async () => {
    const path = { id: badgeOf("a") };
    const body = { since: "2026-01-01T00:00:00.000Z", personId: A("otherRep") };
    assert.equal(
      (await rep().PUT("/v1/badges/{id}/wearers", { params: { path }, body })).response.status,
      403,
    );
    const { data } = await manager().PUT("/v1/badges/{id}/wearers", { params: { path }, body });
    assert.deepEqual(
      data?.wearers.map(({ wornBy }) => wornBy?.id),
      [A("otherRep"), A("rep")],
    );
    await manager().PUT("/v1/badges/{id}", { params: { path }, body: { label: "Blue" } });
    const list = await rep().GET("/v1/badges");
    assert.deepEqual(list.data?.badges, [
      {
        id: badgeOf("a"),
        label: "Blue",
        wornBy: { id: A("otherRep"), name: "otherRep of a" },
        since: body.since,
      },
    ]);
    const foreign = { params: { path }, body: { ...body, personId: B("rep") } };
    assert.ok([403, 422].includes((await manager().PUT("/v1/badges/{id}/wearers", foreign)).response.status));
  });

  it("api: a hold keeps what an erasure would delete, until it is released", async () => {
    const subject = { kind: "conversation", id: A("conversation") } as const;
    const erase = () => manager().POST("/v1/erasures", { body: { subject, reason: "asked" } });
    const list = await manager().GET("/v1/holds");
    for (const { id } of list.data!.holds)
      await manager().POST("/v1/holds/{id}/release", { params: { path: { id } } });
    const { data: hold } = await manager().POST("/v1/holds", { body: { subject, reason: "a case" } });
    const refused = await erase();
    assert.equal(refused.response.status, 409);
    assert.match(refused.error?.detail ?? "", new RegExp(hold!.id));
    const path = { id: hold!.id };
    assert.equal((await manager().POST("/v1/holds/{id}/release", { params: { path } })).response.status, 204);
    const { data } = await erase();
    assert.deepEqual(data, { conversationIds: [A("conversation")], withoutKeys: [], done: true });
    const gone = await manager().GET("/v1/conversations/{id}", {
      params: { path: { id: A("conversation") }, header, query: { words: false } },
    });
    assert.equal(gone.response.status, 404);
    assert.equal(
      (await rep().POST("/v1/erasures", { body: { subject, reason: "asked" } })).response.status,
      403,
    );
  });

  it("api: a customer's data is handed to a manager, and nothing of it stays", async () => {
    const body = { subject: { kind: "customer", id: A("customer") } } as const;
    const asked = { body, parseAs: "arrayBuffer" } as const;
    assert.equal((await rep().POST("/v1/exports", asked)).response.status, 403);
    const { data, response } = await manager().POST("/v1/exports", asked);
    assert.equal(response.headers.get("content-type"), "application/zip");
    const zip = Buffer.from(data as unknown as ArrayBuffer);
    assert.equal(zip.readUInt32LE(0), 0x04034b50);
    assert.ok(zip.includes("manifest.json") && zip.includes(AUDIO));
    assert.deepEqual(readdirSync(served().exportFolder), []);
    const foreign = { ...asked, body: { subject: { kind: "person", id: B("rep") } } } as const;
    assert.equal((await manager().POST("/v1/exports", foreign)).response.status, 404);
  });

  it("api: rules of retention are set as a whole, and previewed", async () => {
    const body = {
      rules: [
        { tag: null, keepDays: 30 },
        { tag: "competitor" as const, keepDays: 5 },
      ],
    };
    assert.equal((await rep().PUT("/v1/retention", { body })).response.status, 403);
    assert.deepEqual((await manager().PUT("/v1/retention", { body })).data, body);
    assert.deepEqual((await rep().GET("/v1/retention")).data?.rules.length, 2);
    const { data } = await manager().GET("/v1/retention/preview");
    assert.equal(data!.erased.length + data!.held.length, 2);
    const others = await served().client("b", "manager").GET("/v1/retention");
    assert.equal(others.data?.rules.length, 1);
  });

  it("api: problems are for managers, metrics for programs on this machine", async () => {
    assert.equal((await manager().GET("/v1/problems")).data?.problems[0].what, TROUBLE);
    assert.equal((await rep().GET("/v1/problems")).response.status, 403);
    assert.deepEqual((await served().client("b", "manager").GET("/v1/problems")).data, { problems: [] });
    const { url } = served();
    assert.match(await (await fetch(`${url}/metrics`)).text(), /^salestag_memory_up 1$/m);
    const behindProxy = await fetch(`${url}/metrics`, { headers: { "x-forwarded-for": "10.0.0.1" } });
    assert.equal(behindProxy.status, 401);
    assert.deepEqual(await (await fetch(`${url}/health`)).json(), { status: "ok" });
  });

  it("api: a relay's delivery reaches its handler byte by byte, larger than other bodies", async () => {
    const body = Buffer.alloc(1_000_000, 0xfe);
    const type = { "content-type": "application/cloudevents-batch+json" };
    const taken = await fetch(`${served().url}/ingest`, { method: "POST", body, headers: type });
    assert.equal(taken.status, 204);
    assert.deepEqual(served().delivered, [body]);
    const refused = await fetch(`${served().url}/ingest`, { method: "POST" });
    assert.equal(refused.status, 400);
    assert.equal(((await refused.json()) as ProblemAnswer).detail, "An empty delivery.");
  });
});
