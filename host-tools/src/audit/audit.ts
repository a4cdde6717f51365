// Audits what a relay's folder has of a badge: reads every chunk that opens, and balances the badge's book against it.
import {
  ChunkKind,
  type ChunkRecord,
  decodeChunkHeader,
  EventKind,
  FRAME_MS,
  nodeCrypto,
  openChunk,
} from "@salestag/protocol/host";
import type { Vault } from "@salestag/protocol/team";
import {
  type BadgeKeys,
  BootClock,
  ExitCode,
  epochKeyFor,
  findConversations,
  openEvents,
  readEpoch,
  ToolError,
} from "@salestag/protocol/team";
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

const crypto = nodeCrypto();

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
    let keys: BadgeKeys;
    try {
      keys = await vault.read(id, identities);
    } catch (cause) {
      // Another team's badge, or one that the vault lost: the others are audited all the same.
      if (!(cause instanceof ToolError) || badge !== undefined) throw cause;
      audits.push({
        badge: id,
        book: { ...balance(Buffer.from(id, "hex"), [], [], () => undefined), problems: [cause.message] },
      });
      continue;
    }
    const holes: string[] = [];
    const clock = new BootClock();
    const told: ToldEntry[] = [];
    const sound: ArrivedSound[] = [];
    const problems: string[] = [];
    for (const files of found.filter((one) => one.badge === id)) {
      const read = readEpoch(files);
      let opened: ReturnType<typeof openEvents>;
      let epochKey: Buffer;
      try {
        epochKey = epochKeyFor(keys, files.epoch);
        opened = openEvents(read, epochKey);
      } catch (cause) {
        if (!(cause instanceof ToolError) || cause.exitCode !== ExitCode.Keys) throw cause;
        problems.push(`epoch ${files.epoch} does not open: ${cause.message}`);
        continue;
      }
      problems.push(...read.problems);
      holes.push(...holesIn(files.epoch, read.records));
      const all = opened.flatMap(({ events }) => events);
      clock.learn(all);
      const boot = all.find(({ kind }) => kind === EventKind.Boot)?.values[0];
      for (const { header, events } of opened)
        told.push(...entriesOf(events, files.epoch, header.index, problems));
      for (const { index, header, sealed } of read.records) {
        const { kind, startMs, durationMs, count } = decodeChunkHeader(header);
        if (kind !== ChunkKind.Audio) continue;
        // A header alone proves nothing: whoever has the folder can write one.
        if (openChunk(crypto, epochKey, header, sealed) === undefined)
          problems.push(
            `sound of chunk ${files.epoch}/${index} does not open: it was changed, or it is not from this badge`,
          );
        // Gaps within a chunk are no sound: its packets are spread evenly for this purpose.
        else if (boot !== undefined)
          sound.push({ boot, startMs, durationMs: Math.min(durationMs, count * FRAME_MS) });
      }
    }
    const book = balance(Buffer.from(id, "hex"), told, sound, (boot) => clock.unixMsOf(boot));
    // What the badge itself gave up, or lost in its flash, leaves holes too, and it says so.
    book.problems.unshift(...problems, ...(book.totals.evicted > 0 ? [] : holes));
    audits.push({ badge: id, book });
  }
  return audits;
}

/** @returns a sentence for each run of indexes that an epoch should have and has not */
function holesIn(epoch: number, records: ChunkRecord[]): string[] {
  const indexes = records.map(({ index }) => index).sort((a, b) => a - b);
  const holes: string[] = [];
  let expected = 0;
  for (const index of indexes) {
    if (index > expected) {
      const which =
        index - expected === 1
          ? `chunk ${expected} of conversation ${epoch} is`
          : `chunks ${expected} to ${index - 1} of conversation ${epoch} are`;
      holes.push(`${which} missing`);
    }
    expected = index + 1;
  }
  return holes;
}
