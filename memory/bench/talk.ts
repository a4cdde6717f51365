// Made-up talk for the search benchmark: from a seed, as many conversations as asked for, of sentences as they fall at doors and of words that are as unevenly
// frequent as in any language (Zipf).

/** A conversation of the benchmark. */
export interface MadeTalk {
  turns: { speaker: "rep" | "other"; text: string }[];
  tags: { kind: string; turn: number; quote: string }[];
  summary: string;
}

/** Words of the made-up vocabulary. */
const WORDS = 30_000;
const SYLLABLES =
  "ba be bi bo bu da de di do du fa fe fi fo ga ge gi go ka ke ki ko la le li lo lu ma me mi mo na ne ni no pa pe pi po ra re ri ro sa se si so ta te ti to va ve vi vo".split(
    " ",
  );
const HEAD =
  "the and to you a it that i of we is in for what this on have be so your but do they are with not if just about one can get out would like know there all was then when or them how more were got up from at he who want make time as no go people me see now think here some could than where our because take then been way good my did any much need look only over work even new thing two come back day house down right into home year before through tell call say may after show let give off still us really put too well week".split(
    " ",
  );
const SAID: [kind: string, lines: string[]][] = [
  [
    "objection.pricing",
    [
      "that is way too expensive for us",
      "we cannot afford a payment like that",
      "your price is higher than I thought",
      "it costs too much",
    ],
  ],
  [
    "objection.timing",
    [
      "come back in spring we are busy now",
      "our contract still runs until next year",
      "this is a bad time for us",
    ],
  ],
  [
    "objection.authority",
    ["I have to ask my husband first", "the landlord decides about that", "our board must approve it"],
  ],
  ["objection.need", ["we already have one and it works fine", "I do not see why we would need it"]],
  ["signal.urgency", ["the roof leaks and it must be done before winter", "we need it as soon as possible"]],
  ["signal.interest", ["how long does the battery last", "what would the monthly payment be"]],
  ["signal.decision-readiness", ["where do I sign", "when could you start"]],
  ["competitor", ["another company gave us a better offer", "we had a quote from the other guys"]],
  ["outcome.next-step", ["let us meet on Thursday at ten", "I will call you back tomorrow"]],
  ["outcome.commitment", ["all right we will take it", "I will send you the bill tonight"]],
];
const ANSWERS = [
  "most people pay less than before from the first month on",
  "we can start with a small deposit and no interest",
  "may I show you the numbers for your own house",
  "I understand and I will leave you the papers",
];

/** @returns numbers from 0 to 1, the same for the same seed (mulberry32) */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @returns word number `rank`, from the most frequent on */
export function wordOf(rank: number): string {
  if (rank < HEAD.length) return HEAD[rank];
  let rest = rank * 7919 + 104_729;
  let word = "";
  for (let syllable = 0; syllable < 4; syllable++) {
    word += SYLLABLES[rest % SYLLABLES.length];
    rest = Math.floor(rest / SYLLABLES.length);
  }
  return word;
}

/** @returns a rank by Zipf's law with exponent 1: the word of rank r comes 1/r as often as the first */
export function zipf(random: () => number): number {
  return Math.min(WORDS - 1, Math.floor(WORDS ** random()) - 1);
}

/** @returns a conversation of 10 to 24 turns */
export function madeTalk(random: () => number): MadeTalk {
  const pick = <T>(of: readonly T[]) => of[Math.floor(random() * of.length)];
  const count = 10 + Math.floor(random() * 15);
  const talk: MadeTalk = { turns: [], tags: [], summary: "" };
  for (let turn = 0; turn < count; turn++) {
    const speaker = turn % 2 === 0 ? "rep" : "other";
    const words = Array.from({ length: 4 + Math.floor(random() * 14) }, () => wordOf(zipf(random)));
    if (speaker === "other" && random() < 0.3) {
      const [kind, lines] = pick(SAID);
      const quote = pick(lines);
      talk.tags.push({ kind, turn, quote });
      words.splice(Math.floor(random() * words.length), 0, quote);
    } else if (talk.tags.at(-1)?.turn === turn - 1) words.unshift(pick(ANSWERS));
    talk.turns.push({ speaker, text: words.join(" ") });
  }
  talk.summary = `A talk about ${wordOf(200 + zipf(random))}. ${talk.tags.map(({ quote }) => quote).join(". ")}`;
  return talk;
}
