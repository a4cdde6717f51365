// Insights on a whole talk: a summary in plain sentences made of tags and numbers, how each turn sounds, and how much the other one takes part.
import type { Insight, Tag } from "../model/structure";
import { TAXONOMY, type TagKind } from "../model/taxonomy";
import type { Transcript, Turn } from "../model/transcript";
import type { ReadTurn } from "./engine";
import { sentimentOf } from "./sentiment";

const WINDOW_MS = 30_000;
/** More windows than that in a long talk are longer ones. */
const WINDOWS_MAX = 240;
const QUOTE_WORDS_MAX = 16;

/** @returns what there is to say; sentiment only of turns with words */
export function insightsOf(
  transcript: Transcript,
  turns: readonly ReadTurn[],
  tags: readonly Tag[],
): Insight[] {
  const points = turns
    .filter(({ tokens }) => tokens.length > 0)
    .map((read) => {
      const { startMs, endMs, speaker } = read.turn;
      return { startMs, endMs, speaker, value: rounded(sentimentOf(read)) };
    });
  return [
    { kind: "summary", text: summaryOf(transcript, tags) },
    { kind: "sentiment", points },
    { kind: "engagement", points: engagementOf(transcript, turns, tags) },
  ];
}

function summaryOf(transcript: Transcript, tags: readonly Tag[]): string {
  const sentences = [opening(transcript), standing(tags), wanting(tags), ending(tags)];
  return sentences.filter((sentence) => sentence !== undefined).join(" ");
}

function opening({ turns, durationMs }: Transcript): string {
  const spokenMs = (speakers: Turn["speaker"][]) =>
    turns
      .filter(({ speaker }) => speakers.includes(speaker))
      .reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  const repMs = spokenMs(["rep"]);
  const knownMs = repMs + spokenMs(["other"]);
  const share = knownMs === 0 ? "" : `; the rep had ${Math.round((100 * repMs) / knownMs)}% of the talk time`;
  return `A talk of ${lengthOf(durationMs)} in ${counted(turns.length, "turn")}${share}.`;
}

function lengthOf(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} minutes`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function standing(tags: readonly Tag[]): string | undefined {
  const topics = topicsOf(tags, "objection.");
  return topics.length === 0
    ? undefined
    : `Against it stood ${listed(topics)} (${quoted(tags, "objection.")}).`;
}

function wanting(tags: readonly Tag[]): string | undefined {
  const topics = topicsOf(tags, "signal.");
  return topics.length === 0
    ? undefined
    : `The customer showed ${listed(topics)} (${quoted(tags, "signal.")}).`;
}

function ending(tags: readonly Tag[]): string {
  const last = (kind: TagKind) => tags.findLast((tag) => tag.kind === kind);
  const result = last("outcome.result") ?? last("outcome.commitment");
  const step = last("outcome.next-step");
  const said = [
    result === undefined
      ? undefined
      : `${result.kind === "outcome.result" ? "the result" : "a commitment"} (${shown(result)})`,
    step === undefined ? undefined : `a next step (${shown(step)})`,
  ].filter((part) => part !== undefined);
  return said.length === 0 ? "No outcome was heard." : `It ended with ${listed(said)}.`;
}

function topicsOf(tags: readonly Tag[], family: string): string[] {
  const kinds = new Set(tags.map(({ kind }) => kind).filter((kind) => kind.startsWith(family)));
  return [...kinds].map((kind) => TAXONOMY[kind].title.replace(/^.*: /, ""));
}

function quoted(tags: readonly Tag[], family: string): string {
  const surest = tags
    .filter(({ kind }) => kind.startsWith(family))
    .reduce((best, tag) => (tag.confidence > best.confidence ? tag : best));
  return shown(surest);
}

function shown({ quote }: Tag): string {
  const words = quote.split(" ");
  const cut = words.length > QUOTE_WORDS_MAX ? `${words.slice(0, QUOTE_WORDS_MAX).join(" ")} ...` : quote;
  return `"${cut.replace(/[.,;:!]+$/, "")}"`;
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

/** Half by their share of the talk, a quarter each by asking and by signals in the window. */
function engagementOf({ durationMs }: Transcript, turns: readonly ReadTurn[], tags: readonly Tag[]) {
  const windowMs = Math.max(WINDOW_MS, Math.ceil(durationMs / WINDOWS_MAX));
  const points: { startMs: number; endMs: number; value: number }[] = [];
  for (let startMs = 0; startMs < durationMs; startMs += windowMs) {
    const endMs = Math.min(durationMs, startMs + windowMs);
    const inside = turns.filter(({ turn }) => turn.startMs < endMs && turn.endMs > startMs);
    const others = inside.filter(({ turn }) => turn.speaker === "other");
    const spokenMs = (some: readonly ReadTurn[]) =>
      some.reduce((sum, { turn }) => sum + Math.min(turn.endMs, endMs) - Math.max(turn.startMs, startMs), 0);
    const share = inside.length === 0 ? 0 : spokenMs(others) / Math.max(1, spokenMs(inside));
    const asks = others.some(({ questions }) => questions.some((question) => question));
    const wants = tags.some(
      (tag) => tag.kind.startsWith("signal.") && tag.startMs >= startMs && tag.startMs < endMs,
    );
    const value = 0.5 * Math.min(1, share * 2) + (asks ? 0.25 : 0) + (wants ? 0.25 : 0);
    points.push({ startMs, endMs, value: rounded(value) });
  }
  return points;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
