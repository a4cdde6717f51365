// What the load generator is told of a server, and what it gets of one it has connected to.
import type { Send } from "./meter";

/** A server to connect to. No keys: those are in the registry file. */
export type TargetSpec =
  | { kind: "relay"; address: string; ca?: string; registry: string; connections: number }
  | { kind: "nats"; port: number; api: "raw" | "publish" }
  | { kind: "mosquitto"; port: number; connections: number };

/** A server that is connected to. */
export interface Target {
  /** One for each connection. */
  lanes: Send[];
  close(): Promise<void>;
}

/** Bytes of a chunk's ciphertext, or of a message. */
export const CHUNK_BYTES = 4096;
/** Connections, each a badge or a device. NATS gets one instead, which suits it better. */
export const CONNECTIONS = 200;

/** Ends the load generator: a figure of a run in which something failed is worth nothing. */
export function fail(sentence: string): never {
  throw new Error(sentence);
}
