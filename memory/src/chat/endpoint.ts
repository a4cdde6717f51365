// Asks an OpenAI-compatible `/chat/completions` for one answer in JSON: with an end to its patience, a limit to what it reads, no redirections, and the
// key in no error.

export interface ChatEndpoint {
  /** Base address, such as `http://127.0.0.1:8000/v1`; `/chat/completions` is added. */
  url: string;
  model: string;
  /** What is sent as a bearer token; none where the server wants none. */
  apiKey?: string | Buffer;
  /** Longest wait for the whole answer. */
  timeoutMs: number;
  /** Longest answer that is read. */
  answerBytesMax: number;
}

export interface Message {
  role: "system" | "user";
  content: string;
}

/** Of an answer that is an error so much is told. */
const ANSWER_SHOWN_MAX = 200;

/**
 * @param schema that the answer has to keep to, sent as `response_format`
 * @returns what the model wrote, read as JSON
 * @throws Error that says what went wrong, and names the address without its query
 */
export async function askChat(
  endpoint: ChatEndpoint,
  messages: readonly Message[],
  schema: object,
  signal: AbortSignal,
): Promise<unknown> {
  const told = toldBy(endpoint);
  const { status, body } = await post(endpoint, bodyOf(endpoint, messages, schema), signal, told);
  if (status !== 200) throw told(`answered ${status}: ${JSON.stringify(body.slice(0, ANSWER_SHOWN_MAX))}`);
  return readJson(contentOf(readJson(body, "an answer", told), told), "a message", told);
}

type Told = (what: string) => Error;

/** Makes errors that name the endpoint and have its key in no case: a server may send back what it was sent. */
function toldBy({ url, apiKey }: ChatEndpoint): Told {
  const { origin, pathname } = new URL(url);
  const key = keyOf(apiKey);
  return (what) => {
    const safe = key === "" ? what : what.replaceAll(key, "***");
    return new Error(`the chat endpoint ${origin}${pathname} ${safe}`);
  };
}

function keyOf(apiKey: string | Buffer | undefined): string {
  return apiKey === undefined ? "" : apiKey.toString().trim();
}

function bodyOf({ model }: ChatEndpoint, messages: readonly Message[], schema: object): string {
  const format = { type: "json_schema", json_schema: { name: "tags", strict: true, schema } };
  return JSON.stringify({ model, messages, temperature: 0, response_format: format });
}

async function post(endpoint: ChatEndpoint, body: string, ended: AbortSignal, told: Told) {
  const { url, apiKey, timeoutMs, answerBytesMax } = endpoint;
  const timedOut = AbortSignal.timeout(timeoutMs);
  const key = keyOf(apiKey);
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (key !== "") headers.authorization = `Bearer ${key}`;
  try {
    const signal = AbortSignal.any([ended, timedOut]);
    const address = `${url.replace(/\/+$/, "")}/chat/completions`;
    const answer = await fetch(address, { method: "POST", headers, body, redirect: "manual", signal });
    const text = await readLimited(answer, answerBytesMax, told);
    // Before it is cut for an error, so that no part of the key is left at the cut.
    return { status: answer.status, body: key === "" ? text : text.replaceAll(key, "***") };
  } catch (cause) {
    ended.throwIfAborted();
    if (timedOut.aborted) throw told(`did not answer within ${timeoutMs / 1000} s`);
    // `fetch` hides why it failed one level down.
    if (cause instanceof TypeError) throw told(`cannot be reached: ${messageOf(cause.cause ?? cause)}`);
    throw cause;
  }
}

function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.message === "" && "code" in cause ? String(cause.code) : cause.message;
}

async function readLimited(answer: Response, bytesMax: number, told: Told): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw told(`answered with more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function readJson(text: string, what: string, told: Told): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw told(`gave ${what} that is not JSON: ${JSON.stringify(text.slice(0, ANSWER_SHOWN_MAX))}`);
  }
}

/** The text of the first choice. */
function contentOf(answer: unknown, told: Told): string {
  const choice = field(listed(field(answer, "choices"))[0], "message");
  const reason = field(listed(field(answer, "choices"))[0], "finish_reason");
  const refusal = field(choice, "refusal");
  if (typeof refusal === "string" && refusal !== "")
    throw told(`refused: ${JSON.stringify(refusal.slice(0, ANSWER_SHOWN_MAX))}`);
  if (reason === "length" || reason === "content_filter") throw told(`stopped before its end (${reason})`);
  const content = field(choice, "content");
  if (typeof content !== "string") throw told("gave an answer without choices[0].message.content");
  return content;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function listed(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
