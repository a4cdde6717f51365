// Who asks for a hold, an erasure or an export: only a manager of the team may.
import type { Claims, Database } from "../store/database";
import { PrivacyError } from "./error";

/** One who acts for a team. */
export interface Actor {
  teamId: string;
  /** null: the memory itself, or its operator at the command line. */
  personId: string | null;
}

/**
 * @returns the manager whom a verified token names
 * @throws PrivacyError when it names nobody, or a rep
 */
export async function managerOf(database: Database, claims: Claims): Promise<Actor> {
  const [me] = await database.as(claims, (session) =>
    session.query<{ id: string; team_id: string; role: string }>(
      "select id, team_id, role from salestag.person where id = (select salestag.me())",
    ),
  );
  if (me?.role === "manager") return { teamId: me.team_id, personId: me.id };
  throw new PrivacyError(
    "forbidden",
    "only managers place holds, erase, and export data; ask a manager of your team.",
  );
}
