// A phrase's words as they are stored and compared. Apart from how they sound: commands that only look at a list need no dictionary.
import { PHRASE_TEXT_MAX } from "@salestag/protocol";
import { ExitCode, ToolError } from "@salestag/protocol/team";

/** @returns the phrase as it is stored: lower case, single spaces. @throws ToolError when it cannot be said */
export function normalise(text: string): string {
  const clean = text
    .trim()
    .toLowerCase()
    .replace(/[’]/g, "'")
    .replace(/[\s-]+/g, " ")
    .replace(/[.,!?]+(?= |$)/g, "");
  if (clean === "")
    throw new ToolError(ExitCode.Usage, 'the phrase is empty; write it in quotes: "too expensive".');
  if (clean.length > PHRASE_TEXT_MAX)
    throw new ToolError(
      ExitCode.Usage,
      `"${clean}" has ${clean.length} characters; a phrase has at most ${PHRASE_TEXT_MAX}.`,
    );
  const odd = /[^a-z' ]/.exec(clean);
  if (odd !== null)
    throw new ToolError(
      ExitCode.Usage,
      `"${clean}" holds '${odd[0]}'; write words as they are spoken, in letters ("three hundred", "a d t").`,
    );
  return clean;
}
