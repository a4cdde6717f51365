// The learned part of the tagger: sentence vectors, words and the rules' findings, judged by weights that come with the program.
import type { SentenceEncoder } from "../../sentences";
import type { Finding, ReadTurn } from "../engine";
import type { Ruled } from "../ruled";
import { decide } from "./decide";
import { judge, type Model } from "./model";
import { readTalk } from "./talk";

/**
 * @returns what a talk's turns mean, in order of their words
 * @throws SentenceError when sentences cannot be encoded; the signal's reason when it is aborted
 */
export async function learnedFindings(
  turns: readonly ReadTurn[],
  ruled: Ruled,
  { model, encoder }: { model: Model; encoder: SentenceEncoder },
  signal: AbortSignal,
): Promise<Finding[]> {
  if (turns.every(({ tokens }) => tokens.length === 0)) return ruled.ruled;
  const talk = await readTalk(turns, ruled, encoder, signal);
  return decide(model, talk, await judge(model, talk, signal));
}
