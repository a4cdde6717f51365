// Letters in one file in the spool's folder, replaced whole. Format: docs/relay-admin.md, "Letters".
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FrameType } from "@salestag/protocol/host";
import type { Clock } from "@salestag/protocol/service";
import { type Disk, replaceFile } from "../disk";
import { ExitCode, messageOf, RelayError, systemCodeOf } from "../errors";
import { type Letter, type LetterType, type Mailbox, waiting } from "./mailbox";

const FILE = "letters.json";
const FILE_MODE = 0o600;
const VERSION = 1;
/** What relays wrote before there were configurations. */
const NUDGES_FILE = "nudges.json";

interface FileContent {
  version: number;
  letters: Record<string, [type: LetterType, id: number, expiresUnixMs: number, body: string][]>;
}

interface NudgesContent {
  version: number;
  nudges: Record<string, [id: number, expiresUnixMs: number, body: string][]>;
}

export class MailboxFile implements Mailbox {
  private readonly letters = new Map<string, Letter[]>();
  /** One replacement of the file at a time. */
  private saving: Promise<void> = Promise.resolve();

  private constructor(
    private readonly disk: Disk,
    private readonly clock: Clock,
    private readonly path: string,
  ) {}

  /**
   * Opens the file, if there is one, or the one that it has taken the place of.
   * @throws RelayError when it cannot be read: it is never thrown away
   */
  static open(disk: Disk, clock: Clock, folder: string): MailboxFile {
    const box = new MailboxFile(disk, clock, join(folder, FILE));
    const content = readJson<FileContent>(box.path) ?? withoutConfigurations(join(folder, NUDGES_FILE));
    for (const [badge, letters] of Object.entries(content?.letters ?? {}))
      box.letters.set(
        badge,
        letters.map(([type, id, expiresUnixMs, body]) => {
          return { type, id, expiresUnixMs, body: Buffer.from(body, "base64") };
        }),
      );
    return box;
  }

  async add(badge: string, letter: Letter): Promise<void> {
    this.letters.set(badge, [...this.of(badge), letter]);
    const saved = this.saving.then(() => this.save());
    this.saving = saved.catch(() => undefined);
    await saved;
  }

  of(badge: string): Letter[] {
    return waiting(this.letters.get(badge) ?? [], this.clock.unixMs());
  }

  async close(): Promise<void> {
    await this.saving;
  }

  private async save(): Promise<void> {
    const letters: FileContent["letters"] = {};
    for (const badge of this.letters.keys()) {
      const kept = this.of(badge);
      if (kept.length === 0) this.letters.delete(badge);
      else
        letters[badge] = kept.map(({ type, id, expiresUnixMs, body }) => [
          type,
          id,
          expiresUnixMs,
          body.toString("base64"),
        ]);
    }
    const content: FileContent = { version: VERSION, letters };
    await replaceFile(this.disk, this.path, Buffer.from(`${JSON.stringify(content)}\n`), FILE_MODE);
  }
}

function withoutConfigurations(path: string): FileContent | undefined {
  const content = readJson<NudgesContent>(path);
  if (content === undefined) return undefined;
  const letters: FileContent["letters"] = {};
  for (const [badge, nudges] of Object.entries(content.nudges))
    letters[badge] = nudges.map((nudge) => [FrameType.Nudge, ...nudge]);
  return { version: VERSION, letters };
}

function readJson<T extends { version: number }>(path: string): T | undefined {
  try {
    const content = JSON.parse(readFileSync(path, "utf8")) as T;
    if (content.version !== VERSION) throw new Error(`its version is ${content.version}, not ${VERSION}`);
    return content;
  } catch (cause) {
    if (systemCodeOf(cause) === "ENOENT") return undefined;
    throw new RelayError(
      ExitCode.Spool,
      `cannot read ${path}: ${messageOf(cause)}; move it away if it is damaged`,
    );
  }
}
