// What a rule is. The rules themselves lie beside this file, by family; engine.ts matches them.
import type { TagKind } from "../../model/taxonomy";

/** One way to say one thing, with examples that a test holds it to. */
export interface Rule {
  /** Its name without `rules/`, unique. */
  name: string;
  kind: TagKind;
  /** Whose turns it reads. A turn of an unsure speaker is read too, with less confidence. */
  by: "rep" | "other" | "any";
  /** Why a match means this, as a sentence for people. */
  reason: string;
  /** 0 to 1; 0.8 where it is not said. */
  confidence?: number;
  /** Any of them (pattern.ts). */
  patterns: string[];
  /** None of them in the sentence of the match. */
  unless?: string[];
  /** Any of them in the other side's turn before. */
  after?: string[];
  /** Which part of the talk has to be over, 0 to 1. */
  fromPart?: number;
  /** Only in a question, or only outside of one. */
  question?: boolean;
  /** It counts under a negation too ("not", "never" shortly before it in the clause). */
  negated?: boolean;
  /** Talks whose last turn it matches: "R: ... / C: ..." */
  matches: string[];
  /** Near misses: talks whose last turn it does not match. */
  misses: string[];
}
