// What goes wrong in a request, as RFC 9457 tells it: a status, a title, and a sentence that says what is wrong and what to do.
import { STATUS_CODES } from "node:http";
import { type Static, Type } from "typebox";
import { PrivacyError, type PrivacyErrorKind } from "../privacy/error";
import { BadQuery } from "../search";

/** Media type of the answers that tell a problem. */
export const PROBLEM_TYPE = "application/problem+json";

/** Body of such an answer. */
export const ProblemAnswer = Type.Object(
  {
    type: Type.Literal("about:blank"),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String({ description: "A sentence that says what is wrong and what to do." }),
    errors: Type.Optional(
      Type.Array(Type.Object({ at: Type.String(), is: Type.String() }), {
        description: "What in the request does not fit, and where.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type ProblemAnswer = Static<typeof ProblemAnswer>;

/** A request that cannot be answered as asked. */
export class Problem extends Error {
  /** @param status HTTP's, 400 to 599 */
  constructor(
    readonly status: number,
    detail: string,
    readonly errors?: { at: string; is: string }[],
  ) {
    super(detail);
    this.name = "Problem";
  }
}

/** @returns the body that tells it */
export function problemAnswer({ status, message, errors }: Problem): ProblemAnswer {
  const title = STATUS_CODES[status] ?? "Error";
  return { type: "about:blank", title, status, detail: message, ...(errors && { errors }) };
}

/** What is there for this person, and what is not, look the same. */
export function notFound(what: string): Problem {
  return new Problem(404, `There is no such ${what}, or you may not see it.`);
}

/** States of a database's refusal (PostgreSQL, appendix A) and what they mean to whoever asked. */
const REFUSALS: Record<string, [number, string]> = {
  "23503": [422, "Something that the request names does not exist: check the ids in it."],
  "23505": [409, "There is one with this id or name already: change that one."],
  "23514": [422, "A value is not allowed: check the request against the API's document."],
  "22021": [422, "A text has a character that cannot be stored, such as U+0000: remove it."],
  "22P05": [422, "A text has a character that cannot be stored, such as U+0000: remove it."],
  "42501": [403, "You may not do this: ask a manager of your team."],
};

const PRIVACY_STATUS: Record<PrivacyErrorKind, number> = {
  unknown: 404,
  forbidden: 403,
  held: 409,
  invalid: 422,
};

/** @returns the problem that an error of another part is, or undefined when the fault is not the request's */
export function refusalOf(error: unknown): Problem | undefined {
  if (error instanceof BadQuery) return new Problem(400, error.message);
  if (error instanceof PrivacyError)
    return new Problem(PRIVACY_STATUS[error.kind], error.message[0].toUpperCase() + error.message.slice(1));
  const code = (error as { code?: unknown } | null)?.code;
  const refusal = typeof code === "string" ? REFUSALS[code] : undefined;
  return refusal && new Problem(...refusal);
}
