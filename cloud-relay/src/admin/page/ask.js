// @ts-check
// Asks the relay how it is.

/** Longest wait for an answer, in ms. */
const ANSWER_MS_MAX = 5000;

/** @typedef {import("../status").Status} Status */
/** @typedef {{ kind: "status", status: Status } | { kind: "refused" } | { kind: "away", why: string }} Answer */

/**
 * @param {string} token
 * @param {AbortSignal} [signal] gives up
 * @returns {Promise<Answer>} `refused`: the token is wrong; `away`: there is no relay that answers
 */
export async function askStatus(token, signal) {
  if (!/^[ -~]+$/.test(token)) return { kind: "refused" }; // it could not be sent in a header
  const patience = AbortSignal.timeout(ANSWER_MS_MAX);
  try {
    const answer = await fetch("status", {
      headers: { authorization: `Bearer ${token}` },
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: signal === undefined ? patience : AbortSignal.any([signal, patience]),
    });
    if (answer.status === 401) return { kind: "refused" };
    if (!answer.ok) return { kind: "away", why: `it answers with ${answer.status}` };
    return { kind: "status", status: await answer.json() };
  } catch {
    return { kind: "away", why: "it does not answer" };
  }
}
