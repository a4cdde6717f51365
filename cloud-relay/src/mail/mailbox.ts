// Letters: what the team sends to badges, sealed, so that the relay can neither read nor make one. A badge gets all that wait for it whenever it connects, and
// takes each once by its number; so nothing has to be acknowledged.
import { FrameType } from "@salestag/protocol/host";

/** Types of letters: those of the frames that they become. */
export type LetterType = FrameType.Nudge | FrameType.Config;

export interface Letter {
  type: LetterType;
  /** Rises from letter to letter of a type, for each badge. */
  id: number;
  /** Unix time in ms from which it is not sent any more. */
  expiresUnixMs: number;
  body: Buffer;
}

/** Keeps letters durably until they expire. */
export interface Mailbox {
  /** Keeps a letter, in the place of one of the same type and number. Resolves when it is durable. */
  add(badge: string, letter: Letter): Promise<void>;
  /** @returns what waits for a badge, see `waiting` */
  of(badge: string): Letter[] | Promise<Letter[]>;
  close(): Promise<void>;
}

/** Most nudges that wait for one badge; the oldest gives way. */
export const NUDGES_MAX = 16;
/** Longest time that a nudge is kept: 30 days. */
export const KEEP_MS_MAX = 30 * 86_400_000;

/**
 * @param letters of one badge, in the order in which they came
 * @returns those that have not expired: the newest configuration, then nudges in the order of their numbers
 */
export function waiting(letters: readonly Letter[], unixMs: number): Letter[] {
  const byName = new Map<string, Letter>();
  for (const letter of letters)
    if (letter.expiresUnixMs > unixMs) byName.set(`${letter.type} ${letter.id}`, letter);
  const sorted = [...byName.values()].sort((a, b) => a.id - b.id);
  const configs = sorted.filter(({ type }) => type === FrameType.Config);
  const nudges = sorted.filter(({ type }) => type === FrameType.Nudge);
  return [...configs.slice(-1), ...nudges.slice(-NUDGES_MAX)];
}
