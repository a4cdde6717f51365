// Two teams for tests, with people, places and a conversation of each rep.
import type { Session } from "../store/database";

/** @returns a UUID that says what it is: `id("a", 1)` */
export function idOf(team: "a" | "b", number: number): string {
  return `${team.repeat(8)}-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
}

/** Numbers of `idOf` in each team. */
export const NUMBERS = {
  team: 1,
  manager: 2,
  rep: 3,
  otherRep: 4,
  territory: 5,
  customer: 6,
  site: 7,
  /** Of `rep`. */
  conversation: 8,
  /** Of `otherRep`. */
  otherConversation: 9,
  retention: 10,
  hold: 11,
  audit: 12,
} as const;

/** Subject of a person's tokens, `a-rep`. */
export function subjectOf(team: "a" | "b", who: "manager" | "rep" | "otherRep"): string {
  return `${team}-${who}`;
}

export function badgeOf(team: "a" | "b"): string {
  return team.repeat(16);
}

const AT = new Date(Date.UTC(2025, 5, 1, 12));

/** Puts both teams into an empty database. */
export async function addTeams(session: Session): Promise<void> {
  for (const team of ["a", "b"] as const) {
    await addPeople(session, team);
    await addPlaces(session, team);
    await addConversation(session, team, NUMBERS.conversation, NUMBERS.rep);
    await addConversation(session, team, NUMBERS.otherConversation, NUMBERS.otherRep);
    await addRules(session, team);
  }
}

async function addPeople(session: Session, team: "a" | "b"): Promise<void> {
  const teamId = idOf(team, NUMBERS.team);
  await session.query("insert into salestag.team values ($1, $2, $3)", [teamId, `Team ${team}`, AT]);
  for (const who of ["manager", "rep", "otherRep"] as const)
    await session.query("insert into salestag.person values ($1, $2, $3, $4, $5)", [
      idOf(team, NUMBERS[who]),
      teamId,
      `${who} of ${team}`,
      who === "manager" ? "manager" : "rep",
      subjectOf(team, who),
    ]);
  await session.query("insert into salestag.badge values ($1, $2, 'badge')", [badgeOf(team), teamId]);
  await session.query("insert into salestag.wearer values ($1, $2, $3)", [
    badgeOf(team),
    AT,
    idOf(team, NUMBERS.rep),
  ]);
}

async function addPlaces(session: Session, team: "a" | "b"): Promise<void> {
  const [teamId, territory, customer, site] = [1, 5, 6, 7].map((number) => idOf(team, number));
  await session.query("insert into salestag.territory values ($1, $2, 'North')", [territory, teamId]);
  await session.query("insert into salestag.customer values ($1, $2, 'Miller', $3)", [
    customer,
    teamId,
    territory,
  ]);
  await session.query("insert into salestag.site values ($1, $2, $3, $4, 'Elm Street 1')", [
    site,
    teamId,
    customer,
    territory,
  ]);
}

async function addRules(session: Session, team: "a" | "b"): Promise<void> {
  const teamId = idOf(team, NUMBERS.team);
  await session.query("insert into salestag.retention values ($1, $2, null, 30)", [
    idOf(team, NUMBERS.retention),
    teamId,
  ]);
  await session.query(
    "insert into salestag.hold (id, team_id, customer_id, reason, since) values ($1, $2, $3, 'a case', $4)",
    [idOf(team, NUMBERS.hold), teamId, idOf(team, NUMBERS.customer), AT],
  );
  await session.query("insert into salestag.audit values ($1, $2, $3, $4, 'search', 'a call')", [
    idOf(team, NUMBERS.audit),
    teamId,
    AT,
    idOf(team, NUMBERS.rep),
  ]);
  await session.query("insert into salestag.erasure values ($1, $2, $3, 99, 'asked for', $4)", [
    idOf(team, 99),
    teamId,
    badgeOf(team),
    AT,
  ]);
  await session.query("insert into salestag.customer_erasure values ($1, $2, 'asked for', $3)", [
    idOf(team, 98),
    teamId,
    AT,
  ]);
}

/** A conversation with one row in each of its tables. @param person number of `idOf` */
export async function addConversation(
  session: Session,
  team: "a" | "b",
  number: number,
  person: number,
): Promise<void> {
  const id = idOf(team, number);
  await session.query(
    `insert into salestag.conversation (id, team_id, badge_id, epoch, person_id, started_at, started_source, duration_ms, state, complete, chunks)
      values ($1, $2, $3, $4, $5, $6, 'badge clock', 60000, 'final', true, 3)`,
    [id, idOf(team, NUMBERS.team), badgeOf(team), number, idOf(team, person), AT],
  );
  for (const [table, values] of PARTS)
    await session.query(`insert into salestag.${table} values ($1, ${values})`, [id]);
  await session.query(
    "insert into salestag.filing (conversation_id, team_id, customer_id) values ($1, $2, $3)",
    [id, idOf(team, NUMBERS.team), idOf(team, NUMBERS.customer)],
  );
}

/** Rows of a conversation's tables, after its id. */
const PARTS = [
  ["consent", "0, 'announced'"],
  ["phrase", "0, 100, 900, 'too expensive'"],
  ["turn", "0, 'other', 0, 1000, 'too expensive'"],
  ["word", "0, 0, 'too', 0, 400"],
  ["tag", "0, 'objection.pricing', 0, 0, 1, 0, 1000, 'too expensive', 'rules/x', 'because', 1"],
  ["insight", "'summary', '{\"text\":\"x\"}'"],
  ["embedding", "'conversation', 0, 'local/1', '[1,0]'"],
  ["transcript", "'whisper', '{}', now()"],
] as const;
