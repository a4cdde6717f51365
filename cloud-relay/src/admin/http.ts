// What the answers at the operator's door are made of.
import type { IncomingMessage } from "node:http";

/** What is answered; objects go out as JSON. */
export interface Answer {
  status: number;
  body: object | string;
  type?: string;
}

/** An answer that says what is wrong. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** @returns a request's body @throws Refusal when it is longer than `bytesMax` */
export async function bodyOf(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += (part as Buffer).length;
    if (bytes > bytesMax) throw new Refusal(413, `the body must be at most ${bytesMax} bytes`);
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

/** @returns a request's body, JSON with these names and texts @throws Refusal for anything else, without a word of what came: it may be a key */
export async function textsOf<Name extends string>(
  request: IncomingMessage,
  bytesMax: number,
  names: readonly Name[],
): Promise<Record<Name, string>> {
  const body = await bodyOf(request, bytesMax);
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw new Refusal(400, "the body must be JSON");
  }
  const found = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const known = Object.keys(found).every((name) => (names as readonly string[]).includes(name));
  if (!known || !names.every((name) => typeof found[name] === "string"))
    throw new Refusal(400, `the body must be a JSON object with the texts ${names.join(" and ")}`);
  return found as Record<Name, string>;
}
