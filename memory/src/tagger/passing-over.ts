// Whether a rep's turn takes up what the customer just said. It does where it shares words or the topic with it, acknowledges it, points back to it, or
// asks; it does not where it turns away ("also", "anyway") or tells of the product with none of these.
import type { Finding, ReadTurn } from "./engine";
import { CLASSES } from "./classes";
import { type Pattern, PatternReader } from "./pattern";
import type { Token } from "./tokens";

const reader = new PatternReader(CLASSES);
const read = (...sources: string[]) => sources.map((source) => reader.read(source));

const TURNS_AWAY = read(
  "(anyway|anyhow|by the way|moving on|on top of that|besides|another thing|the other thing|one more thing|the best part|best of all)",
  "(we|you|it|they|he|there|ours) (would|will|can|do|have|be)? also",
  "also",
  "(let me|i will|i would like to|i want to) (first|just|quickly)? (tell|show|finish|walk|explain|get back|mention)",
  "as i (said|was saying|mentioned)",
  "(did i|have i) (mention|tell|show)",
  "(right|so) now (we|there)",
  "(a lot of|most) (people|customers|folks)",
);
const ACKNOWLEDGES = read(
  "(understand|hear you|fair enough|fair point|makes sense|make sense|good question|good point|great question|no problem|not a problem|no worries|of course|sure|certainly|naturally|reasonable|understood|sorry|totally|absolutely|i get it|got it|i see|you are right|you read right|true|fair|sensible|no rush|no pressure|okay|all right|right|exactly|i believe|i bet|ouch|i know|thank|thanks|respect|appreciate|happy|glad|smart|good for you|most people say)",
  "^^ (yes|yeah|yep|no|nope|not|that|then|if|what|who|when|which|how|because|it would|it do|it be|you would|you can|you do|you will|they do|they would|down|up|only|about|even|both|from|until|by|up to|depend|for)",
  "(that is|that would|that do|that end|that one|this is why|that is why|that is what)",
);
const TOPICS: Partial<Record<string, Pattern[]>> = {
  "objection.pricing": read("<price>", "$", "#", "save", "cheap", "budget", "pay", "worth", "cost", "afford", "free", "<debt>", "month"),
  "objection.timing": read("<when>", "<period>", "<weekday>", "time", "minute", "later", "quick", "wait", "now", "today", "then", "rush", "hour", "busy", "contract"),
  "objection.authority": read("<authority>", "she", "he", "both", "together", "decide", "they", "them", "him", "her", "who"),
  "objection.need": read("why", "need", "instead", "compare", "because", "without", "still", "already", "yours", "those", "old", "does", "but", "though"),
  "signal.urgency": read("<when>", "soon", "quick", "today", "now", "fast", "<period>", "week", "day"),
  "signal.interest": read("#", "$"),
  "signal.decision-readiness": read("sign", "pay", "start", "card", "cash", "check", "<when>", "deposit", "#", "here", "form", "name", "done", "i can", "i could", "got", "book", "put"),
};
/** Stems that two turns share without speaking of the same thing. */
const EMPTY_WORDS = new Set(
  "have that this with what your they them their there then than would could should will just like about from when were been does into over more very really some know well okay yeah think want need here because also even only much many thing still going come make take good year one get".split(
    " ",
  ),
);

/** @returns true when the rep's turn passes over what the finding saw in the turn before */
export function passesOver(before: ReadTurn, finding: Finding, rep: ReadTurn): boolean {
  if (rep.tokens.length < 4 || rep.questions.some((question) => question)) return false;
  const opening = rep.tokens.slice(0, 8);
  if (anywhere(ACKNOWLEDGES, opening)) return anywhere(read("anyway"), rep.tokens);
  if (sharesWords(before, rep)) return false;
  if (anywhere(TURNS_AWAY, rep.tokens)) return true;
  return !anywhere(TOPICS[finding.kind] ?? [], rep.tokens);
}

function sharesWords(before: ReadTurn, rep: ReadTurn): boolean {
  const said = new Set(before.tokens.filter(hasContent).map(({ stem }) => stem));
  return rep.tokens.some((token) => hasContent(token) && said.has(token.stem));
}

function hasContent({ stem }: Token): boolean {
  return stem.length > 3 && !EMPTY_WORDS.has(stem);
}

function anywhere(patterns: readonly Pattern[], tokens: readonly Token[]): boolean {
  return patterns.some((pattern) => tokens.some((_, at) => pattern.match(tokens, at) > at));
}
