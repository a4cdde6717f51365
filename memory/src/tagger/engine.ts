// Matches the rules with a talk. A rule reads turns of its speaker, looks back to what the other side said before, and leaves out what is negated. Of a
// kind, a turn gets its surest match alone.
import { type Transcript, type Turn } from "../model/transcript";
import type { TagKind } from "../model/taxonomy";
import { CLASSES } from "./classes";
import { type Pattern, PatternReader } from "./pattern";
import type { Rule } from "./rules/rule";
import { type Token, type TokenizedTurn, tokenize } from "./tokens";

/** A turn with its tokens. */
export interface ReadTurn extends TokenizedTurn {
  turn: Turn;
  /** Place in the transcript. */
  place: number;
}

/** That a rule, or a computation, sees a kind in some words. */
export interface Finding {
  kind: TagKind;
  rule: string;
  reason: string;
  confidence: number;
  /** Place of the turn, and of the first and the last word in it. */
  turn: number;
  firstWord: number;
  lastWord: number;
}

interface ReadRule {
  rule: Rule;
  patterns: Pattern[];
  unless: Pattern[];
  after: Pattern[];
}

const CONFIDENCE_DEFAULT = 0.8;
/** Where the badge could not tell who spoke. */
const UNSURE_FACTOR = 0.7;
/** How far before a match a negation still reaches, in tokens of the same clause. */
const NEGATION_REACH = 4;
const NEGATIONS = new Set(["not", "never", "nobody", "nothing", "hardly", "neither", "nor", "without"]);

/** @returns the turns with their tokens */
export function readTurns(transcript: Transcript): ReadTurn[] {
  return transcript.turns.map((turn, place) => ({ turn, place, ...tokenize(turn.words) }));
}

/** Rules, made ready once for many talks. */
export class Engine {
  readonly #rules: ReadRule[];
  /** Patterns by the stems that they begin with; those that may begin with any are in `#anywhere`. */
  readonly #byFirst = new Map<string, { read: ReadRule; pattern: Pattern }[]>();
  readonly #anywhere: { read: ReadRule; pattern: Pattern }[] = [];

  /** @throws when a pattern cannot be read */
  constructor(rules: readonly Rule[]) {
    const reader = new PatternReader(CLASSES);
    const readAll = (sources: string[] = []) => sources.map((source) => reader.read(source));
    this.#rules = rules.map((rule) => ({
      rule,
      patterns: readAll(rule.patterns),
      unless: readAll(rule.unless),
      after: readAll(rule.after),
    }));
    for (const read of this.#rules) for (const pattern of read.patterns) this.#file({ read, pattern });
  }

  /** @returns findings of all rules in a turn, those of one rule at most once */
  find(turns: readonly ReadTurn[], place: number): Finding[] {
    const turn = turns[place];
    const before = turns.slice(0, place).findLast(({ turn: { speaker } }) => speaker !== turn.turn.speaker);
    const found = new Map<Rule, Finding>();
    for (let at = 0; at < turn.tokens.length; at++)
      for (const { read, pattern } of this.#beginningAt(turn.tokens[at])) {
        if (found.has(read.rule) || !reads(read.rule, turn)) continue;
        const end = pattern.match(turn.tokens, at);
        if (end <= at || !holds(read, turn, at, before)) continue;
        found.set(read.rule, findingOf(read.rule, turn, at, end));
      }
    return [...found.values()];
  }

  #file(entry: { read: ReadRule; pattern: Pattern }) {
    const { firsts } = entry.pattern;
    if (firsts === undefined) {
      this.#anywhere.push(entry);
      return;
    }
    for (const first of firsts) {
      const list = this.#byFirst.get(first) ?? [];
      list.push(entry);
      this.#byFirst.set(first, list);
    }
  }

  *#beginningAt(token: Token) {
    yield* this.#byFirst.get(token.stem) ?? [];
    yield* this.#anywhere;
  }
}

/** @returns the surest finding of each kind */
export function surest(findings: readonly Finding[]): Finding[] {
  const best = new Map<TagKind, Finding>();
  for (const finding of findings) {
    const other = best.get(finding.kind);
    if (other === undefined || other.confidence < finding.confidence) best.set(finding.kind, finding);
  }
  return [...best.values()];
}

function reads({ by }: Rule, { turn: { speaker } }: ReadTurn): boolean {
  return by === "any" || speaker === "unsure" || speaker === by;
}

function holds(read: ReadRule, turn: ReadTurn, at: number, before: ReadTurn | undefined): boolean {
  const { rule, unless, after } = read;
  const { sentence } = turn.tokens[at];
  if (rule.question !== undefined && rule.question !== (turn.questions[sentence] ?? false)) return false;
  if (rule.negated !== true && isNegated(turn.tokens, at)) return false;
  const here = turn.tokens.filter((token) => token.sentence === sentence);
  if (unless.some((pattern) => matchesIn(pattern, here))) return false;
  return after.length === 0 || after.some((pattern) => matchesIn(pattern, before?.tokens ?? []));
}

/** @returns true if the pattern matches anywhere in the tokens */
function matchesIn(pattern: Pattern, tokens: readonly Token[]): boolean {
  return tokens.some(
    (token, at) =>
      (pattern.firsts === undefined || pattern.firsts.has(token.stem)) && pattern.match(tokens, at) >= 0,
  );
}

function isNegated(tokens: readonly Token[], at: number): boolean {
  for (let back = at - 1; back >= Math.max(0, at - NEGATION_REACH); back--) {
    if (tokens[back].clause !== tokens[at].clause) return false;
    if (NEGATIONS.has(tokens[back].text) || (back === at - 1 && tokens[back].text === "no")) return true;
  }
  return false;
}

function findingOf(rule: Rule, turn: ReadTurn, at: number, end: number): Finding {
  const confidence = rule.confidence ?? CONFIDENCE_DEFAULT;
  const sure = rule.by === "any" || turn.turn.speaker !== "unsure";
  return {
    kind: rule.kind,
    rule: `rules/${rule.name}`,
    reason: rule.reason,
    confidence: sure ? confidence : confidence * UNSURE_FACTOR,
    turn: turn.place,
    firstWord: turn.tokens[at].word,
    lastWord: turn.tokens[end - 1].word,
  };
}
