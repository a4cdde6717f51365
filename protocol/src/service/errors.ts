// What any thrown value says.

/** @returns the text of anything that was thrown */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** @returns the text of anything that was thrown, without the full stop at its end: a part of another sentence */
export function clauseOf(cause: unknown): string {
  return messageOf(cause).replace(/\.$/, "");
}

/** @returns the code of an error of the system, such as ENOSPC, or undefined for any other error */
export function systemCodeOf(cause: unknown): string | undefined {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}
