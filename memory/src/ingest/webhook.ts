// The endpoint that a relay's webhook sink posts to: trusts signed requests only, and answers 204 when all of a request's chunks are durable here. It has no
// server of its own: whoever has one hands requests on.
import type { IncomingHttpHeaders } from "node:http";
import { messageOf } from "@salestag/protocol/service";
import { ChunkConflict } from "./archive";
import { BadRequest, readEvents } from "./cloud-events";
import type { Intake } from "./intake";
import { distrust } from "./signature";

/** An answer; `detail` is a sentence for the operator of the relay. */
export interface IngestAnswer {
  /** 204 taken; 400, 413, 415 never to be taken; 401 not trusted; 405; 503 try again. */
  status: number;
  detail?: string;
}

/** @param headers as Node gives them, with names in lower case */
export type IngestHandler = (
  method: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
) => Promise<IngestAnswer>;

export interface WebhookOptions {
  intake: Pick<Intake, "take">;
  /** Of which any may have signed. Without one, nobody is trusted. */
  secrets: Buffer[];
  nowUnixMs: () => number;
}

/** @returns the handler for POST requests of a relay */
export function ingestHandler({ intake, secrets, nowUnixMs }: WebhookOptions): IngestHandler {
  return async (method, headers, body) => {
    if (method !== "POST") return { status: 405, detail: `${method} is not taken here, POST is` };
    const why = distrust(headers, body, secrets, nowUnixMs());
    if (why !== undefined) return { status: 401, detail: why };
    try {
      await intake.take(readEvents(headers, body));
      return { status: 204 };
    } catch (cause) {
      if (cause instanceof BadRequest) return { status: cause.status, detail: cause.message };
      if (cause instanceof ChunkConflict) return { status: 400, detail: cause.message };
      return { status: 503, detail: `the chunks could not be kept: ${messageOf(cause)}` };
    }
  };
}
