// A team for tests of people's rights: two reps with a badge each, two customers, conversations with every part that one can have, sealed audio, and a vault.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { ConsentMeans, EndReason, EventKind } from "@salestag/protocol/host";
import { epochKeyFor } from "@salestag/protocol/team";
import {
  audioChunk,
  badgeKeys,
  eventsChunk,
  makeVault,
  opusPackets,
  person,
  recordOf,
} from "@salestag/protocol/testing";
import { Archive } from "../ingest/archive";
import { conversationId } from "../model/conversation-id";
import type { Database, Session } from "../store/database";
import type { Actor } from "./actor";
import { Eraser, type EraserParts } from "./erasure";

/** @returns a UUID that follows from a name */
export function idOf(name: string): string {
  const hex = createHash("md5").update(name).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

export const TEAM = idOf("team");
export const OTHER_TEAM = idOf("other team");
export const MANAGER: Actor = { teamId: TEAM, personId: idOf("Dana") };
export const STRANGER: Actor = { teamId: OTHER_TEAM, personId: idOf("Stranger") };
export const KIM = idOf("Kim");
export const LEE = idOf("Lee");
export const MILLER = idOf("Zinnoberfrau");
export const OTTER = idOf("Otterbein");
export const NOW_MS = Date.UTC(2026, 0, 1);
export const DAY_MS = 86_400_000;
/** Badges of Kim and Lee: those of `badgeKeys`. */
export const BADGES = [badgeKeys(0).badge, badgeKeys(1).badge];
/** What was said to Zinnoberfrau, and nowhere else. */
export const SECRET = "hyazinthene quittungen verdampfen";

/** A conversation to make. */
export interface Plan {
  /** Place in BADGES. */
  wearer: 0 | 1;
  epoch: number;
  customer: string | null;
  said: string;
  startedMs?: number;
  startedSource?: string;
  tag?: string;
}

export const PLANS: Plan[] = [
  { wearer: 0, epoch: 3, customer: MILLER, said: `${SECRET} sagte sie`, tag: "objection.pricing" },
  { wearer: 1, epoch: 2, customer: MILLER, said: `wieder ${SECRET} heute`, startedMs: NOW_MS - 40 * DAY_MS },
  { wearer: 0, epoch: 4, customer: OTTER, said: "ein dach aus schiefer", startedMs: NOW_MS - 400 * DAY_MS },
  { wearer: 1, epoch: 5, customer: null, said: "niemand macht auf" },
];

/** @returns the id of a plan's conversation */
export function idOfPlan({ wearer, epoch }: Plan): string {
  return conversationId(BADGES[wearer], epoch);
}

/** Puts the team and its conversations into an empty database. */
export async function fill(database: Database, plans = PLANS): Promise<void> {
  await database.system(async (session) => {
    await addPeople(session);
    for (const plan of plans) await addConversation(session, plan);
  });
}

async function addPeople(session: Session): Promise<void> {
  for (const [id, name] of [
    [TEAM, "Sunny Roofs"],
    [OTHER_TEAM, "Others"],
  ])
    await session.query("insert into salestag.team values ($1, $2, $3)", [id, name, new Date(NOW_MS)]);
  for (const [name, role, team] of [
    ["Dana", "manager", TEAM],
    ["Kim", "rep", TEAM],
    ["Lee", "rep", TEAM],
    ["Stranger", "manager", OTHER_TEAM],
  ])
    await session.query("insert into salestag.person values ($1, $2, $3, $4, $5)", [
      idOf(name),
      team,
      name,
      role,
      name.toLowerCase(),
    ]);
  for (const badge of BADGES)
    await session.query("insert into salestag.badge values ($1, $2, 'Badge')", [badge, TEAM]);
  for (const name of ["Zinnoberfrau", "Otterbein"]) {
    await session.query(
      "insert into salestag.customer (id, team_id, name, note) values ($1, $2, $3, 'wohnt am Quittenweg')",
      [idOf(name), TEAM, name],
    );
    await session.query(
      "insert into salestag.site (id, team_id, customer_id, address) values ($1, $2, $3, $4)",
      [idOf(`${name} site`), TEAM, idOf(name), `${name}gasse 1`],
    );
  }
}

/** Every part that a conversation can have. */
export async function addConversation(session: Session, plan: Plan): Promise<void> {
  const { wearer, epoch, customer, said, tag = "signal.interest" } = plan;
  const id = idOfPlan(plan);
  const started = new Date(plan.startedMs ?? NOW_MS - DAY_MS);
  await session.query(
    `insert into salestag.conversation (id, team_id, badge_id, epoch, person_id, started_at, started_source, duration_ms, state, complete, chunks,
       transcribed_by, document) values ($1, $2, $3, $4, $5, $6, $7, 60000, 'final', true, 2, 'test', to_tsvector('simple', $8))`,
    [id, TEAM, BADGES[wearer], epoch, [KIM, LEE][wearer], started, plan.startedSource ?? "badge clock", said],
  );
  await session.query("insert into salestag.consent values ($1, 500, 'phrase')", [id]);
  await session.query("insert into salestag.phrase values ($1, 0, 100, 900, $2)", [id, said]);
  await session.query("insert into salestag.turn values ($1, 0, 'other', 100, 900, $2)", [id, said]);
  for (const [n, text] of said.split(" ").entries())
    await session.query("insert into salestag.word values ($1, 0, $2, $3, 100, 900)", [id, n, text]);
  await session.query(
    "insert into salestag.tag values ($1, 0, $3, 0, 0, 1, 100, 900, $2, 'rules/x', 'because', 0.9)",
    [id, said, tag],
  );
  await session.query("insert into salestag.insight values ($1, 'summary', $2)", [
    id,
    JSON.stringify({ kind: "summary", text: said }),
  ]);
  await session.query("insert into salestag.embedding values ($1, 'conversation', 0, 'm', '[1,2,3]')", [id]);
  await session.query("insert into salestag.transcript values ($1, 'test', $2, $3)", [
    id,
    JSON.stringify({ text: said }),
    started,
  ]);
  if (customer !== null)
    await session.query(
      "insert into salestag.filing (conversation_id, team_id, customer_id, note) values ($1, $2, $3, $4)",
      [id, TEAM, customer, said],
    );
}

/** Seals each plan's conversation into an archive, makes a vault that opens them, and an eraser of all of it. */
export async function eraserAt(
  folder: string,
  database: Database,
  databaseFolder: string | undefined,
): Promise<{ eraser: Eraser; parts: EraserParts }> {
  const operator = await person(folder, "operator");
  const vault = await makeVault(join(folder, "vault"), [operator], 2);
  const archive = Archive.open(join(folder, "chunks"));
  await sealAll(archive);
  const parts = { database, archive, keys: { vault, identities: operator.identities }, databaseFolder };
  return { eraser: new Eraser(parts, () => NOW_MS), parts };
}

/** Puts each plan's chunks into an archive. */
export async function sealAll(archive: Archive): Promise<void> {
  for (const { wearer, epoch } of PLANS) await sealInto(archive, wearer, epoch);
}

async function sealInto(archive: Archive, wearer: number, epoch: number): Promise<void> {
  const keys = badgeKeys(wearer);
  const plans = [
    audioChunk(0, 0, opusPackets(50)),
    eventsChunk(1, [
      { atMs: 0, kind: EventKind.ConversationStart, values: [epoch] },
      { atMs: 500, kind: EventKind.Consent, values: [ConsentMeans.Phrase] },
      { atMs: 1000, kind: EventKind.ConversationEnd, values: [EndReason.Silence] },
    ]),
  ];
  for (const plan of plans)
    await archive.put(recordOf(plan, epochKeyFor(keys, epoch), epoch, NOW_MS, keys.badge));
}
