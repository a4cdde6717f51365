// The monitor without a screen: says each change until the badge is gone or somebody ends it.
import { ExitCode, ToolError } from "@salestag/protocol/team";
import type { Change } from "./change";
import { changesOf, type PhraseText } from "./changes";
import { type Input, initialState } from "./model";
import { reduce } from "./state";
import { Watch } from "./watch";

export interface PlainOptions {
  /** See openLine. */
  port: string;
  phraseText: PhraseText;
  /** Gets each change, with its Unix time in ms. */
  say: (change: Change, nowMs: number) => void;
  /** Unix time in ms, of a clock that never goes back. */
  nowMs: () => number;
  /** Ends it. */
  signal: AbortSignal;
}

/**
 * Watches a badge until the signal.
 * @throws ToolError when the badge cannot be opened, or is gone
 */
export async function monitorPlainly({ port, phraseText, say, nowMs, signal }: PlainOptions): Promise<void> {
  let state = initialState(nowMs());
  const take = (input: Input) => {
    const atMs = nowMs();
    const before = state;
    state = reduce(before, input, atMs);
    for (const change of changesOf(before, state, input, phraseText)) say(change, atMs);
  };
  const watch = await Watch.open(port, take);
  const ended = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const why = await Promise.race([watch.gone, ended.then(() => undefined)]);
  await watch.close();
  if (why === undefined) return;
  take({ kind: "gone", why });
  throw new ToolError(ExitCode.Badge, `the badge at ${port} is gone (${why}); plug it in again.`);
}
