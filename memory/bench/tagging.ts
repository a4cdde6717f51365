// How well the local tagger finds what people labelled: a Markdown table for each part of the labelled set. `npm run bench:tagging`. Of the parts that it
// learned from (training, tuning) the figures say little. `-- --without held-out` leaves parts out (names by commas), `-- --rules` takes the rules alone.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type LabelledDialogue, readLabelled } from "../src/labelled/read";
import { type Score, type SetScore, score } from "../src/labelled/score";
import type { Structurer } from "../src/model/structure";
import { TAG_KINDS } from "../src/model/taxonomy";
import { localStructurer, ruleStructurer } from "../src/tagger";

const FILES: Record<string, string[]> = {
  training: ["training-a", "training-b", "training-c", "training-d"],
  tuning: ["tuning"],
  "held-out": ["held-out"],
};

const { values: options } = parseArgs({
  options: { without: { type: "string", default: "" }, rules: { type: "boolean", default: false } },
});
const without = options.without.split(",").filter((name) => name !== "");
const unknown = without.find((name) => !Object.hasOwn(FILES, name));
if (unknown !== undefined)
  throw new Error(`--without ${unknown}: there is no such part, only ${Object.keys(FILES).join(", ")}.`);
const PARTS = Object.keys(FILES).filter((part) => !without.includes(part));

function readPart(part: string): LabelledDialogue[] {
  return FILES[part].flatMap((name) => {
    const file = new URL(`../labelled/${name}.txt`, import.meta.url);
    return readLabelled(readFileSync(file, "utf8"), `memory/labelled/${name}.txt`);
  });
}

async function scorePart(dialogues: LabelledDialogue[], structurer: Structurer): Promise<SetScore> {
  const { signal } = new AbortController();
  const tagged = [];
  for (const { transcript, labels } of dialogues)
    tagged.push({ labels, predicted: (await structurer.structure(transcript, signal)).tags });
  return score(tagged);
}

const figures = ({ precision, recall, f1 }: Pick<Score, "precision" | "recall" | "f1">) =>
  [precision, recall, f1].map((value) => value.toFixed(2)).join(" | ");

/** @param cells of each part, its figures in one text */
const row = (title: string, cells: string[]) => `| ${title} | ${cells.join(" | ")} |`;

const counted = (one: Score) => `${one.right + one.missed} | ${figures(one)}`;

function table(scores: SetScore[]): string[] {
  return [
    row(
      "kind",
      PARTS.map((part) => `${part}: labels | precision | recall | F1`),
    ),
    `|---|${"---:|".repeat(4 * PARTS.length)}`,
    ...TAG_KINDS.map((kind) =>
      row(
        `\`${kind}\``,
        scores.map(({ kinds }) => counted(kinds.get(kind)!)),
      ),
    ),
    row(
      "**all labels** (micro)",
      scores.map(({ micro }) => counted(micro)),
    ),
    row(
      "**mean of the kinds** (macro)",
      scores.map(({ macro }) => ` | ${figures(macro)}`),
    ),
  ];
}

const structurer = options.rules ? ruleStructurer() : localStructurer();
const parts = PARTS.map(readPart);
const scores = [];
for (const dialogues of parts) scores.push(await scorePart(dialogues, structurer));
const sizes = PARTS.map((part, place) => `${parts[place].length} dialogues in ${part}`);
console.log(`\`${structurer.name}\`, ${sizes.join(", ")}:\n\n${table(scores).join("\n")}`);
