// Words and short phrases that mean the same to field sales, written by hand: whoever looks for "too expensive" is shown "costs too much" as evidence. An entry
// is one word or several; words are matched by their stems.
import { type TextWord, wordsOf } from "./words";

const CONCEPTS: Record<string, string> = {
  dear: "expensive|pricey|costly|overpriced|steep|too much money|costs too much|cost too much|a fortune|cannot afford|can't afford|afford|out of budget|over budget|rip off|robbery|cheaper|less expensive|that's a lot|too high|high price",
  price:
    "price|cost|fee|rate|quote|estimate|payment|money|dollars|bucks|euros|budget|pay|charge|bill|invoice|monthly|down payment|deposit",
  discount:
    "discount|rebate|deal|bargain|offer|special|coupon|incentive|tax credit|save|savings|cheap|free|waive",
  financing: "loan|finance|financing|credit|lease|installments|interest|mortgage|debt|per month|zero down",
  later:
    "not now|later|next year|next month|bad time|busy|wait|in spring|in the fall|after christmas|some other time|another time|not today|not yet|too soon|postpone|delay|not ready",
  contract:
    "contract|agreement|locked in|still runs|under contract|renewal|renews|expires|term|cancel|cancellation",
  authority:
    "landlord|boss|manager|owner|board|committee|headquarters|spouse|wife|husband|partner|ask my wife|talk to my husband|not my decision|cannot decide|decision|decide|permission|approve|approval|sign off|association|hoa",
  family: "wife|husband|son|daughter|kids|children|mother|father|brother|sister|family|baby",
  satisfied:
    "already have|have one|happy with|content|satisfied|works fine|don't need|do not need|no need|not interested|no use|doesn't help|all set|we're good|no benefit",
  competitor:
    "competitor|another company|other company|other guys|other provider|switched|switch|provider|supplier|better offer|other quote|second quote",
  urgent:
    "urgent|asap|as soon as possible|right away|immediately|deadline|emergency|hurry|quick|quickly|soon|running out|before winter|leaking|leak|broken|broke down|stopped working|flood",
  interest:
    "interested|interesting|curious|like it|love it|tell me more|sounds good|sounds great|how does it work|how long|would it|impressive",
  ready:
    "sign|where do I sign|let's do it|sign me up|go ahead|how do we start|when can you start|get started|ready|deal done|order|buy|purchase",
  visit:
    "appointment|visit|meeting|come by|stop by|survey|inspection|demo|demonstration|site visit|walk through|schedule|calendar|book",
  call: "call|phone|ring|text|email|mail|message|follow up|get in touch|contact|reach",
  papers: "brochure|paperwork|papers|leaflet|flyer|document|documents|information|proposal|in writing|card",
  weekdays: "monday|tuesday|wednesday|thursday|friday|saturday|sunday|tomorrow|weekend|next week",
  trust:
    "trust|scam|honest|believe|reviews|references|licensed|insured|reliable|lie|lied|burned before|promise|reputation",
  trouble:
    "problem|trouble|issue|complaint|complain|broken|damage|damaged|fault|faulty|wrong|failed|fails|defect|noise|crack",
  guarantee:
    "warranty|guarantee|guaranteed|covered|coverage|refund|money back|repair|replace|replacement|service plan|maintenance",
  install:
    "install|installation|installer|crew|technician|mount|fit|fitting|setup|set up|hook up|wiring|drill",
  angry:
    "angry|annoyed|upset|mad|furious|frustrated|sick of|fed up|rude|go away|leave me alone|get off|hang up|stop calling",
  happy: "happy|glad|pleased|delighted|wonderful|great|excellent|fantastic|awesome|love|relieved|thankful",
  refuse: "no thanks|no thank you|refuse|never|not for me|forget it|absolutely not|pass on|goodbye|good bye",
  solar: "solar|panel|panels|array|inverter|photovoltaic|sun|battery|net metering|kilowatt",
  roof: "roof|roofing|shingle|shingles|gutter|attic|hail|tarp|chimney",
  window: "window|windows|pane|glazing|draft|drafty|sash|door|doors|siding|insulation",
  heating:
    "furnace|heating|heater|boiler|heat pump|hvac|air conditioner|air conditioning|cooling|thermostat|gas|oil",
  power: "electricity|electric|power|energy|utility|grid|kilowatt hours|meter|outage|generator",
  internet:
    "internet|fibre|fiber|broadband|wifi|router|cable|bandwidth|download|upload|stream|streaming|slow connection",
  phone: "phone plan|mobile|cell|sim|carrier|signal|reception|roaming",
  security:
    "alarm|security|camera|cameras|burglar|burglary|break in|break ins|sensor|lock|locks|theft|stolen|doorbell",
  pests:
    "pest|pests|ants|roaches|cockroach|mice|mouse|rats|termite|termites|bugs|spiders|wasps|exterminator|spray|grubs",
  water:
    "water|filter|softener|hard water|iron|chlorine|tap|well water|plumbing|pipe|pipes|pump|septic|drain",
  lawn: "lawn|grass|yard|garden|weeds|mow|mowing|fertilizer|trees|hedge|irrigation|sprinkler",
  insurance: "insurance|insurer|policy|premium|claim|claims|deductible|coverage|adjuster",
  card: "terminal|card reader|card machine|transaction|transactions|point of sale|register|checkout|swipe|processing fee",
  machine:
    "machine|equipment|device|unit|tool|tools|spare part|spare parts|compressor|forklift|printer|copier",
  software: "software|app|application|program|system|login|update|data|cloud|computer|license",
  delivery:
    "deliver|delivery|ship|shipping|shipment|truck|stock|in stock|arrive|arrived|late|lead time|order arrives",
  staff: "staff|employee|employees|team|worker|workers|crew|hire|hiring|shift|training|train",
  children: "school|kids|children|teacher|homework|education|college|tutor|books",
  health: "health|doctor|medicine|clinic|patient|patients|hospital|allergy|allergies|asthma|sick|medical",
  food: "restaurant|kitchen|chef|menu|food|coffee|meat|vegetables|catering|customers eat",
  farm: "farm|field|crop|crops|harvest|seed|seeds|cattle|tractor|barn|feed|acres",
  charity: "donate|donation|charity|volunteer|cause|fundraiser|sponsor|support us",
  moving: "move|moving|sell the house|selling the house|renting|rent|tenant|tenants|lease ends",
  age: "too old|retire|retired|pension|at my age|elderly",
  absent:
    "not home|isn't home|not in|isn't in|away|out of town|on vacation|come back later|travelling|traveling",
};

const CONCEPT_NAMES = Object.keys(CONCEPTS);

/** Most words of an entry. */
const ENTRY_WORDS_MAX = 4;

/** For the stems of an entry, joined by blanks: places of its concepts. */
const CONCEPTS_OF = new Map<string, number[]>();
for (const [place, name] of CONCEPT_NAMES.entries())
  for (const entry of CONCEPTS[name].split("|")) {
    const key = keyOf(wordsOf(entry).map(({ stem }) => stem));
    CONCEPTS_OF.set(key, [...new Set([...(CONCEPTS_OF.get(key) ?? []), place])]);
  }

/** Stems that an entry begins with: most words begin none. */
const OPENING = new Set([...CONCEPTS_OF.keys()].map((key) => key.split(" ")[0]));

/** @returns true where an entry begins with this stem */
function opensConcept(stem: string): boolean {
  return OPENING.has(stem);
}

/** @returns places of the concepts that these stems name together; none for most */
function conceptsOf(stems: readonly string[]): readonly number[] {
  return CONCEPTS_OF.get(keyOf(stems)) ?? [];
}

function keyOf(stems: readonly string[]): string {
  return stems.join(" ");
}

/** Words that name concepts. */
export interface ConceptSpan {
  /** Places of the first and the last word. */
  first: number;
  last: number;
  concepts: readonly number[];
}

/** @returns every run of words that names a concept; the longest where one lies in another */
export function conceptSpans(words: readonly TextWord[]): ConceptSpan[] {
  const spans: ConceptSpan[] = [];
  for (let first = 0; first < words.length; ) {
    const span = longestAt(words, first);
    if (span !== undefined) spans.push(span);
    first = (span?.last ?? first) + 1;
  }
  return spans;
}

function longestAt(words: readonly TextWord[], first: number): ConceptSpan | undefined {
  if (!opensConcept(words[first].stem)) return undefined;
  for (let length = Math.min(ENTRY_WORDS_MAX, words.length - first); length > 0; length--) {
    const concepts = conceptsOf(words.slice(first, first + length).map(({ stem }) => stem));
    if (concepts.length > 0) return { first, last: first + length - 1, concepts };
  }
  return undefined;
}
