// Values of options, as commander hands them over.
import { InvalidArgumentError, Option } from "commander";

/** @returns a whole number @throws InvalidArgumentError for anything else */
export function whole(text: string): number {
  const value = Number(text);
  if (text === "" || !Number.isSafeInteger(value))
    throw new InvalidArgumentError("It must be a whole number.");
  return value;
}

/** @returns a reader of whole numbers from `least` to `most` */
export function wholeWithin(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = whole(text);
    if (value < least || value > most) throw new InvalidArgumentError(`It must be ${least} to ${most}.`);
    return value;
  };
}

/** Collects an option that may be given more than once. */
export function another(text: string, before: string[]): string[] {
  return [...before, text];
}

/** Collects whole numbers of conversations, as an argument that may be given more than once. */
export function anotherEpoch(text: string, before: number[] = []): number[] {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("It must be the number of a conversation.");
  return [...before, Number(text)];
}

/** `--badge` of every command that talks to one; see resolveBadge for what goes without it. */
export function badgeOption(): Option {
  return new Option(
    "--badge <port>",
    "the badge's port, as 'salestag ports' shows it, or tcp:HOST:PORT; not needed where one badge is plugged in",
  );
}
