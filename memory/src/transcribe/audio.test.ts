import assert from "node:assert/strict";
import { readOgg, requireProgram, runProgram } from "@salestag/protocol/testing";
import { packetsOf, tone } from "../testing/speech.fixture";
import { decode, oggOf, RATE_HZ, wavOf } from "./audio";
import { cut } from "./cut";

describe("transcribe: audio", () => {
  const limits = { partMsMax: 60_000, silenceKeptMs: 500 };

  it("audio: a sample lies at its time, and a shortened silence is silent (click after 700 ms, gap of 5 s)", async () => {
    const click = new Int16Array(RATE_HZ);
    for (let i = 0; i < 320; i++) click[0.7 * RATE_HZ + i] = i % 16 < 8 ? 12_000 : -12_000;
    const packets = [...packetsOf(click), ...packetsOf(click, 6000)];
    const { samples, unreadable } = await decode(cut(packets, limits)[0]);
    assert.equal(unreadable, 0);
    assert.equal(samples.length, 3 * RATE_HZ);
    for (const secondMs of [0, 2000]) {
      const loudest = (fromMs: number, toMs: number) =>
        samples
          .subarray(fromMs * 16, toMs * 16)
          .reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      const clickMs = secondMs + 700;
      assert.ok(loudest(clickMs, clickMs + 20) > 6000);
      assert.ok(loudest(clickMs - 100, clickMs - 5) < 1500, `${loudest(clickMs - 100, clickMs - 5)}`);
    }
    assert.ok(samples.subarray(1.05 * RATE_HZ, 1.9 * RATE_HZ).every((sample) => sample === 0));
  });

  it("audio: packets that are none are silent and counted (garbage, empty, of 60 ms)", async () => {
    const packets = packetsOf(tone(200));
    packets[3].packet = Buffer.from("ffffffffffff", "hex");
    packets[5].packet = Buffer.alloc(0);
    packets[7].packet = Buffer.concat([Buffer.from([0x58]), packets[7].packet.subarray(1)]);
    const { samples, unreadable } = await decode(cut(packets, limits)[0]);
    assert.equal(samples.length, 0.2 * RATE_HZ);
    assert.equal(unreadable, 3);
  });

  it("audio: an Ogg file has the badge's packets, and sounds as the WAV file does (gap of 5 s; opusdec)", async function () {
    requireProgram(this, "opusdec");
    const packets = [...packetsOf(tone(1000)), ...packetsOf(tone(1000), 6007)];
    const [part] = cut(packets, limits);
    const { bytes, durationMs } = oggOf(part);
    const inside = readOgg(bytes).flatMap((page) => page.packets.map((packet) => packet.toString("hex")));
    assert.ok(packets.every(({ packet }) => inside.includes(packet.toString("hex"))));
    const raw = runProgram("opusdec", ["--quiet", "--rate", String(RATE_HZ), "-", "-"], bytes);
    const { samples } = await decode(part);
    assert.equal(durationMs, 3000);
    for (const ms of [100, 500, 900, 1500, 2100, 2500, 2900]) {
      const energy = (sample: (i: number) => number) => {
        let sum = 0;
        for (let i = (ms - 50) * 16; i < (ms + 50) * 16; i++) sum += sample(i) ** 2;
        return Math.sqrt(sum / 1600);
      };
      const [ours, theirs] = [energy((i) => samples[i]), energy((i) => raw.readInt16LE(44 + 2 * i))];
      assert.ok(Math.abs(ours - theirs) < 400, `${ms} ms: ${ours} ${theirs}`);
    }
  });

  it("audio: a WAV file has its 44 bytes of header and its samples (three samples)", () => {
    const { bytes } = wavOf(Int16Array.from([1, -2, 32767]));
    const header = "524946462a00000057415645666d74201000000001000100803e0000007d0000020010006461746106000000";
    assert.equal(bytes.toString("hex"), `${header}0100feffff7f`);
  });
});
