// Reads live events (GET /v1/live) until they end: one connection; whoever wants to come back gives the last event's id.
import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { ClientOptions } from "./index";

/** Most characters of one event. */
const EVENT_LENGTH_MAX = 1 << 20;

/** One event. */
export interface LiveMessage {
  /** To come back with; undefined for `gap` and `end`. */
  id: string | undefined;
  type: string;
  data: Record<string, unknown>;
}

/** What one watches, and from where on. */
export interface WatchOptions extends ClientOptions {
  purpose: string;
  lastId?: string;
  signal?: AbortSignal;
  /** Called when the memory has answered, before the first event. */
  onOpen?: () => void;
}

/**
 * @returns events in order, until the memory ends the stream
 * @throws Error with the problem's sentence when the memory refuses, or when the connection breaks
 */
export async function* watchLive(options: WatchOptions): AsyncGenerator<LiveMessage> {
  const { url, token, purpose, lastId, signal, onOpen } = options;
  const headers = {
    authorization: `Bearer ${await token()}`,
    "salestag-purpose": purpose,
    ...(lastId !== undefined && { "last-event-id": lastId }),
  };
  const response = await fetch(`${url}/v1/live`, { headers, signal });
  if (!response.ok || response.body === null) throw new Error(await detailOf(response));
  onOpen?.();
  const read: LiveMessage[] = [];
  const parser = createParser({ onEvent: (event) => read.push(messageFrom(event)) });
  const decoder = new TextDecoder();
  let length = 0;
  for await (const part of response.body) {
    parser.feed(decoder.decode(part as Uint8Array, { stream: true }));
    length = read.length > 0 ? 0 : length + (part as Uint8Array).length;
    if (length > EVENT_LENGTH_MAX) throw new Error(`an event is longer than ${EVENT_LENGTH_MAX} bytes`);
    yield* read.splice(0);
  }
}

function messageFrom({ id, event = "message", data }: EventSourceMessage): LiveMessage {
  return { id: event === "gap" || event === "end" ? undefined : id, type: event, data: JSON.parse(data) };
}

async function detailOf(response: Response): Promise<string> {
  const problem = (await response.json().catch(() => ({}))) as { detail?: string };
  return problem.detail ?? `the memory answers ${response.status}`;
}
