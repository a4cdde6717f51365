// The stages that a final conversation goes through, each of which hands it on to the next: transcription, structuring, search.
import type { Archive } from "../ingest/archive";
import type { Keyring } from "../ingest/keyring";
import type { Live } from "../live";
import { BADGE_SOURCE } from "../model/transcript";
import type { MemoryParts, MemorySettings } from "../settings";
import type { Database } from "../store/database";
import type { BootClocks } from "./boot-clocks";
import { searchStage } from "./search";
import { type Stage, StageRunner } from "./stage";
import { structuringStage } from "./structuring";
import { transcriptionStage } from "./transcription";

/** All stages as one. */
export interface Stages {
  /** Takes up a conversation that was made final. */
  enter(id: string, transcribedBy: string): void;
  /** Takes up what waits in the database. */
  start(): Promise<void>;
  /** Waits until all is done, but for what failed and waits for its time. */
  idle(): Promise<void>;
  /** Forgets a conversation; nothing is done with it any more when it resolves. */
  forget(id: string): Promise<void>;
  close(): Promise<void>;
  status(): { name: string; waiting: number; failing: number }[];
}

/** What the stages work with. */
export interface Inner {
  database: Database;
  archive: Archive;
  keyring: Keyring;
  clocks: BootClocks;
  live: Live;
}

/** Conversations that each stage works on at the same time. */
const AT_ONCE = { transcription: 2, structuring: 2, search: 2 };

/** The stages, each of which hands on to the next. */
export function makeStages(
  { language }: Pick<MemorySettings, "language">,
  parts: MemoryParts,
  inner: Inner,
): Stages {
  const { transcriber, structurer, embedder, clock, log, random } = parts;
  const { database, live } = inner;
  const nowUnixMs = () => clock.unixMs();
  const run = (stage: Stage) =>
    new StageRunner(stage, { database, clock, log, random, atOnce: AT_ONCE[stage.name] });
  const search = run(searchStage({ database, embedder, live, nowUnixMs }));
  const transcribes = transcriber !== undefined;
  const structuring = run(
    structuringStage({
      ...{ database, structurer, live, nowUnixMs, language, transcribes },
      onDone: (id) => search.add(id),
    }),
  );
  const transcription =
    transcriber === undefined
      ? undefined
      : run(
          transcriptionStage({
            ...{ ...inner, transcriber, nowUnixMs },
            onDone: (id) => structuring.add(id),
            onFailure: (id) => structuring.add(id),
          }),
        );
  const all = [transcription, structuring, search].filter((stage) => stage !== undefined);
  return {
    enter(id: string, transcribedBy: string) {
      const first = transcribedBy === BADGE_SOURCE ? (transcription ?? structuring) : structuring;
      first.add(id);
    },
    async start() {
      for (const stage of all) await stage.start();
    },
    async idle() {
      for (const stage of all) await stage.idle();
    },
    async forget(id: string) {
      for (const stage of all) await stage.forget(id);
    },
    async close() {
      for (const stage of all) await stage.close();
    },
    status: () => all.map(({ name, waiting, failing }) => ({ name, waiting, failing })),
  };
}
