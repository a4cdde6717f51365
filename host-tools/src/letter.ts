// Hands a sealed letter to the relay's door for its operator. The relay can neither read nor change it.
import { readFileSync, statSync } from "node:fs";
import { ExitCode, messageOf, ToolError } from "./errors";

const OTHERS_MODE = 0o077;
const ANSWER_MS_MAX = 10_000;

/** Where a letter goes and who says so. */
export interface LetterPlace {
  /** Address of the relay's door for its operator, such as http://127.0.0.1:7780. */
  relay: string;
  /** The door's token. */
  token: string;
}

/**
 * @param path below the door's address: `/badges/ID/nudges`
 * @param what for the sentences: "nudge"
 * @returns true when the badge was connected; otherwise it gets the letter when it comes
 * @throws ToolError when nobody answers or the relay does not take it
 */
export async function postLetter(
  place: LetterPlace,
  path: string,
  what: string,
  body: Buffer,
): Promise<boolean> {
  const url = new URL(path, doorOf(place.relay));
  let answer: Response;
  try {
    answer = await fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${place.token}` },
      body: new Uint8Array(body),
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
  } catch (cause) {
    const reason = cause instanceof TypeError && cause.cause instanceof Error ? cause.cause : cause;
    throw new ToolError(
      ExitCode.Usage,
      `no relay answers at ${url.origin} (${messageOf(reason)}); check its 'admin' section.`,
    );
  }
  const said = (await answer.json().catch(() => ({}))) as { sent?: boolean; error?: string };
  if (answer.status === 201) return said.sent === true;
  throw new ToolError(
    ExitCode.Usage,
    `the relay does not take the ${what}: ${said.error ?? `it answered ${answer.status}`}.`,
  );
}

/** A token must not travel in the clear: HTTPS, or HTTP on this machine. */
function doorOf(relay: string): URL {
  const url = URL.canParse(relay) ? new URL(relay) : undefined;
  const loopback = url !== undefined && ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
  if (url === undefined || !(url.protocol === "https:" || (url.protocol === "http:" && loopback)))
    throw new ToolError(
      ExitCode.Usage,
      `${JSON.stringify(relay)} is no address of a relay's door; write http://127.0.0.1:7780, or https://.`,
    );
  return url;
}

/** Reads a token from a file that nobody else may read. @throws ToolError */
export function readToken(path: string): string {
  try {
    if (process.platform !== "win32" && (statSync(path).mode & OTHERS_MODE) !== 0)
      throw new Error("other users can read it: run chmod 600 on it");
    return readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw new ToolError(ExitCode.Usage, `the token in '${path}' cannot be used: ${messageOf(cause)}.`);
  }
}
