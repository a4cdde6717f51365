// What the memory does by the clock: retention once a day, the database's upkeep once an hour.
import type { Clock, Log } from "@salestag/protocol/service";
import { messageOf } from "@salestag/protocol/service";
import type { Eraser } from "../privacy/erasure";
import { expire } from "../privacy/retention";
import type { Database } from "../store/database";
import { daily, every } from "./nightly";
import type { Problems } from "./problems";

export interface UpkeepParts {
  database: Database;
  eraser: Eraser;
  problems: Problems;
  clock: Clock;
  log: Log;
  /** When retention is looked after: ms after midnight, UTC. */
  retentionAtMs: number;
}

const HOUR_MS = 3_600_000;

/** @returns ends it */
export function startUpkeep(parts: UpkeepParts): () => void {
  const ends = [
    daily(parts.clock, parts.retentionAtMs, () => void keepRetention(parts)),
    every(parts.clock, HOUR_MS, () => void maintain(parts)),
  ];
  return () => {
    for (const end of ends) end();
  };
}

async function keepRetention({ database, eraser, problems, clock, log }: UpkeepParts): Promise<void> {
  try {
    const { erased, held } = await expire(database, eraser, clock.unixMs());
    log.info("retention looked after", { erased, held });
    problems.clear("retention");
  } catch (cause) {
    problems.note("retention", messageOf(cause));
  }
}

/** Embedded, nobody else looks after it. */
async function maintain({ database, problems }: UpkeepParts): Promise<void> {
  try {
    await database.maintain();
    problems.clear("upkeep");
  } catch (cause) {
    problems.note("upkeep", messageOf(cause));
  }
}
