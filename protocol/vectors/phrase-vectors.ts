// Test vectors of the phrase decoder, made from docs/phrases.md by another construction than the code under test: every path is kept
// whole, as the list of the scores of each of its phones, and all are extended from a copy of the tick before.

interface Path {
  total: number;
  start: number;
  /** Scores of each phone so far, 1/4 nat. */
  phones: number[][];
}
export type Setting = [text: string, threshold: number, ...pronunciations: string[]];
/** [text, start tick, end tick, score] */
type Hit = [string, number, number, number];

const PHONES = 40;
const classesOf = (pronunciation: string) => [...pronunciation].map((c) => c.charCodeAt(0) - 64);

function extend(path: Path, score: number, isNewPhone: boolean): Path {
  const phones = path.phones.map((scores) => [...scores]);
  if (isNewPhone) phones.push([score]);
  else phones[phones.length - 1].push(score);
  return { total: path.total + score + 14, start: path.start, phones };
}

/** The best path in each phone after a tick. */
function advance(before: (Path | undefined)[], classes: number[], vector: number[], tick: number) {
  return classes.map((phone, j) => {
    const score = 8 - vector[phone];
    const stay = before[j] !== undefined && before[j].phones[j].length < 9 ? before[j] : undefined;
    const from = j === 0 ? { total: 0, start: tick, phones: [] } : before[j - 1];
    if (stay === undefined && from === undefined) return undefined;
    const moves = stay === undefined || (from !== undefined && from.total > stay.total);
    const path = extend(moves ? (from as Path) : (stay as Path), score, moves);
    return path.total < -16 ? undefined : path;
  });
}

function scoreOf({ phones }: Path): number {
  const means = phones.map(
    (scores) => scores.reduce((sum, score) => sum + score, 0) * Math.round(256 / scores.length - 1e-9),
  );
  return Math.trunc(means.reduce((sum, mean) => sum + mean, 0) / phones.length) + 0; // -0 + 0 is 0
}

/**
 * @param vectors 40 posterior bytes for each tick
 * @returns the hits, and for each tick the score of the first pronunciation, 1 while no path has reached its end
 */
export function decode(settings: Setting[], vectors: number[][], firstTick: number) {
  const listeners = settings.flatMap(([text, threshold, ...pronunciations]) =>
    pronunciations.map((pronunciation) => ({ text, threshold, classes: classesOf(pronunciation) })),
  );
  let paths: (Path | undefined)[][] = listeners.map(({ classes }) => classes.map(() => undefined));
  const scores: number[] = [];
  const hits: Hit[] = [];
  let candidate: { hit: Hit; margin: number } | undefined;
  vectors.forEach((vector, t) => {
    const tick = firstTick + t;
    paths = paths.map((before, l) => advance(before, listeners[l].classes, vector, tick));
    const [first] = paths;
    const firstEnd = first[first.length - 1];
    scores.push(firstEnd === undefined ? 1 : scoreOf(firstEnd));
    listeners.forEach(({ text, threshold }, l) => {
      const path = paths[l][paths[l].length - 1];
      if (path === undefined) return;
      const margin = scoreOf(path) - threshold;
      const last = hits[hits.length - 1];
      const heard = last !== undefined && path.start <= last[2];
      const again = last !== undefined && last[0] === text && tick - last[2] < 25;
      if (margin <= 0 || heard || again || (candidate !== undefined && margin <= candidate.margin)) return;
      candidate = { hit: [text, path.start, tick, scoreOf(path)], margin };
    });
    if (candidate !== undefined && tick - candidate.hit[2] >= 3) {
      hits.push(candidate.hit);
      candidate = undefined;
    }
  });
  return { scores, hits };
}

/** Posteriors of noise with pronunciations planted from given ticks on, each phone for some ticks. */
function vectorsWith(
  noise: (at: number) => number,
  ticks: number,
  planted: [pronunciation: string, fromTick: number, ticksOfPhone: number, posterior: number][],
): number[][] {
  const vectors = Array.from({ length: ticks }, (_, t) =>
    Array.from({ length: PHONES }, (__, c) => 20 + (noise(t * PHONES + c) % 12)),
  );
  for (const [pronunciation, fromTick, ticksOfPhone, posterior] of planted)
    classesOf(pronunciation).forEach((phone, j) => {
      for (let i = 0; i < ticksOfPhone; i++) vectors[fromTick + j * ticksOfPhone + i][phone] = posterior;
    });
  return vectors;
}

/** @param bytes bytes that look random, by a label and their number */
export function phraseVectors(bytes: (label: string, length: number) => Buffer) {
  const random = bytes("posteriors", 40 * PHONES);
  const noise = (at: number) => random[at % random.length];
  const short: Setting = ["too much", -2400, "_TAHI", "_TAI"];
  const cases: [string, Setting[], number[][], number][] = [
    ["noise alone", [short], vectorsWith(noise, 40, []), 0],
    ["one phrase", [short], vectorsWith(noise, 40, [["_TAHI", 10, 3, 6]]), 7],
    [
      "the same phrase twice within a second, then another",
      [short, ["sign here", -2000, "]EXZ"]],
      vectorsWith(noise, 48, [
        ["_TAI", 5, 2, 8],
        ["_TAI", 16, 2, 8],
        ["]EXZ", 30, 2, 4],
      ]),
      0,
    ],
    ["phones held too long", [short], vectorsWith(noise, 45, [["_TAI", 2, 10, 5]]), 0],
    ["ticks that wrap at 4096", [short], vectorsWith(noise, 40, [["_TAHI", 10, 3, 2]]), 4080],
    [
      "a phone held to its longest stay after the paths behind it died",
      [["x", -1000, "ABCDEF"]],
      vectorsWith(() => 11, 40, [
        ["ABCD", 2, 1, 14],
        ["E", 6, 14, 2],
        ["F", 20, 3, 2],
      ]),
      0,
    ],
    ["perfect", [["x", -6144, "ABC"]], vectorsWith(noise, 30, [["ABC", 8, 4, 0]]), 100000],
  ];
  const many = Array.from({ length: 8 }, () => "ABC");
  return {
    cases: cases.map(([name, settings, vectors, firstTick]) => ({
      name,
      settings,
      firstTick,
      posteriors: Buffer.from(vectors.flat()).toString("hex"),
      ...decode(settings, vectors, firstTick),
    })),
    bad: [
      ["no array", { text: "x" }],
      ["empty", []],
      ["no pronunciation", ["x", -2000]],
      ["no text", ["", -2000, "ABC"]],
      ["text of 41", ["x".repeat(41), -2000, "ABC"]],
      ["text a number", [1, -2000, "ABC"]],
      ["threshold above 0", ["x", 1, "ABC"]],
      ["threshold too low", ["x", -6145, "ABC"]],
      ["threshold not whole", ["x", -2000.5, "ABC"]],
      ["threshold a text", ["x", "-2000", "ABC"]],
      ["two phones", ["x", -2000, "AB"]],
      ["41 phones", ["x", -2000, "A".repeat(41)]],
      ["silence as a phone", ["x", -2000, "AB@"]],
      ["a character beyond the phones", ["x", -2000, "ABh"]],
      ["seven pronunciations", ["x", -2000, ...many.slice(0, 7)]],
      ["a pronunciation that is a number", ["x", -2000, 5]],
    ].map(([why, setting]) => ({ why, setting })),
  };
}
