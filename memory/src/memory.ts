// Puts the memory together from its parts, and ends them in order. main.ts runs it on the machine's own time and randomness, tests on theirs.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "@salestag/protocol/service";
import { lockFolderNow, messageOf } from "@salestag/protocol/service";
import { Archive, type Place } from "./ingest/archive";
import { FolderSource, type Source } from "./ingest/folder";
import { Intake, type IntakeCounts } from "./ingest/intake";
import { Keyring } from "./ingest/keyring";
import { NatsSource } from "./ingest/nats";
import { type IngestHandler, ingestHandler } from "./ingest/webhook";
import { Live } from "./live";
import { conversationId } from "./model/conversation-id";
import { BADGE_SOURCE } from "./model/transcript";
import { audioAt } from "./pipeline/audio";
import { BootClocks } from "./pipeline/boot-clocks";
import { Opener } from "./pipeline/opener";
import { type Problem, Problems } from "./pipeline/problems";
import { assignWearers } from "./pipeline/rows";
import { makeStages, type Stages } from "./pipeline/stages";
import { teamIdOf } from "./pipeline/team";
import { startUpkeep } from "./pipeline/upkeep";
import { Eraser } from "./privacy/erasure";
import { ensureVectorIndex } from "./search";
import type { MemoryParts, MemorySettings } from "./settings";
import type { Database } from "./store/database";
import { openDatabase } from "./store/open";

export { type MemoryParts, type MemorySettings, SETTINGS_DEFAULT } from "./settings";

/** How the memory is, for `status` and metrics. */
export interface MemoryStatus {
  conversations: { open: number; final: number; transcribed: number; structured: number };
  chunks: IntakeCounts;
  /** Conversations whose chunks are not all here, or do not open. */
  waiting: number;
  stages: { name: string; waiting: number; failing: number }[];
  problems: Problem[];
}

/** A memory that runs. */
export interface Memory {
  readonly database: Database;
  readonly live: Live;
  readonly intake: Intake;
  readonly archive: Archive;
  readonly eraser: Eraser;
  readonly teamId: string;
  /** Of the HTTP interface; undefined where it listens nowhere. */
  readonly url: string | undefined;
  /** Takes a relay's requests. */
  readonly ingest: IngestHandler;
  /** @returns a conversation as Ogg Opus; undefined where no audio of it is here, or its key is gone */
  audioOf(badge: string, epoch: number): Promise<Buffer | undefined>;
  problems(): Problem[];
  status(): Promise<MemoryStatus>;
  /** After somebody said who wears badges. @param badge null: all */
  wearersChanged(badge: string | null): Promise<void>;
  /** Waits until everything that is here is opened and worked on as far as it can be now. */
  idle(): Promise<void>;
  /** Ends all parts; what is under way is finished or taken up at the next start. */
  close(): Promise<void>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * Starts a memory; it takes chunks when this resolves, and opens what waits in the archive in the background.
 * @throws ToolError, DatabaseTrouble: a sentence on what cannot be used
 */
export async function startMemory(settings: MemorySettings, parts: MemoryParts): Promise<Memory> {
  const ends: (() => Promise<void> | void)[] = [];
  try {
    return await assemble(settings, parts, ends);
  } catch (cause) {
    for (const end of ends.reverse()) await end();
    throw cause;
  }
}

async function assemble(
  settings: MemorySettings,
  parts: MemoryParts,
  ends: (() => Promise<void> | void)[],
): Promise<Memory> {
  const { clock, log } = parts;
  const keyring = await Keyring.open(settings.vault, settings.identity);
  ends.push(() => keyring.close());
  const database = parts.database ?? (await openStore(settings, ends));
  await ensureVectorIndex(database, parts.embedder);
  const archive = Archive.open(join(settings.data, "chunks"));
  ends.push(() => archive.close());
  const teamId = await database.system((session) => teamIdOf(session, settings.team, clock.unixMs()));
  const live = new Live();
  const problems = new Problems(log, () => clock.unixMs());
  const clocks = new BootClocks(archive, keyring);
  const stages = makeStages(settings, parts, { database, archive, keyring, clocks, live });
  const opener = new Opener({
    ...{ archive, keyring, clocks, database, teamId, clock, log, live, problems },
    language: settings.language,
    quietMs: settings.quietMinutes * MINUTE_MS,
    consentWaitMs: settings.consentWaitHours * HOUR_MS,
    onFinal: (id, transcribedBy) => stages.enter(id, transcribedBy),
  });
  const intake = new Intake({ archive, onArrival: (record) => opener.take(record) });
  await shutErased(database, intake);
  const eraser = makeEraser(settings, parts, {
    ...{ database, archive, keyring, intake, opener, stages, live, teamId },
  });
  ends.push(() => stages.close());
  ends.push(() => opener.close());
  await eraser.finish().catch((cause: unknown) => problems.note("erasure", messageOf(cause)));
  await stages.start();
  await opener.start();
  keyring.watch(clock, () => opener.retry());
  const { retentionAtMs } = settings;
  ends.push(startUpkeep({ database, eraser, problems, clock, log, retentionAtMs }));
  const sources = startSources(settings, { intake, problems, clock });
  for (const source of sources) ends.push(() => source.close());
  const ingest = ingestHandler({
    intake,
    secrets: settings.webhookSecrets,
    nowUnixMs: () => clock.unixMs(),
  });
  const audioOf = (badge: string, epoch: number) => audioAt({ archive, keyring, clocks }, { badge, epoch });
  const wearersChanged = (badge: string | null) =>
    database.system((session) => assignWearers(session, badge));
  const served = { database, live, teamId, problems, ingest, audioOf, eraser, wearersChanged };
  const url = await serve(settings, parts, served, ends);
  return {
    ...{ database, live, intake, archive, eraser, teamId, url, ingest, audioOf },
    problems: () => problems.list(),
    status: async () => ({
      conversations: await countConversations(database),
      chunks: intake.counts,
      waiting: opener.waiting,
      stages: stages.status(),
      problems: problems.list(),
    }),
    wearersChanged,
    async idle() {
      for (const source of sources) await source.idle();
      await opener.idle();
      await stages.idle();
    },
    async close() {
      for (const end of ends.splice(0).reverse()) await end();
    },
  };
}

function makeEraser(
  { data }: MemorySettings,
  { clock }: MemoryParts,
  { database, archive, keyring, intake, opener, stages, live, teamId }: Erasing,
): Eraser {
  const remove = async (place: Place) => {
    intake.shut(place);
    await opener.forget(place);
    const id = conversationId(place.badge, place.epoch);
    await stages.forget(id);
    await archive.remove(place);
    const about = { conversationId: id, teamId, personId: null, atUnixMs: clock.unixMs() };
    live.publish({ type: "conversation", state: "erased", ...about });
  };
  return new Eraser(
    {
      database,
      archive: { remove, places: () => archive.places() },
      keys: keyring.holder,
      databaseFolder: database.durable ? undefined : join(data, "database"),
    },
    () => clock.unixMs(),
  );
}

interface Erasing {
  database: Database;
  archive: Archive;
  keyring: Keyring;
  intake: Intake;
  opener: Opener;
  stages: Stages;
  live: Live;
  teamId: string;
}

async function openStore(
  { data, postgres }: MemorySettings,
  ends: (() => Promise<void> | void)[],
): Promise<Database> {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  // The embedded database takes the folder's lock itself.
  if (postgres !== undefined) ends.push(lockFolderNow(data, { shared: false }));
  const database = await openDatabase(postgres ?? { folder: data });
  ends.push(() => database.close());
  return database;
}

async function shutErased(database: Database, intake: Intake): Promise<void> {
  const rows = await database.system((session) =>
    session.query<Place>("select badge_id as badge, epoch from salestag.erasure where badge_id is not null"),
  );
  for (const place of rows) intake.shut(place);
}

function startSources(
  { relayFolder, nats }: MemorySettings,
  inner: { intake: Intake; problems: Problems; clock: Clock },
): Source[] {
  const sources: Source[] = [];
  if (relayFolder !== undefined) {
    const source = new FolderSource({ folder: relayFolder, ...inner });
    void source.start(); // it takes what is there in the background
    sources.push(source);
  }
  if (nats !== undefined) {
    const source = new NatsSource({ place: nats, ...inner });
    source.start();
    sources.push(source);
  }
  return sources;
}

async function countConversations(database: Database): Promise<MemoryStatus["conversations"]> {
  const [row] = await database.system((session) =>
    session.query<MemoryStatus["conversations"]>(
      `select count(*) filter (where state = 'open') as open, count(*) filter (where state = 'final') as final,
          count(*) filter (where transcribed_by <> $1) as transcribed, count(structured_by) as structured
        from salestag.conversation`,
      [BADGE_SOURCE],
    ),
  );
  return row;
}

async function serve(
  settings: MemorySettings,
  { clock, log, newId, embedder }: MemoryParts,
  inner: {
    database: Database;
    live: Live;
    teamId: string;
    problems: Problems;
    ingest: IngestHandler;
    audioOf: Memory["audioOf"];
    eraser: Eraser;
    wearersChanged: Memory["wearersChanged"];
  },
  ends: (() => Promise<void> | void)[],
): Promise<string | undefined> {
  const { listen, tokens, metricsToken, webhookSecrets } = settings;
  if (listen === undefined || tokens === undefined) return undefined;
  const { problems, ingest, ...rest } = inner;
  // A third of the time that a start takes; a memory that listens nowhere does without.
  const { startApi } = await import("./api/server");
  const api = await startApi(
    {
      ...{ ...rest, clock, log, newId, embedder, tokens, metricsToken },
      exportFolder: join(settings.data, "exports"),
      problems: () =>
        problems.list().map(({ sinceUnixMs, about, what }) => ({ sinceUnixMs, what: `${about}: ${what}` })),
      ingest: webhookSecrets.length === 0 ? undefined : ingest,
    },
    listen,
  );
  ends.push(() => api.close());
  return api.url;
}
