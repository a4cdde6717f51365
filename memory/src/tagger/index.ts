// The local tagger: rules, a lexicon and some counting make tags and insights of a transcript. Deterministic, without network; every tag names its rule.
import type { Insight, Structure, Structurer, Tag } from "../model/structure";
import type { Transcript } from "../model/transcript";
import { coach, monologues } from "./coaching";
import { COMPUTED } from "./computed";
import { Engine, type Finding, type ReadTurn, readTurns, surest } from "./engine";
import { insightsOf } from "./insights";
import { meantAgain, repetitions } from "./insistence";
import { turningPoints } from "./mood";
import { RULES } from "./rules/index";
import { settle } from "./settle";

/** Another number means that talks are tagged anew. */
const NAME = "rules/1";

/** @returns the local tagger */
export function localStructurer(): Structurer {
  const engine = new Engine(RULES);
  return {
    name: NAME,
    async structure(transcript, signal) {
      signal.throwIfAborted();
      return structureWith(engine, transcript);
    },
  };
}

function structureWith(engine: Engine, transcript: Transcript): Structure {
  const turns = readTurns(transcript);
  const found = [...turns.flatMap((_, place) => engine.find(turns, place)), ...turningPoints(turns)];
  const firm = settle(turns, byTurn(found));
  const settled = byTurn([...firm, ...meantAgain(repetitions(turns, firm), firm, turns)]);
  const all = byTurn([...settled, ...coach(turns, settled)]);
  const tags = all.map((finding) => tagOf(turns, finding));
  return { tags, insights: insightsOf(transcript, turns, tags) };
}

/** @returns tags on the rep's monologues, which are counted and need no rule */
export function findMonologues(transcript: Transcript): Tag[] {
  const turns = readTurns(transcript);
  return monologues(turns).map((finding) => tagOf(turns, finding));
}

/** @returns insights on a talk by the tags that somebody else made of it */
export function insightsFor(transcript: Transcript, tags: readonly Tag[]): Insight[] {
  return insightsOf(transcript, readTurns(transcript), tags);
}

/** The surest of each kind on each turn, in order of their words. */
function byTurn(findings: readonly Finding[]): Finding[] {
  const turns = new Map<number, Finding[]>();
  for (const finding of findings) {
    const list = turns.get(finding.turn) ?? [];
    list.push(finding);
    turns.set(finding.turn, list);
  }
  return [...turns.values()]
    .flatMap(surest)
    .sort((one, other) => one.turn - other.turn || one.firstWord - other.firstWord);
}

function tagOf(turns: readonly ReadTurn[], { turn, firstWord, lastWord, ...finding }: Finding): Tag {
  const { words, startMs, endMs, text } = turns[turn].turn;
  return {
    ...finding,
    turn,
    firstWord,
    lastWord,
    startMs: words[firstWord]?.startMs ?? startMs,
    endMs: words[lastWord]?.endMs ?? endMs,
    quote:
      words.length === 0
        ? text
        : words
            .slice(firstWord, lastWord + 1)
            .map((word) => word.text)
            .join(" "),
  };
}

/**
 * @param rule of a tag, such as `rules/price-too-high`
 * @returns what it looks for, as sentences for people; undefined if there is no such rule
 */
export function explain(rule: string): string | undefined {
  const name = rule.replace(/^rules\//, "");
  const known = RULES.find((one) => one.name === name);
  if (known !== undefined) return `${known.reason} For example: ${known.matches.join(" | ")}`;
  return Object.hasOwn(COMPUTED, name) ? COMPUTED[name as keyof typeof COMPUTED] : undefined;
}
