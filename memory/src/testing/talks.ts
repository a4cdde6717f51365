// Conversations with talk in them, for tests of what searches: two teams with a manager, two reps and two customers each.
import { localEmbedder } from "../embed/local";
import type { TagKind } from "../model/taxonomy";
import { indexConversation } from "../search/index-conversation";
import type { Claims, Database, Session } from "../store/database";

/** @returns the UUID that ends with this number */
export function uuid(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
}

/** Ids of team 0; those of team 1 are 100 more. */
export const IDS = {
  team: 1,
  manager: 2,
  rep: 3,
  otherRep: 4,
  territory: 5,
  customer: 6,
  otherCustomer: 7,
  site: 8,
};
/** Time of day 0 of `Talk.day`. */
export const DAY_0_MS = Date.UTC(2025, 0, 1);
const DAY_MS = 24 * 3600 * 1000;

/** A conversation. */
export interface Talk {
  /** Its id is uuid(number); 1000 or more. */
  number: number;
  /** 0 or 1. */
  team?: number;
  /** Number of the person in team 0. */
  person?: number;
  /** After DAY_0_MS. */
  day?: number;
  /** Lines such as "R: Good morning." and "C: Too dear. [objection.pricing]", where the tag is for the whole turn. */
  lines: string[];
  summary?: string;
  /** Number of the customer in team 0. */
  customer?: number;
  site?: number;
  outcome?: "open" | "won" | "lost";
  /** What the badge heard. */
  phrases?: string[];
  language?: string;
  transcribedBy?: string;
}

/** @returns claims of a person: number of IDS */
export function claimsOf(person: number, team = 0): Claims {
  return { sub: `person ${person + 100 * team}` };
}

/** Puts both teams into an empty database. */
export async function addSalesTeams(database: Database): Promise<void> {
  await database.system(async (session) => {
    for (const team of [0, 100]) {
      const [teamId, territory] = [uuid(IDS.team + team), uuid(IDS.territory + team)];
      await session.query("insert into salestag.team values ($1, $2, now())", [teamId, `Team ${team}`]);
      await session.query("insert into salestag.badge values ($1, $2, 'badge')", [badgeOf(team), teamId]);
      for (const person of [IDS.manager, IDS.rep, IDS.otherRep])
        await session.query("insert into salestag.person values ($1, $2, $3, $4, $5)", [
          uuid(person + team),
          teamId,
          `Person ${person + team}`,
          person === IDS.manager ? "manager" : "rep",
          `person ${person + team}`,
        ]);
      await session.query("insert into salestag.territory values ($1, $2, 'North')", [territory, teamId]);
      for (const customer of [IDS.customer, IDS.otherCustomer])
        await session.query("insert into salestag.customer values ($1, $2, $3, $4)", [
          uuid(customer + team),
          teamId,
          `Customer ${customer + team}`,
          customer === IDS.customer ? territory : null,
        ]);
      await session.query(
        "insert into salestag.site (id, team_id, territory_id, address) values ($1, $2, $3, 'Elm Street 1')",
        [uuid(IDS.site + team), teamId, territory],
      );
    }
  });
}

/** Stores a conversation, and makes it findable with the local embedder. */
export async function addTalk(database: Database, talk: Talk): Promise<string> {
  const id = uuid(talk.number);
  await database.system(async (session) => {
    await addConversation(session, id, talk);
    await addSaid(session, id, talk);
  });
  await indexConversation(database, localEmbedder(), id, new AbortController().signal);
  return id;
}

function badgeOf(team: number): string {
  return team.toString(16).padStart(16, "0");
}

async function addConversation(session: Session, id: string, talk: Talk): Promise<void> {
  const { number, person = IDS.rep, day = 0, transcribedBy = "test" } = talk;
  const team = 100 * (talk.team ?? 0);
  await session.query(
    `insert into salestag.conversation (id, team_id, badge_id, epoch, person_id, started_at, started_source, duration_ms, state, complete, chunks, transcribed_by)
    values ($1, $2, $3, $4, $5, $6, 'badge clock', 60000, 'final', true, 3, $7)`,
    [
      id,
      uuid(IDS.team + team),
      badgeOf(team),
      number,
      uuid(person + team),
      new Date(DAY_0_MS + day * DAY_MS),
      transcribedBy,
    ],
  );
  await session.query("insert into salestag.consent values ($1, 0, 'announced')", [id]);
  if (talk.language !== undefined)
    await session.query("insert into salestag.transcript values ($1, 'test', $2::jsonb, now())", [
      id,
      JSON.stringify({ language: talk.language }),
    ]);
  const { customer, site, outcome } = talk;
  if (customer !== undefined || site !== undefined || outcome !== undefined)
    await session.query("insert into salestag.filing values ($1, $2, $3, $4, $5)", [
      id,
      uuid(IDS.team + team),
      customer === undefined ? null : uuid(customer + team),
      site === undefined ? null : uuid(site + team),
      outcome ?? "open",
    ]);
}

async function addSaid(session: Session, id: string, { lines, summary, phrases = [] }: Talk): Promise<void> {
  const tags: { turn: number; kind: string; quote: string }[] = [];
  for (const [turn, line] of lines.entries()) {
    const [, who, text, kinds] = /^([RC]): (.*?)(?: \[([^\]]*)\])?$/.exec(line) ?? [];
    await session.query("insert into salestag.turn values ($1, $2, $3, $4, $5, $6)", [
      id,
      turn,
      who === "R" ? "rep" : "other",
      turn * 1000,
      turn * 1000 + 900,
      text,
    ]);
    for (const kind of kinds?.split(" ") ?? []) tags.push({ turn, kind: kind as TagKind, quote: text });
  }
  for (const [n, { turn, kind, quote }] of tags.entries())
    await session.query(
      "insert into salestag.tag values ($1, $2, $3, $4, 0, 0, $5, $6, $7, 'rules/test', 'as said', 1)",
      [id, n, kind, turn, turn * 1000, turn * 1000 + 900, quote],
    );
  for (const [n, text] of phrases.entries())
    await session.query("insert into salestag.phrase values ($1, $2, $3, $4, $5)", [
      id,
      n,
      n * 1000,
      n * 1000 + 900,
      text,
    ]);
  if (summary !== undefined)
    await session.query("insert into salestag.insight values ($1, 'summary', $2::jsonb)", [
      id,
      JSON.stringify({ text: summary }),
    ]);
}
