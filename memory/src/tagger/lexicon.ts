// Words of feeling with their weight, -3 (very bad) to 3 (very good), by how people talk at a door or a counter. A phrase goes before its words.

const WEIGHTS: Record<string, string> = {
  "3": "love|wonderful|fantastic|amazing|excellent|splendid|brilliant|thrilled|delighted|perfect|awesome|lifesaver|life saver|godsend|marvelous|marvellous|bless you|best news|breath of fresh air|music to my ears|weight off|load off|thank goodness|thank god|thank heavens|cannot thank you|can not thank you|hooray|gorgeous|blown away|made my day|relief|relieved|hallelujah|fabulous|terrific|overjoyed|grateful|best thing|dream come true|angel",
  "2": "great|happy|glad|impressed|impressive|beautiful|lovely|excited|exciting|enjoy|appreciate|thank|thanks so much|relax|reassuring|reassured|comfortable|safer|smart|clever|handy|refreshing|honest|kind of you|very kind|pleased|feel better|proud|cool|nice|sweet|helpful|finally|wow|surprised|pleasant|trust you|fair|excellent|good news|huge help|big help|ha|haha|sold|deal|bravo|delicious|keen|peace of mind|painless|charming|laugh|like you",
  "1": "good|fine|okay|like|interested|interesting|welcome|easy|better|useful|useless not|reasonable|sure|tidy|absolutely|works for me|sense|save|true|yes|right|decent|tempting|curious|help|neat|fun|hope|smile|agree|promising|thanks|thank you|please",
  "-1": "problem|expensive|busy|worry|doubt|wrong|no|concern|unsure|hard|difficult|noise|loud|slow|trouble|steep|confuse|confusing|cold|tired|sorry|afraid|hesitant|nervous|suspicious|catch|leak|break|lose|complain|weird|hassle|tricky|shame|sad|not sure|hm|whatever",
  "-2": "annoy|annoying|bad|hate|upset|terrible|scare|scared|frighten|pushy|rude|ridiculous|uncomfortable|disappoint|disappointing|waste|lie|lied|stop|scam|rip off|frustrating|frustrated|insult|unacceptable|enough|pressure|burned|worst|awful|unfair|cheat|trick|trap|nonsense|bother|sick of|fed up|uneasy|mad|irritate|dread|joke|insane|crazy|infuriating|robbery|nightmare|miserable|gouge|theatrics|not funny|do not like|excuse me|listen to me|not listening|patronize|nuts|ashamed|embarrass|dreadful|horrible|stress|cornered|low blow|pestered|hung up|fobbed off|cross",
  "-3": "furious|disgusting|disgust|outrage|outrageous|angry|livid|liar|lying|police|get out|get off|go away|leave me alone|how dare|harass|harassment|threaten|insulting|shameful|shameless|appalled|appalling|sickening|crook|con man|swindle|no way to treat|hang up|slam|disgrace|fraud|thief|thieves|get lost|hell|damn|nerve",
};

/** Each phrase or word with its weight. */
export const FEELINGS: readonly { phrase: string; weight: number }[] = Object.entries(WEIGHTS).flatMap(
  ([weight, phrases]) => phrases.split("|").map((phrase) => ({ phrase, weight: Number(weight) })),
);

/** What makes the word after it stronger or weaker. */
export const DEGREES: Record<string, number> = {
  very: 1.4,
  really: 1.3,
  so: 1.3,
  extremely: 1.6,
  absolutely: 1.5,
  totally: 1.4,
  completely: 1.4,
  too: 1.2,
  such: 1.2,
  pretty: 1.1,
  honestly: 1.1,
  quite: 1.1,
  a: 1,
  bit: 0.6,
  little: 0.6,
  somewhat: 0.6,
  slightly: 0.5,
  kind: 0.7,
  fairly: 0.8,
};
