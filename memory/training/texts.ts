// The labelled talks that the tagger learns from, and their checksum: which texts a file of weights belongs to.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { type LabelledDialogue, readLabelled } from "../src/labelled/read";

/** held-out.txt is not among them: it judges. */
export const TRAINING_PARTS = ["tuning", "training-a", "training-b", "training-c", "training-d"] as const;

export interface TrainingPart {
  name: string;
  dialogues: LabelledDialogue[];
}

export interface TrainingTexts {
  parts: TrainingPart[];
  /** SHA-256 over all files, 64 hexadecimal digits. */
  checksum: string;
}

/** @throws Error that names file and line for what is not in the format */
export function readTrainingTexts(): TrainingTexts {
  const hash = createHash("sha256");
  const parts = TRAINING_PARTS.flatMap((name) => {
    const file = new URL(`../labelled/${name}.txt`, import.meta.url);
    if (!existsSync(file)) return [];
    const text = readFileSync(file, "utf8");
    hash.update(`${name}\n${text}\n`);
    return [{ name, dialogues: readLabelled(text, `memory/labelled/${name}.txt`) }];
  });
  return { parts, checksum: hash.digest("hex") };
}
