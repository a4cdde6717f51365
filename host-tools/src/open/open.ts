// Opens a relay's folder with the team's keys: an Ogg Opus file and a timeline for each conversation.
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { Vault } from "@salestag/protocol/team";
import {
  type BadgeKeys,
  BootClock,
  epochKeyFor,
  fillGaps,
  findConversations,
  isInterlude,
  oggOpus,
  openConversation,
  openEvents,
  type PlacedPacket,
  readEpoch,
  replaceFile,
  type Timeline,
  ToolError,
} from "@salestag/protocol/team";

export interface OpenOptions {
  /** Folder of the relay's folder sink. */
  folder: string;
  vault: Vault;
  /** age secret keys. */
  identities: string[];
  /** Folder for the results, made if missing. */
  out: string;
  badge?: string;
  epoch?: number;
  /** Called for a conversation whose keys are not to be had; the others are opened. Without it the first such one ends it all. */
  onUnopened?: (badge: string, epoch: number, why: ToolError) => void;
}

/** A conversation that was opened and written. */
export interface OpenedConversation {
  timeline: Timeline;
  timelineFile: string;
  /** Undefined when not one packet of audio is there. */
  opusFile: string | undefined;
  packets: PlacedPacket[];
}

const INPUT_RATE_HZ = 16_000;
const FILE_MODE = 0o600;

/**
 * Opens every conversation in the folder, or those of one badge or epoch.
 * @throws ToolError when there is nothing to open or the keys do not fit; what is wrong inside a conversation is in its timeline
 */
export async function openConversations(options: OpenOptions): Promise<OpenedConversation[]> {
  const { folder, vault, identities, out, badge, epoch, onUnopened } = options;
  const opened: OpenedConversation[] = [];
  const found = findConversations(folder, { badge, epoch });
  mkdirSync(out, { recursive: true, mode: 0o700 });
  for (const { badge, epoch, files } of found) {
    let epochKey: Buffer;
    let keys: BadgeKeys;
    try {
      keys = await vault.read(badge, identities);
      epochKey = epochKeyFor(keys, epoch);
    } catch (cause) {
      if (!(cause instanceof ToolError) || onUnopened === undefined) throw cause;
      onUnopened(badge, epoch, cause);
      continue;
    }
    const { records, problems } = readEpoch({ badge, epoch, files });
    const clock = (boot: number) => clockOf(boot, { folder, badge, epoch, keys });
    const conversation = openConversation(badge, epoch, epochKey, records, problems, clock);
    if (isInterlude(conversation.timeline)) continue;
    opened.push(write(out, conversation.timeline, conversation.packets));
  }
  return opened;
}

/** A boot is dated within so many epochs, or not at all. */
const EPOCHS_LOOKED_AT = 64;

/** Looks in the epochs around for one of the same boot that tells the time. */
function clockOf(
  boot: number,
  { folder, badge, epoch, keys }: { folder: string; badge: string; epoch: number; keys: BadgeKeys },
): number | undefined {
  const clock = new BootClock();
  const near = findConversations(folder, { badge })
    .filter((other) => other.epoch !== epoch && Math.abs(other.epoch - epoch) <= EPOCHS_LOOKED_AT)
    .sort((a, b) => Math.abs(a.epoch - epoch) - Math.abs(b.epoch - epoch));
  for (const files of near) {
    try {
      const opened = openEvents(readEpoch(files), epochKeyFor(keys, files.epoch));
      clock.learn(opened.flatMap(({ events }) => events));
    } catch (cause) {
      if (!(cause instanceof ToolError)) throw cause; // the key of that epoch was deleted: it tells nothing
    }
    const unixMs = clock.unixMsOf(boot);
    if (unixMs !== undefined) return unixMs;
  }
  return undefined;
}

function write(out: string, timeline: Timeline, packets: PlacedPacket[]): OpenedConversation {
  const name = `${timeline.badge}-${String(timeline.epoch).padStart(6, "0")}`;
  const timelineFile = join(out, `${name}.json`);
  let opusFile: string | undefined;
  if (packets.length > 0) {
    opusFile = join(out, `${name}.opus`);
    const bytes = oggOpus(fillGaps(packets), {
      serial: Number.parseInt(timeline.badge.slice(8), 16),
      inputRateHz: INPUT_RATE_HZ,
      comments: [
        `TITLE=Conversation ${timeline.epoch}`,
        ...(timeline.startUnixSource === "unknown"
          ? []
          : [`DATE=${new Date(timeline.startUnixMs).toISOString()}`]),
      ],
    });
    replaceFile(opusFile, bytes, FILE_MODE);
    timeline.audio = { file: basename(opusFile), sha256: createHash("sha256").update(bytes).digest("hex") };
  }
  replaceFile(timelineFile, `${JSON.stringify(timeline, null, 2)}\n`, FILE_MODE);
  return { timeline, timelineFile, opusFile, packets };
}
