// The main job, end to end: a recording through the badge's virtual machine, over a real socket, through a real relay process, onto
// its disk, and opened with the team's key.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeRecord } from "@salestag/protocol/host";
import type { PreparedRecording } from "../src/recording";
import { type ReplayResult, replay } from "../src/replay";
import { installed, repeated, sample, scratch } from "./support";

const PRE_SKIP_SAMPLES = 312;

/** @returns badge/epoch/index of every chunk in a relay's folder */
function chunkNames(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".chunk"));
}

function assertWhole(result: ReplayResult): void {
  assert.deepEqual(result.verification.problems, []);
  assert.ok(result.verification.speechFrames > 1000, `${result.verification.speechFrames} frames of speech`);
}

describe("end to end: replay of the sample", () => {
  let recording: PreparedRecording;
  let result: ReplayResult;

  const firstAtMs = new Map<string, number>();
  let epoch = -1;

  before(async () => {
    recording = await sample();
    result = await replay({
      frames: recording.frames,
      folder: join(scratch(), "site"),
      onTrace: (event, atMs) => {
        if (event.word === "conversation") epoch = event.epoch;
        const ofTalk = event.word !== "acked" || (event.nextEpoch === epoch && event.nextIndex > 0);
        if (ofTalk && !firstAtMs.has(event.word)) firstAtMs.set(event.word, atMs);
      },
    });
  });

  it("the first chunk is durable at the relay within 3 s of the first speech", () => {
    const onsetMs = firstAtMs.get("onset") as number;
    const ackedMs = firstAtMs.get("acked") as number;
    assert.ok(ackedMs > onsetMs && ackedMs - onsetMs <= 3000, `${ackedMs - onsetMs} ms`);
  });

  it("every frame of speech arrives once, in order, with the encoder's own packet, and nothing else does", () => {
    assertWhole(result);
    assert.equal(result.report.lostFrames, 0);
    assert.equal(result.report.refusedChunks, 0);
    const [{ timeline }] = result.conversations;
    assert.equal(result.conversations.length, 1);
    assert.equal(timeline.complete, true);
    assert.equal(timeline.packets, result.verification.keptFrames);
  });

  it("the relay's folder holds each chunk that the badge sealed, and no other file", () => {
    const folder = join(result.folder, "relay");
    const names = chunkNames(folder);
    assert.equal(names.length, result.report.chunks);
    for (const name of names) {
      const { badge, epoch, index } = decodeRecord(readFileSync(join(folder, name)));
      const digits = (value: number) => String(value).padStart(10, "0");
      assert.equal(name, join(badge, digits(epoch), `${digits(index)}.chunk`));
    }
  });

  it("the turns of the ground truth are inside what was kept, from the first word on", () => {
    const truth = JSON.parse(readFileSync(new URL("../samples/solar-sale.json", import.meta.url), "utf8"));
    const [{ timeline, packets }] = result.conversations;
    const startMs = truthOffsetMs(result);
    const kept = new Set(packets.map(({ startMs: at }) => at));
    assert.ok(timeline.speech.length > 5);
    for (const turn of truth.turns) {
      const firstFrame = Math.floor((turn.startMs - startMs) / 20) * 20;
      assert.ok(kept.has(firstFrame), `'${turn.text}' is clipped at its start`);
    }
  });

  it("wire overhead is at most 5%, the heap's peak at most 52 KB", () => {
    assert.ok(result.overhead > 0 && result.overhead <= 0.05, `overhead ${result.overhead}`);
    assert.equal(result.report.heapBytes >> 10, 63);
    assert.ok(result.report.heapPeakBytes <= 52 * 1024, `heap peak ${result.report.heapPeakBytes}`);
  });

  it("no key of the badge is anywhere in what the relay keeps", () => {
    const registry = readFileSync(join(result.folder, "registry.json"), "utf8");
    const authKey = Buffer.from(/"authKey": ?"([0-9a-f]{64})"/.exec(registry)?.[1] ?? "", "hex");
    assert.equal(authKey.length, 32);
    for (const folder of ["spool", "relay"])
      for (const name of readdirSync(join(result.folder, folder), { recursive: true, encoding: "utf8" })) {
        const path = join(result.folder, folder, name);
        const bytes = readFileIfFile(path);
        assert.ok(!bytes.includes(authKey) && !bytes.includes(authKey.toString("hex")), path);
      }
  });

  it("opusinfo and opusdec accept the file without a warning, and its length is the conversation's", function () {
    if (!installed("opusinfo") || !installed("opusdec")) this.skip();
    const [{ opusFile, packets }] = result.conversations;
    const info = execFileSync("opusinfo", [opusFile as string], { encoding: "utf8" });
    assert.doesNotMatch(info, /warning|error|negative|hole/i);
    const decoded = join(scratch(), "decoded.raw");
    const said = execFileSync(
      "opusdec",
      ["--quiet", "--rate", "48000", "--no-dither", opusFile as string, decoded],
      {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    assert.equal(said, "");
    const samples = readFileSync(decoded).length / 2;
    const lastMs = packets[packets.length - 1].startMs + 20;
    assert.equal(samples, lastMs * 48 - PRE_SKIP_SAMPLES);
  });
});

describe("end to end: when things fail", () => {
  let recording: PreparedRecording;

  before(async () => {
    recording = await sample();
  });

  it("the relay is killed in the middle and started again: nothing lost, nothing doubled", async () => {
    const kills = [700, 1500];
    let restarts = 0;
    const result = await replay({
      frames: recording.frames,
      folder: join(scratch(), "site"),
      atFrame: async (seq, { relay, restart }) => {
        if (!kills.includes(seq)) return;
        await relay.kill();
        await restart();
        restarts++;
      },
    });
    assert.equal(restarts, kills.length);
    assertWhole(result);
    assert.equal(result.report.refusedChunks, 0);
    const names = chunkNames(join(result.folder, "relay"));
    assert.equal(names.length, result.report.chunks);
    assert.equal(result.conversations[0].timeline.complete, true);
  });

  it("frames that never reach the program are marked where they were, and all others arrive", async () => {
    const dropped = new Set([300, 301, 302, 900]);
    const result = await replay({
      frames: recording.frames,
      folder: join(scratch(), "site"),
      drop: (seq) => dropped.has(seq),
    });
    assertWhole(result);
    assert.equal(result.report.lostFrames, dropped.size);
    const [{ timeline, packets }] = result.conversations;
    const lost = timeline.gaps.filter(({ cause }) => cause === "lost");
    assert.deepEqual(
      lost.map(({ durationMs }) => durationMs),
      [60, 20],
    );
    assert.deepEqual(
      timeline.losses.map(({ durationMs }) => durationMs),
      [60, 20],
    );
    for (const gap of lost) assert.ok(packets.every(({ startMs }) => startMs !== gap.startMs));
  });

  it("a socket whose queue is full two times out of three is asked again: nothing lost, nothing doubled", async () => {
    let writes = 0;
    const result = await replay({
      frames: recording.frames,
      folder: join(scratch(), "site"),
      queueFull: () => ++writes % 3 !== 0,
    });
    assert.ok(writes > 3 * result.report.chunks);
    assertWhole(result);
    assert.equal(result.report.refusedChunks, 0);
  });

  it("a slow relay (2 s there and back) changes nothing", async () => {
    const result = await replay({
      frames: recording.frames,
      folder: join(scratch(), "site"),
      latencyMs: 2000,
    });
    assertWhole(result);
    assert.equal(result.report.refusedChunks, 0);
  });

  it("a second conversation has keys and files of its own", async () => {
    const result = await replay({ frames: repeated(recording, 2), folder: join(scratch(), "site") });
    assert.deepEqual(result.verification.problems, []);
    const [first, second] = result.conversations.map(({ timeline }) => timeline.epoch);
    assert.ok(result.conversations.length === 2 && second > first, `epochs ${first} and ${second}`);
    assert.notEqual(result.conversations[0].opusFile, result.conversations[1].opusFile);
  });
});

/** Where the conversation begins in the recording, ms. */
function truthOffsetMs({ conversationStarts }: ReplayResult): number {
  return conversationStarts[0] * 20;
}

function readFileIfFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EISDIR") return Buffer.alloc(0);
    throw error;
  }
}
