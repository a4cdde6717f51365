// Matches the rules with a talk. A rule reads turns of its speaker, looks back to what the other side said before, and leaves out what is negated. Of a
// kind, a turn gets its surest match alone.

import type { TagKind } from "../model/taxonomy";
import type { Transcript, Turn } from "../model/transcript";
import { CLASSES } from "./classes";
import { occurs, type Pattern, PatternReader } from "./pattern";
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
  /** Patterns by the keys that they begin with; those that may begin with any are in `#anywhere`. */
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
    const context = new Context(turn, before);
    for (let at = 0; at < turn.tokens.length; at++)
      for (const { read, pattern } of this.#beginningAt(turn.tokens[at])) {
        if (found.has(read.rule) || !reads(read.rule, turn)) continue;
        if (place < (read.rule.fromPart ?? 0) * turns.length) continue;
        const end = pattern.match(turn.tokens, at);
        if (end <= at || (read.rule.negated !== true && isNegated(pattern, turn.tokens, at, end))) continue;
        if (!context.allows(read, turn.tokens[at].sentence)) continue;
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
    for (const key of token.keys) yield* this.#byFirst.get(key) ?? [];
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

/** What stands around a match, looked at once for each rule and sentence. */
class Context {
  readonly #turn: ReadTurn;
  readonly #before: ReadTurn | undefined;
  readonly #allowed = new Map<ReadRule, Map<number, boolean>>();

  constructor(turn: ReadTurn, before: ReadTurn | undefined) {
    this.#turn = turn;
    this.#before = before;
  }

  /** @returns true if the rule may match in this sentence of the turn */
  allows(read: ReadRule, sentence: number): boolean {
    const known = this.#allowed.get(read) ?? new Map<number, boolean>();
    this.#allowed.set(read, known);
    const allowed = known.get(sentence) ?? this.#look(read, sentence);
    known.set(sentence, allowed);
    return allowed;
  }

  #look({ rule, unless, after }: ReadRule, sentence: number): boolean {
    const { questions, tokens } = this.#turn;
    if (rule.question !== undefined && rule.question !== (questions[sentence] ?? false)) return false;
    const here = tokens.filter((token) => token.sentence === sentence);
    if (unless.some((pattern) => occurs(pattern, here))) return false;
    return after.length === 0 || after.some((pattern) => occurs(pattern, this.#before?.tokens ?? []));
  }
}

/** A negation before the match, or in one of its gaps, unless the pattern itself is about one. */
function isNegated(pattern: Pattern, tokens: readonly Token[], at: number, end: number): boolean {
  const inside = tokens.slice(at, end).some(({ text }) => NEGATIONS.has(text));
  if (inside && !/\b(not|never|no|nobody|nothing|hardly|without)\b/.test(pattern.source)) return true;
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
