// Hearing, end to end: the sample through the badge's virtual machine with a team's phrases, into the opened timeline; and the same
// sources on Node, frame by frame, to hold the benchmarks' detectors equal to the badge's.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { phrasesOfSet, type Timeline, writePhrases, writeTuning } from "@salestag/host-tools";
import { CONSENT_DEFAULT, TUNING_DEFAULT } from "@salestag/protocol";
import { nodeCrypto, parseTrace, type TraceEvent } from "@salestag/protocol/host";
import {
  BadgeSettings,
  JD_CLASS_DEVICESCRIPT_MANAGER,
  JD_CLASS_SETTINGS,
  setProgramRunning,
} from "@salestag/protocol/jacdac";
import { Account } from "../../firmware/src/account";
import { BadgeClock } from "../../firmware/src/clock";
import { ConsentGate } from "../../firmware/src/gate";
import { Phrases } from "../../firmware/src/phrases";
import { Recorder } from "../../firmware/src/recorder";
import { Trace } from "../../firmware/src/trace";
import { newStore, Shelf } from "../../firmware/test/support";
import { newBadgeState } from "../src/badge-state";
import { BENCH_DEFAULTS, Bench } from "../src/bench";
import type { PreparedRecording } from "../src/recording";
import { type ReplayResult, replay } from "../src/replay";
import { rig, SAMPLE, salestag, sample, scratch } from "./support";

const HEARD = ["onset", "speech", "turn", "phrase"];
const truth = JSON.parse(readFileSync(SAMPLE.replace(/\.flac$/, ".json"), "utf8")) as {
  turns: { speaker: string; startMs: number; endMs: number; text: string }[];
};

/** What the badge's sources hear of these frames when they run on Node. */
function heardOnNode({ frames }: PreparedRecording, upToSeq: number): TraceEvent[] {
  const events: TraceEvent[] = [];
  let nowMs = 0;
  const recorder = new Recorder(
    {
      crypto: nodeCrypto(),
      badgeId: Buffer.alloc(8),
      boot: 1,
      outbox: new Shelf(Number.POSITIVE_INFINITY),
      trace: new Trace((line) => {
        const event = parseTrace(`> ${line}`);
        if (event !== undefined && HEARD.includes(event.word)) events.push(event);
      }),
      phrases: new Phrases(phrasesOfSet("solar", 1)),
      gate: new ConsentGate(CONSENT_DEFAULT),
      account: new Account(newStore(), nodeCrypto()),
      clock: new BadgeClock(0),
      nowMs: () => nowMs,
      takeEpoch: () => ({ number: 0, key: Buffer.alloc(32) }),
      onNudge: () => undefined,
    },
    TUNING_DEFAULT,
  );
  for (let seq = 0; seq < upToSeq; seq++) {
    nowMs = (seq + 1) * 20;
    recorder.frame(frames.frame(seq));
  }
  return events;
}

describe("end to end: hearing the sample", () => {
  let recording: PreparedRecording;
  let result: ReplayResult;
  let timeline: Timeline;
  const onBadge: TraceEvent[] = [];

  before(async () => {
    recording = await sample();
    result = await replay({
      frames: recording.frames,
      folder: join(scratch(), "site"),
      phrases: phrasesOfSet("solar", 1),
      onTrace: (event) => {
        if (HEARD.includes(event.word)) onBadge.push(event);
      },
    });
    [{ timeline }] = result.conversations;
  });

  it("every frame of speech arrives with 18 phrases listened for", () => {
    assert.deepEqual(result.verification.problems, []);
    assert.equal(result.report.refusedChunks, 0);
  });

  it("the badge hears in its virtual machine what the same sources hear on Node", () => {
    const onNode = heardOnNode(recording, recording.frames.recordedFrames);
    assert.ok(onNode.length > 40, `${onNode.length} events`);
    assert.deepEqual(onBadge.slice(0, onNode.length), onNode);
  });

  const spoken = ["too expensive for us", "what would the monthly payment be", "need to talk to my husband"];
  for (const text of spoken)
    it(`"${text}" is in the timeline, once, where it was said`, () => {
      const [hit, ...more] = timeline.phrases.filter((phrase) => phrase.text === text);
      assert.ok(hit !== undefined, `heard only ${timeline.phrases.map((phrase) => phrase.text).join(", ")}`);
      assert.deepEqual(more, []);
      const words = text.split(" ");
      const turn = truth.turns.find((one) => words.every((word) => one.text.toLowerCase().includes(word)));
      assert.ok(turn !== undefined);
      const offsetMs = result.conversationStarts[0] * 20;
      assert.ok(hit.startMs + offsetMs > turn.startMs - 300 && hit.endMs + offsetMs < turn.endMs + 300);
      assert.ok(hit.scoreNats > hit.thresholdNats);
    });

  it("a phrase becomes an event within 600 ms of its end", () => {
    const late = onBadge.flatMap((event) =>
      event.word === "phrase" ? [(event.atSeq + 1 - event.toSeq) * 20] : [],
    );
    assert.ok(late.length >= spoken.length);
    for (const ms of late) assert.ok(ms <= 600, `${ms} ms`);
  });

  it("turns: what it calls near is the rep, what it calls far is not, and it is sure of most turns", () => {
    const offsetMs = result.conversationStarts[0] * 20;
    const sure = timeline.turns.filter(({ talker }) => talker !== "unsure");
    const speakers = sure.map(({ startMs, endMs }) => {
      const middleMs = (startMs + endMs) / 2 + offsetMs;
      // Sounds from the kitchen are nobody's turn.
      return truth.turns.find((one) => one.startMs - 400 <= middleMs && middleMs <= one.endMs + 400)?.speaker;
    });
    sure.forEach(({ talker }, i) => {
      if (talker === "near") assert.equal(speakers[i], "rep");
      else assert.notEqual(speakers[i], "rep");
    });
    assert.ok(speakers.filter((speaker) => speaker !== undefined).length >= 10, speakers.join(" "));
  });
});

describe("end to end: settings of hearing", () => {
  it("phrases and tuning are written, replaced and cleared on a badge", async () => {
    const bench = await Bench.open({
      ...BENCH_DEFAULTS,
      state: newBadgeState("0102030405060708"),
    });
    const { client } = bench;
    await bench.time.run(bench.time.nowMs() + 1000);
    const phrases = phrasesOfSet("roofing", 1);
    await bench.drive(writePhrases(client, phrases));
    await bench.time.run(bench.time.nowMs() + 1000);
    await bench.drive(writePhrases(client, phrases.slice(0, 2)));
    await bench.time.run(bench.time.nowMs() + 1000);
    await bench.drive(writeTuning(client, { onsetScore: 20, releaseScore: 10 }));
    await bench.time.run(bench.time.nowMs() + 1000);
    const read = async () => {
      const manager = await client.find(JD_CLASS_DEVICESCRIPT_MANAGER, 5000);
      await setProgramRunning(client, manager, false);
      const settings = new BadgeSettings(client, await client.find(JD_CLASS_SETTINGS, 5000));
      const values = [];
      for (const key of ["phrase0", "phrase1", "phrase2", "tuning"])
        values.push((await settings.read(key))?.toString("utf8"));
      return values;
    };
    const [first, second, third, tuning] = await bench.drive(read());
    assert.equal(JSON.parse(first as string)[0], phrases[0].text);
    assert.equal(JSON.parse(second as string)[0], phrases[1].text);
    assert.equal(third, undefined, "phrases of the longer list are gone");
    assert.deepEqual(JSON.parse(tuning as string), { onsetScore: 20, releaseScore: 10 });
    bench.badge.powerOff();
  });

  it("tuning out of its range is refused before the badge is touched", async () => {
    const bench = await Bench.open({
      ...BENCH_DEFAULTS,
      state: newBadgeState("0102030405060708"),
    });
    await assert.rejects(
      writeTuning(bench.client, { onsetScore: 500 }),
      /onsetScore must be .* from -64 to 160, got 500/,
    );
    bench.badge.powerOff();
  });
});

describe("command lines of hearing", () => {
  it("salestag phrases: add, list, remove; a replay listens for them", async () => {
    const file = join(scratch(), "phrases.json");
    const added = await salestag("phrases", "add", "too expensive for us", "--file", file, "--json");
    assert.equal(added.code, 0, added.stderr);
    assert.equal(JSON.parse(added.stdout).pronunciations[0], "T UW IH K S P EH N S IH V F AO R AH S");
    const guessed = await salestag("phrases", "add", "zorblatt quimby panels", "--file", file);
    assert.match(guessed.stdout, /"zorblatt" is in no dictionary; .* guessed from its spelling/);
    const removed = await salestag("phrases", "remove", "Zorblatt quimby panels", "--file", file);
    assert.match(removed.stdout, /1 phrases are left/);
    const listed = await salestag("phrases", "list", "--file", file, "--json");
    assert.deepEqual(
      JSON.parse(listed.stdout).map(({ text }: { text: string }) => text),
      ["too expensive for us"],
    );
    const played = await rig("replay", SAMPLE, "--phrases", file);
    assert.equal(played.code, 0, played.stderr);
    assert.match(played.stdout, /phrase +0:1\d "too expensive for us"/);
  });

  const wrong: [args: string[], words: RegExp][] = [
    [["phrases", "add", "xy", "--false-alarms", "0"], /'0' is no rate of false alarms/],
    [["phrases", "add", "too much", "--category", "jokes"], /'jokes' is no category/],
    [["phrases", "use", "boats"], /no set 'boats'/],
    [["phrases", "remove", "nothing"], /has no phrase "nothing"/],
    [["tune", "--badge", "tcp:127.0.0.1:1", "--sensitivity", "9"], /from -5 to 5, not 9/],
  ];
  for (const [args, words] of wrong)
    it(`refused in a sentence: ${args.join(" ")}`, async () => {
      const file = args[0] === "phrases" ? ["--file", join(scratch(), "none.json")] : [];
      const { code, stderr } = await salestag(...args, ...file);
      assert.equal(code, 2, stderr);
      assert.match(stderr, words);
    });
});
