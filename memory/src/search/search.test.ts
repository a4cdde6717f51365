// Hybrid search, answers, similar conversations and one customer over time, on the embedded database and on PostgreSQL 15 alike.
import assert from "node:assert/strict";
import { type Embedder, EmbeddingError } from "../embed/embedder";
import { localEmbedder } from "../embed/local";
import type { Session } from "../store/database";
import { onBothDatabases } from "../testing/databases";
import { addSalesTeams, addTalk, claimsOf, DAY_0_MS, IDS, uuid } from "../testing/talks";
import { answersTo } from "./answers";
import { before as saidBefore, timeline } from "./customer";
import { indexConversation } from "./index-conversation";
import { BadQuery, type Query, readyText } from "./query";
import { type Page, search } from "./search";
import { similar } from "./similar";
import { ensureVectorIndex } from "./vector-index";

const NEVER = new AbortController().signal;
const LOCAL = localEmbedder();
const MANAGER = claimsOf(IDS.manager);

/** 1000: too dear, won. 1001: landlord, lost. 1002: another company. 1003: only the badge heard it. 1004: of the other rep. */
const TALKS = [
  {
    number: 1000,
    day: 1,
    customer: IDS.customer,
    outcome: "won" as const,
    lines: [
      "R: Good morning, solar panels for your roof.",
      "C: That is far too expensive for us. [objection.pricing]",
      "R: Most pay less than their bill from the first month on.",
      "R: And nothing down.",
      "C: All right, where do I sign? [signal.decision-readiness outcome.commitment]",
    ],
    summary: "Solar for the roof; the price stood against it; signed.",
  },
  {
    number: 1001,
    day: 2,
    customer: IDS.otherCustomer,
    outcome: "lost" as const,
    lines: [
      "R: Hello, new windows.",
      "C: Too expensive, and the landlord decides. [objection.pricing objection.authority]",
      "R: It is cheap.",
      "C: No, goodbye.",
    ],
    summary: "Windows; the landlord decides; refused.",
  },
  {
    number: 1002,
    day: 3,
    site: IDS.site,
    lines: [
      "R: Fibre for the whole street.",
      "C: Another company gave us a better offer. [competitor]",
      "R: What do they ask?",
      "C: It costs too much with you. [objection.pricing]",
      "R: We match it.",
      "C: Then come on Thursday. [outcome.next-step]",
    ],
    summary: "Fibre; a competitor's offer; a visit on Thursday.",
  },
  { number: 1003, day: 4, lines: [], phrases: ["heat pump"], transcribedBy: "badge" },
  {
    number: 1004,
    day: 5,
    person: IDS.otherRep,
    customer: IDS.customer,
    lines: ["R: Hi.", "C: The furnace bangs all night, I need somebody now. [signal.urgency]"],
    summary: "A furnace that bangs.",
  },
];

onBothDatabases("search", (database) => {
  let indexed = false;
  beforeEach(async function () {
    this.timeout(60_000);
    await addSalesTeams(database());
    for (const talk of TALKS) await addTalk(database(), talk);
    if (!indexed) await ensureVectorIndex(database(), LOCAL);
    indexed = true;
  });

  const as = <T>(work: (session: Session) => Promise<T>, claims = MANAGER) => database().as(claims, work);

  async function find(text: string, query: Query = {}, embedder: Embedder = LOCAL): Promise<Page> {
    const ready = await readyText(text, embedder, NEVER);
    return as((session) => search(session, ready, query));
  }
  const numbersOf = (page: Page) =>
    page.hits.map(({ conversationId }) => Number.parseInt(conversationId.slice(-12), 16));

  it("finds by words in any form, with the place that says so", async () => {
    const { hits, next, trouble } = await find("landlords deciding");
    assert.deepEqual([hits[0].conversationId, next, trouble], [uuid(1001), null, null]);
    assert.equal(hits[0].score.text?.rank, 1);
    const [{ turn, startMs, text, marks }] = hits[0].passages;
    assert.deepEqual([turn, startMs], [1, 1000]);
    assert.deepEqual(
      marks.map(([start, end]) => text.slice(start, end)),
      ["landlord decides"],
    );
  });

  it("finds what means the same though no word is the same", async () => {
    const { hits } = await find("pricey");
    assert.deepEqual(hits.map(({ conversationId }) => conversationId).sort(), [1000, 1001, 1002].map(uuid));
    assert.equal(hits[0].score.text, null);
    const fibre = hits.find(({ conversationId }) => conversationId === uuid(1002))!;
    const [{ text, marks }] = fibre.passages;
    assert.deepEqual(
      marks.map(([start, end]) => text.slice(start, end)),
      ["costs too much"],
    );
  });

  it("a hit has all that is shown of it, consent too", async () => {
    const { passages, score, ...card } = (await find("solar")).hits[0];
    assert.deepEqual(card, {
      conversationId: uuid(1000),
      startedAt: new Date(DAY_0_MS + 24 * 3600 * 1000),
      durationMs: 60000,
      person: { id: uuid(IDS.rep), name: `Person ${IDS.rep}` },
      customer: { id: uuid(IDS.customer), name: `Customer ${IDS.customer}` },
      outcome: "won",
      consent: { means: "announced", atMs: 0 },
      transcribedBy: "test",
      summary: "Solar for the roof; the price stood against it; signed.",
      tags: ["objection.pricing", "outcome.commitment", "signal.decision-readiness"],
    });
  });

  it("what only the badge heard is found by its key phrase", async () => {
    const { hits } = await find("heat pump");
    assert.deepEqual([hits[0].conversationId, hits[0].transcribedBy], [uuid(1003), "badge"]);
    assert.deepEqual(
      hits[0].passages.map(({ turn, text, marks }) => ({ turn, text, marks })),
      [{ turn: null, text: "heat pump", marks: [[0, 9]] }],
    );
  });

  it("quotes ask for these words side by side, a minus for talks without", async () => {
    assert.deepEqual(numbersOf(await find('"too expensive"')).sort(), [1000, 1001]);
    assert.deepEqual(numbersOf(await find('"decides landlord"')), []);
    assert.deepEqual(numbersOf(await find("expensive -landlord")), [1000]);
  });

  it("where no talk has all words, those with some of them are found", async () => {
    assert.deepEqual(numbersOf(await find("furnace zeppelin"))[0], 1004);
  });

  const FILTERS: [string, Query["filter"], number[]][] = [
    ["person", { person: uuid(IDS.otherRep) }, [1004]],
    ["customer", { customer: uuid(IDS.customer) }, [1004, 1000]],
    ["site", { site: uuid(IDS.site) }, [1002]],
    ["territory, of customer or site", { territory: uuid(IDS.territory) }, [1004, 1002, 1000]],
    ["tag", { tags: ["objection.pricing"] }, [1002, 1001, 1000]],
    ["all of several tags", { tags: ["objection.pricing", "competitor"] }, [1002]],
    ["outcome", { outcome: "won" }, [1000]],
    ["outcome, open also where nobody said", { outcome: "open" }, [1004, 1003, 1002]],
    [
      "time, from and before",
      { from: new Date(DAY_0_MS + 2 * 864e5), to: new Date(DAY_0_MS + 4 * 864e5) },
      [1002, 1001],
    ],
    ["several at once", { outcome: "won", customer: uuid(IDS.otherCustomer) }, []],
    ["another team's person", { person: uuid(IDS.rep + 100) }, []],
  ];
  for (const [name, filter, expected] of FILTERS)
    it(`filter: ${name}`, async () => {
      assert.deepEqual(numbersOf(await find("", { filter })), expected);
      const withText = await find("too expensive company furnace heat pump", { filter });
      assert.deepEqual(numbersOf(withText).sort(), expected.toSorted());
    });

  for (const text of ["", "expensive"])
    it(`pages hold each hit once, in the order of one page (text "${text}")`, async () => {
      const whole = await find(text, { limit: 50 });
      const paged: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await find(text, { limit: 2, cursor });
        paged.push(...numbersOf(page));
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      assert.deepEqual(paged, numbersOf(whole));
      assert.equal(new Set(paged).size, paged.length);
    });

  const HARMLESS = [
    " ",
    "the of and",
    "a".repeat(10_000),
    "expensive ".repeat(1000),
    "& | ! ( ) <-> :* '",
    "'); drop table salestag.turn; --",
    "\\' \\\\ E'x' $1 %L %s {}",
    "\0\ud800 \u202e",
    '"',
    '" "',
    "-",
    "-expensive",
    "http://a.b/c?d='e'&f=\\g",
    "TAG objection.pricing",
    "!!expensive & (",
  ];
  for (const text of HARMLESS)
    it(`a bad query is harmless (${JSON.stringify(text.slice(0, 32))}, ${text.length} characters)`, async () => {
      const page = await find(text);
      assert.equal(page.trouble, null);
      assert.equal((await find("")).hits.length, TALKS.length);
    });

  it("a filter, a limit or a cursor that is none is refused", async () => {
    const bad: Query[] = [
      { filter: { person: "x' or true" } },
      { filter: { tags: ["objection.colour" as never] } },
      { filter: { outcome: "maybe" as never } },
      { filter: { from: new Date(Number.NaN) } },
      { limit: 0 },
      { limit: 51 },
      { limit: 1.5 },
      { cursor: "garbage" },
      { cursor: Buffer.from('["x",1]').toString("base64url") },
      { cursor: (await find("", { limit: 1 })).next!, filter: { outcome: "won" } },
    ];
    for (const query of bad) await assert.rejects(find("", query), BadQuery, JSON.stringify(query));
  });

  it("an embedder that fails leaves the search by words, and says so", async () => {
    const broken: Embedder = {
      name: LOCAL.name,
      dims: LOCAL.dims,
      weight: LOCAL.weight,
      embed: () => Promise.reject(new EmbeddingError("The endpoint is away.")),
    };
    const page = await find("landlord", {}, broken);
    assert.deepEqual([numbersOf(page), page.trouble], [[1001], "The endpoint is away."]);
  });

  it("a talk in another language is found by its words", async () => {
    await addTalk(database(), {
      number: 1010,
      language: "de",
      lines: ["C: Die Wärmepumpe war uns zu teuer."],
    });
    assert.equal(numbersOf(await find("wärmepumpe teuer"))[0], 1010);
  });

  it("an answer to an objection comes with what came of it, the good ones first", async () => {
    const { moments, counts } = await as((session) => answersTo(session, { kind: "objection.pricing" }));
    assert.deepEqual(
      moments.map(({ conversationId, answer, after }) => [
        conversationId,
        answer.map(({ text }) => text),
        after,
      ]),
      [
        [
          uuid(1000),
          ["Most pay less than their bill from the first month on.", "And nothing down."],
          { won: true, lost: false, commitment: true, nextStep: false },
        ],
        [uuid(1002), ["We match it."], { won: false, lost: false, commitment: false, nextStep: true }],
        [uuid(1001), ["It is cheap."], { won: false, lost: true, commitment: false, nextStep: false }],
      ],
    );
    assert.deepEqual(counts, { moments: 3, won: 1, lost: 1, commitment: 1, nextStep: 1 });
  });

  it("an objection in the customer's own words finds the moments that mean it", async () => {
    const text = await readyText("my landlord must approve this", LOCAL, NEVER);
    const { moments } = await as((session) => answersTo(session, { text }));
    assert.equal(moments[0].conversationId, uuid(1001));
    const ofKind = await as((session) => answersTo(session, { text, kind: "objection.authority" }));
    assert.deepEqual(
      ofKind.moments.map(({ objection }) => objection.kind),
      ["objection.authority"],
    );
    await assert.rejects(
      as((session) => answersTo(session, { kind: "competitor" })),
      BadQuery,
    );
    await assert.rejects(
      as((session) => answersTo(session, {})),
      BadQuery,
    );
  });

  it("similar talks are found, never itself; one without a vector has none", async () => {
    const id = await addTalk(database(), {
      number: 1011,
      lines: ["R: Solar for the roof?", "C: Way too expensive, we cannot afford panels. [objection.pricing]"],
    });
    const found = await as((session) => similar(session, LOCAL.name, id));
    assert.equal(found?.[0].conversationId, uuid(1000));
    assert.ok(found.every(({ conversationId, similarity }) => conversationId !== id && similarity <= 1));
    assert.equal(await as((session) => similar(session, "another/1", id)), undefined);
    assert.equal(await as((session) => similar(session, LOCAL.name, uuid(4711))), undefined);
  });

  it("what a customer said before, newest talk first, with what it means", async () => {
    const said = await as((session) => saidBefore(session, uuid(IDS.customer)));
    assert.deepEqual(
      said.map(({ conversationId, said: turns }) => [
        conversationId,
        turns.map(({ turn, tags }) => [turn, ...tags.map(({ kind }) => kind)]),
      ]),
      [
        [uuid(1004), [[1, "signal.urgency"]]],
        [
          uuid(1000),
          [
            [1, "objection.pricing"],
            [4, "signal.decision-readiness", "outcome.commitment"],
          ],
        ],
      ],
    );
    const earlier = await as((session) =>
      saidBefore(session, uuid(IDS.customer), new Date(DAY_0_MS + 3 * 864e5)),
    );
    assert.deepEqual(
      earlier.map(({ conversationId }) => conversationId),
      [uuid(1000)],
    );
  });

  it("a relationship is a line of talks with their mood, in pages from the newest on", async () => {
    const points = [-0.6, 0.2, 0.8].map((value, at) => ({
      startMs: at,
      endMs: at + 1,
      speaker: "other",
      value,
    }));
    await database().system((session) =>
      session.query("insert into salestag.insight values ($1, 'sentiment', $2::jsonb)", [
        uuid(1000),
        JSON.stringify({ points }),
      ]),
    );
    const newest = await as((session) => timeline(session, uuid(IDS.customer), undefined, 1));
    assert.deepEqual(
      newest.encounters.map(({ conversationId, mood }) => [conversationId, mood]),
      [[uuid(1004), null]],
    );
    const { encounters, earlier } = await as((session) =>
      timeline(session, uuid(IDS.customer), newest.earlier!, 1),
    );
    assert.deepEqual([encounters[0].conversationId, earlier], [uuid(1000), null]);
    assert.deepEqual([encounters[0].mood?.atStart, encounters[0].mood?.atEnd], [-0.6, 0.8]);
  });

  it("vectors are made anew by another embedder, and what changed meanwhile is not stored", async () => {
    const other: Embedder = { ...LOCAL, name: "other/1" };
    assert.equal(await indexConversation(database(), other, uuid(1000), NEVER), true);
    const models = () =>
      database().system((session) =>
        session.query<{ model: string }>(
          "select distinct model from salestag.embedding where conversation_id = $1",
          [uuid(1000)],
        ),
      );
    assert.deepEqual(await models(), [{ model: "other/1" }]);
    const late: Embedder = {
      ...LOCAL,
      async embed(texts, signal) {
        await database().system((session) =>
          session.query("update salestag.conversation set structured_by = 'rules/2' where id = $1", [
            uuid(1000),
          ]),
        );
        return LOCAL.embed(texts, signal);
      },
    };
    assert.equal(await indexConversation(database(), late, uuid(1000), NEVER), false);
    assert.deepEqual(await models(), [{ model: "other/1" }]);
    assert.equal(await indexConversation(database(), LOCAL, uuid(4711), NEVER), false);
  });

  it("with statistics of how frequent words are, the same is found", async () => {
    await database().maintain();
    assert.equal(numbersOf(await find("furnace zeppelin"))[0], 1004);
    assert.deepEqual(numbersOf(await find("landlord"))[0], 1001);
  });
});
