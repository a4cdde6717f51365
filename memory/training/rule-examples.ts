// The rules' own examples as talks to learn from: plain words, where the labelled talks have unusual ones. They tell of the rule's kind alone, and nothing of
// what the rule finds: it finds all of them.
import type { Label } from "../src/labelled/read";
import type { SentenceEncoder } from "../src/sentences";
import { Engine, type ReadTurn, readTurns } from "../src/tagger/engine";
import { readTalk, textsOf } from "../src/tagger/learned/talk";
import { RULES } from "../src/tagger/rules/index";
import type { Rule } from "../src/tagger/rules/rule";
import { talk } from "../src/tagger/testing";
import type { LabelledTalk } from "./train";

interface ExampleRead {
  rule: Rule;
  turns: ReadTurn[];
  labels: Label[];
}

/** @returns a talk for each example and each near miss of the rules; only its last turn tells */
export async function ruleExamples(encoder: SentenceEncoder): Promise<LabelledTalk[]> {
  const read = RULES.flatMap((rule) => [
    ...rule.matches.map((text) => readExample(rule, text, true)),
    ...rule.misses.map((text) => readExample(rule, text, false)),
  ]);
  await encoder.encode(read.flatMap(({ turns }) => textsOf(turns)));
  const talks: LabelledTalk[] = [];
  for (const { rule, turns, labels } of read)
    talks.push({
      talk: await readTalk(turns, { hits: [], ruled: [] }, encoder),
      labels,
      author: "rules",
      tells: rule.kind,
    });
  return talks;
}

function readExample(rule: Rule, text: string, matches: boolean): ExampleRead {
  const turns = readTurns(talk(...text.split(" / ")));
  const found = matches ? new Engine([rule]).find(turns, turns.length - 1) : [];
  const labels = found.map(({ kind, turn, firstWord, lastWord }) => ({ kind, turn, firstWord, lastWord }));
  return { rule, turns, labels };
}
