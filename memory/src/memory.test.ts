// The memory as a whole on the embedded database: from sealed chunks in any order to rows, live events and nothing that nobody consented to.
import { strict as assert } from "node:assert";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConsentMeans } from "@salestag/protocol/host";
import { shredEpochs } from "@salestag/protocol/team";
import { badgeKeys, RECEIVED_MS, writeRecord } from "@salestag/protocol/testing";
import { localEmbedder } from "./embed";
import type { MemoryParts, MemorySettings } from "./memory";
import { localStructurer } from "./tagger";
import { onBothDatabases } from "./testing/databases";
import { MemoryUnderTest } from "./testing/memory-under-test";
import { interlude, talk } from "./testing/team";
import type { Heard, Transcriber } from "./transcribe";
import { TranscriptionError } from "./transcribe";

const MINUTE_MS = 60_000;
const BADGE0 = badgeKeys(0).badge;

onBothDatabases("memory", (database) => {
  const test = new MemoryUnderTest();
  const rows = test.rows.bind(test);
  const conversations = () =>
    rows(
      "select badge_id, epoch, state, complete, chunks, transcribed_by, structured_by, embedded_by from salestag.conversation order by 1, 2",
    );
  const restart = (parts?: Partial<MemoryParts>, settings?: Partial<MemorySettings>) =>
    test.restart({ database: database(), ...parts }, settings);

  before(() => test.makeTeam(2));
  beforeEach(() => test.fresh({ database: database() }));
  afterEach(() => test.memory.close());
  after(() => test.end());

  it("whole: a conversation is stored with consent, phrases, turns, tags, and told of as it happens", async () => {
    await test.take(talk({ phrases: ["too expensive", "sign me up"] }));
    assert.deepEqual(await conversations(), [
      {
        badge_id: BADGE0,
        epoch: 0,
        state: "final",
        complete: true,
        chunks: 8,
        transcribed_by: "badge",
        structured_by: localStructurer().name,
        embedded_by: localEmbedder().name,
      },
    ]);
    assert.deepEqual(await rows("select n, text, start_ms from salestag.phrase order by n"), [
      { n: 0, text: "too expensive", start_ms: 0 },
      { n: 1, text: "sign me up", start_ms: 100 },
    ]);
    assert.deepEqual(await rows("select at_ms, means from salestag.consent"), [
      { at_ms: 0, means: "announced" },
    ]);
    assert.deepEqual(await rows("select speaker, text from salestag.turn order by turn"), [
      { speaker: "other", text: "too expensive" },
      { speaker: "rep", text: "sign me up" },
      { speaker: "other", text: "" },
    ]);
    const [row] = await rows(
      "select started_at, started_source, team_id, person_id from salestag.conversation",
    );
    assert.deepEqual(row, {
      started_at: new Date(RECEIVED_MS),
      started_source: "badge clock",
      team_id: test.memory.teamId,
      person_id: null,
    });
    const told = test.events.map((event) =>
      event.type === "phrase" ? event.text : event.type === "conversation" ? event.state : event.type,
    );
    assert.deepEqual(
      told.filter((one) => one !== "tag"),
      ["open", "too expensive", "sign me up", "final", "structured", "findable"],
    );
    assert.deepEqual(test.memory.problems(), []);
  });

  it("live: a phrase is told before the conversation's end, once, also after a restart", async () => {
    const records = talk({ phrases: ["too expensive", "sign me up"] });
    await test.take(records.slice(0, 3));
    assert.deepEqual(
      test.events.map((event) => event.type),
      ["conversation", "phrase"],
    );
    assert.equal((await conversations())[0].state, "open");
    await restart();
    await test.take(records.slice(3));
    assert.deepEqual(test.phrasesTold(), ["sign me up"]);
    assert.equal((await conversations())[0].state, "final");
  });

  it("consent: nothing is in the database before its event came, whatever the order", async () => {
    const [first, ...others] = talk({ phrases: ["too expensive"] });
    await test.take(others);
    for (const table of ["conversation", "phrase", "turn", "badge", "consent"])
      assert.deepEqual(await rows(`select * from salestag.${table}`), [], table);
    assert.equal(test.events.length, 0);
    await test.take([first]);
    assert.equal((await conversations())[0].complete, true);
    assert.deepEqual(test.phrasesTold(), ["too expensive"]);
  });

  for (const [name, consent] of [
    ["never came", null],
    ["was a technician's check", ConsentMeans.Check],
  ] as const)
    it(`consent: where it ${name}, the chunks are deleted when nothing came for long`, async () => {
      await test.take(talk({ consent }));
      test.clock.move(23 * 60 * MINUTE_MS);
      await test.memory.idle();
      assert.equal(test.memory.archive.count({ badge: BADGE0, epoch: 0 }), 8);
      test.clock.move(2 * 60 * MINUTE_MS);
      await test.memory.idle();
      assert.deepEqual(test.memory.archive.places(), []);
      assert.deepEqual(await conversations(), []);
      assert.equal(test.lines.filter((line) => line.includes("nobody consented")).length, 1);
    });

  it("gaps: after long quiet it is final without its end, and made anew when more comes", async () => {
    const records = talk({ phrases: ["too expensive"] });
    const missing = records.splice(3, 1);
    await test.take(records);
    assert.equal((await conversations())[0].state, "open");
    test.clock.move(31 * MINUTE_MS);
    await test.memory.idle();
    const [row] = await conversations();
    assert.deepEqual([row.state, row.complete, row.chunks], ["final", false, 7]);
    await test.take(missing);
    const [whole] = await conversations();
    assert.deepEqual([whole.state, whole.complete, whole.chunks], ["final", true, 8]);
  });

  it("interlude: what a badge tells between conversations is none, and dates those before it", async () => {
    await test.take(talk({ epoch: 3, startUnixMs: null }));
    const started = () => rows("select started_at, started_source from salestag.conversation");
    assert.equal((await started())[0].started_source, "estimated from receive time");
    await test.take(interlude(0, 4, 1, RECEIVED_MS - 5000));
    assert.deepEqual(await started(), [
      { started_at: new Date(RECEIVED_MS - 5000), started_source: "badge clock" },
    ]);
    test.clock.move(48 * 60 * MINUTE_MS);
    await test.memory.idle();
    assert.equal((await conversations()).length, 1);
    assert.equal(test.memory.archive.places().length, 2);
  });

  it("keys: chunks of an unknown badge wait, told once, and are opened when the vault has it", async () => {
    const unknown = talk({ badge: 5 });
    await test.take(unknown);
    const [problem] = test.memory.problems();
    assert.equal(problem.about, `${badgeKeys(5).badge}/0`);
    assert.match(problem.what, /the vault has no badge/);
    test.clock.move(5 * MINUTE_MS);
    await test.memory.idle();
    assert.equal(test.lines.filter((line) => line.includes("the vault has no badge")).length, 1);
    await test.team.vault.add(badgeKeys(5));
    test.clock.move(MINUTE_MS);
    await test.memory.idle();
    assert.equal((await conversations()).length, 1);
    assert.deepEqual(test.memory.problems(), []);
    test.team.vault.discard(badgeKeys(5).badge);
  });

  it("keys: a chunk that was forged is kept and named, and the others are stored", async () => {
    const records = talk({ phrases: ["too expensive"] });
    records[2] = { ...records[2], sealed: Buffer.alloc(records[2].sealed.length, 7) };
    await test.take(records);
    const [row] = await rows("select complete, problems from salestag.conversation");
    assert.equal(row.complete, false);
    assert.match(String(row.problems), /chunk 2 does not open/);
    assert.equal(test.memory.archive.count({ badge: BADGE0, epoch: 0 }), records.length);
  });

  it("wearer: a conversation is the person's who wore the badge when it began", async () => {
    const ids = ["00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"];
    await test.memory.database.system(async (session) => {
      for (const id of ids)
        await session.query("insert into salestag.person values ($1, $2, 'Kim', 'rep')", [
          id,
          test.memory.teamId,
        ]);
      await session.query("insert into salestag.badge values ($1, $2, 'Kim 0')", [
        BADGE0,
        test.memory.teamId,
      ]);
      for (const [at, id] of ids.entries())
        await session.query("insert into salestag.wearer values ($1, $2, $3)", [
          BADGE0,
          new Date(RECEIVED_MS - 5000 + at * 10_000),
          id,
        ]);
    });
    await test.take(talk());
    const worn = async () => (await rows("select person_id from salestag.conversation"))[0].person_id;
    assert.equal(await worn(), ids[0]);
    await rows("update salestag.wearer set person_id = $1", [ids[1]]);
    await test.memory.wearersChanged(BADGE0);
    assert.equal(await worn(), ids[1]);
  });

  it("audio: given as Ogg Opus, and not once the key is shredded", async () => {
    await test.take(talk({ badge: 1 }));
    const { badge } = badgeKeys(1);
    assert.equal((await test.memory.audioOf(badge, 0))?.subarray(0, 4).toString(), "OggS");
    assert.equal(await test.memory.audioOf(badge, 9), undefined);
    await test.team.vault.change((change) => change.replace(shredEpochs(badgeKeys(1), [0]).keys));
    assert.equal(await test.memory.audioOf(badge, 0), undefined);
    await test.team.vault.change((change) => change.replace(badgeKeys(1)));
  });

  describe("transcription", () => {
    const heard: Heard = {
      words: ["That", "is", "too", "expensive."].map((text, n) => ({
        text,
        startMs: n * 20,
        endMs: n * 20 + 15,
      })),
      language: "en",
      spreadWords: 0,
      notes: [],
    };
    class Fake implements Transcriber {
      readonly name = "fake/1";
      asked = 0;
      answer: () => Heard = () => heard;
      async transcribe() {
        this.asked++;
        return this.answer();
      }
    }
    const words = async () =>
      (await rows<{ text: string }>("select text from salestag.word order by turn, word")).map(
        ({ text }) => text,
      );

    it("later: what only the badge heard is transcribed when a transcriber is set, once", async () => {
      await test.take(talk());
      assert.deepEqual(await words(), []);
      const transcriber = new Fake();
      await restart({ transcriber });
      await test.memory.idle();
      assert.deepEqual(await words(), ["That", "is", "too", "expensive."]);
      const [row] = await conversations();
      assert.deepEqual([row.transcribed_by, row.structured_by], ["fake/1", localStructurer().name]);
      await restart({ transcriber });
      await test.memory.idle();
      assert.equal(transcriber.asked, 1);
    });

    it("kept: a conversation that is made anew for the same chunks is not transcribed again", async () => {
      const transcriber = new Fake();
      await restart({ transcriber });
      await test.take(talk());
      await rows("delete from salestag.conversation");
      await restart({ transcriber });
      await test.memory.idle();
      assert.deepEqual(await words(), ["That", "is", "too", "expensive."]);
      assert.equal(transcriber.asked, 1);
    });

    it("failure: the badge's own is structured meanwhile, and it is tried again later", async () => {
      const transcriber = new Fake();
      transcriber.answer = () => {
        throw new TranscriptionError("the server hangs", "later", 20_000);
      };
      await restart({ transcriber });
      await test.take(talk());
      const trouble = () =>
        rows(
          "select transcribed_by, structured_by is not null as structured, trouble from salestag.conversation",
        );
      assert.deepEqual(await trouble(), [
        { transcribed_by: "badge", structured: true, trouble: "transcription: the server hangs" },
      ]);
      test.clock.move(19_000);
      await test.memory.idle();
      assert.equal(transcriber.asked, 1);
      transcriber.answer = () => heard;
      test.clock.move(2000);
      await test.memory.idle();
      assert.deepEqual(await trouble(), [{ transcribed_by: "fake/1", structured: true, trouble: null }]);
    });

    it("failure: audio that can never be transcribed is not tried again", async () => {
      const transcriber = new Fake();
      transcriber.answer = () => {
        throw new TranscriptionError("the audio is refused", "never");
      };
      await restart({ transcriber });
      await test.take(talk());
      test.clock.move(48 * 60 * MINUTE_MS);
      await test.memory.idle();
      assert.equal(transcriber.asked, 1);
    });
  });

  it("folder: chunks are taken from a relay's folder, and the folder stays as it is", async () => {
    const relay = test.path("relay");
    const paths = talk().map((record) => writeRecord(relay, record));
    writeFileSync(join(relay, BADGE0, "0000000000", "0000000099.chunk"), "no chunk");
    const before = readFileSync(paths[0]);
    await restart({}, { relayFolder: relay });
    await test.memory.idle();
    assert.deepEqual(
      (await conversations()).map(({ state }) => state),
      ["final"],
    );
    assert.match(test.memory.problems()[0].what, /0000000099.chunk' is damaged/);
    assert.deepEqual(readFileSync(paths[0]), before);
  });
});
