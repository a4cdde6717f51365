// The relay's door for its operator, from outside (docs/relay-admin.md): hands over sealed letters, changes the registry, watches a badge's chunks arrive.
// The token travels over HTTPS or to this machine only, and is in no error.
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { ExitCode, messageOf, ToolError } from "@salestag/protocol/team";
import { eventsOf, type WatchEvent } from "./relay-watch";

/** Where the door is and who comes. */
export interface DoorPlace {
  /** Such as http://127.0.0.1:7780. */
  relay: string;
  /** The door's token. */
  token: string;
}

/** A badge of the relay's registry. */
export interface RegisteredBadge {
  /** 16 hexadecimal digits. */
  badge: string;
  label: string;
  /** Unix time in ms. */
  addedMs: number;
  /** To this relay, now. */
  connected: boolean;
}

const ANSWER_MS_MAX = 10_000;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
const TOLD_CHARACTERS_MAX = 300;
const TOKEN_FILE_BYTES_MAX = 4096;
const OTHERS_MODE = 0o077;

interface Asked {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  body?: Buffer;
  signal?: AbortSignal;
  /** Longest time from the answer's head to its end. */
  bodyMsMax?: number;
}

/** See the top of the file. Every method throws ToolError when no relay answers, or it refuses. */
export class RelayDoor {
  private readonly url: URL;
  private readonly token: string;

  /** @throws ToolError when the address is neither HTTPS nor on this machine */
  constructor({ relay, token }: DoorPlace) {
    this.url = doorOf(relay);
    this.token = token;
  }

  /**
   * @param path below the door's address: `/badges/ID/nudges`
   * @param what for the sentences: "nudge"
   * @returns true when the badge was connected; otherwise it gets the letter when it comes
   */
  async postLetter(path: string, what: string, body: Buffer): Promise<boolean> {
    const said = await this.told({ method: "POST", path, body }, `take the ${what}`);
    return (said as { sent?: unknown } | null)?.sent === true;
  }

  /** Puts a badge into the registry: it gets in from then on. @param authKey 32 bytes */
  async addBadge(badge: string, authKey: Buffer, label: string): Promise<void> {
    const body = Buffer.from(JSON.stringify({ authKey: authKey.toString("hex"), label }));
    await this.told({ method: "PUT", path: `/badges/${badge}`, body }, "add the badge");
  }

  /** Gives a badge another key: its connection ends. @param authKey 32 bytes */
  async rotateBadge(badge: string, authKey: Buffer): Promise<void> {
    const body = Buffer.from(JSON.stringify({ authKey: authKey.toString("hex") }));
    await this.told({ method: "PUT", path: `/badges/${badge}/key`, body }, "give the badge another key");
  }

  /** Takes a badge out of the registry: its connection ends. */
  async removeBadge(badge: string): Promise<void> {
    await this.told({ method: "DELETE", path: `/badges/${badge}` }, "take the badge out");
  }

  /** @returns the registry, without keys */
  async listBadges(): Promise<RegisteredBadge[]> {
    const said = await this.told({ method: "GET", path: "/badges" }, "list its badges");
    if (Array.isArray(said) && said.every(isRegisteredBadge)) return said;
    throw new ToolError(
      ExitCode.Usage,
      `what answers at ${this.url.origin} does not list badges as a relay.`,
    );
  }

  /**
   * Watches a badge's chunks become durable. The first item comes when the watch stands and says whether the badge is connected: every chunk from then on is told.
   * Ends when the time is over, or quietly when `signal` aborts.
   * @param seconds whole, 1 to 600
   * @throws ToolError also when the relay ends in between, or tells anything but this badge's chunks
   */
  async *watchChunks(badge: string, seconds: number, signal?: AbortSignal): AsyncGenerator<WatchEvent, void> {
    const path = `/badges/${badge}/chunks?seconds=${seconds}`;
    const bodyMsMax = seconds * 1000 + ANSWER_MS_MAX;
    try {
      const answer = await this.ask({ method: "GET", path, signal, bodyMsMax });
      if (answer.statusCode !== 200) throw await this.refusal(answer, "let its chunks be watched");
      yield* eventsOf(answer, badge);
    } catch (cause) {
      if (signal?.aborted) return;
      if (cause instanceof ToolError) throw cause;
      throw this.brokenOff(cause);
    }
  }

  /** @returns what a relay says that did as it was asked */
  private async told(asked: Asked, what: string): Promise<unknown> {
    const answer = await this.ask(asked);
    if (answer.statusCode !== 200 && answer.statusCode !== 201) throw await this.refusal(answer, what);
    return await this.jsonOf(answer);
  }

  /** @returns an answer of which nothing but the head was read */
  private async ask({
    method,
    path,
    body,
    signal,
    bodyMsMax = ANSWER_MS_MAX,
  }: Asked): Promise<IncomingMessage> {
    const send = this.url.protocol === "https:" ? httpsRequest : httpRequest;
    const headers = { authorization: `Bearer ${this.token}`, "content-length": body?.length ?? 0 };
    const request = send(new URL(path, this.url), { method, headers, agent: false, signal });
    const within = (ms: number) =>
      setTimeout(() => request.destroy(new Error(`not within ${ms / 1000} s`)), ms);
    let timer = within(ANSWER_MS_MAX);
    request.once("close", () => clearTimeout(timer));
    try {
      request.end(body);
      const [answer] = (await once(request, "response")) as [IncomingMessage];
      request.on("error", () => undefined); // whoever reads the answer sees that it breaks off
      clearTimeout(timer);
      timer = within(bodyMsMax);
      return answer;
    } catch (cause) {
      throw new ToolError(
        ExitCode.Usage,
        `no relay answers at ${this.url.origin} (${messageOf(cause)}); check its 'admin' section.`,
      );
    }
  }

  /** @returns null for what is no JSON */
  private async jsonOf(answer: IncomingMessage): Promise<unknown> {
    const parts: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const part of answer) {
        bytes += (part as Buffer).length;
        if (bytes > ANSWER_BYTES_MAX) throw new Error(`it is longer than ${ANSWER_BYTES_MAX} bytes`);
        parts.push(part as Buffer);
      }
    } catch (cause) {
      throw this.brokenOff(cause);
    }
    try {
      return JSON.parse(Buffer.concat(parts).toString("utf8"));
    } catch {
      return null;
    }
  }

  private async refusal(answer: IncomingMessage, what: string): Promise<ToolError> {
    const said = (await this.jsonOf(answer)) as { error?: unknown } | null;
    if (answer.statusCode === 401)
      return new ToolError(
        ExitCode.Usage,
        `the relay at ${this.url.origin} refuses the token; name the file that its 'admin.tokenFile' is.`,
      );
    const why =
      typeof said?.error === "string" ? this.harmless(said.error) : `it answered ${answer.statusCode}`;
    return new ToolError(ExitCode.Usage, `the relay does not ${what}: ${why}.`);
  }

  /** A sentence from outside, as it may be shown: one line, not long, without anything that looks like a key. */
  private harmless(text: string): string {
    return text
      .replaceAll(this.token, "…")
      .replace(/[0-9a-f]{64}/gi, "…")
      .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ")
      .slice(0, TOLD_CHARACTERS_MAX);
  }

  private brokenOff(cause: unknown): ToolError {
    return new ToolError(
      ExitCode.Usage,
      `the relay at ${this.url.origin} broke its answer off (${messageOf(cause)}); see its log, then try again.`,
    );
  }
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

function isRegisteredBadge(value: unknown): value is RegisteredBadge {
  if (typeof value !== "object" || value === null) return false;
  const { badge, label, addedMs, connected } = value as Record<string, unknown>;
  return (
    typeof badge === "string" &&
    /^[0-9a-f]{16}$/.test(badge) &&
    typeof label === "string" &&
    Number.isSafeInteger(addedMs) &&
    typeof connected === "boolean"
  );
}

/** Reads a token from a file that nobody else may read. @throws ToolError */
export function readToken(path: string): string {
  try {
    const { mode, size } = statSync(path);
    if (process.platform !== "win32" && (mode & OTHERS_MODE) !== 0)
      throw new Error("other users can read it: run chmod 600 on it");
    const token = size > TOKEN_FILE_BYTES_MAX ? "" : readFileSync(path, "utf8").trim();
    if (!/^[\x20-\x7e]+$/.test(token)) throw new Error("it must hold one line of printable ASCII");
    return token;
  } catch (cause) {
    throw new ToolError(ExitCode.Usage, `the token in '${path}' cannot be used: ${messageOf(cause)}.`);
  }
}
