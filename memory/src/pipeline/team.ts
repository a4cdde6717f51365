// The team that this memory is of: found by its name, or made.
import { uuidOf } from "../model/conversation-id";
import type { Session } from "../store/database";

/** @returns the team's id. It follows from the name, so that a memory that lost everything but its chunks has the same one again */
export async function teamIdOf(session: Session, name: string, nowUnixMs: number): Promise<string> {
  const [known] = await session.query<{ id: string }>(
    "select id from salestag.team where name = $1 order by id",
    [name],
  );
  if (known !== undefined) return known.id;
  const id = uuidOf(`salestag team 1 ${name}`);
  await session.query("insert into salestag.team (id, name, created_at) values ($1, $2, $3)", [
    id,
    name,
    new Date(nowUnixMs),
  ]);
  return id;
}
