// Puts what was told, as its files keep it, into a database that has none of it.
import { DatabaseTrouble, DEFAULT_LIMITS, type Engine, StatementRefused, type Transaction } from "./engine";
import { TOLD, toldFiles } from "./told";

/** Rows of one transaction. */
const BATCH_ROWS = 500;

/**
 * @param folder DATA/told
 * @returns number of rows
 * @throws DatabaseTrouble when a file is damaged or a row does not fit to the others
 */
export async function restoreTold(folder: string, engine: Engine): Promise<number> {
  let count = 0;
  for (const table of Object.keys(TOLD))
    for (const batch of batchesOf(folder, table)) {
      await engine.transaction(DEFAULT_LIMITS, async (transaction) => {
        for (const { path, row } of batch) await restoreRow(transaction, table, path, row);
      });
      count += batch.length;
    }
  return count;
}

interface ToldRow {
  path: string;
  row: string;
}

function* batchesOf(folder: string, table: string): Generator<ToldRow[]> {
  let batch: ToldRow[] = [];
  for (const { path, rows } of toldFiles(folder, table))
    for (const row of rows) {
      batch.push({ path, row });
      if (batch.length < BATCH_ROWS) continue;
      yield batch;
      batch = [];
    }
  if (batch.length > 0) yield batch;
}

/** Columns that the row does not name, as they are newer than it, get their default. */
async function restoreRow(transaction: Transaction, table: string, path: string, row: string): Promise<void> {
  const columns = Object.keys(JSON.parse(row) as object)
    .map((name) => `"${name.replaceAll('"', '""')}"`)
    .join(", ");
  try {
    await transaction.query(
      `insert into salestag.${table} (${columns}) select ${columns} from jsonb_populate_record(null::salestag.${table}, $1::jsonb)
        on conflict do nothing`,
      [row],
    );
  } catch (cause) {
    if (!(cause instanceof StatementRefused)) throw cause;
    throw new DatabaseTrouble(
      `'${path}' cannot be taken into the database: ${cause.message}; bring it back from a backup, or move it away to go on without it.`,
      { cause },
    );
  }
}
