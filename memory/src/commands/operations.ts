// What an operator does at the command line: the same whether the memory runs, which then does it itself, or not.
import { isBadgeId } from "@salestag/protocol/team";
import { ExitCode, MemoryError } from "../errors";
import { assignWearers } from "../pipeline/rows";
import type { Database, Session } from "../store/database";

export interface OperationContext {
  database: Database;
  teamId: string;
  nowUnixMs: () => number;
  newId: () => string;
}

/** Names and values as they stand on the command line. */
export type OperationArguments = Record<string, string>;

type Operation = (context: OperationContext, given: OperationArguments) => Promise<object>;

const ROLES = ["rep", "manager"];
const NAME_MAX = 200;

export const OPERATIONS: Record<string, Operation> = {
  "person add": addPerson,
  "person list": ({ database, teamId }) =>
    database.system((session) =>
      session.query(
        "select id, name, role, subject from salestag.person where team_id = $1 order by name, id",
        [teamId],
      ),
    ),
  "badge wear": wearBadge,
  "badge list": ({ database, teamId }) =>
    database.system((session) =>
      session.query(
        `select b.id, b.label, p.name as "wornBy", w.since from salestag.badge b
          left join lateral (select * from salestag.wearer w where w.badge_id = b.id order by since desc limit 1) w on true
          left join salestag.person p on p.id = w.person_id where b.team_id = $1 order by b.label, b.id`,
        [teamId],
      ),
    ),
};

async function addPerson(
  { database, teamId, newId }: OperationContext,
  given: OperationArguments,
): Promise<object> {
  const { name = "", role = "", subject = null } = given as OperationArguments & { subject?: string | null };
  if (name.trim() === "" || name.length > NAME_MAX)
    throw usage(`a person's name has 1 to ${NAME_MAX} characters, got ${name.length}`);
  if (!ROLES.includes(role)) throw usage(`a role is ${ROLES.join(" or ")}, got ${JSON.stringify(role)}`);
  const id = newId();
  await database.system(async (session) => {
    const taken = await session.query("select from salestag.person where subject = $1", [subject]);
    if (taken.length > 0)
      throw usage(`somebody signs in as ${JSON.stringify(subject)} already; a subject is one person's`);
    await session.query(
      "insert into salestag.person (id, team_id, name, role, subject) values ($1, $2, $3, $4, $5)",
      [id, teamId, name, role, subject],
    );
  });
  return { id, name, role, subject };
}

async function wearBadge(context: OperationContext, given: OperationArguments): Promise<object> {
  const { database, teamId, nowUnixMs } = context;
  const { badge = "", person = "", since = "" } = given;
  if (!isBadgeId(badge)) throw usage(`a badge is 16 hexadecimal digits, got ${JSON.stringify(badge)}`);
  const at = since === "" ? new Date(nowUnixMs()) : new Date(since);
  if (Number.isNaN(at.getTime()))
    throw usage(`since is a time such as 2025-06-01T08:00:00Z, got ${JSON.stringify(since)}`);
  return database.system(async (session) => {
    const personId = person === "nobody" ? null : await personCalled(session, teamId, person);
    await session.query(
      "insert into salestag.badge (id, team_id, label) values ($1, $2, $3) on conflict (id) do nothing",
      [badge, teamId, given.label ?? badge],
    );
    await session.query(
      `insert into salestag.wearer (badge_id, since, person_id) values ($1, $2, $3)
        on conflict (badge_id, since) do update set person_id = excluded.person_id`,
      [badge, at, personId],
    );
    await assignWearers(session, badge);
    return { badge, personId, since: at.toISOString() };
  });
}

async function personCalled(session: Session, teamId: string, who: string): Promise<string> {
  const found = await session.query<{ id: string }>(
    "select id from salestag.person where team_id = $1 and (name = $2 or id::text = $2)",
    [teamId, who],
  );
  if (found.length === 1) return found[0].id;
  throw usage(
    found.length === 0
      ? `nobody is called ${JSON.stringify(who)}; add them with 'salestag-memory person add'`
      : `${found.length} people are called ${JSON.stringify(who)}; name one by the id that 'salestag-memory person list' shows`,
  );
}

function usage(message: string): MemoryError {
  return new MemoryError(ExitCode.Usage, message);
}
