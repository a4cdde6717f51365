// The badge's C as a whole, with the chip played around it: the two Jacdac services, capture by DMA, mute, lost hops, and frames that are
// the rig's own.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Decoder } from "@evan/opus";
import { JD_GET_REGISTER, JD_SET_REGISTER } from "@salestag/protocol/jacdac";
import { requireProgram } from "@salestag/protocol/testing";
import { compileChip, translate } from "../../../firmware/native/build";
import { readFrontEnd } from "../../../firmware/voice-front-end/built";
import { parseFrame } from "../audio/frame";
import { encodeFrames, FrameSource } from "../audio/frames";
import { type ChipRun, packet, runChip, VITALS, VOICE } from "./chip-script";

/** Of Debian's libopus-dev, without which the badge's C does not compile here. */
const OPUS_HEADER = "/usr/include/opus/opus.h";
const REGISTER_STREAMING_SAMPLES = 0x03;
const REGISTER_STREAMING_INTERVAL = 0x04;
const REGISTER_READING = 0x101;
const HOP_SAMPLES = 320;
const COMMAND_NOT_IMPLEMENTED = 0x03;
const stream = (samples: number) => packet(VOICE, JD_SET_REGISTER | REGISTER_STREAMING_SAMPLES, [samples]);
const get = (service: number, register: number) => packet(service, JD_GET_REGISTER | register);
/** One hop comes, is heard, and the runtime comes round. */
const HOP = ["hops 1", "run", "tick 20000"];

/** 100 hops of a voice-like buzz that comes and goes. */
const samples = Int16Array.from({ length: 100 * HOP_SAMPLES }, (_, n) => {
  const phase = (n * 120) / 16000;
  return Math.round(
    9000 * Math.sin((2 * Math.PI * 2 * n) / 16000) ** 2 * (2 * (phase - Math.floor(phase)) - 1),
  );
});

const repeat = (times: number, lines: string[]) => Array.from({ length: times }, () => lines).flat();
const frames = ({ sent }: ChipRun) =>
  sent.filter(
    ({ service, command }) => service === VOICE && command === (JD_GET_REGISTER | REGISTER_READING),
  );
/** Mean power of what the frames' packets decode to. */
function powerDb(frames: Buffer[]): number {
  const decoder = new Decoder({ channels: 1, sample_rate: 16000 });
  let sum = 0;
  for (const frame of frames) {
    const bytes = decoder.decode(parseFrame(frame).opus);
    const decoded = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
    assert.equal(decoded.length, HOP_SAMPLES);
    for (const sample of decoded) sum += sample * sample;
  }
  return 10 * Math.log10(sum / (frames.length * HOP_SAMPLES));
}
const seqs = (run: ChipRun) => frames(run).map(({ data }) => data.readUInt32LE(0));

describe("badge's C on a played chip", () => {
  let folder = "";
  let program = "";
  let recording = "";
  const run = (...lines: string[]) => runChip(program, recording, lines);

  before(function () {
    for (const needed of ["gcc", "wasm2c"]) requireProgram(this, needed);
    if (!existsSync(OPUS_HEADER) && !process.env.CI) this.skip();
    folder = mkdtempSync(join(tmpdir(), "salestag-chip-"));
    translate(folder);
    program = compileChip(folder);
    recording = join(folder, "recording");
    writeFileSync(recording, Buffer.from(samples.buffer));
  });

  after(() => {
    if (folder !== "") rmSync(folder, { recursive: true });
  });

  it("streaming: nothing is heard until a client asks; then every hop is sent once, numbered from 0", () => {
    const before = run("tick 20000");
    assert.deepEqual(before, { sent: [], other: [] });
    const asked = run(stream(255), ...repeat(20, HOP), ...repeat(3, ["tick 10000"]));
    assert.deepEqual(asked.other, ["listening"]);
    assert.deepEqual(
      seqs(asked),
      Array.from({ length: 20 }, (_, seq) => seq),
    );
  });

  it("streaming: samples count down to none; hops pass unsent until a client asks again", () => {
    const counted = run(
      stream(3),
      ...repeat(2, HOP),
      get(VOICE, REGISTER_STREAMING_SAMPLES),
      ...repeat(5, HOP),
      get(VOICE, REGISTER_STREAMING_SAMPLES),
      stream(2),
      ...repeat(5, HOP),
      stream(0),
      ...HOP,
    );
    assert.deepEqual(counted.other, ["listening"]);
    assert.deepEqual(seqs(counted), [0, 1, 2, 7, 8]);
    const left = counted.sent.filter(({ command }) => (command & 0xfff) === REGISTER_STREAMING_SAMPLES);
    assert.deepEqual(
      left.map(({ data }) => [...data]),
      [[1], [0]],
    );
  });

  it("registers: the interval is a hop, whatever is set; unknown ones are refused by name", () => {
    const { sent } = run(
      packet(VOICE, JD_SET_REGISTER | REGISTER_STREAMING_INTERVAL, [100, 0, 0, 0]),
      get(VOICE, REGISTER_STREAMING_INTERVAL),
      get(VOICE, REGISTER_READING),
      packet(VOICE, JD_SET_REGISTER | REGISTER_STREAMING_SAMPLES),
      get(VOICE, 0x180),
    );
    assert.equal(sent.length, 2);
    assert.deepEqual([...sent[0].data], [20, 0, 0, 0]);
    assert.equal(sent[1].command, COMMAND_NOT_IMPLEMENTED);
    assert.equal(sent[1].data.readUInt16LE(0), JD_GET_REGISTER | 0x180);
  });

  it("frames: features are the rig's, bit for bit; packets sound like the rig's", async () => {
    const { bytes } = await encodeFrames(samples, { frontEnd: readFrontEnd() });
    const source = new FrameSource(bytes);
    const wanted = Array.from({ length: 100 }, (_, seq) => source.frame(seq));
    const got = frames(run(stream(255), ...repeat(100, HOP))).map(({ data }) => data);
    assert.equal(got.length, wanted.length);
    for (const [seq, frame] of got.entries()) {
      const opusOffset = frame.length - frame[7];
      assert.deepEqual(frame.subarray(0, 7), wanted[seq].subarray(0, 7), `frame ${seq}`);
      assert.deepEqual(frame.subarray(8, opusOffset), wanted[seq].subarray(8, opusOffset), `frame ${seq}`);
    }
    // Debian's libopus 1.3.1 and the rig's build of it are not the same version: of their packets only some are equal.
    const [gotDb, wantedDb] = [got, wanted].map(powerDb);
    assert.ok(Math.abs(gotDb - wantedDb) < 0.5, `${gotDb} dB, not ${wantedDb}`);
  });

  it("mute: samples are zeros and the frame says so; the encoder goes on", () => {
    const muted = frames(
      run(stream(255), ...repeat(30, HOP), "mute 1", ...repeat(30, HOP), "mute 0", ...HOP),
    );
    const read = muted.map(({ data }) => parseFrame(data));
    assert.deepEqual(
      read.map((frame) => frame.muted),
      read.map(({ seq }) => seq >= 30 && seq < 60),
    );
    assert.ok(read[18].levelDbfs > -40, `${read[18].levelDbfs} dBFS before`);
    assert.ok(read[59].levelDbfs < -100, `${read[59].levelDbfs} dBFS while muted`);
    assert.ok(read.every(({ opus }) => opus.length > 0));
  });

  it("lost hops: what the DMA dropped is missing in the numbers, and the sound goes on behind the gap", () => {
    const late = run(stream(255), ...repeat(5, HOP), "hops 10", "run", ...repeat(3, ["tick 20000"]), ...HOP);
    assert.deepEqual(seqs(late), [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15]);
  });

  it("lost hops: frames that the runtime leaves lying for more than 160 ms are lost, the newest first", () => {
    const slow = run(stream(255), ...repeat(12, ["hops 1", "run"]), ...repeat(4, ["tick 20000"]), ...HOP);
    assert.deepEqual(seqs(slow), [0, 1, 2, 3, 4, 5, 6, 7, 12]);
  });

  it("lost hops: a microphone that falls silent costs time, not the numbering", () => {
    const silent = run(stream(255), ...HOP, "silent", ...HOP);
    assert.deepEqual(seqs(silent), [0, 6]);
  });

  it("vitals: heap as its blocks are; nothing is answered without a program or with a broken heap", () => {
    const registers = [0x180, 0x181, 0x182].map((register) => get(VITALS, register));
    const { sent } = run(...registers, "heap 10 -5 3 -20 7", ...registers, "heap 10 0", ...registers);
    const word = process.arch.endsWith("64") ? 8 : 4;
    assert.deepEqual(
      sent.map(({ data }) => data.readUInt32LE(0)),
      [47 * word, 20 * word, 20 * word],
    );
  });

  it("vitals: the load is the runtime's share of the last full second, in thousandths", () => {
    const { sent } = run(
      get(VITALS, 0x183),
      ...["busy 300000", "tick 999999", get(VITALS, 0x183)],
      ...["tick 1", get(VITALS, 0x183), "busy 50000", get(VITALS, 0x183)],
      ...["tick 1000000", get(VITALS, 0x183)],
    );
    assert.deepEqual(
      sent.map(({ data }) => data.readUInt16LE(0)),
      [0, 0, 300, 300, 50],
    );
  });

  it("script: a line that is none ends the run", () => {
    assert.equal(spawnSync(program, [recording], { input: "hop\n" }).status, 2);
  });
});
