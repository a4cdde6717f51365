// Pauses between attempts to reach the relay: doubling, bounded, and spread so that a fleet does not come back at once.
import { RETRY_MS_MAX, RETRY_MS_MIN } from "./config";

/**
 * @param attempt failed attempts in a row, from 1
 * @param random 0 to 255, uniform
 * @returns ms to wait: half of the doubled pause, plus a random part of the other half
 */
export function backoffMs(attempt: number, random: number): number {
  let pauseMs = RETRY_MS_MIN;
  for (let i = 1; i < attempt && pauseMs < RETRY_MS_MAX; i++) pauseMs *= 2;
  if (pauseMs > RETRY_MS_MAX) pauseMs = RETRY_MS_MAX;
  const half = pauseMs >> 1;
  return half + ((half * random) >> 8);
}
