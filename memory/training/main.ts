// Trains the local tagger on the labelled talks and writes its weights: `npm run train:tagger`. With `--evaluate` it writes nothing and says how well the
// tagger does on authors and talks that it did not learn from.
import { writeFileSync } from "node:fs";
import { TAG_KINDS } from "../src/model/taxonomy";
import { sentenceEncoder } from "../src/sentences";
import { writeModel } from "../src/tagger/learned/weights";
import { WEIGHTS_FILE } from "../src/tagger/learned/weights-file";
import { acrossTalks, type Outcome, withoutAuthor } from "./evaluate";
import { makeModel } from "./make-model";
import { matricesReady } from "./matrix";
import { ruleExamples } from "./rule-examples";
import { talksOf } from "./talks";
import { readTrainingTexts } from "./texts";
import { cachedEncoder } from "./vectors";

const CV_PARTS = 5;

await matricesReady;
const texts = readTrainingTexts();
const encoder = cachedEncoder(sentenceEncoder());
const talks = [];
for (const { name, dialogues } of texts.parts) talks.push(...(await talksOf(dialogues, name, encoder)));
const examples = await ruleExamples(encoder);
console.log(
  `${talks.length} talks, ${talks.reduce((sum, { labels }) => sum + labels.length, 0)} labels, and ${examples.length} examples of rules.`,
);
if (process.argv.includes("--evaluate")) {
  print(await withoutAuthor(talks, examples));
  if (!process.argv.includes("--authors-only")) print(await acrossTalks(talks, examples, CV_PARTS));
} else {
  const bytes = writeModel(makeModel(talks, examples, { checksum: texts.checksum, encoder: encoder.name }));
  writeFileSync(WEIGHTS_FILE, bytes);
  console.log(`${bytes.length} bytes of weights in ${WEIGHTS_FILE.pathname}.`);
}

function print(outcomes: readonly Outcome[]): void {
  const figures = (value: number) => value.toFixed(2);
  for (const { name, rules, learned } of outcomes)
    console.log(
      `${name}: rules alone micro F1 ${figures(rules.micro.f1)}, macro ${figures(rules.macro.f1)}; learned micro F1 ${figures(learned.micro.f1)} (precision ${figures(learned.micro.precision)}, recall ${figures(learned.micro.recall)}), macro ${figures(learned.macro.f1)}`,
    );
  const last = outcomes[outcomes.length - 1].learned;
  for (const kind of TAG_KINDS) {
    const { right, missed, precision, recall, f1 } = last.kinds.get(kind)!;
    console.log(`| \`${kind}\` | ${[right + missed, ...[precision, recall, f1].map(figures)].join(" | ")} |`);
  }
}
