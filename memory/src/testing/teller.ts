// A process that tells an embedded database one thing after the other until it is killed: customers are added, changed and removed, searches audited.
// Says each thing on standard output, a JSON line, once the database has acknowledged it. Arguments: data folder, seed.
import { openDatabase } from "../store/open";
import { idOf, NUMBERS } from "./teams";

/** What was acknowledged; `note` null: the customer was removed. */
export type Told = { kind: "customer"; id: string; note: string | null } | { kind: "audit"; id: string };

const [folder, seed] = process.argv.slice(2);
const team = idOf("a", NUMBERS.team);
const database = await openDatabase({ folder });

for (let n = 0; ; n++) {
  const number = Number(seed) * 100_000 + n;
  const id = idOf("a", number);
  const told: Told[] = await database.system(async (session) => {
    await session.query(
      "insert into salestag.customer (id, team_id, name, note) values ($1, $2, 'x', 'new')",
      [id, team],
    );
    if (n % 3 === 0) {
      await session.query("insert into salestag.audit values ($1, $2, now(), null, 'x', 'y')", [id, team]);
      return [
        { kind: "customer", id, note: "new" },
        { kind: "audit", id },
      ];
    }
    return [{ kind: "customer", id, note: "new" }];
  });
  say(told);
  const earlier = idOf("a", number - 1);
  if (n % 4 === 1) {
    await database.system((session) =>
      session.query("update salestag.customer set note = 'changed' where id = $1", [earlier]),
    );
    say([{ kind: "customer", id: earlier, note: "changed" }]);
  } else if (n % 4 === 3) {
    await database.system((session) =>
      session.query("delete from salestag.customer where id = $1", [earlier]),
    );
    say([{ kind: "customer", id: earlier, note: null }]);
  }
}

function say(told: Told[]): void {
  for (const one of told) process.stdout.write(`${JSON.stringify(one)}\n`);
}
