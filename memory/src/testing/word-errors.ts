// How well words were recognised: word errors against what was said, by the shortest way from one to the other.
import { lettersOf } from "../transcribe/answer";

/** Errors of what was heard. */
export interface WordErrors {
  substituted: number;
  inserted: number;
  deleted: number;
  /** Errors of all kinds for each word that was said; above 1 where more was heard than said. */
  rate: number;
  /** Places of words that were heard right: in what was said, and in what was heard. */
  right: { said: number; heard: number }[];
}

/** Compares letters and digits alone. */
export function wordErrors(said: readonly string[], heard: readonly string[]): WordErrors {
  const [a, b] = [said.map(lettersOf), heard.map(lettersOf)];
  const costs = a.map(() => new Array<number>(b.length + 1).fill(0));
  costs.push(new Array<number>(b.length + 1).fill(0));
  // costs[i][j]: errors between what is left behind the first i said and the first j heard.
  for (let i = a.length; i >= 0; i--)
    for (let j = b.length; j >= 0; j--) {
      if (i === a.length || j === b.length) costs[i][j] = a.length - i + (b.length - j);
      else if (a[i] === b[j]) costs[i][j] = costs[i + 1][j + 1];
      else costs[i][j] = 1 + Math.min(costs[i + 1][j + 1], costs[i + 1][j], costs[i][j + 1]);
    }
  return along(a, b, costs);
}

function along(a: string[], b: string[], costs: number[][]): WordErrors {
  const errors: WordErrors = { substituted: 0, inserted: 0, deleted: 0, rate: 0, right: [] };
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) errors.right.push({ said: i++, heard: j++ });
    else if (i < a.length && j < b.length && costs[i][j] === 1 + costs[i + 1][j + 1]) {
      errors.substituted++;
      i++;
      j++;
    } else if (i < a.length && costs[i][j] === 1 + costs[i + 1][j]) {
      errors.deleted++;
      i++;
    } else {
      errors.inserted++;
      j++;
    }
  }
  errors.rate = (errors.substituted + errors.inserted + errors.deleted) / Math.max(1, a.length);
  return errors;
}
