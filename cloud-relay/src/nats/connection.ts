// A connection to NATS with JetStream: made when it is first needed, kept up by the client, and the stream made where it is missing.
import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import {
  type Authenticator,
  connect,
  credsAuthenticator,
  type NatsConnection,
} from "@nats-io/transport-node";
import type { NatsServer } from "@salestag/protocol/service";
import { messageOf } from "../errors";

/** A stream that chunks go into. */
export interface StreamSettings {
  stream: string;
  /** A badge's chunks have the subject `<subject>.<badge>`. */
  subject: string;
  /** Copies of the stream when it is made here. */
  replicas: number;
  /** Time within which JetStream itself notices a repeated message id, in ms, when the stream is made here. */
  duplicateWindowMs: number;
  /** What may be deleted; left out: nothing, and a full stream refuses. */
  retention?: { maxAgeMs: number; perSubjectMax: number };
}

/** An open connection. */
export interface NatsStream {
  connection: NatsConnection;
  client: JetStreamClient;
  manager: JetStreamManager;
}

const CONNECT_MS_MAX = 5000;
const RECONNECT_MS = 1000;
const NS_PER_MS = 1_000_000;

/**
 * Connects and finds or makes the stream. The connection mends itself as long as it is not closed.
 * @throws Error that says what is wrong: nobody there, not let in, no JetStream, a stream that does not take the subjects
 */
export async function openStream(place: NatsServer, settings: StreamSettings): Promise<NatsStream> {
  const { servers, token, user, password, ca } = place;
  const connection = await connect({
    servers,
    name: "salestag-relay",
    token,
    user,
    pass: password,
    authenticator: authenticatorOf(place),
    tls: ca === undefined ? undefined : { ca },
    timeout: CONNECT_MS_MAX,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
  });
  try {
    const manager = await jetstreamManager(connection);
    await ensureStream(manager, settings);
    return { connection, manager, client: jetstream(connection) };
  } catch (cause) {
    await connection.close();
    throw cause;
  }
}

function authenticatorOf({ creds }: NatsServer): Authenticator | undefined {
  return creds === undefined ? undefined : credsAuthenticator(new Uint8Array(creds));
}

async function ensureStream(manager: JetStreamManager, settings: StreamSettings): Promise<void> {
  const { stream, subject, replicas, duplicateWindowMs, retention } = settings;
  try {
    const { config } = await manager.streams.info(stream);
    if (!config.subjects.some((taken) => [`${subject}.>`, `${subject}.*`, ">"].includes(taken)))
      throw new Error(`stream ${stream} takes ${config.subjects.join(", ")}, not ${subject}.*`);
  } catch (cause) {
    if (!(cause instanceof JetStreamApiError && cause.code === JetStreamApiCodes.StreamNotFound)) throw cause;
    await manager.streams.add({
      name: stream,
      subjects: [`${subject}.*`],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      // A full stream says so, rather than to drop what was acked.
      discard: retention === undefined ? DiscardPolicy.New : DiscardPolicy.Old,
      max_age: (retention?.maxAgeMs ?? 0) * NS_PER_MS,
      max_msgs_per_subject: retention?.perSubjectMax ?? -1,
      num_replicas: replicas,
      duplicate_window: duplicateWindowMs * NS_PER_MS,
    });
  }
}

/** @returns what is wrong, in words for a log */
export function natsProblem(cause: unknown): string {
  const text = messageOf(cause);
  return text.includes("no responders") || text === "503" ? "JetStream does not answer" : text;
}
