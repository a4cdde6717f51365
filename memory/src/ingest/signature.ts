// Checks the signature of a request as Standard Webhooks 1.0 has it. Ours because the package `standardwebhooks` signs text only, and a chunk in binary mode is
// none; and because it looks at the machine's clock itself. The tests let the package sign.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** How far a signature's time may be from ours, either way: what the package of Standard Webhooks allows. */
export const TOLERANCE_MS = 5 * 60_000;

const ID_CHARACTERS_MAX = 256;
const SIGNATURES_MAX = 16;

/**
 * @param secrets of which any may have signed
 * @returns why the request is not trusted, without what it holds; undefined where it is
 */
export function distrust(
  headers: IncomingHttpHeaders,
  body: Buffer,
  secrets: Buffer[],
  nowUnixMs: number,
): string | undefined {
  const [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(
    (name) => headers[name],
  );
  if (typeof id !== "string" || typeof timestamp !== "string" || typeof signatures !== "string")
    return "the request is not signed: webhook-id, webhook-timestamp and webhook-signature are needed, once each";
  if (id.length > ID_CHARACTERS_MAX || !/^\d{1,12}$/.test(timestamp))
    return "webhook-id or webhook-timestamp is malformed";
  const offMs = Number(timestamp) * 1000 - nowUnixMs;
  if (Math.abs(offMs) > TOLERANCE_MS)
    return `the signature's time is ${Math.round(Math.abs(offMs) / 1000)} s ${offMs < 0 ? "ago" : "ahead"}, more than ${TOLERANCE_MS / 1000} s: check both clocks`;
  const given = signatures.split(" ").slice(0, SIGNATURES_MAX);
  // Every pair is compared, so that the time taken does not tell which secret fits.
  let fits = false;
  for (const secret of secrets) {
    const right = createHmac("sha256", secret).update(`${id}.${timestamp}.`).update(body).digest();
    for (const one of given) if (isSignature(one, right)) fits = true;
  }
  return fits
    ? undefined
    : "the signature fits none of the secrets: check that relay and memory have the same";
}

function isSignature(text: string, right: Buffer): boolean {
  if (!text.startsWith("v1,")) return false;
  const bytes = Buffer.from(text.slice("v1,".length), "base64");
  return bytes.length === right.length && timingSafeEqual(bytes, right);
}
