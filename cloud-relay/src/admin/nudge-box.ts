// Nudges that the team sends to badges, until they expire: sealed bodies that the relay can neither read nor make. A badge gets all of its own whenever it
// connects, and shows each once; so nothing has to be acknowledged. Kept in one file, replaced whole.
import { readFileSync } from "node:fs";
import type { Clock } from "../clock";
import { type Disk, replaceFile } from "../disk";
import { ExitCode, messageOf, RelayError, systemCodeOf } from "../errors";

/** One nudge. */
export interface KeptNudge {
  /** Rises from nudge to nudge of a badge. */
  id: number;
  /** Unix time in ms from which it is not sent any more. */
  expiresUnixMs: number;
  body: Buffer;
}

/** Most nudges that one badge has; the oldest gives way. */
export const NUDGES_MAX = 16;
/** Longest time that one is kept: 30 days. */
export const KEEP_MS_MAX = 30 * 86_400_000;
const FILE_MODE = 0o600;
const VERSION = 1;

interface FileContent {
  version: number;
  nudges: Record<string, [id: number, expiresUnixMs: number, body: string][]>;
}

export class NudgeBox {
  private readonly nudges = new Map<string, KeptNudge[]>();
  /** One replacement of the file at a time. */
  private saving: Promise<void> = Promise.resolve();

  private constructor(
    private readonly disk: Disk,
    private readonly clock: Clock,
    private readonly path: string,
  ) {}

  /**
   * Opens the file, if there is one.
   * @throws RelayError when it cannot be read: it is never thrown away
   */
  static open(disk: Disk, clock: Clock, path: string): NudgeBox {
    const box = new NudgeBox(disk, clock, path);
    try {
      const { version, nudges } = JSON.parse(readFileSync(path, "utf8")) as FileContent;
      if (version !== VERSION) throw new Error(`its version is ${version}, not ${VERSION}`);
      for (const [badge, kept] of Object.entries(nudges))
        box.nudges.set(
          badge,
          kept.map(([id, expiresUnixMs, body]) => ({ id, expiresUnixMs, body: Buffer.from(body, "base64") })),
        );
    } catch (cause) {
      if (systemCodeOf(cause) !== "ENOENT")
        throw new RelayError(
          ExitCode.Spool,
          `cannot read ${path}: ${messageOf(cause)}; move it away if it is damaged`,
        );
    }
    return box;
  }

  /** Keeps a nudge, in the place of one with the same number. Resolves when it is durable. */
  async add(badge: string, nudge: KeptNudge): Promise<void> {
    const others = this.of(badge).filter(({ id }) => id !== nudge.id);
    const all = [...others, nudge].sort((a, b) => a.id - b.id);
    this.nudges.set(badge, all.slice(-NUDGES_MAX));
    const saved = this.saving.then(() => this.save());
    this.saving = saved.catch(() => undefined);
    await saved;
  }

  /** @returns a badge's nudges that have not expired, in the order of their numbers */
  of(badge: string): KeptNudge[] {
    const nowMs = this.clock.unixMs();
    return (this.nudges.get(badge) ?? []).filter(({ expiresUnixMs }) => expiresUnixMs > nowMs);
  }

  private async save(): Promise<void> {
    const nudges: FileContent["nudges"] = {};
    for (const badge of this.nudges.keys()) {
      const kept = this.of(badge);
      if (kept.length === 0) this.nudges.delete(badge);
      else
        nudges[badge] = kept.map(({ id, expiresUnixMs, body }) => [
          id,
          expiresUnixMs,
          body.toString("base64"),
        ]);
    }
    const content: FileContent = { version: VERSION, nudges };
    await replaceFile(this.disk, this.path, Buffer.from(`${JSON.stringify(content)}\n`), FILE_MODE);
  }
}
