// Where the tagger's weights lie, read once.
import { readFileSync } from "node:fs";
import { ENCODER_NAME } from "../../sentences";
import type { Model } from "./model";
import { readModel } from "./weights";

export const WEIGHTS_FILE = new URL("./tagger.weights", import.meta.url);

let model: Model | undefined;

/** @throws Error when the file is damaged, or was made with another sentence encoder */
export function learnedModel(): Model {
  if (model !== undefined) return model;
  const read = readModel(readFileSync(WEIGHTS_FILE));
  if (read.encoder !== ENCODER_NAME)
    throw new Error(
      `The tagger's weights were made with the sentence encoder ${read.encoder}, not ${ENCODER_NAME}; run npm run train:tagger.`,
    );
  model = read;
  return model;
}
