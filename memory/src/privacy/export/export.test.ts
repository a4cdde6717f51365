// Export of a customer's and a person's data: what is in it, what is not, and that it appears whole or not at all.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fillGaps, oggOpus } from "@salestag/protocol/team";
import {
  modeOf,
  opusPackets,
  readOgg,
  requireProgram,
  runProgram,
  useFolder,
} from "@salestag/protocol/testing";
import { onBothDatabases } from "../../testing/databases";
import { audit } from "../audit";
import { PrivacyError } from "../error";
import {
  addConversation,
  fill,
  idOf,
  idOfPlan,
  KIM,
  MANAGER,
  MILLER,
  NOW_MS,
  OTTER,
  PLANS,
  SECRET,
  STRANGER,
} from "../privacy.fixture";
import { exportSubject } from "./export";

const AUDIO = oggOpus(fillGaps(opusPackets(20).map((packet, n) => ({ startMs: n * 20, packet }))), {
  serial: 1,
  inputRateHz: 16_000,
  comments: [],
});

onBothDatabases("privacy: export", (database) => {
  const folder = useFolder();
  const parts = (audio: Buffer | undefined = AUDIO) => ({
    database: database(),
    audioOf: async () => audio,
  });

  before(function () {
    requireProgram(this as unknown as Mocha.Context, "unzip", "-v");
  });
  beforeEach(() => fill(database()));

  /** @returns the files of a ZIP, as a program that is not ours reads them */
  function unpacked(path: string): Map<string, Buffer> {
    const to = join(folder(), "unpacked");
    runProgram("unzip", ["-q", path, "-d", to]);
    const files = readdirSync(to, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    return new Map(
      files.map((file) => {
        const place = join(file.parentPath, file.name);
        return [place.slice(to.length + 1), readFileSync(place)];
      }),
    );
  }

  it("of a customer: every conversation with page and audio, sums that fit, nothing of others", async () => {
    await database().as({ sub: "dana" }, (session) =>
      audit(session, {
        ...{ action: "conversation.read", purpose: "coaching", atMs: NOW_MS - 5 },
        conversationIds: PLANS.map(idOfPlan),
      }),
    );
    const path = join(folder(), "miller.zip");
    const { conversations, files } = await exportSubject(
      parts(),
      MANAGER,
      { kind: "customer", id: MILLER },
      path,
      NOW_MS,
    );
    assert.equal(conversations, 2);
    assert.equal(modeOf(path), 0o600);
    assert.deepEqual(readdirSync(folder()), ["miller.zip"]);
    const found = unpacked(path);
    assert.deepEqual([...found.keys()].sort(), files.map(({ name }) => name).sort());
    const manifest = JSON.parse(String(found.get("manifest.json"))) as {
      files: { name: string; bytes: number; sha256: string }[];
    };
    assert.equal(manifest.files.length, files.length - 1);
    for (const { name, bytes, sha256 } of manifest.files) {
      const content = found.get(name)!;
      assert.equal(content.length, bytes);
      assert.equal(createHash("sha256").update(content).digest("hex"), sha256, name);
    }
    const conversation = `conversations/2025-12-31-${idOfPlan(PLANS[0])}`;
    const told = JSON.parse(String(found.get(`${conversation}/conversation.json`)));
    assert.deepEqual(told.consent, { atMs: 500, means: "phrase" });
    assert.equal(told.turns[0].text, PLANS[0].said);
    assert.ok(readOgg(found.get(`${conversation}/audio.ogg`)!).every(({ crcFits }) => crcFits));
    assert.match(String(found.get(`${conversation}/index.html`)), new RegExp(SECRET));
    const everything = Buffer.concat([...found.values()]).toString();
    for (const other of [
      ...["Otterbein", "schiefer", "niemand macht auf", OTTER, "Kim", "Lee", "Dana"],
      ...[idOfPlan(PLANS[2]), idOfPlan(PLANS[3])],
    ])
      assert.ok(!everything.includes(other), `${other} is in it`);
    const entries = String(found.get("audit.jsonl")).trim().split("\n");
    assert.deepEqual(
      entries.map((line) => JSON.parse(line)),
      [
        ["conversation.read", "coaching", NOW_MS - 5, [idOfPlan(PLANS[0]), idOfPlan(PLANS[1])]],
        ["export", "legal", NOW_MS, [idOfPlan(PLANS[1]), idOfPlan(PLANS[0])]],
      ].map(([action, purpose, atMs, conversationIds]) => ({
        ...{ at: new Date(atMs as number).toISOString(), action, purpose, by: "manager", conversationIds },
      })),
    );
  });

  it("of a person: what the badge recorded, and nothing that was written about customers", async () => {
    const path = join(folder(), "kim.zip");
    await exportSubject(parts(undefined), MANAGER, { kind: "person", id: KIM }, path, NOW_MS);
    const found = unpacked(path);
    const everything = Buffer.concat([...found.values()]).toString();
    for (const own of ["Kim", SECRET, "schiefer"]) assert.ok(everything.includes(own), own);
    for (const other of ["Zinnoberfrau", "Otterbein", "Quittenweg", "niemand macht auf", "Lee"])
      assert.ok(!everything.includes(other), `${other} is in it`);
  });

  it("a conversation that is filed at somebody else's site shows neither address nor note", async () => {
    const plan = { wearer: 1, epoch: 8, customer: OTTER, said: "im garten" } as const;
    await database().system(async (session) => {
      await addConversation(session, plan);
      await session.query("update salestag.filing set site_id = $1 where conversation_id = $2", [
        idOf("Zinnoberfrau site"),
        idOfPlan(plan),
      ]);
    });
    const path = join(folder(), "otter.zip");
    await exportSubject(parts(), MANAGER, { kind: "customer", id: OTTER }, path, NOW_MS);
    const everything = Buffer.concat([...unpacked(path).values()]).toString();
    assert.ok(everything.includes("im garten"));
    assert.ok(!everything.includes("Zinnoberfrau"));
  });

  it("what was said is text on a page, never markup, and pages ask no network for anything", async () => {
    const said = `<script src="https://x.invalid/a.js"></script>"'&`;
    await database().system((session) =>
      addConversation(session, { wearer: 1, epoch: 8, customer: OTTER, said }),
    );
    const path = join(folder(), "otter.zip");
    await exportSubject(parts(), MANAGER, { kind: "customer", id: OTTER }, path, NOW_MS);
    const pages = [...unpacked(path)]
      .filter(([name]) => name.endsWith(".html"))
      .map(([, page]) => String(page));
    assert.equal(pages.length, 3);
    for (const page of pages) {
      assert.ok(!/<script|(src|href)="(https?:|\/\/)/.test(page));
      assert.match(page, /default-src 'none'/);
    }
    assert.ok(pages.some((page) => page.includes("&lt;script src=&quot;https")));
  });

  it("more entries of the audit log than one page of them, each once (1300, many at the same time)", async () => {
    await database().system((session) =>
      session.query(
        `insert into salestag.audit select gen_random_uuid(), $1, $2::timestamptz + n % 7 * interval '1 microsecond', null, 'search', 'quality',
           array[$3::uuid] from generate_series(1, 1300) n`,
        [MANAGER.teamId, new Date(NOW_MS - 1000), idOfPlan(PLANS[0])],
      ),
    );
    const path = join(folder(), "miller.zip");
    await exportSubject(parts(), MANAGER, { kind: "customer", id: MILLER }, path, NOW_MS);
    const lines = String(unpacked(path).get("audit.jsonl")).trim().split("\n");
    assert.equal(lines.length, 1301);
  });

  it("fails as a whole: audio that cannot be opened, a file that is there, another team's customer", async () => {
    const path = join(folder(), "miller.zip");
    const subject = { kind: "customer", id: MILLER } as const;
    const broken = {
      database: database(),
      audioOf: async (): Promise<Buffer> => {
        throw new Error("the disk is gone");
      },
    };
    await assert.rejects(exportSubject(broken, MANAGER, subject, path, NOW_MS), /the disk is gone/);
    await assert.rejects(exportSubject(parts(), STRANGER, subject, path, NOW_MS), /the team has no customer/);
    assert.deepEqual(readdirSync(folder()), []);
    writeFileSync(path, "mine");
    await assert.rejects(exportSubject(parts(), MANAGER, subject, path, NOW_MS), PrivacyError);
    assert.equal(readFileSync(path, "utf8"), "mine");
    assert.ok(!existsSync(join(folder(), "unpacked")));
    assert.deepEqual(readdirSync(folder()), ["miller.zip"]);
  });
});
