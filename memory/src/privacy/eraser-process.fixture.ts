// A process that erases a customer and kills itself in the middle, for tests: `DATA IDENTITY CALL`. CALL is the how many-th moment it does not survive: after a
// transaction that wrote, before a call to vault or archive, while a table is written anew; 0: it survives all, and prints how many there were.
import { join } from "node:path";
import { readIdentities, Vault } from "@salestag/protocol/team";
import { Archive } from "../ingest/archive";
import { openDatabase } from "../store/open";
import { Eraser } from "./erasure";
import { MANAGER, MILLER, NOW_MS } from "./privacy.fixture";

const [folder, identity, last] = process.argv.slice(2);
let calls = 0;

function count(): void {
  if (++calls === Number(last)) process.kill(process.pid, "SIGKILL");
}

const database = await openDatabase({ folder });
const archive = Archive.open(join(folder, "chunks"));
const vault = Vault.open(join(folder, "vault"));
const identities = await readIdentities(identity);
const eraser = new Eraser(
  {
    database: {
      durable: false,
      as: database.as,
      close: database.close,
      maintain: database.maintain,
      system: async (work) => {
        let wrote = false;
        const result = await database.system((session) =>
          work({
            query: (text, values) => {
              wrote ||= /^\s*(insert|update|delete)/.test(text);
              return session.query(text, values);
            },
          }),
        );
        if (wrote) count();
        return result;
      },
      alone: async (statement, msMax) => {
        const done = database.alone(statement, msMax);
        if (statement === "vacuum full salestag.word") count();
        await done;
      },
    },
    archive: {
      places: () => archive.places(),
      remove: async (place) => {
        count();
        await archive.remove(place);
      },
    },
    keys: {
      identities,
      get vault() {
        count();
        return vault;
      },
    },
    databaseFolder: join(folder, "database"),
  },
  () => NOW_MS,
);
await eraser.erase(MANAGER, { kind: "customer", id: MILLER }, "asked");
await database.close();
console.log(calls);
