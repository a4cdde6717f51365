// Proves that a badge that was just provisioned works as a whole: its relay is reached, and the seconds of sound that it recorded when it
// started are uploaded and open with the key that the team has. Nothing is taken on the badge's word but what cannot be seen otherwise.
import {
  ChunkKind,
  type ChunkRecord,
  ConsentMeans,
  decodeChunkHeader,
  decodeEvents,
  EndReason,
  EventKind,
  FRAME_MS,
  nodeCrypto,
  openChunk,
  parseTrace,
  unpackAudio,
} from "@salestag/protocol/host";
import type { JacdacClient } from "@salestag/protocol/jacdac";
import { type BadgeKeys, clauseOf, ExitCode, epochKeyFor, ToolError } from "@salestag/protocol/team";

/** What the proof needs of a badge's port. */
export interface ProofPort {
  client: JacdacClient;
  onLine(listener: (line: string) => void): () => void;
}

/** Where a badge's sealed chunks can be seen to arrive. */
export interface Arrivals {
  /** Chunks of the badge that have arrived, each once. Rejects when they cannot be seen any more. */
  take(): Promise<ChunkRecord[]>;
  /** They need not be seen any more. */
  end(): void;
}

export interface ProofOptions {
  port: ProofPort;
  badge: string;
  /** What the vault has of it. */
  keys: BadgeKeys;
  /** For the sentences. */
  relayUrl: string;
  /** So many ms of sound were asked for; 0: only the relay is proved. */
  checkMs: number;
  /** Left out: that the relay has acknowledged it is all that can be known. */
  arrivals?: Arrivals;
  signal?: AbortSignal;
  onStep?: (what: string) => void;
}

export interface Proof {
  /** Sound that was opened, ms; undefined where nothing could be opened. */
  openedMs?: number;
}

const POLL_MS = 50;
const UP_MS = 30_000;
/** Failures, other than to have a network, after which the relay is not waited for any more. */
const DOWNS_MAX = 4;
const SOUND_MS = 30_000;
/** Without any sign of a recording by then there is none. */
const ONSET_MS = 12_000;
/** A badge has a few epochs at most between its provisioning and the check: one for each start. */
const EPOCHS_MAX = 16;
/** Share of the sound that must be there: frames may be lost on the way to the badge's program. */
const SHARE_MIN = 0.9;

/**
 * @throws ToolError that says how far it got and what to do
 */
export async function proveBadge(options: ProofOptions): Promise<Proof> {
  const { port, checkMs, onStep = () => undefined } = options;
  const watch = new Watch(options.badge);
  const unlisten = port.onLine((line) => watch.line(line));
  try {
    onStep("relay");
    await until(options, UP_MS, () => watch.up || watch.downs >= DOWNS_MAX);
    if (!watch.up) throw notUp(options, watch);
    if (checkMs === 0) return {};
    onStep("sound");
    if (options.arrivals === undefined) {
      await until(options, ONSET_MS, () => watch.conversation);
      if (!watch.conversation || !(await until(options, SOUND_MS, () => watch.acked)))
        throw notHeard(options, watch, 0);
      return {};
    }
    return { openedMs: await opened(options, options.arrivals, watch) };
  } finally {
    unlisten();
  }
}

async function until(
  { port, signal }: ProofOptions,
  limitMs: number,
  done: () => boolean | Promise<boolean>,
): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < limitMs; waitedMs += POLL_MS) {
    signal?.throwIfAborted();
    if (await done()) return true;
    await port.client.pause(POLL_MS);
  }
  return false;
}

async function opened(options: ProofOptions, arrivals: Arrivals, watch: Watch): Promise<number> {
  const check = new CheckOpener(options.keys);
  const wantedMs = options.checkMs * SHARE_MIN;
  const complete = async () => {
    for (const record of await arrivals.take()) check.add(record);
    return check.ended && check.soundMs >= wantedMs;
  };
  await until(options, ONSET_MS, async () => (await complete()) || watch.conversation || check.soundMs > 0);
  const begun = watch.conversation || check.soundMs > 0;
  if (begun && (await until(options, SOUND_MS, complete))) return check.soundMs;
  throw check.refused === "" ? notHeard(options, watch, check.soundMs) : doesNotOpen(check.refused);
}

/** What the badge says meanwhile. */
class Watch {
  up = false;
  down = "";
  downs = 0;
  conversation = false;
  acked = false;
  complaint = "";
  private chunk: [number, number] | undefined;

  constructor(private readonly badge: string) {}

  line(text: string): void {
    const event = parseTrace(text);
    if (event === undefined) {
      if (/^[*!] /.test(text)) this.complaint = text.slice(2);
      return;
    }
    if (event.word === "up") this.up = true;
    else if (event.word === "health" && event.badge === this.badge) this.up ||= event.online;
    else if (event.word === "down") {
      this.down = event.why;
      if (!event.why.includes("no network")) this.downs++;
    } else if (event.word === "conversation") this.conversation = true;
    else if (event.word === "chunk") this.chunk ??= [event.epoch, event.index];
    else if (event.word === "acked" && this.chunk !== undefined)
      this.acked ||= event.nextEpoch > this.chunk[0] || event.nextIndex > this.chunk[1];
  }
}

/** What is known of one conversation. */
interface Heard {
  soundMs: number;
  isCheck: boolean;
  ended: boolean;
}

/** Opens what arrives, and looks for the check in it: the badge may have begun another conversation since. */
class CheckOpener {
  /** Why a chunk does not open; empty while all do. */
  refused = "";
  private readonly heard = new Map<number, Heard>();

  constructor(private readonly keys: BadgeKeys) {}

  /** Sound of the check that was opened, ms. */
  get soundMs(): number {
    return this.check?.soundMs ?? 0;
  }

  /** Its end was opened too. */
  get ended(): boolean {
    return this.check?.ended ?? false;
  }

  add(record: ChunkRecord): void {
    const { badge, epoch, index, header, sealed } = record;
    const ours = badge === this.keys.badge && epoch < EPOCHS_MAX;
    const plaintext = ours
      ? openChunk(nodeCrypto(), epochKeyFor(this.keys, epoch), header, sealed)
      : undefined;
    if (plaintext === undefined) {
      this.refused = `chunk ${index} of conversation ${epoch}`;
      return;
    }
    const heard = this.heard.get(epoch) ?? { soundMs: 0, isCheck: false, ended: false };
    this.heard.set(epoch, heard);
    const { kind, startMs } = decodeChunkHeader(header);
    if (kind === ChunkKind.Audio)
      heard.soundMs += unpackAudio(plaintext).filter(({ type }) => type === "packet").length * FRAME_MS;
    else if (kind === ChunkKind.Events)
      for (const { kind: event, values } of decodeEvents(plaintext, startMs)) {
        if (event === EventKind.Consent && values[0] === ConsentMeans.Check) heard.isCheck = true;
        if (event === EventKind.ConversationEnd && values[0] === EndReason.Checked) heard.ended = true;
      }
  }

  private get check(): Heard | undefined {
    return [...this.heard.values()].find(({ isCheck }) => isCheck);
  }
}

const failed = (message: string): ToolError => new ToolError(ExitCode.Badge, message);

function notUp({ relayUrl }: ProofOptions, { down, complaint }: Watch): ToolError {
  if (down === "" && complaint !== "") return failed(`the badge does not reach its relay: ${complaint}.`);
  if (down === "")
    return failed("the badge does not say anything about its relay; run 'salestag doctor' on it.");
  const why = clauseOf(down);
  if (/refused 3\b/.test(why))
    return failed(
      `the relay at ${relayUrl} does not know this badge (${why}): register it with the relay that listens there, with its own --registry or --relay-door.`,
    );
  if (/relay-not-proved|refused 4\b/.test(why))
    return failed(
      `the relay at ${relayUrl} has another key for this badge (${why}): is that the team's relay, and its registry the one that was written?`,
    );
  if (/no network|host/i.test(why))
    return failed(`the badge finds no way to ${relayUrl} (${why}): check the Wi-Fi, and the relay's name.`);
  return failed(
    `the badge does not reach ${relayUrl} (${why}): check that the relay runs, its address and port, and the firewall between.`,
  );
}

function notHeard({ checkMs }: ProofOptions, watch: Watch, soundMs: number): ToolError {
  if (!watch.conversation)
    return failed(
      "the badge reaches its relay but records nothing: its microphone gives no sound (is it switched off by the mute button?), or its flash chip fails; run 'salestag doctor' on it.",
    );
  return failed(
    `the badge reaches its relay, but of ${checkMs} ms of sound ${soundMs} ms arrived in time${watch.complaint === "" ? "" : ` (${watch.complaint})`}; try again, then run 'salestag doctor' on it.`,
  );
}

function doesNotOpen(what: string): ToolError {
  return failed(
    `what the badge uploaded does not open with the key that it was given (${what}): provision it again; if it stays so, its flash is damaged.`,
  );
}
