// Audit, holds, retention and erasure, on both databases, with a real vault and a real archive.
import assert from "node:assert/strict";
import { ExitCode, epochKeyFor } from "@salestag/protocol/team";
import { badgeKeys, toolError, useFolder } from "@salestag/protocol/testing";
import type { Archive } from "../ingest/archive";
import type { Database } from "../store/database";
import { emptied, onBothDatabases } from "../testing/databases";
import { managerOf } from "./actor";
import { audit } from "./audit";
import { Eraser, type EraserParts } from "./erasure";
import { PrivacyError, type PrivacyErrorKind } from "./error";
import { holds, placeHold, releaseHold } from "./hold";
import {
  addConversation,
  BADGES,
  DAY_MS,
  eraserAt,
  fill,
  idOf,
  idOfPlan,
  KIM,
  MANAGER,
  MILLER,
  NOW_MS,
  OTTER,
  PLANS,
  type Plan,
  STRANGER,
  sealAll,
  TEAM,
} from "./privacy.fixture";
import { expire, wouldExpire } from "./retention";
import type { Subject } from "./subject";

const [FIRST, SECOND, THIRD, FOURTH] = PLANS.map(idOfPlan);

function refused(kind: PrivacyErrorKind, words: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof PrivacyError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, words);
    return true;
  };
}

/** @returns number of rows of each table that has any of a conversation */
async function rowsOf(database: Database, id: string): Promise<Record<string, number>> {
  const tables = [
    ...["conversation", "consent", "phrase", "turn", "word", "tag", "insight", "embedding"],
    ...["transcript", "filing"],
  ];
  return database.system(async (session) => {
    const found: Record<string, number> = {};
    for (const table of tables) {
      const column = table === "conversation" ? "id" : "conversation_id";
      const rows = await session.query(`select from salestag.${table} where ${column} = $1`, [id]);
      if (rows.length > 0) found[table] = rows.length;
    }
    return found;
  });
}

async function customersOf(database: Database): Promise<string[]> {
  const rows = await database.system((session) =>
    session.query<{ name: string }>("select name from salestag.customer order by name"),
  );
  return rows.map(({ name }) => name);
}

onBothDatabases("privacy", (database) => {
  const folder = useFolder();
  let eraser: Eraser;
  let parts: EraserParts;
  let number = 0;

  beforeEach(async () => {
    await fill(database());
    // Neither kind of scrub is proven here, only that what it does is accepted.
    ({ eraser, parts } = await eraserAt(folder(), database(), undefined));
  });

  const hold = (subject: Subject, reason = "a dispute") =>
    placeHold(database(), MANAGER, subject, reason, { id: idOf(`hold ${++number}`), nowMs: NOW_MS });
  const rule = (keepDays: number, tag: string | null = null) =>
    database().system((session) =>
      session.query("insert into salestag.retention values ($1, $2, $3, $4)", [
        idOf(`rule ${++number}`),
        TEAM,
        tag,
        keepDays,
      ]),
    );
  const keyOf = async (wearer: number, epoch: number) =>
    epochKeyFor(await parts.keys.vault.read(BADGES[wearer], parts.keys.identities), epoch);
  const unfinished = () =>
    database().system((session) =>
      session.query(
        "select conversation_id::text from salestag.erasure where done_at is null union all select customer_id::text from salestag.customer_erasure where done_at is null",
      ),
    );

  describe("audit", () => {
    it("an entry names person and team of the session; managers read it, reps do not", async () => {
      await database().as({ sub: "kim" }, (session) =>
        audit(session, { action: "conversation.read", purpose: "own-work", conversationIds: [FIRST] }),
      );
      const read = (sub: string) =>
        database().as({ sub }, (session) =>
          session.query("select person_id, team_id, action, conversation_ids from salestag.audit"),
        );
      assert.deepEqual(await read("dana"), [
        { person_id: KIM, team_id: TEAM, action: "conversation.read", conversation_ids: [FIRST] },
      ]);
      assert.deepEqual(await read("kim"), []);
      assert.deepEqual(await read("stranger"), []);
    });

    it("nothing is done unseen: without a person, or with what could be content, the transaction fails", async () => {
      const entry = { action: "search", purpose: "coaching" as const, conversationIds: [] };
      await assert.rejects(database().as({ sub: "nobody" }, (session) => audit(session, entry)));
      for (const wrong of [
        { ...entry, detail: { words: "too expensive" } },
        { ...entry, detail: { words: "x".repeat(65) } },
        { ...entry, purpose: "curiosity" as never },
        { ...entry, action: "read Mrs Miller" },
      ])
        await assert.rejects(
          database().as({ sub: "dana" }, (session) => audit(session, wrong)),
          refused("invalid", /purpose|content/),
        );
    });
  });

  describe("who may", () => {
    it("a manager, by the token's subject; no rep, nobody unknown", async () => {
      assert.deepEqual(await managerOf(database(), { sub: "dana" }), MANAGER);
      for (const sub of ["kim", "nobody", ""])
        await assert.rejects(managerOf(database(), { sub }), refused("forbidden", /only managers/));
    });
  });

  describe("hold", () => {
    for (const [kind, id] of [
      ["conversation", FIRST],
      ["customer", MILLER],
      ["person", KIM],
    ] as const)
      it(`covers what belongs to it, whichever way it is to be erased (hold on ${kind})`, async () => {
        const placed = await hold({ kind, id });
        for (const subject of [
          { kind: "conversation", id: FIRST },
          { kind: "customer", id: MILLER },
          { kind: "person", id: KIM },
        ] as const)
          await assert.rejects(
            eraser.erase(MANAGER, subject, "asked"),
            refused("held", new RegExp(`nothing was erased: the legal hold ${placed.id}`)),
          );
        assert.equal(Object.keys(await rowsOf(database(), FIRST)).length, 10);
        assert.deepEqual(await unfinished(), []);
        await releaseHold(database(), MANAGER, placed.id, NOW_MS);
        await eraser.erase(MANAGER, { kind: "conversation", id: FIRST }, "asked");
        assert.deepEqual(await rowsOf(database(), FIRST), {});
      });

    it("covers conversations that come later", async () => {
      await hold({ kind: "customer", id: OTTER });
      const later = { wearer: 1, epoch: 9, customer: OTTER, said: "noch einmal" } as const;
      await database().system((session) => addConversation(session, later));
      await assert.rejects(
        eraser.erase(MANAGER, { kind: "conversation", id: idOfPlan(later) }, "asked"),
        refused("held", /hold/),
      );
    });

    it("says who and why, is only released, and once", async () => {
      const { id } = await hold({ kind: "person", id: KIM }, "claim 17");
      await releaseHold(database(), MANAGER, id, NOW_MS + 1);
      const at = new Date(NOW_MS);
      assert.deepEqual(await database().system((session) => holds(session, TEAM)), [
        {
          ...{ id, subject: { kind: "person", id: KIM }, reason: "claim 17" },
          ...{ since: at, releasedAt: new Date(NOW_MS + 1) },
        },
      ]);
      await assert.rejects(releaseHold(database(), MANAGER, id, NOW_MS), refused("unknown", /no hold/));
      const entries = await database().system((session) =>
        session.query("select action, person_id, detail ->> 'hold' as hold from salestag.audit order by at"),
      );
      assert.deepEqual(
        entries,
        ["hold.place", "hold.release"].map((action) => ({ action, person_id: MANAGER.personId, hold: id })),
      );
    });

    it("another team's things are unknown, and a hold needs a reason", async () => {
      for (const subject of [
        { kind: "conversation", id: FIRST },
        { kind: "customer", id: MILLER },
        { kind: "person", id: KIM },
      ] as const) {
        const place = placeHold(database(), STRANGER, subject, "x", { id: idOf("x"), nowMs: NOW_MS });
        await assert.rejects(place, refused("unknown", /the team has no/));
        await assert.rejects(eraser.erase(STRANGER, subject, "asked"), refused("unknown", /the team has no/));
      }
      const { id } = await hold({ kind: "customer", id: MILLER });
      await assert.rejects(releaseHold(database(), STRANGER, id, NOW_MS), refused("unknown", /no hold/));
      await assert.rejects(hold({ kind: "customer", id: MILLER }, " "), refused("invalid", /reason/));
      await assert.rejects(hold({ kind: "customer", id: "x' or true --" }), refused("invalid", /UUID/));
    });

    it("another team's hold on a conversation or customer of ours keeps nothing, nor can it be on our customer", async () => {
      const sql = (column: string) =>
        `insert into salestag.hold (id, team_id, ${column}, reason, since) values ($1, $2, $3, 'x', now())`;
      for (const [column, id] of [
        ["conversation_id", FIRST],
        ["customer_id", MILLER],
      ])
        await assert.rejects(
          database().as({ sub: "stranger" }, (session) =>
            session.query(sql(column), [idOf("hold"), STRANGER.teamId, id]),
          ),
          /row-level security|the team has no customer/,
        );
      await database().system((session) =>
        session.query(sql("conversation_id"), [idOf("hold"), STRANGER.teamId, FIRST]),
      );
      await eraser.begin(MANAGER, { kind: "customer", id: MILLER }, "asked");
    });

    it("tells what it comes too late for", async () => {
      await eraser.begin(MANAGER, { kind: "conversation", id: FIRST }, "asked");
      assert.deepEqual((await hold({ kind: "customer", id: MILLER })).tooLate, [FIRST]);
    });
  });

  describe("retention", () => {
    it("the shortest rule that applies counts; without a rule all is kept (older than 400, 40, 1 and 1 days)", async () => {
      const erasedBy = async () => (await wouldExpire(database(), TEAM, NOW_MS)).erased.map(({ id }) => id);
      assert.deepEqual(await erasedBy(), []);
      await rule(399);
      assert.deepEqual(await erasedBy(), [THIRD]);
      await rule(30, "signal.interest");
      assert.deepEqual(await erasedBy(), [THIRD, SECOND]);
      await rule(500, "objection.pricing");
      assert.deepEqual(await erasedBy(), [THIRD, SECOND]);
      const later = await wouldExpire(database(), TEAM, NOW_MS + 399 * DAY_MS);
      assert.deepEqual(
        later.erased.map(({ id, keepDays }) => [id, keepDays]).sort(),
        [
          [FIRST, 399],
          [SECOND, 30],
          [THIRD, 30],
          [FOURTH, 30],
        ].sort(),
      );
      assert.deepEqual((await wouldExpire(database(), STRANGER.teamId, NOW_MS)).erased, []);
    });

    it("a run erases what the preview names and leaves what a hold covers until its release", async () => {
      await rule(30);
      const held = await hold({ kind: "conversation", id: SECOND });
      const preview = await wouldExpire(database(), TEAM, NOW_MS);
      assert.deepEqual(
        [preview.erased.map(({ id }) => id), preview.held.map(({ id, heldBy }) => [id, heldBy])],
        [[THIRD], [[SECOND, held.id]]],
      );
      assert.deepEqual(await expire(database(), eraser, NOW_MS), { erased: 1, held: 1 });
      assert.deepEqual(await rowsOf(database(), THIRD), {});
      await releaseHold(database(), MANAGER, held.id, NOW_MS);
      assert.deepEqual(await expire(database(), eraser, NOW_MS), { erased: 1, held: 0 });
      assert.deepEqual(await expire(database(), eraser, NOW_MS), { erased: 0, held: 0 });
      await assert.rejects(keyOf(1, 2), toolError(ExitCode.Keys, /shredded/));
      assert.equal(Object.keys(await rowsOf(database(), FIRST)).length, 10);
    });

    it("a conversation whose time nobody knows is kept", async () => {
      await rule(1);
      const unknown: Plan = {
        ...{ wearer: 1, epoch: 9, customer: null, said: "wann" },
        ...{ startedMs: 0, startedSource: "unknown" },
      };
      await database().system((session) => addConversation(session, unknown));
      const { erased } = await wouldExpire(database(), TEAM, NOW_MS);
      assert.ok(!erased.some(({ id }) => id === idOfPlan(unknown)));
    });
  });

  describe("erasure", () => {
    it("of a customer: rows, sealed audio, keys, the customer and sites; all else stays and opens", async () => {
      const begun = await eraser.erase(MANAGER, { kind: "customer", id: MILLER }, "asked");
      assert.deepEqual(begun, { conversationIds: [SECOND, FIRST], withoutKeys: [] });
      for (const id of [FIRST, SECOND]) assert.deepEqual(await rowsOf(database(), id), {});
      assert.deepEqual(await customersOf(database()), ["Otterbein"]);
      for (const [wearer, epoch] of [
        [0, 3],
        [1, 2],
      ])
        await assert.rejects(keyOf(wearer, epoch), toolError(ExitCode.Keys, /shredded/));
      assert.deepEqual(parts.archive.places(), [
        { badge: BADGES[0], epoch: 4 },
        { badge: BADGES[1], epoch: 5 },
      ]);
      assert.deepEqual(await keyOf(0, 4), epochKeyFor(badgeKeys(0), 4));
      assert.equal(Object.keys(await rowsOf(database(), THIRD)).length, 10);
      assert.deepEqual(await unfinished(), []);
      const entries = await database().system((session) =>
        session.query("select action, purpose, conversation_ids, detail from salestag.audit"),
      );
      assert.deepEqual(entries, [
        {
          ...{ action: "erase", purpose: "legal", conversation_ids: [SECOND, FIRST] },
          detail: { customer: MILLER, reason: "asked" },
        },
      ]);
    });

    it("of a customer who has nothing, once", async () => {
      await database().system((session) => session.query("delete from salestag.filing"));
      await eraser.erase(MANAGER, { kind: "customer", id: OTTER }, "asked");
      assert.deepEqual(await customersOf(database()), ["Zinnoberfrau"]);
      await assert.rejects(
        eraser.erase(MANAGER, { kind: "customer", id: OTTER }, "asked"),
        refused("unknown", /no customer/),
      );
    });

    it("of a customer whose hold was released: the hold stays and says nothing of them", async () => {
      const { id } = await hold({ kind: "customer", id: MILLER }, "Zinnoberfrau against us");
      await releaseHold(database(), MANAGER, id, NOW_MS);
      await eraser.erase(MANAGER, { kind: "customer", id: MILLER }, "asked");
      const [left] = await database().system((session) => holds(session, TEAM));
      assert.deepEqual([left.id, left.reason], [id, "erased with the customer"]);
    });

    it("of a person's recordings, not of the person", async () => {
      await eraser.erase(MANAGER, { kind: "person", id: KIM }, "closed-account");
      for (const id of [FIRST, THIRD]) assert.deepEqual(await rowsOf(database(), id), {});
      assert.deepEqual(await customersOf(database()), ["Otterbein", "Zinnoberfrau"]);
      const people = await database().system((session) =>
        session.query("select from salestag.person where id = $1", [KIM]),
      );
      assert.equal(people.length, 1);
    });

    it("what was erased is refused by the database itself, whoever writes", async () => {
      await eraser.erase(MANAGER, { kind: "customer", id: MILLER }, "asked");
      await assert.rejects(
        database().system((session) => addConversation(session, PLANS[0])),
        /was erased; it is not taken in again/,
      );
      for (const [sql, values] of [
        ["insert into salestag.transcript values ($1, 'late', '{}', now())", [FIRST]],
        ["insert into salestag.filing (conversation_id, team_id) values ($1, $2)", [FIRST, TEAM]],
        ["update salestag.filing set customer_id = $1 where conversation_id = $2", [MILLER, THIRD]],
        ["insert into salestag.site values ($1, $2, $3, null, 'Gasse 2')", [idOf("s"), TEAM, MILLER]],
      ] as const)
        await assert.rejects(
          database().system((session) => session.query(sql, [...values])),
          /was erased/,
        );
    });

    it("a conversation of which only filing and transcript are here: its place is found by its chunks", async () => {
      await database().system((session) => session.query("delete from salestag.conversation"));
      const begun = await eraser.erase(MANAGER, { kind: "customer", id: MILLER }, "asked");
      assert.deepEqual(begun.withoutKeys, []);
      await assert.rejects(keyOf(0, 3), toolError(ExitCode.Keys, /shredded/));
      await parts.archive.remove({ badge: BADGES[0], epoch: 4 });
      const other = await eraser.erase(MANAGER, { kind: "customer", id: OTTER }, "asked");
      assert.deepEqual(other, { conversationIds: [THIRD], withoutKeys: [THIRD] });
    });

    it("each call that fails is made up for by the next finish (each transaction, a table's scrub, each call to vault and archive in turn)", async () => {
      let counted = 0;
      await fallible(parts, () => void counted++).erase(MANAGER, { kind: "customer", id: MILLER }, "asked");
      assert.ok(counted > 15, `${counted} calls`);
      for (let failing = 1; failing <= counted; failing++) {
        await afresh(database(), parts);
        let call = 0;
        const broken = fallible(parts, () => {
          if (++call === failing) throw new Error("the power went");
        });
        await broken
          .erase(MANAGER, { kind: "customer", id: MILLER }, "asked")
          .then(() => assert.fail(`call ${failing} did not fail`))
          .catch((cause) => assert.match(String(cause), /the power went/));
        const left = await unfinished();
        // Before it was begun nothing is gone; afterwards everything goes.
        if (left.length === 0 && (await customersOf(database())).includes("Zinnoberfrau"))
          await eraser.erase(MANAGER, { kind: "customer", id: MILLER }, "asked");
        else await new Eraser(parts, () => NOW_MS).finish();
        assert.deepEqual(await unfinished(), [], `after call ${failing}`);
        assert.deepEqual([await rowsOf(database(), FIRST), await rowsOf(database(), SECOND)], [{}, {}]);
        assert.deepEqual(await customersOf(database()), ["Otterbein"]);
        assert.equal(parts.archive.places().length, 2);
        const [due] = await database().system((session) => session.query("select from salestag.scrub_due"));
        assert.equal(due, undefined);
      }
    });

    it("a vault that is away keeps nobody's text: rows and audio go, keys later", async () => {
      const { vault } = parts.keys;
      const away = new Eraser({ ...parts, keys: { vault, identities: [] } }, () => NOW_MS);
      await assert.rejects(away.erase(MANAGER, { kind: "customer", id: MILLER }, "asked"));
      assert.deepEqual(await rowsOf(database(), FIRST), {});
      assert.equal(parts.archive.places().length, 2);
      assert.equal((await unfinished()).length, 3);
      await eraser.finish();
      await assert.rejects(keyOf(0, 3), toolError(ExitCode.Keys, /shredded/));
      assert.deepEqual(await unfinished(), []);
    });

    it("what begins while another one is being ended is not taken for done", async () => {
      await eraser.begin(MANAGER, { kind: "conversation", id: FIRST }, "asked");
      const slow = new Eraser(
        {
          ...parts,
          archive: {
            places: () => parts.archive.places(),
            remove: async (place) => {
              await eraser.begin(MANAGER, { kind: "conversation", id: FOURTH }, "asked");
              await parts.archive.remove(place);
            },
          },
        },
        () => NOW_MS,
      );
      await slow.finish();
      assert.deepEqual(await unfinished(), [{ conversation_id: FOURTH }]);
      assert.equal(Object.keys(await rowsOf(database(), FOURTH)).length, 9);
      await eraser.finish();
      assert.deepEqual(await rowsOf(database(), FOURTH), {});
    });
  });
});

/** An eraser that tells of every call to what it works with, before the call. */
function fallible(parts: EraserParts, told: () => void): Eraser {
  const { database, archive, keys } = parts;
  const watched: EraserParts = {
    ...parts,
    database: {
      ...database,
      durable: database.durable,
      system: (work) => {
        told();
        return database.system(work);
      },
      alone: (statement, msMax) => {
        if (statement === "vacuum full salestag.word") told(); // one of many that are alike
        return database.alone(statement, msMax);
      },
    },
    archive: {
      places: () => archive.places(),
      remove: (place) => {
        told();
        return archive.remove(place);
      },
    },
    keys: {
      identities: keys.identities,
      get vault() {
        told();
        return keys.vault;
      },
    },
  };
  return new Eraser(watched, () => NOW_MS);
}

/** The same team again, with nothing erased but the keys that are. */
async function afresh(database: Database, parts: EraserParts): Promise<void> {
  await emptied(database);
  await fill(database);
  await sealAll(parts.archive as Archive);
}
