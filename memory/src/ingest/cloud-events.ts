// Reads the chunks out of a request that carries CloudEvents 1.0 over HTTP: many (batched), one as JSON (structured), or one as bytes (binary).
import type { IncomingHttpHeaders } from "node:http";
import { type ChunkRecord, decodeRecord } from "@salestag/protocol/host";
import { messageOf } from "@salestag/protocol/service";

/** Most events of a request: what a relay may be set to. */
export const EVENTS_MAX = 256;
/** Longest body: as many of the longest records in base64, with their attributes. */
export const BODY_BYTES_MAX = 8 << 20;

const CHUNK_EVENT_TYPE = "io.salestag.chunk.v1";
const CONTENT_BINARY = "application/vnd.salestag.chunk+msgpack";
const CONTENT_STRUCTURED = "application/cloudevents+json";
const CONTENT_BATCHED = "application/cloudevents-batch+json";

/** A request that can never be taken as it is. */
export class BadRequest extends Error {
  constructor(
    /** 400, 413 or 415: the relay keeps it with its dead letters. */
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = "BadRequest";
  }
}

/** @returns the chunks of a request, at least one. @throws BadRequest when one of them is none */
export function readEvents(headers: IncomingHttpHeaders, body: Buffer): ChunkRecord[] {
  if (body.length > BODY_BYTES_MAX)
    throw new BadRequest(413, `the body has ${body.length} bytes, more than ${BODY_BYTES_MAX}`);
  const type = (headers["content-type"] ?? "").split(";")[0].trim().toLowerCase();
  if (type === CONTENT_BATCHED) return readBatch(parse(body));
  if (type === CONTENT_STRUCTURED) return [readJsonEvent(parse(body), "the event")];
  if (type === CONTENT_BINARY) return [readBinary(headers, body)];
  throw new BadRequest(
    415,
    `the content type is ${JSON.stringify(type.slice(0, 100))}; taken are ${CONTENT_BATCHED}, ${CONTENT_STRUCTURED} and ${CONTENT_BINARY}`,
  );
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new BadRequest(400, "the body is not JSON"); // the parser's own words would quote it
  }
}

function readBatch(events: unknown): ChunkRecord[] {
  if (!Array.isArray(events)) throw new BadRequest(400, "a batch must be a list of events");
  if (events.length === 0) throw new BadRequest(400, "the batch is empty");
  if (events.length > EVENTS_MAX)
    throw new BadRequest(413, `the batch has ${events.length} events, more than ${EVENTS_MAX}`);
  return events.map((event, place) => readJsonEvent(event, `event ${place} of the batch`));
}

function readJsonEvent(event: unknown, name: string): ChunkRecord {
  if (typeof event !== "object" || event === null || Array.isArray(event))
    throw new BadRequest(400, `${name} is no JSON object`);
  const { specversion, id, type, data_base64: data } = event as Record<string, unknown>;
  checkAttributes(name, specversion, type);
  if (typeof data !== "string") throw new BadRequest(400, `${name} has no data_base64`);
  const bytes = Buffer.from(data, "base64");
  if (bytes.toString("base64") !== data) throw new BadRequest(400, `data_base64 of ${name} is not base64`);
  return readRecord(name, id, bytes);
}

function readBinary(headers: IncomingHttpHeaders, body: Buffer): ChunkRecord {
  checkAttributes("the event", headers["ce-specversion"], headers["ce-type"]);
  return readRecord("the event", headers["ce-id"], body);
}

function checkAttributes(name: string, specversion: unknown, type: unknown): void {
  if (specversion !== "1.0") throw new BadRequest(400, `${name} is no CloudEvent of version 1.0`);
  if (type !== CHUNK_EVENT_TYPE) throw new BadRequest(400, `${name} is not of type ${CHUNK_EVENT_TYPE}`);
}

function readRecord(name: string, id: unknown, bytes: Buffer): ChunkRecord {
  let record: ChunkRecord;
  try {
    record = decodeRecord(bytes);
  } catch (cause) {
    throw new BadRequest(400, `${name} holds no chunk: ${messageOf(cause)}`);
  }
  if (id !== `${record.badge}/${record.epoch}/${record.index}`)
    throw new BadRequest(
      400,
      `the id of ${name} is not that of its chunk, ${record.badge}/${record.epoch}/${record.index}`,
    );
  return record;
}
