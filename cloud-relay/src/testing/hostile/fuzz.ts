// The run: hostile frames by the number, against the decoders and against a relay, and what came of them. Every round of frames has randomness of its
// own, so that one can be repeated by itself.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { IDLE_MS_MAX } from "../../connection";
import { Random } from "../random";
import { BadgeLink } from "./badge-link";
import { accepts, decoders } from "./decoders";
import { sendSome } from "./hostile-frames";
import { mutate } from "./mutations";
import { checkSplitter } from "./splitter";
import { World } from "./world";

export interface FuzzOptions {
  /** How many frames. */
  frames: number;
  /** Decides all of them. */
  seed: number;
  /** Number of the first frame; a multiple of ROUND_FRAMES. */
  from: number;
  /** Called now and then with the number of frames that are done. */
  onProgress?: (frames: number) => void;
}

/** What was sent and what came of it. */
export interface FuzzReport {
  frames: number;
  /** Frames of each kind. */
  kinds: Map<string, number>;
  /** Bodies that each decoder took and refused. */
  decoded: Map<string, { taken: number; refused: number }>;
  connections: number;
  /** Connections that the relay refused, by the error's code. */
  refusals: Map<string, number>;
  chunksDelivered: number;
  /** Heap and buffers after a collection, in bytes, at a tenth of the frames and at the end. */
  earlyBytes: number;
  lateBytes: number;
}

/** Frames that share one stream of randomness. */
export const ROUND_FRAMES = 10;
/** Of randomness: no frame has this number. */
const WORLD_STREAM = -1;
const GROWTH_MAX = 1.2;
const GROWTH_BYTES_MAX = 8 * 1024 * 1024;
const SPLITTER_LIMITS = [256, 1024, 16384];
const FRAME_BYTES_MAX = 65535;
/** Lines that one connection may put into the log, whatever it sends. */
const LOG_LINES_MAX = 8;
const LINGER_MS = 2000;
/** So often a silent connection's time runs out before it counts as hanging. */
const TIMEOUTS_MAX = 4;

/** Runs. @throws Error that says what went wrong, at which frame, and how to repeat it */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const run = new Run(await World.open(new Random(options.seed, WORLD_STREAM)));
  let frame = options.from;
  const end = options.from + options.frames;
  const early = options.from + Math.ceil(options.frames / (10 * ROUND_FRAMES)) * ROUND_FRAMES;
  try {
    while (frame < end) {
      const random = new Random(options.seed, frame);
      if ((frame / ROUND_FRAMES) % 2 === 0) run.decoderRound(random);
      else await run.connectionRound(random);
      frame += ROUND_FRAMES;
      if (frame === early) run.report.earlyBytes = usedBytes();
      if (frame % 10_000 === 0) options.onProgress?.(frame - options.from);
    }
    run.report.lateBytes = usedBytes();
    return await run.end();
  } catch (cause) {
    run.world.abandon();
    const why = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    throw new Error(
      `seed ${options.seed}, frames ${frame} to ${frame + ROUND_FRAMES - 1} (${run.sent.join("; ")}): ${why}\n` +
        `repeat: npm run fuzz:relay -- --seed ${options.seed} --from ${frame} --frames ${ROUND_FRAMES}; ` +
        `if that passes, the frames before matter: --from ${options.from} --frames ${frame + ROUND_FRAMES - options.from}`,
      { cause },
    );
  }
}

/** @throws Error when memory grew with the number of frames */
export function checkMemory({ earlyBytes, lateBytes }: FuzzReport): void {
  if (lateBytes > earlyBytes * GROWTH_MAX + GROWTH_BYTES_MAX)
    throw new Error(
      `memory grew from ${earlyBytes} bytes at a tenth of the frames to ${lateBytes} at the end; at most ${GROWTH_MAX} times and ${GROWTH_BYTES_MAX} bytes more are allowed`,
    );
}

class Run {
  readonly report: FuzzReport = {
    frames: 0,
    kinds: new Map(),
    decoded: new Map(),
    connections: 0,
    refusals: new Map(),
    chunksDelivered: 0,
    earlyBytes: 0,
    lateBytes: 0,
  };

  /** Kinds of the frames of this round so far. */
  sent: string[] = [];

  constructor(readonly world: World) {}

  /** Spoiled bodies for the decoders, and the same as a stream for the splitter. */
  decoderRound(random: Random): void {
    this.sent = [];
    const stream: Buffer[] = [];
    for (let count = 0; count < ROUND_FRAMES; count++) {
      const decoder = random.pick(decoders);
      const sample = decoder.sample(random);
      let { name, spoiled } = mutate(random, sample);
      while (random.chance(20)) spoiled = mutate(random, spoiled).spoiled;
      const results = this.report.decoded.get(decoder.name) ?? { taken: 0, refused: 0 };
      results[accepts(decoder, spoiled) ? "taken" : "refused"]++;
      this.report.decoded.set(decoder.name, results);
      this.count(`body: ${name}`);
      stream.push(lengthPrefixed(spoiled.subarray(0, FRAME_BYTES_MAX)));
    }
    if (random.chance(20)) stream.splice(random.below(stream.length), 0, random.bytes(1 + random.below(30)));
    checkSplitter(random, Buffer.concat(stream), random.pick(SPLITTER_LIMITS));
  }

  /** Connections of badges that send a frame after the other until the relay has had enough. */
  async connectionRound(random: Random): Promise<void> {
    this.sent = [];
    let link: BadgeLink | undefined;
    let loggedBefore = 0;
    for (let count = 0; count < ROUND_FRAMES; count++) {
      if (link === undefined) {
        loggedBefore = this.world.logged;
        link = new BadgeLink(this.world, this.world.badge(random), random);
        this.report.connections++;
      }
      this.count(await sendSome(link));
      if (link.fate === "stands" && !random.chance(5)) continue;
      // What is sent behind a frame that the relay refuses must be without effect.
      if (random.chance(50)) continue;
      await this.finish(link, loggedBefore);
      link = undefined;
    }
    if (link !== undefined) await this.finish(link, loggedBefore);
  }

  /** Delivers what is acked, and ends the relay. */
  async end(): Promise<FuzzReport> {
    await this.world.close();
    this.report.refusals = this.world.refusals;
    this.report.chunksDelivered = this.world.delivered;
    return this.report;
  }

  private count(kind: string): void {
    this.report.frames++;
    this.sent.push(kind);
    this.report.kinds.set(kind, (this.report.kinds.get(kind) ?? 0) + 1);
  }

  /** Ends a connection in one of the ways that there are, and sees to it that the relay lets go of it. */
  private async finish(link: BadgeLink, loggedBefore: number): Promise<void> {
    await link.settle();
    if (link.phase === "open") await link.allAcked();
    const way = link.random.pick(["vanishes", "ends", "is silent"]);
    if (way === "vanishes") link.socket.badgeVanishes();
    if (way === "ends") link.socket.badgeEnds();
    await link.settle();
    link.question(); // its time may run out
    for (let times = 0; !link.closed; times++) {
      if (times === TIMEOUTS_MAX) throw new Error("the relay does not let go of a silent connection");
      this.world.clock.advance(IDLE_MS_MAX);
      await link.settle();
      this.world.clock.advance(LINGER_MS);
      await link.settle();
    }
    link.checkAnswers();
    const lines = this.world.logged - loggedBefore;
    if (lines > LOG_LINES_MAX) throw new Error(`one connection put ${lines} lines into the log`);
  }
}

function lengthPrefixed(payload: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(payload.length);
  return Buffer.concat([length, payload]);
}

function usedBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
