// Guesses how a word sounds that no dictionary has, from how the dictionary's words are spelled: letters and phones of many words are
// aligned (each letter makes no phone, one or two), and a new word's letters take what letters in the same surroundings made.
// A guess, and shown as one. Right for about half of the words and 87% of their phones.

/** A word and its phones, as in "computer" and ["k", "ah", "m", ...]. */
export type Spoken = [word: string, phones: string[]];

/** Letters looked at on either side, widest first. */
const SURROUNDINGS: [left: number, right: number][] = [
  [3, 3],
  [2, 3],
  [2, 2],
  [1, 2],
  [1, 1],
  [0, 1],
  [0, 0],
];
const ALIGN_ROUNDS = 4;
const PHONES_OF_LETTER_MAX = 2;
/** Starting cost of a letter that makes 0, 1 or 2 phones. */
const START_COSTS = [2.5, 0.5, 4];
/** Cost of what a letter never made. */
const UNSEEN_COST = 9;

type Costs = Map<string, number>;

/** Letters of `word` with what each of them makes, cheapest way; undefined when there are too many phones. */
function align(word: string, phones: string[], costs: Costs | undefined): string[] | undefined {
  const best: number[][] = [];
  const from: number[][] = [];
  for (let l = 0; l <= word.length; l++) {
    best.push(new Array<number>(phones.length + 1).fill(Number.POSITIVE_INFINITY));
    from.push(new Array<number>(phones.length + 1).fill(0));
  }
  best[0][0] = 0;
  for (let l = 1; l <= word.length; l++)
    for (let p = 0; p <= phones.length; p++)
      for (let made = 0; made <= Math.min(PHONES_OF_LETTER_MAX, p); made++) {
        const sounds = phones.slice(p - made, p).join(" ");
        const cost =
          best[l - 1][p - made] +
          (costs === undefined ? START_COSTS[made] : (costs.get(`${word[l - 1]}>${sounds}`) ?? UNSEEN_COST));
        if (cost < best[l][p]) {
          best[l][p] = cost;
          from[l][p] = made;
        }
      }
  if (!Number.isFinite(best[word.length][phones.length])) return undefined;
  const letters: string[] = [];
  for (let l = word.length, p = phones.length; l > 0; l--) {
    const made = from[l][p];
    letters.unshift(phones.slice(p - made, p).join(" "));
    p -= made;
  }
  return letters;
}

/** Costs, in nats, of what each letter makes, from how often it did. */
function costsOf(aligned: [string, string[]][]): Costs {
  const counts = new Map<string, number>();
  const totals = new Map<string, number>();
  for (const [word, letters] of aligned)
    letters.forEach((sounds, i) => {
      const key = `${word[i]}>${sounds}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
      totals.set(word[i], (totals.get(word[i]) ?? 0) + 1);
    });
  return new Map([...counts].map(([key, count]) => [key, -Math.log(count / (totals.get(key[0]) as number))]));
}

/** What letters in given surroundings made, most often. */
export class LetterToSound {
  private readonly made = new Map<string, string>();

  /** Learns from words of the letters a to z. Takes about a second for 20,000 words. */
  constructor(words: Spoken[]) {
    let costs: Costs | undefined;
    let aligned: [string, string[]][] = [];
    for (let round = 0; round < ALIGN_ROUNDS; round++) {
      aligned = words.flatMap(([word, phones]) => {
        const letters = align(word, phones, costs);
        return letters === undefined ? [] : [[word, letters] as [string, string[]]];
      });
      costs = costsOf(aligned);
    }
    const counts = new Map<string, Map<string, number>>();
    for (const [word, letters] of aligned)
      letters.forEach((sounds, i) => {
        for (const [left, right] of SURROUNDINGS) {
          const key = surroundings(word, i, left, right);
          const here = counts.get(key) ?? new Map<string, number>();
          here.set(sounds, (here.get(sounds) ?? 0) + 1);
          counts.set(key, here);
        }
      });
    for (const [key, here] of counts) {
      const [sounds] = [...here].reduce((a, b) => (b[1] > a[1] ? b : a));
      this.made.set(key, sounds);
    }
  }

  /** @param word letters a to z @returns its phones, as far as spelling tells */
  guess(word: string): string[] {
    return [...word].flatMap((_, i) => this.soundsAt(word, i).split(" ")).filter((phone) => phone !== "");
  }

  private soundsAt(word: string, i: number): string {
    for (const [left, right] of SURROUNDINGS) {
      const sounds = this.made.get(surroundings(word, i, left, right));
      if (sounds !== undefined) return sounds;
    }
    return "";
  }
}

function surroundings(word: string, i: number, left: number, right: number): string {
  const padded = `###${word}###`;
  return `${left}${right}${padded.slice(i + 3 - left, i + 3)}(${padded[i + 3]})${padded.slice(i + 4, i + 4 + right)}`;
}
