// Training: the same talks give the same weights, and the weights that come with the program belong to the labelled texts and to the encoder.
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type LabelledDialogue, readLabelled } from "../src/labelled/read";
import { ENCODER_DIMS, ENCODER_NAME, type SentenceEncoder } from "../src/sentences";
import { LEARNED_KINDS } from "../src/tagger/learned/kinds";
import { judge } from "../src/tagger/learned/model";
import { readModel, writeModel } from "../src/tagger/learned/weights";
import { WEIGHTS_FILE } from "../src/tagger/learned/weights-file";
import { minimize } from "./lbfgs";
import { makeModel } from "./make-model";
import { matricesReady } from "./matrix";
import { seeded, talksOf } from "./talks";
import { readTrainingTexts } from "./texts";
import { SETTINGS } from "./train";

const BYTES_MAX = 300_000;
const PRICES = ["too dear", "too expensive", "more than we can pay", "a lot of money"];
/** Talks of one pattern, so that there is something to be learned from few. */
const TALKS = Array.from(
  { length: 12 },
  (_, place) => `# talk-${place}
R: Hello, number ${place} of this street, I sell windows.
C: [objection.pricing: Windows are ${PRICES[place % PRICES.length]}.]
R: The weather is nice on day ${place}.
C: It is.
`,
).join("\n");

/** Vectors that are quickly made: words thrown into places. */
const encoder: SentenceEncoder = {
  name: "words/1",
  dims: ENCODER_DIMS,
  async encode(texts) {
    return texts.map((text) => {
      const vector = new Float32Array(ENCODER_DIMS);
      for (const word of text.split(" "))
        vector[(7 * word.length + word.charCodeAt(0)) % ENCODER_DIMS] += 0.3;
      return vector;
    });
  },
};

async function trained(dialogues: LabelledDialogue[]) {
  const talks = await talksOf(dialogues, "test", encoder);
  const settings = { ...SETTINGS, firstRounds: 15, secondRounds: 15 };
  return { talks, model: makeModel(talks, [], { checksum: "0", encoder: encoder.name }, settings) };
}

describe("training", () => {
  before(() => matricesReady);

  it("training: the same talks give the same bytes, and what was learned is found", async () => {
    const dialogues = readLabelled(TALKS, "talks.txt");
    const { talks, model } = await trained(dialogues);
    const bytes = writeModel(model);
    deepEqual(writeModel((await trained(dialogues)).model), bytes);
    const read = readModel(bytes);
    const pricing = LEARNED_KINDS.indexOf("objection.pricing");
    const { turns } = await judge(read, talks[0].talk);
    ok(turns[1][pricing] > 0.5 && turns[3][pricing] < 0.5, `${turns[1][pricing]} and ${turns[3][pricing]}`);
    ok(read.examples.some(({ kind, text }) => kind === pricing && text.startsWith("Windows are")));
  });

  it("training: weights that are cut off or of another version are refused", async () => {
    const bytes = writeModel((await trained(readLabelled(TALKS, "talks.txt"))).model);
    throws(() => readModel(bytes.subarray(0, bytes.length - 1)), /bytes instead of.*train:tagger/);
    throws(() => readModel(Buffer.from("rubbish")), /do not begin with their header/);
    const other = Buffer.from(bytes.toString("latin1").replace('"version":1', '"version":2'), "latin1");
    throws(() => readModel(other), /of version 2/);
  });

  it("training: the program's weights belong to the labelled texts and the encoder, and are small", () => {
    const bytes = readFileSync(WEIGHTS_FILE);
    const { checksum, encoder: name } = readModel(bytes);
    equal(checksum, readTrainingTexts().checksum, "run npm run train:tagger");
    equal(name, ENCODER_NAME);
    ok(bytes.length < BYTES_MAX, `${bytes.length} bytes`);
  });

  it("training: the smallest value of a function is found (Rosenbrock's valley)", () => {
    const point = Float64Array.of(-1.2, 1);
    minimize(
      ([x, y], gradient) => {
        gradient[0] = -400 * x * (y - x * x) - 2 * (1 - x);
        gradient[1] = 200 * (y - x * x);
        return 100 * (y - x * x) ** 2 + (1 - x) ** 2;
      },
      point,
      200,
    );
    ok(Math.abs(point[0] - 1) < 1e-3 && Math.abs(point[1] - 1) < 1e-3, point.join());
  });

  it("training: random numbers are the same for a seed, and within 0 to 1", () => {
    const draw = (seed: number) => Array.from({ length: 100 }, seeded(seed));
    deepEqual(draw(3), draw(3));
    ok(draw(3).every((value) => value >= 0 && value < 1));
    ok(draw(3).join() !== draw(4).join());
  });
});
