// Tries to get what nobody consented to into the memory, and looks for it in every file of the data folder.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ConsentMeans } from "@salestag/protocol/host";
import { lineLog } from "@salestag/protocol/service";
import { badgeKeys, RECEIVED_MS, useFolder } from "@salestag/protocol/testing";
import { localEmbedder } from "../embed";
import { type Memory, SETTINGS_DEFAULT, startMemory } from "../memory";
import { localStructurer } from "../tagger";
import { ManualClock } from "../testing/manual-clock";
import { makeTeam, talk } from "../testing/team";

const SAID = "hyazinthene quittungen";
const SILENT = { phrases: [SAID], consent: null };
const [WEARER, OTHER] = [badgeKeys(0).badge, badgeKeys(1).badge];

describe("privacy: consent", () => {
  let memory: Memory;
  afterEach(() => memory.close()); // before its folder is removed
  const folder = useFolder();

  beforeEach(async () => {
    const team = await makeTeam(folder(), 2);
    const clock = new ManualClock(RECEIVED_MS + 1000);
    memory = await startMemory(
      {
        ...SETTINGS_DEFAULT,
        ...{ data: join(folder(), "data"), vault: team.vaultFolder, identity: team.identity },
        ...{ team: "Sunny Roofs", webhookSecrets: [] },
      },
      {
        ...{ structurer: localStructurer(), embedder: localEmbedder(), clock },
        ...{ log: lineLog(clock, () => undefined, true), random: () => 0.5 },
        newId: () => "00000000-0000-4000-8000-000000000000",
      },
    );
  });

  it("nothing of a conversation is in any file without its own consent event (none, another epoch's, another badge's, forged, a check's)", async () => {
    const own = talk({ ...SILENT, epoch: 1 });
    const consented = talk({ epoch: 1, phrases: [SAID] });
    const first = talk({ epoch: 2, phrases: [SAID] })[0];
    const stranger = talk({ badge: 1, epoch: 1, phrases: [SAID] })[0];
    const forged = { ...consented[0], sealed: Buffer.from(consented[0].sealed) };
    forged.sealed[0] ^= 1;
    const attempts = [
      own,
      [...talk({ ...SILENT, epoch: 3 }), { ...first, epoch: 3, index: 90 }],
      [...talk({ ...SILENT, epoch: 4 }), { ...stranger, badge: WEARER, epoch: 4, index: 91 }],
      [...talk({ ...SILENT, epoch: 5 }), { ...forged, epoch: 5, index: 92 }],
      talk({ epoch: 6, phrases: [SAID], consent: ConsentMeans.Check }),
      talk({ badge: 1, epoch: 7, phrases: [SAID], consent: null, ends: false }),
    ];
    for (const records of attempts) await memory.intake.take(records).catch(() => undefined);
    await memory.idle();
    await memory.database.alone("checkpoint", 60_000);
    assert.deepEqual(rowsWith(join(folder(), "data")), []);
    const [{ count }] = await memory.database.system((session) =>
      session.query<{ count: number }>("select count(*) from salestag.conversation"),
    );
    assert.equal(count, 0);
    assert.ok(memory.archive.placesOf(WEARER).length + memory.archive.placesOf(OTHER).length > 0);
    // The search finds what may be there.
    await memory.intake.take(talk({ epoch: 8, phrases: [SAID] }));
    await memory.idle();
    assert.ok(rowsWith(join(folder(), "data")).length > 0);
  });

  it("the database refuses a conversation without a row of consent, whoever writes it", async () => {
    await memory.database.system((session) =>
      session.query("insert into salestag.badge values ($1, $2, 'x') on conflict do nothing", [
        WEARER,
        memory.teamId,
      ]),
    );
    const insert = memory.database.system((session) =>
      session.query(
        `insert into salestag.conversation (id, team_id, badge_id, epoch, started_at, started_source, duration_ms, state, complete, chunks)
         values (gen_random_uuid(), $1, $2, 9, now(), 'unknown', 1, 'final', true, 1)`,
        [memory.teamId, WEARER],
      ),
    );
    await assert.rejects(insert, /foreign key/);
  });
});

/** @returns files that have what was said */
function rowsWith(data: string): string[] {
  return readdirSync(data, { recursive: true, encoding: "utf8" })
    .map((name) => join(data, name))
    .filter((path) => statSync(path).isFile() && /hyazinthen|quittung/.test(readFileSync(path, "latin1")));
}
