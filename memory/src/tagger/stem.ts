// A word's stem: "deciding", "decided" and "decides" are one to a rule. Patterns and turns go through the same function, so a stem need not be a word,
// only the same for all forms of one; it is no linguist's lemma.

const IRREGULAR: Record<string, string> = Object.fromEntries(
  Object.entries({
    be: "is am are was were been being",
    have: "has had having",
    do: "does did doing",
    go: "goes went gone going",
    say: "said says",
    tell: "told",
    think: "thought",
    buy: "bought",
    pay: "paid",
    get: "got gotten getting",
    come: "came",
    make: "made making",
    know: "knew known",
    see: "saw seen",
    take: "took taken",
    give: "gave given",
    find: "found",
    feel: "felt",
    keep: "kept",
    leave: "leaving leaves",
    lose: "lost",
    mean: "meant",
    meet: "met",
    send: "sent",
    spend: "spent",
    hear: "heard",
    break: "broke broken",
    run: "ran running",
    begin: "began begun",
    speak: "spoke spoken",
    choose: "chose chosen",
    wife: "wives",
    child: "children kids kid",
    use: "used using",
    bill: "bills",
    need: "needed needs",
    hate: "hated",
    like: "liked",
    die: "died dying dies",
    ask: "asked",
    neighbour: "neighbor neighbors neighbours",
    cheap: "cheaper cheapest",
    i: "i",
    us: "us",
  }).flatMap(([base, forms]) => forms.split(" ").map((form) => [form, base])),
);

/** @returns the word without its endings */
export function stem(word: string): string {
  if (Object.hasOwn(IRREGULAR, word)) return IRREGULAR[word];
  if (word.length < 4 || /\d/.test(word)) return word;
  return finish(withoutEnding(word));
}

function withoutEnding(word: string): string {
  if (word.endsWith("ies") && word.length > 4) return `${word.slice(0, -3)}y`;
  if (/(ss|sh|ch|x|zz)es$/.test(word)) return word.slice(0, -2);
  if (/[^siu]s$/.test(word)) return word.slice(0, -1);
  for (const ending of ["ing", "ed"])
    if (word.endsWith(ending)) {
      const rest = word.slice(0, -ending.length);
      if (rest.length > 2 && /[aeiouy]/.test(rest)) return rest.replace(/i$/, "y");
    }
  return word;
}

/** A dropped e and a doubled consonant are the same in all forms. */
function finish(stemmed: string): string {
  const short = stemmed.length > 3 && stemmed.endsWith("e") ? stemmed.slice(0, -1) : stemmed;
  return short.replace(/([^aeiouy])\1$/, "$1");
}
