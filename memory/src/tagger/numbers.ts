// Numbers and amounts of money among the tokens, in digits or in words.

const NUMBER_WORDS = new Set(
  "one two three four five six seven eight nine ten eleven twelve thirteen fifteen sixteen eighteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million grand dozen half".split(
    " ",
  ),
);
const MONEY_WORDS = new Set(
  "dollar dollars bucks euro euros pound pounds quid cent cents pence grand".split(" "),
);

/** @returns true for "12", "12.5", "1,200", "$40", "20%", "twelve" */
export function isNumber(text: string): boolean {
  return /^[$€£]?\d[\d.,]*(?:%|k|am|pm|th|st|nd|rd)?$/.test(text) || NUMBER_WORDS.has(text);
}

/** @returns true for "$40", and for "40" or "forty" before a word for money */
export function isMoney(text: string, next: string | undefined): boolean {
  if (/^[$€£]\d|^\d[\d.,]*[$€£]$/.test(text)) return true;
  if (text === "grand" || text === "bucks") return true;
  return (
    isNumber(text) &&
    next !== undefined &&
    (MONEY_WORDS.has(next) || next === "hundred" || next === "thousand")
  );
}
