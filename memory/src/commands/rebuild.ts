// `salestag-memory rebuild`: makes the database anew from sealed chunks, vault and what was told. It may be interrupted, and is then done anew.
import { lockFolderNow, systemClock } from "@salestag/protocol/service";
import { readConfig } from "../config/config";
import { type MemoryStatus, startMemory } from "../memory";
import { openDatabase, rebuildDatabase } from "../store/open";
import { partsOf } from "./serve";

const SHOWN_EVERY_MS = 2000;

/** @param say takes a line on how far it is */
export async function rebuild(configFile: string, say: (line: string) => void): Promise<MemoryStatus> {
  const config = readConfig(configFile, process.env, () => systemClock.unixMs());
  const { settings } = config;
  // The embedded database takes the folder's lock itself.
  const unlock =
    settings.postgres === undefined ? undefined : lockFolderNow(settings.data, { shared: false });
  say("making the database anew from what was told");
  const database =
    settings.postgres === undefined
      ? await rebuildDatabase(settings.data)
      : await openDatabase(settings.postgres);
  try {
    // On PostgreSQL what was told is in the database itself: only what follows from the chunks is made anew.
    if (database.durable)
      await database.system((session) => session.query("delete from salestag.conversation"));
    // Nothing comes in meanwhile, and nobody is asked over the network: transcripts are kept, and others are made by the service.
    const quiet = { ...settings, listen: undefined, relayFolder: undefined, nats: undefined };
    const memory = await startMemory(quiet, { ...partsOf(config), transcriber: undefined, database });
    const timer = setInterval(() => {
      void memory.status().then(({ conversations, waiting }) => {
        say(
          `${conversations.final} conversations made, ${conversations.structured} structured, ${waiting} wait`,
        );
      });
    }, SHOWN_EVERY_MS);
    await memory.idle();
    clearInterval(timer);
    const status = await memory.status();
    await memory.close();
    return status;
  } finally {
    await database.close();
    unlock?.();
  }
}
