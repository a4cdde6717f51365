// A team for tests: a vault that an identity opens, badges 0 to 15, and conversations of theirs, sealed as a badge seals them.
import { join } from "node:path";
import {
  type BadgeEvent,
  type ChunkRecord,
  ConsentMeans,
  EndReason,
  EventKind,
  Talker,
} from "@salestag/protocol/host";
import { type BadgeKeys, epochKeyFor, type Vault } from "@salestag/protocol/team";
import {
  audioChunk,
  badgeKeys,
  type ChunkPlan,
  eventsChunk,
  makeVault,
  opusPackets,
  person,
  RECEIVED_MS,
  recordOf,
} from "@salestag/protocol/testing";

export interface TestTeam {
  vault: Vault;
  vaultFolder: string;
  identity: string;
}

/** @param badges how many the vault knows, 0 to 16 */
export async function makeTeam(folder: string, badges: number): Promise<TestTeam> {
  const owner = await person(folder, "identity");
  const vaultFolder = join(folder, "vault");
  const vault = await makeVault(vaultFolder, [owner], badges);
  return { vault, vaultFolder, identity: owner.file };
}

export interface TalkOptions {
  /** Number of the badge, 0 to 15. */
  badge?: number;
  epoch?: number;
  /** Audio chunks of 5 packets (100 ms) each. */
  audio?: number;
  /** undefined: the badge never told. */
  consent?: ConsentMeans | null;
  phrases?: string[];
  ends?: boolean;
  /** Unix time in ms that the badge knew at its start; null: it did not. */
  startUnixMs?: number | null;
  boot?: number;
  receivedMs?: number;
}

const PACKETS = opusPackets(5);
/** ms since the badge's boot at which each talk starts. */
const BOOT_MS = 60_000;
const CHUNK_MS = 100;
const TURN_MS = 80;

/** @returns the sealed chunks of a conversation, in order: events, audio amid phrases, the end */
export function talk(options: TalkOptions = {}): ChunkRecord[] {
  const { badge = 0, epoch = 0, receivedMs = RECEIVED_MS } = options;
  const keys: BadgeKeys = badgeKeys(badge);
  const key = epochKeyFor(keys, epoch);
  return plansOf(options).map((plan) => recordOf(plan, key, epoch, receivedMs + plan.index, keys.badge));
}

function plansOf({ audio = 3, phrases = [], ends = true, ...options }: TalkOptions): ChunkPlan[] {
  const plans: ChunkPlan[] = [];
  const events = (list: BadgeEvent[]) => plans.push(eventsChunk(plans.length, list));
  events(firstEvents(options));
  for (let n = 0; n < Math.max(audio, phrases.length); n++) {
    const atMs = BOOT_MS + n * CHUNK_MS;
    if (n < audio) plans.push(audioChunk(plans.length, atMs, PACKETS));
    const talker = n % 2 === 0 ? Talker.Far : Talker.Near;
    const heard: BadgeEvent[] = [{ kind: EventKind.Turn, atMs, values: [TURN_MS, talker, 60] }];
    if (phrases[n] !== undefined)
      heard.push({ kind: EventKind.KeyPhrase, atMs, values: [TURN_MS, -100, -200], text: phrases[n] });
    events(heard);
  }
  const endMs = BOOT_MS + audio * CHUNK_MS;
  if (ends) events([{ kind: EventKind.ConversationEnd, atMs: endMs, values: [EndReason.Silence] }]);
  return plans;
}

function firstEvents({
  consent = ConsentMeans.Announced,
  startUnixMs = RECEIVED_MS,
  boot = 1,
}: TalkOptions): BadgeEvent[] {
  const events: BadgeEvent[] = [
    { kind: EventKind.ConversationStart, atMs: BOOT_MS, values: [] },
    { kind: EventKind.Boot, atMs: BOOT_MS, values: [boot] },
  ];
  if (startUnixMs !== null) events.push({ kind: EventKind.Clock, atMs: BOOT_MS, values: [startUnixMs] });
  if (consent !== null) events.push({ kind: EventKind.Consent, atMs: BOOT_MS, values: [consent] });
  return events;
}

/** @returns what a badge tells between conversations: its boot, and the time where it knows it */
export function interlude(badge: number, epoch: number, boot: number, atUnixMs: number): ChunkRecord[] {
  const keys = badgeKeys(badge);
  const plan = eventsChunk(0, [
    { kind: EventKind.Boot, atMs: BOOT_MS, values: [boot] },
    { kind: EventKind.Clock, atMs: BOOT_MS, values: [atUnixMs] },
  ]);
  return [recordOf(plan, epochKeyFor(keys, epoch), epoch, RECEIVED_MS, keys.badge)];
}
