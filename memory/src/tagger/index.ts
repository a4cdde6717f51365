// The local tagger: rules, a lexicon, some counting and what was learned from labelled talks make tags and insights of a transcript. Deterministic, without
// network; every tag names its rule or what it is like.
import type { Insight, Structure, Structurer, Tag } from "../model/structure";
import { TAXONOMY } from "../model/taxonomy";
import type { Transcript } from "../model/transcript";
import { sentenceEncoder } from "../sentences";
import { monologues } from "./coaching";
import { COMPUTED } from "./computed";
import { Engine, type Finding, type ReadTurn, readTurns } from "./engine";
import { insightsOf } from "./insights";
import { learnedFindings } from "./learned/index";
import { LEARNED_KINDS } from "./learned/kinds";
import { learnedModel } from "./learned/weights-file";
import { ruledOf } from "./ruled";
import { RULES } from "./rules/index";

/** Another number means that talks are tagged anew. */
const NAME = "local/2";

/** @returns the local tagger; its weights and its encoder are loaded with the first talk */
export function localStructurer(): Structurer {
  const engine = new Engine(RULES);
  return {
    name: NAME,
    async structure(transcript, signal) {
      signal.throwIfAborted();
      const turns = readTurns(transcript);
      const ruled = await ruledOf(engine, turns, signal);
      const parts = { model: learnedModel(), encoder: sentenceEncoder() };
      return structureOf(transcript, turns, await learnedFindings(turns, ruled, parts, signal));
    },
  };
}

/** @returns the rules alone, to compare with */
export function ruleStructurer(): Structurer {
  const engine = new Engine(RULES);
  return {
    name: "rules/1",
    async structure(transcript, signal) {
      signal.throwIfAborted();
      const turns = readTurns(transcript);
      return structureOf(transcript, turns, (await ruledOf(engine, turns, signal)).ruled);
    },
  };
}

function structureOf(
  transcript: Transcript,
  turns: readonly ReadTurn[],
  findings: readonly Finding[],
): Structure {
  const tags = findings.map((finding) => tagOf(turns, finding));
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
  const learned = LEARNED_KINDS.find((kind) => rule === `learned/${kind}`);
  if (learned !== undefined)
    return `${TAXONOMY[learned].means} Learned from labelled talks: by the words, by sentences that mean alike, by what the rules find, and by the turns around.`;
  const name = rule.replace(/^rules\//, "");
  const known = RULES.find((one) => one.name === name);
  if (known !== undefined) return `${known.reason} For example: ${known.matches.join(" | ")}`;
  return Object.hasOwn(COMPUTED, name) ? COMPUTED[name as keyof typeof COMPUTED] : undefined;
}
