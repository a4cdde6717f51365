// The labelled talks that the tagger learns from, and their checksum: which texts a file of weights belongs to.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { type LabelledDialogue, readLabelled } from "../src/labelled/read";

const FOLDER = new URL("../labelled/", import.meta.url);
/** held-out.txt is not among them: it judges. */
const NAME = /^(tuning|training-[a-z])\.txt$/;

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
  const names = readdirSync(FOLDER).filter((name) => NAME.test(name));
  const parts = names.sort().map((file) => {
    const text = readFileSync(new URL(file, FOLDER), "utf8");
    const name = file.replace(/\.txt$/, "");
    hash.update(`${name}\n${text}\n`);
    return { name, dialogues: readLabelled(text, `memory/labelled/${file}`) };
  });
  return { parts, checksum: hash.digest("hex") };
}
