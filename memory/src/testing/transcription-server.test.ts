import assert from "node:assert/strict";
import { RATE_HZ } from "../transcribe/audio";
import { transcriberOf } from "../transcribe/setting";
import { TranscriptionError } from "../transcribe/transcriber";
import { packetsOf, tone } from "./speech.fixture";
import {
  type KnownRecording,
  startTranscriptionServer,
  type TranscriptionServer,
} from "./transcription-server";

const never = new AbortController().signal;

/** Noise whose loudness changes all the time, no two stretches alike; one word each second. */
function recording(seed: number, seconds: number, language: string): KnownRecording {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const samples = new Int16Array(seconds * RATE_HZ);
  let loudness = 0;
  for (let i = 0; i < samples.length; i++) {
    if (i % 800 === 0) loudness = 100 + 6000 * random() ** 2;
    samples[i] = Math.round(loudness * (random() - 0.5));
  }
  const words = Array.from({ length: seconds }, (_, second) => ({
    text: `${language}${second}`,
    startMs: second * 1000 + 300,
    endMs: second * 1000 + 700,
  }));
  return { samples, words, language };
}

describe("testing: the stand-in for a transcription server", () => {
  const known = [recording(1, 12, "english"), recording(2, 12, "german")];
  let server: TranscriptionServer;
  beforeEach(async () => {
    server = await startTranscriptionServer(known);
  });
  afterEach(() => server.close());
  const transcribe = (packets: ReturnType<typeof packetsOf>) =>
    transcriberOf(`openai+${server.url}?model=by-heart`, () => 0).transcribe(
      { packets, durationMs: 60_000 },
      never,
    );

  it("stand-in: stretches of a recording are found wherever they lie in the audio (second of two recordings)", async () => {
    const [, { samples }] = known;
    const stretch = (fromS: number, toS: number, startMs: number) =>
      packetsOf(samples.slice(fromS * RATE_HZ, toS * RATE_HZ), startMs);
    const { words, language } = await transcribe([...stretch(2, 5, 10_000), ...stretch(7, 9, 40_000)]);
    assert.equal(language, "de");
    assert.deepEqual(
      words.map(({ text }) => text),
      ["german2", "german3", "german4", "german7", "german8"],
    );
    [10_300, 11_300, 12_300, 40_300, 41_300].forEach((startMs, at) => {
      assert.ok(Math.abs(words[at].startMs - startMs) <= 10, `${words[at].startMs} ${startMs}`);
    });
  });

  it("stand-in: what it does not know it does not hear (a tone)", async () => {
    assert.deepEqual((await transcribe(packetsOf(tone(3000)))).words, []);
  });

  it("stand-in: it refuses what is no request for it, and lives on (path, no form, Ogg)", async () => {
    assert.equal((await fetch(`${server.url}/models`)).status, 400);
    const posted = await fetch(`${server.url}/audio/transcriptions`, { method: "POST", body: "{}" });
    assert.equal(posted.status, 400);
    const ogg = transcriberOf(`openai+${server.url}?model=m&audio=ogg`, () => 0);
    await assert.rejects(
      ogg.transcribe({ packets: packetsOf(tone(200)), durationMs: 200 }, never),
      (error) => error instanceof TranscriptionError && /no WAV file of 16 kHz/.test(error.message),
    );
    assert.equal(server.heardMs.length, 0);
  });
});
