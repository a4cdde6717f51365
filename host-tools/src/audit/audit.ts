// Audits what a relay's folder has of a badge: reads every chunk that opens, and balances the badge's book against it.
import { ChunkKind, decodeChunkHeader, EventKind, FRAME_MS } from "@salestag/protocol/host";
import { ExitCode, ToolError } from "../errors";
import { BootClock } from "../open/boot-clock";
import { findConversations } from "../open/chunk-files";
import { openEvents, readEpoch } from "../open/epochs";
import { epochKeyFor, type Vault } from "../vault/vault";
import { type ArrivedSound, type Book, balance, entriesOf, type ToldEntry } from "./book";

export interface AuditOptions {
  /** Folder of the relay's folder sink. */
  folder: string;
  vault: Vault;
  /** age secret keys. */
  identities: string[];
  /** Only this badge. */
  badge?: string;
}

/** The audit of one badge. */
export interface Audit {
  badge: string;
  book: Book;
}

/**
 * @returns an audit of each badge in the folder
 * @throws ToolError when there is nothing to audit or the keys do not fit
 */
export async function auditFolder({ folder, vault, identities, badge }: AuditOptions): Promise<Audit[]> {
  const found = findConversations(folder, { badge });
  const audits: Audit[] = [];
  for (const id of new Set(found.map((files) => files.badge))) {
    const keys = await vault.read(id, identities);
    const clock = new BootClock();
    const told: ToldEntry[] = [];
    const sound: ArrivedSound[] = [];
    const problems: string[] = [];
    for (const files of found.filter((one) => one.badge === id)) {
      const read = readEpoch(files);
      let opened: ReturnType<typeof openEvents>;
      try {
        opened = openEvents(read, epochKeyFor(keys, files.epoch));
      } catch (cause) {
        if (!(cause instanceof ToolError) || cause.exitCode !== ExitCode.Keys) throw cause;
        problems.push(`epoch ${files.epoch} does not open: ${cause.message}`);
        continue;
      }
      problems.push(...read.problems);
      const boot = opened.flatMap(({ events }) => events).find(({ kind }) => kind === EventKind.Boot)
        ?.values[0];
      for (const { header, events } of opened) {
        clock.learn(events);
        told.push(...entriesOf(events, files.epoch, header.index, problems));
      }
      if (boot === undefined) continue;
      for (const record of read.records) {
        const { kind, startMs, durationMs, count } = decodeChunkHeader(record.header);
        // Gaps within a chunk are no sound: its packets are spread evenly for this purpose.
        if (kind === ChunkKind.Audio)
          sound.push({ boot, startMs, durationMs: Math.min(durationMs, count * FRAME_MS) });
      }
    }
    const book = balance(Buffer.from(id, "hex"), told, sound, (boot) => clock.unixMsOf(boot));
    book.problems.unshift(...problems);
    audits.push({ badge: id, book });
  }
  return audits;
}
