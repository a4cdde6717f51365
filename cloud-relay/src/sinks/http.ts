// A request to a sink's other side over HTTP: with an end to its patience, no redirections, and a short word of what went wrong.
import type { Clock } from "@salestag/protocol/service";

/** Of an answer so much is told in the log. */
const ANSWER_SHOWN_MAX = 200;

/** What the other side said. */
export interface HttpAnswer {
  ok: boolean;
  status: number;
  /** "it answered 503: ..." */
  told: string;
}

/**
 * @param send makes the request, and gives it up when the signal is aborted; it must not follow redirections: what is meant for one place is
 * not carried to another
 * @param timeoutMs longest wait for the whole answer
 * @param ended aborted when the relay ends
 * @throws Error when there is no answer
 */
export async function askHttp(
  send: (signal: AbortSignal) => Promise<Response>,
  timeoutMs: number,
  clock: Clock,
  ended: AbortSignal,
): Promise<HttpAnswer> {
  const timedOut = new AbortController();
  const cancel = clock.after(timeoutMs, () => timedOut.abort());
  try {
    const answer = await send(AbortSignal.any([ended, timedOut.signal]));
    const said = (await answer.text()).slice(0, ANSWER_SHOWN_MAX);
    const told = `it answered ${answer.status}${said === "" ? "" : `: ${JSON.stringify(said)}`}`;
    return { ok: answer.ok, status: answer.status, told };
  } catch (cause) {
    if (timedOut.signal.aborted) throw new Error(`it did not answer within ${timeoutMs / 1000} s`);
    // `fetch` hides why it failed one level down.
    throw cause instanceof TypeError && cause.cause instanceof Error ? cause.cause : cause;
  } finally {
    cancel();
  }
}
