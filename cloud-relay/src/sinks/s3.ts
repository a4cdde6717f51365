// Sink that puts chunks into a bucket of S3 or anything that speaks its protocol, one object each. An object's key ends in the SHA-256 of its content, so a
// second delivery writes the same object again.
import { createHash } from "node:crypto";
import type { Clock } from "@salestag/protocol/service";
import { AwsClient } from "aws4fetch";
import type { SpoolEntry } from "../spool/reader";
import { askHttp } from "./http";
import { byBadge, type Sink } from "./sink";

export interface S3Place {
  /** `https://s3.eu-central-1.amazonaws.com`; the bucket becomes the first part of the path. */
  endpoint: string;
  region: string;
  bucket: string;
  /** Before every key; empty or ending in a slash. */
  prefix: string;
  accessKeyId: string;
  secretAccessKey: string;
}

const TIMEOUT_MS = 30_000;
const PARALLEL = 16;
const CONTENT_TYPE = "application/vnd.salestag.chunk+msgpack";

/** @returns the key of a chunk's object: `<prefix><badge>/<epoch>/<index>-<sha256>.chunk`, numbers with ten digits */
export function objectKey(prefix: string, { record, encoded }: SpoolEntry): string {
  const digits = (value: number) => String(value).padStart(10, "0");
  const digest = createHash("sha256").update(encoded).digest("hex");
  return `${prefix}${record.badge}/${digits(record.epoch)}/${digits(record.index)}-${digest}.chunk`;
}

export function s3Sink(place: S3Place, clock: Clock): Sink {
  const { endpoint, bucket, prefix } = place;
  const signer = new AwsClient({
    accessKeyId: place.accessKeyId,
    secretAccessKey: place.secretAccessKey,
    region: place.region,
    service: "s3",
    retries: 0, // the dispatcher tries again
  });
  return {
    name: `s3:${endpoint}/${bucket}/${prefix}`,
    async deliver(entries, signal) {
      const queues = byBadge(entries);
      const worker = async () => {
        for (let list = queues.shift(); list !== undefined; list = queues.shift())
          for (const entry of list) await put(signer, place, entry, clock, signal);
      };
      const results = await Promise.allSettled(Array.from({ length: PARALLEL }, worker));
      for (const result of results) if (result.status === "rejected") throw result.reason;
    },
  };
}

async function put(
  signer: AwsClient,
  place: S3Place,
  entry: SpoolEntry,
  clock: Clock,
  ended: AbortSignal,
): Promise<void> {
  const { endpoint, bucket, prefix } = place;
  const body = new Uint8Array(entry.encoded);
  const request = await signer.sign(`${endpoint}/${bucket}/${objectKey(prefix, entry)}`, {
    method: "PUT",
    headers: {
      "content-type": CONTENT_TYPE,
      "x-amz-content-sha256": createHash("sha256").update(body).digest("hex"),
    },
    body,
    aws: { datetime: new Date(clock.unixMs()).toISOString().replace(/[:-]|\.\d{3}/g, "") },
  });
  const send = (signal: AbortSignal) => fetch(request, { redirect: "manual", signal });
  const { ok, told } = await askHttp(send, TIMEOUT_MS, clock, ended);
  if (!ok) throw new Error(told);
}
