// What a memory is told: its settings, and who does the work.
import type { Clock, Log } from "@salestag/protocol/service";
import type { ListenOptions } from "./api/server";
import type { TokenSettings } from "./api/tokens";
import type { Embedder } from "./embed";
import type { NatsPlace } from "./ingest/nats";
import type { Structurer } from "./model/structure";
import type { Database } from "./store/database";
import type { Transcriber } from "./transcribe";

/** What the memory is to do. Folders and files by their paths. */
export interface MemorySettings {
  /** Data folder: archive, told files, embedded database. One memory at a time. */
  data: string;
  vault: string;
  /** An age identity without a passphrase that opens the vault, mode 0600. */
  identity: string;
  /** Name of the team that badges belong to where nobody said otherwise. */
  team: string;
  /** BCP 47, of the team's key phrases. */
  language: string;
  /** PostgreSQL in place of the embedded database. */
  postgres?: { url: string; personsUrl?: string };
  /** Secrets of which any may have signed a relay's request. None: no webhook. */
  webhookSecrets: Buffer[];
  /** Folder that a relay's folder sink writes. */
  relayFolder?: string;
  nats?: NatsPlace;
  /** Where the HTTP interface listens; left out: nowhere. */
  listen?: ListenOptions;
  /** Whose tokens count at the HTTP interface; needed with `listen`. */
  tokens?: TokenSettings;
  metricsToken?: Buffer;
  /** A conversation is final when nothing came for so many minutes. */
  quietMinutes: number;
  /** Chunks whose consent did not come are deleted when nothing came for so many hours. */
  consentWaitHours: number;
  /** When retention is looked after: ms after midnight, UTC. */
  retentionAtMs: number;
}

export const SETTINGS_DEFAULT = {
  language: "en",
  quietMinutes: 30,
  consentWaitHours: 24,
  retentionAtMs: 3 * 3_600_000,
};

/** Who does the work on conversations, and what the machine gives. */
export interface MemoryParts {
  /** Left out: conversations are kept with what the badge heard. */
  transcriber?: Transcriber;
  structurer: Structurer;
  embedder: Embedder;
  /** A database that is open already, with the data folder's lock; whoever opened it closes it. Left out: the settings' own is opened. */
  database?: Database;
  clock: Clock;
  log: Log;
  /** 0 to below 1. */
  random: () => number;
  /** Random UUID. */
  newId: () => string;
}
