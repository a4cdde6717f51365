// What the API is put together from: the other parts of the memory, and the machine's time and randomness.
import type { IncomingHttpHeaders } from "node:http";
import type { Clock, Log } from "@salestag/protocol/service";
import type { Embedder } from "../embed";
import type { Live } from "../live";
import type { Eraser } from "../privacy/erasure";
import type { Database } from "../store/database";
import type { TokenSettings } from "./tokens";

/** Something that could not be opened or done, for the operator. */
export interface OperatingProblem {
  /** Unix time in ms when it was first met. */
  sinceUnixMs: number;
  /** A sentence; names badge and conversation, has no key and no content. */
  what: string;
}

/** Takes a relay's request: it trusts by signature, not by token. */
export type Ingest = (
  method: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
) => Promise<{ status: number; detail?: string }>;

export interface ApiParts {
  database: Database;
  /** Whose badges this memory opens: its problems are for this team's managers. */
  teamId: string;
  live: Live;
  clock: Clock;
  log: Log;
  /** Random UUID. */
  newId(): string;
  tokens: TokenSettings;
  /** Who may read the metrics from elsewhere than loopback; at least 24 characters. */
  metricsToken?: Buffer;
  /** Opens the audio of one conversation, Ogg Opus; undefined where the archive has none or its key is gone. */
  audioOf(badge: string, epoch: number): Promise<Buffer | undefined>;
  /** That of the vectors in the database: makes vectors of what is searched for. */
  embedder: Embedder;
  /** Folder of this alone, where an export lies while it is made; it is emptied. */
  exportFolder: string;
  eraser: Pick<Eraser, "begin" | "finish">;
  /** Called when it was said who wears a badge: conversations that are here already get their person. */
  wearersChanged?(badge: string): Promise<void>;
  /** What could not be opened, newest first. */
  problems(): OperatingProblem[];
  /** Undefined: chunks come in another way. */
  ingest?: Ingest;
  /** Metrics of the other parts, Prometheus text, each line with its end. */
  metrics?(): string;
}
