// Why something that concerns people's data is not done.

/**
 * `unknown`: there is no such thing in the team. `forbidden`: only managers may. `held`: a legal hold covers it. `invalid`: a value cannot be used.
 */
export type PrivacyErrorKind = "unknown" | "forbidden" | "held" | "invalid";

/** One sentence that says what is wrong and what to do; never what was said in a conversation, nor a name. */
export class PrivacyError extends Error {
  constructor(
    readonly kind: PrivacyErrorKind,
    message: string,
  ) {
    super(message);
    this.name = "PrivacyError";
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** @throws PrivacyError when a text is no UUID @returns it in lower case */
export function checkedId(text: string, what: string): string {
  if (UUID.test(text)) return text.toLowerCase();
  throw new PrivacyError("invalid", `the id of the ${what} is no UUID; take it from a list of them.`);
}
