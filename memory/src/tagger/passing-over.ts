// Whether a rep's turn takes up what the customer just said. It does where it shares words or the topic with it, acknowledges it, points back to it, or
// asks; it does not where it turns away ("also", "anyway") or tells of the product with none of these.

import { CLASSES } from "./classes";
import type { Finding, ReadTurn } from "./engine";
import { occurs, type Pattern, PatternReader } from "./pattern";
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
const ANYWAY = read("anyway");
const ACKNOWLEDGES = read(
  "(understand|hear you|fair enough|fair point|makes sense|make sense|good question|good point|great question|no problem|not a problem|no worries|of course|sure|certainly|naturally|reasonable|understood|sorry|totally|absolutely|i get it|got it|i see|you are right|you read right|true|fair|sensible|no rush|no pressure|exactly|i believe|i bet|ouch|i know|thank|thanks|respect|appreciate|happy|glad|smart|good for you|most people say)",
  "^^ (yes|yeah|yep|no|nope|not|that|then|if|what|who|when|which|how|because|it would|it do|it be|you would !(also|love)|you can|you do|you will|they do|they would|down|up|only|about|even|both|from|until|by|up to|depend|for)",
  "^^ (it|they|he|she) (may|might|do|could|can|will|is not|do not|would)",
  "^^ i (have|did|do|was|can|could|know|would not|would be glad)",
  "(that is|that would|that do|that end|that one|this is why|that is why|that is what)",
);
/** How a turn begins that tells of the product, not of what was asked. */
const TELLS = read(
  "^^ (the|our|ours|we (do|have|win|won|be|offer|also|make|sell|start)|this|these|all|they come|it come|in the|a lot of|most|did you|have you|oh and|and there|she is a|he is a)",
  "^^ (okay|right|so) so? (how we|what we|the way|first)",
);
const TOPICS: Partial<Record<string, Pattern[]>> = {
  "objection.pricing": read(
    "<price>",
    "$",
    "save",
    "cheap",
    "budget",
    "pay",
    "worth",
    "cost",
    "afford",
    "free",
    "<debt>",
    "month",
  ),
  "objection.timing": read(
    "<when>",
    "<period>",
    "<weekday>",
    "time",
    "minute",
    "later",
    "quick",
    "wait",
    "now",
    "today",
    "then",
    "rush",
    "hour",
    "busy",
    "contract",
  ),
  "objection.authority": read(
    "<authority>",
    "she",
    "he",
    "both",
    "together",
    "decide",
    "they",
    "them",
    "him",
    "her",
    "who",
  ),
  "objection.need": read(
    "why",
    "need",
    "instead",
    "compare",
    "because",
    "without",
    "still",
    "already",
    "yours",
    "those",
    "old",
    "does",
    "but",
    "though",
  ),
  "signal.urgency": read("<when>", "soon", "quick", "today", "now", "fast", "<period>", "week", "day"),
  "signal.interest": read("#", "$"),
  "signal.decision-readiness": read(
    "sign",
    "pay",
    "start",
    "card",
    "cash",
    "check",
    "<when>",
    "deposit",
    "#",
    "here",
    "form",
    "name",
    "done",
    "i can",
    "i could",
    "got",
    "book",
    "put",
  ),
};
/** Tokens of the rep's turn within which it takes up what was said, if it does. */
const OPENING = 16;
/** Stems that two turns share without speaking of the same thing. */
const EMPTY_WORDS = new Set(
  "the and for you are not but can how who why our its out any all had has him her his she too was one two get got say see now way day may yes let put off own did use far few lot yet ago per via bit three four five six seven eight nine ten man hey have that this with what your they them their there then than would could should will just like about from when were been does into over more very really some know well okay yeah think want need here because also even only much many thing still going come make take good year one get".split(
    " ",
  ),
);

/** @returns true when the rep's turn passes over what the finding saw in the turn before */
export function passesOver(before: ReadTurn, finding: Finding, rep: ReadTurn): boolean {
  const opening = rep.tokens.slice(0, OPENING);
  if (rep.tokens.length < 4 || opening.some(({ sentence }) => rep.questions[sentence])) return false;
  if (anywhere(ACKNOWLEDGES, opening)) return anywhere(ANYWAY, rep.tokens);
  if (sharesWords(before, opening)) return false;
  if (anywhere(TURNS_AWAY, rep.tokens)) return true;
  if (finding.kind.startsWith("signal.") && !anywhere(TELLS, rep.tokens)) return false;
  return !anywhere(TOPICS[finding.kind] ?? [], rep.tokens);
}

/** @returns the stems of the tokens that speak of something */
export function contentOf(tokens: readonly Token[]): Set<string> {
  return new Set(tokens.filter(hasContent).map(({ stem }) => stem));
}

function sharesWords(before: ReadTurn, opening: readonly Token[]): boolean {
  const said = contentOf(before.tokens);
  return opening.some((token) => hasContent(token) && said.has(token.stem));
}

function hasContent({ stem }: Token): boolean {
  return stem.length > 2 && !EMPTY_WORDS.has(stem);
}

function anywhere(patterns: readonly Pattern[], tokens: readonly Token[]): boolean {
  return patterns.some((pattern) => occurs(pattern, tokens));
}
