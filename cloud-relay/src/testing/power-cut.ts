// Power cuts: a relay in a process of its own, badges that send and note what was acked, a kill at a random instant, and what is in the shadow
// of its disk afterwards. The next round begins with the shadow, as a machine does that is switched on again.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { addBadge, type ChunkRecord, decodeAck, FrameType } from "@salestag/protocol/host";
import type { Log } from "@salestag/protocol/service";
import { messageOf } from "../errors";
import { BadgeClient } from "./badge-client";
import { Random } from "./random";
import { RelayChild, recordsIn, recordsInFolder, type TestBadge } from "./rigging";
import type { ShadowOptions } from "./shadow-disk";

export interface PowerCutOptions {
  seed: number;
  badges: number;
  /** With a folder sink and so small a spool that segments are deleted; else everything stays in the spool. */
  withSink: boolean;
  /** How many of 100 unsynced changes reach the disk all the same, at least in part. */
  earlyPercent: number;
  /** Longest time that a sync takes longer than it does, in ms. */
  syncMsMax: number;
  /** Syncs that are ignored: acked chunks must be lost. */
  ignored: ShadowOptions["ignored"];
}

/** What one round showed. */
export interface RoundResult {
  /** Chunks that were acked in this round. */
  acked: number;
  /** All chunks that must be there: acked in any round, or before a position that a badge was told. */
  owed: number;
  /** One sentence for each chunk that is lost, doubled or changed, and for each position that went back. */
  wrong: string[];
}

interface Sender extends TestBadge {
  /** Every chunk of epoch 0 before this index must be stored. */
  owed: number;
}

const PROGRAM = fileURLToPath(new URL("./shadowed-relay.ts", import.meta.url));
const SPOOL_BYTES_MAX = 262144;
const SEALED_BYTES_MAX = 6000;
/** Most acks of a round before the cut, and the longest time after those, in ms. */
const ACKS_MAX = 200;
const THEN_MS_MAX = 15;
/** How many of 100 relays are cut at one of their first calls of the disk, instead. */
const CUT_BY_CALL_PERCENT = 30;
const CALLS_MAX = 40;

/** See the top of the file. */
export class PowerCuts {
  private readonly directory = mkdtempSync(join(tmpdir(), "salestag-power-"));
  private readonly live = join(this.directory, "live");
  private readonly shadow = join(this.directory, "shadow");
  private readonly scratch = join(this.directory, "scratch");
  private readonly copy = join(this.directory, "copy");
  private readonly registry = join(this.directory, "registry.json");
  private readonly random: Random;
  private readonly senders: Sender[] = [];
  private wrong: string[] = [];

  constructor(private readonly options: PowerCutOptions) {
    this.random = new Random(options.seed);
    mkdirSync(this.shadow);
    for (let count = 0; count < options.badges; count++) {
      const badgeId = this.random.bytes(8);
      const badge = { id: badgeId.toString("hex"), badgeId, authKey: this.random.bytes(32) };
      addBadge(this.registry, { badge: badge.id, authKey: badge.authKey, label: "power cut", addedMs: 1 });
      this.senders.push({ ...badge, owed: 0 });
    }
  }

  /** Switches on, lets the badges send, cuts, and looks at what is left. Some cuts fall into the start. */
  async round(): Promise<RoundResult> {
    // A control must get as far as an ack.
    const early = this.options.ignored === "none" && this.random.chance(CUT_BY_CALL_PERCENT);
    const cutAtCall = early ? 1 + this.random.below(CALLS_MAX) : 0;
    const relay = this.switchOn(cutAtCall);
    return await this.resultOf(relay, async () => {
      const starts = await relay.listening().then(
        () => true,
        (cause) => {
          if (cutAtCall === 0) throw cause;
          return false;
        },
      );
      const acked = starts ? await this.sendUntilCut(relay, cutAtCall > 0) : 0;
      const [code] = await relay.closed;
      if (code !== null)
        this.wrong.push(`the relay ended by itself with ${code}: ${relay.notices.join("; ")}`);
      return acked;
    });
  }

  /** Switches on once more, and ends the relay as an operator does. */
  async lastRound(): Promise<RoundResult> {
    const relay = this.switchOn(0);
    return await this.resultOf(relay, async () => {
      await relay.listening();
      relay.signal("SIGTERM");
      const [code] = await relay.closed;
      if (code !== 0) this.wrong.push(`the last relay ended with ${code}: ${relay.notices.join("; ")}`);
      return 0;
    });
  }

  end(): void {
    rmSync(this.directory, { recursive: true });
  }

  private async resultOf(relay: RelayChild, run: () => Promise<number>): Promise<RoundResult> {
    this.wrong = [];
    let acked = 0;
    try {
      acked = await run();
      await this.inspect();
    } catch (cause) {
      this.wrong.push(messageOf(cause));
    }
    relay.signal("SIGKILL");
    await relay.closed;
    return { acked, owed: this.senders.reduce((sum, { owed }) => sum + owed, 0), wrong: this.wrong };
  }

  private switchOn(cutAtCall: number): RelayChild {
    for (const path of [this.live, this.scratch]) rmSync(path, { recursive: true, force: true });
    cpSync(this.shadow, this.live, { recursive: true });
    mkdirSync(this.scratch);
    const { earlyPercent, syncMsMax, ignored, withSink } = this.options;
    const { live: root, shadow, scratch } = this;
    const seed = this.random.uint32();
    const shadowing: ShadowOptions = {
      root,
      shadow,
      scratch,
      seed,
      earlyPercent,
      syncMsMax,
      ignored,
      cutAtCall,
    };
    const args = [
      "--listen",
      "tcp://127.0.0.1:0",
      "--registry",
      this.registry,
      "--spool",
      join(root, "spool"),
    ];
    if (withSink)
      args.push("--sink", `folder:${join(root, "out")}`, "--spool-bytes-max", String(SPOOL_BYTES_MAX));
    const child = spawn(process.execPath, ["--import", "tsx", PROGRAM, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, SALESTAG_TEST_SHADOW: JSON.stringify(shadowing) },
    });
    return new RelayChild(args, [], child);
  }

  /** @returns the number of chunks that were acked */
  private async sendUntilCut(relay: RelayChild, mayVanish: boolean): Promise<number> {
    const enough = 1 + this.random.below(ACKS_MAX);
    const thenMs = this.random.below(THEN_MS_MAX + 1);
    let acked = 0;
    let cut = false;
    const onAck = (count: number): void => {
      acked += count;
      if (acked < enough || cut) return;
      cut = true;
      setTimeout(() => relay.signal("SIGKILL"), thenMs);
    };
    const address = relay.addresses[0];
    const sending = this.senders.map(async (sender) => {
      try {
        await this.send(sender, address, onAck);
      } catch (cause) {
        if (!mayVanish) this.wrong.push(`badge ${sender.id}: ${messageOf(cause)}`);
        relay.signal("SIGKILL");
      }
    });
    await Promise.all([relay.closed, ...sending]);
    return acked;
  }

  /** Sends within the window until the relay is gone. */
  private async send(sender: Sender, address: string, onAck: (count: number) => void): Promise<void> {
    const client = await BadgeClient.connect({ address, ...sender });
    let { nextIndex: acked, window } = client.welcome;
    if (acked < sender.owed) this.wrong.push(`badge ${sender.id} was at ${sender.owed} and is told ${acked}`);
    // The badge forgets what lies before the position that it is told.
    sender.owed = Math.max(sender.owed, acked);
    for (let next = acked; ; ) {
      for (; next - acked < window; next++) client.sendChunk(0, next, contentOf(sender.id, next));
      const payload = await client.connection.next();
      if (payload === undefined) return;
      const { type, body } = client.session.open(payload);
      if (type !== FrameType.Ack) continue;
      const ack = decodeAck(body);
      onAck(ack.nextIndex - acked);
      acked = ack.nextIndex;
      window = ack.window;
      sender.owed = Math.max(sender.owed, acked);
    }
  }

  /** Looks into a copy of the shadow: what is looked at is recovered, and so changed. */
  private async inspect(): Promise<void> {
    rmSync(this.copy, { recursive: true, force: true });
    cpSync(this.shadow, this.copy, { recursive: true });
    const [spool, out] = [join(this.copy, "spool"), join(this.copy, "out")];
    const spooled = existsSync(spool) ? await recordsIn(spool, this.damageLog()) : [];
    const delivered = existsSync(out) ? recordsInFolder(out) : [];
    const there = new Set<string>();
    for (const record of spooled) {
      if (there.has(nameOf(record))) this.wrong.push(`${nameOf(record)} is in the spool twice`);
      there.add(nameOf(record));
    }
    for (const record of delivered) there.add(nameOf(record));
    for (const record of [...spooled, ...delivered])
      if (!record.sealed.equals(contentOf(record.badge, record.index)))
        this.wrong.push(`${nameOf(record)} is changed`);
    for (const { id, owed } of this.senders)
      for (let index = 0; index < owed; index++)
        if (!there.has(`${id}/0/${index}`)) this.wrong.push(`${id}/0/${index} is lost`);
  }

  /** A power cut is no damage: the log of the recovery must not say so. */
  private damageLog(): Log {
    return {
      info: () => undefined,
      warn: () => undefined,
      error: (event, fields) => void this.wrong.push(`${event}: ${JSON.stringify(fields)}`),
    };
  }
}

/** @returns what stands for a chunk's ciphertext: another for each chunk, of another length */
function contentOf(badge: string, index: number): Buffer {
  const digest = createHash("sha256").update(`${badge}/${index}`).digest();
  return Buffer.alloc(16 + (digest.readUInt32LE() % (SEALED_BYTES_MAX - 16)), digest);
}

function nameOf({ badge, epoch, index }: ChunkRecord): string {
  return `${badge}/${epoch}/${index}`;
}
