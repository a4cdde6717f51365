// A process that erases a customer and kills itself in the middle, for tests: `DATA IDENTITY CALL`. CALL is the how many-th call to database, vault or archive
// it does not survive; 0: it survives all, ends what was begun, and prints how many calls it made.
import { join } from "node:path";
import { readIdentities, Vault } from "@salestag/protocol/team";
import { Archive } from "../ingest/archive";
import { openDatabase } from "../store/open";
import { Eraser } from "./erasure";
import { PrivacyError } from "./error";
import { MANAGER, MILLER, NOW_MS } from "./privacy.fixture";

const [folder, identity, last] = process.argv.slice(2);
let calls = 0;

function count<T>(result: T): T {
  if (++calls === Number(last)) process.kill(process.pid, "SIGKILL");
  return result;
}

const database = await openDatabase({ folder });
const archive = Archive.open(join(folder, "chunks"));
const vault = Vault.open(join(folder, "vault"));
const identities = await readIdentities(identity);
const eraser = new Eraser(
  {
    // Half of them die before a call, half after it.
    database: {
      durable: false,
      as: database.as,
      close: database.close,
      system: (work) => database.system(async (session) => count(await work(session))).then(count),
      alone: async (statement, msMax) => {
        const done = database.alone(statement, msMax);
        if (statement === "vacuum full salestag.word") count(undefined);
        await done;
      },
    },
    archive: {
      places: () => archive.places(),
      remove: async (place) => {
        count(undefined);
        await archive.remove(place);
      },
    },
    keys: {
      identities,
      get vault() {
        return count(vault);
      },
    },
    databaseFolder: join(folder, "database"),
  },
  () => NOW_MS,
);
try {
  await eraser.erase(MANAGER, { kind: "customer", id: MILLER }, "asked");
} catch (cause) {
  // Erased by an earlier process as far as anybody sees: what is left to do is done by `finish`.
  if (!(cause instanceof PrivacyError && cause.kind === "unknown")) throw cause;
  await eraser.finish();
}
await database.close();
console.log(calls);
