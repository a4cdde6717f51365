// Checks every request before a route sees it, and every answer before it leaves: both against the schemas that the OpenAPI document shows.
import type { FastifySchema } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { Value } from "typebox/value";
import { Problem } from "./problem";

const ERRORS_SHOWN_MAX = 10;
/** Words for what part of a request does not fit. */
const PARTS: Record<string, string> = {
  body: "body",
  querystring: "query",
  params: "address",
  headers: "headers",
};

interface RequestPart {
  schema: unknown;
  httpPart?: string;
}

/** For Fastify: @returns checks one part of a request; texts of the address and the query become what the schema says */
export function requestCompiler({ schema, httpPart = "body" }: RequestPart) {
  const type = schema as TSchema;
  const check = Compile(type);
  const known = Object.keys((type as { properties?: object }).properties ?? {});
  return (data: unknown) => {
    const value = httpPart === "body" ? Value.Default(type, data) : converted(type, data, httpPart, known);
    if (check.Check(value)) return { value };
    const errors = check.Errors(value).slice(0, ERRORS_SHOWN_MAX);
    const told = errors.map(({ instancePath, message }) => ({ at: instancePath || "/", is: message }));
    const what = `The ${PARTS[httpPart]} does not fit: see 'errors', and /openapi.json for what is expected.`;
    return { error: new Problem(400, what, told) };
  };
}

/** Headers that the schema does not name are nobody's business. */
function converted(type: TSchema, data: unknown, httpPart: string, known: string[]): unknown {
  const all = data as Record<string, unknown>;
  const taken =
    httpPart === "headers"
      ? Object.fromEntries(known.flatMap((name) => (name in all ? [[name, all[name]]] : [])))
      : { ...all };
  return Value.Default(type, Value.Convert(type, taken));
}

interface AnswerPart {
  schema: FastifySchema | TSchema | unknown;
  url: string;
}

/** For Fastify: @returns writes an answer as JSON; one that does not fit its schema is a mistake of ours and is not sent */
export function answerCompiler({ schema, url }: AnswerPart): (data: unknown) => string {
  const check = Compile(schema as TSchema);
  return (data) => {
    if (check.Check(data)) return JSON.stringify(data);
    const [first] = check.Errors(data);
    throw new Error(
      `the answer of ${url} does not fit its schema at '${first?.instancePath}': ${first?.message}`,
    );
  };
}
