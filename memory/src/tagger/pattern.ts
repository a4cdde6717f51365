// Patterns over tokens, and how they are written:
//   word        any form of the word (by its stem)         "=word"  this form alone
//   <class>     any entry of a class of words              (a|b c)  either
//   x?          once or not at all                         ..  ...  up to 3, up to 7 tokens in between, within the sentence
//   #           a number                                   $        an amount of money
//   @           a name that may be a company's                @@       any word with a capital within the sentence
//   ^           here a sentence or a clause begins         ^^       here the turn begins, after "well", "oh" and their like
//   !(a|b)      not this here                              $$       here the turn ends
import { isMoney, isNumber } from "./numbers";
import { stem } from "./stem";
import type { Token } from "./tokens";

/** Words of a meaning: for each class its entries, themselves patterns. */
export type WordClasses = Record<string, string>;

/** @returns true as soon as the rest matches too; `next` gets the place after what matched */
type Matcher = (tokens: readonly Token[], at: number, next: (end: number) => boolean) => boolean;

interface Node {
  matcher: Matcher;
  /** Keys of tokens that it can begin with; undefined where any will do. */
  firsts: ReadonlySet<string> | undefined;
  /** It may match no token at all. */
  empty: boolean;
}

/** A pattern that is ready to be tried. */
export interface Pattern {
  source: string;
  firsts: ReadonlySet<string> | undefined;
  /** @returns the place after the last token that matched, or -1 */
  match(tokens: readonly Token[], at: number): number;
}

const GAP_SHORT = 3;
const GAP_LONG = 7;
/** What people say before they say something. */
const OPENERS = new Set(
  "well oh so and but look okay yeah yes hey honestly actually hmm hm listen right sorry see i mean you know to be honest now".split(
    " ",
  ),
);

/** Reads patterns that use one set of classes. */
export class PatternReader {
  readonly #classes: WordClasses;
  readonly #read = new Map<string, Node>();

  constructor(classes: WordClasses) {
    this.#classes = classes;
  }

  /** @throws when the pattern has an unknown class or a bracket too many */
  read(source: string): Pattern {
    const node = this.#sequence(source);
    return {
      source,
      firsts: node.empty ? undefined : node.firsts,
      match(tokens, at) {
        let end = -1;
        node.matcher(tokens, at, (place) => {
          end = place;
          return true;
        });
        return end;
      },
    };
  }

  #sequence(source: string): Node {
    return inOrder(split(source, " ").map((part) => this.#element(part)));
  }

  #element(part: string): Node {
    if (part.length > 1 && part.endsWith("?")) return optional(this.#element(part.slice(0, -1)));
    if (part.startsWith("!(")) return forbidden(this.#either(part.slice(2, -1)));
    if (part.startsWith("(") && part.endsWith(")")) return this.#either(part.slice(1, -1));
    if (part.startsWith("<") && part.endsWith(">")) return this.#class(part.slice(1, -1));
    if (/[()<>|]/.test(part)) throw new Error(`the pattern's part "${part}" has a bracket too many`);
    return special(part) ?? word(part);
  }

  #either(source: string): Node {
    return either(split(source, "|").map((part) => this.#sequence(part)));
  }

  #class(name: string): Node {
    const known = this.#read.get(name);
    if (known !== undefined) return known;
    if (!Object.hasOwn(this.#classes, name)) throw new Error(`no class of words is called <${name}>`);
    const node = this.#either(this.#classes[name]);
    this.#read.set(name, node);
    return node;
  }
}

/** @returns true if the pattern matches anywhere in the tokens */
export function occurs(pattern: Pattern, tokens: readonly Token[]): boolean {
  return tokens.some(
    (token, at) =>
      (pattern.firsts === undefined || token.keys.some((key) => pattern.firsts?.has(key))) &&
      pattern.match(tokens, at) >= 0,
  );
}

/** Cuts at a separator that is outside of all brackets. */
function split(source: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= source.length; at++) {
    if (source[at] === "(") depth++;
    if (source[at] === ")") depth--;
    if (at === source.length || (depth === 0 && source[at] === separator)) {
      parts.push(source.slice(start, at).trim());
      start = at + 1;
    }
  }
  if (depth !== 0) throw new Error(`the pattern "${source}" has a bracket that is not closed`);
  return parts.filter((part) => part !== "");
}

function special(part: string): Node | undefined {
  if (part === "..") return gap(GAP_SHORT);
  if (part === "...") return gap(GAP_LONG);
  if (part === "@@") return single((token) => token.capital, "@@");
  if (part === "@") return single((token) => token.name, "@");
  if (part === "#") return single((token) => isNumber(token.text), "#");
  if (part === "$") return single((token, next) => isMoney(token.text, next?.text), "#");
  if (part === "^") return here((tokens, at) => at === 0 || tokens[at - 1].clause !== tokens[at]?.clause);
  if (part === "^^") return here(isTurnStart);
  if (part === "$$") return here((tokens, at) => at === tokens.length);
  return undefined;
}

function isTurnStart(tokens: readonly Token[], at: number): boolean {
  for (let back = at - 1; back >= 0; back--) if (!OPENERS.has(tokens[back].text)) return false;
  return true;
}

function word(part: string): Node {
  if (part.startsWith("=")) {
    const text = part.slice(1);
    return single((token) => token.text === text, stem(text));
  }
  const wanted = stem(part);
  return single((token) => token.stem === wanted, wanted);
}

/** @param key of the tokens that can be it */
function single(holds: (token: Token, next: Token | undefined) => boolean, key: string): Node {
  const matcher: Matcher = (tokens, at, next) =>
    at < tokens.length && holds(tokens[at], tokens[at + 1]) && next(at + 1);
  return { matcher, firsts: new Set([key]), empty: false };
}

function here(holds: (tokens: readonly Token[], at: number) => boolean): Node {
  return { matcher: (tokens, at, next) => holds(tokens, at) && next(at), firsts: new Set(), empty: true };
}

function gap(tokensMax: number): Node {
  const matcher: Matcher = (tokens, at, next) => {
    for (let end = at; end <= at + tokensMax && end <= tokens.length; end++) {
      // What is stepped over is of one sentence with what was before.
      if (end > at && tokens[end - 1].sentence !== tokens[Math.max(0, at - 1)].sentence) return false;
      if (next(end)) return true;
    }
    return false;
  };
  return { matcher, firsts: undefined, empty: true };
}

function optional(node: Node): Node {
  const matcher: Matcher = (tokens, at, next) => node.matcher(tokens, at, next) || next(at);
  return { ...node, matcher, empty: true };
}

function forbidden(node: Node): Node {
  const matcher: Matcher = (tokens, at, next) => !node.matcher(tokens, at, () => true) && next(at);
  return { matcher, firsts: new Set(), empty: true };
}

function either(nodes: Node[]): Node {
  // Classes have up to a hundred entries: only those that the token can begin are tried.
  const byFirst = new Map<string, Node[]>();
  const open = nodes.filter(({ firsts, empty }) => empty || firsts === undefined);
  for (const node of nodes)
    if (!open.includes(node))
      for (const first of node.firsts ?? []) byFirst.set(first, [...(byFirst.get(first) ?? []), node]);
  const matcher: Matcher = (tokens, at, next) => {
    const keys = at < tokens.length ? tokens[at].keys : [];
    return (
      keys.some((key) => byFirst.get(key)?.some((node) => node.matcher(tokens, at, next))) ||
      open.some((node) => node.matcher(tokens, at, next))
    );
  };
  return {
    matcher,
    firsts: union(nodes.map(({ firsts }) => firsts)),
    empty: nodes.some(({ empty }) => empty),
  };
}

function inOrder(nodes: Node[]): Node {
  const matcher = nodes.reduceRight<Matcher>(
    (rest, node, index) => (tokens, at, next) => {
      // Two words of one sequence may stand in two clauses, never in two sentences.
      if (index > 0 && !node.empty && crosses(tokens, at)) return false;
      return node.matcher(tokens, at, (end) => rest(tokens, end, next));
    },
    (_tokens, at, next) => next(at),
  );
  const solid = nodes.findIndex(({ empty }) => !empty);
  const leading = solid < 0 ? nodes : nodes.slice(0, solid + 1);
  return { matcher, firsts: union(leading.map(({ firsts }) => firsts)), empty: solid < 0 };
}

function crosses(tokens: readonly Token[], at: number): boolean {
  return at > 0 && at < tokens.length && tokens[at].sentence !== tokens[at - 1].sentence;
}

function union(sets: (ReadonlySet<string> | undefined)[]): ReadonlySet<string> | undefined {
  if (sets.some((set) => set === undefined)) return undefined;
  return new Set(sets.flatMap((set) => [...(set as ReadonlySet<string>)]));
}
