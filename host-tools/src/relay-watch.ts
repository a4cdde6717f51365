// Reads what a relay tells of a badge's chunks, a line of JSON each (docs/relay-admin.md, "Watching a badge's chunks"), and believes none of it unchecked.
import {
  type ChunkRecord,
  decodeRecord,
  FormatError,
  FRAME_PAYLOAD_BYTES_MAX,
} from "@salestag/protocol/host";
import { ExitCode, messageOf, ToolError } from "@salestag/protocol/team";

/** What is seen of a badge at its relay. */
export type WatchEvent = { connected: boolean } | { record: ChunkRecord };

/** A record in base64, and what is around it. */
const LINE_BYTES_MAX = Math.ceil((FRAME_PAYLOAD_BYTES_MAX + 1024) / 3) * 4 + 64;
/** Two days of sound; no badge holds more. */
const LINES_MAX = 100_000;
const LINE_BREAK = 10;

/**
 * @param answer bytes of the relay's answer
 * @throws ToolError for anything but a watch of this badge; what `answer` throws
 */
export async function* eventsOf(
  answer: AsyncIterable<Buffer>,
  badge: string,
): AsyncGenerator<WatchEvent, void> {
  let lines = 0;
  for await (const line of linesOf(answer, badge)) {
    if (lines === LINES_MAX) throw noWatch(badge, `it has more than ${LINES_MAX} lines`);
    yield lines++ === 0 ? beginningOf(line, badge) : eventOf(line, badge);
  }
  if (lines === 0) throw noWatch(badge, "it is empty");
}

/** Lines without their breaks; what is behind the last break is no line. */
async function* linesOf(answer: AsyncIterable<Buffer>, badge: string): AsyncGenerator<string, void> {
  let rest = Buffer.alloc(0);
  for await (const part of answer) {
    let from = 0;
    for (let at = part.indexOf(LINE_BREAK); at >= 0; at = part.indexOf(LINE_BREAK, from)) {
      yield Buffer.concat([rest, part.subarray(from, at)]).toString("utf8");
      rest = Buffer.alloc(0);
      from = at + 1;
    }
    rest = Buffer.concat([rest, part.subarray(from)]);
    if (rest.length > LINE_BYTES_MAX)
      throw noWatch(badge, `it has a line of more than ${LINE_BYTES_MAX} bytes`);
  }
}

function beginningOf(line: string, badge: string): WatchEvent {
  const { watching, connected } = objectOf(line, badge);
  if (watching !== badge || typeof connected !== "boolean")
    throw noWatch(badge, "it does not begin as one of this badge");
  return { connected };
}

function eventOf(line: string, badge: string): WatchEvent {
  const { connected, record } = objectOf(line, badge);
  if (typeof connected === "boolean" && record === undefined) return { connected };
  if (typeof record !== "string" || connected !== undefined)
    throw noWatch(badge, "a line is neither a chunk nor whether the badge is connected");
  const decoded = recordOf(record, badge);
  if (decoded.badge !== badge) throw noWatch(badge, `it has a chunk of badge ${decoded.badge}`);
  return { record: decoded };
}

function recordOf(text: string, badge: string): ChunkRecord {
  const encoded = Buffer.from(text, "base64");
  if (encoded.toString("base64") !== text) throw noWatch(badge, "a record is no base64");
  try {
    return decodeRecord(encoded);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw noWatch(badge, messageOf(cause));
  }
}

function objectOf(line: string, badge: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // told below
  }
  throw noWatch(badge, "a line is no JSON object");
}

function noWatch(badge: string, why: string): ToolError {
  return new ToolError(
    ExitCode.Usage,
    `what the relay answers is no watch of badge ${badge}: ${why}; check that it is a relay of this version.`,
  );
}
