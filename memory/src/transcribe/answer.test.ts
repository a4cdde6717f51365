import assert from "node:assert/strict";
import { readAnswer } from "./answer";
import { languageTagOf } from "./language";
import { TranscriptionError } from "./transcriber";

const read = (answer: unknown, durationMs = 5000) => readAnswer(JSON.stringify(answer), durationMs);
const texts = (answer: unknown) =>
  read(answer).texts.map(({ text, startMs, endMs }) => [text.trim(), startMs, endMs]);

describe("transcribe: answers", () => {
  it("answers: OpenAI's words take the punctuation of its text (verbose_json, word)", () => {
    const answer = {
      task: "transcribe",
      language: "english",
      duration: 2.8,
      text: "Hi there. It's $5,000, isn't it?",
      words: [
        { word: "Hi", start: 0, end: 0.36 },
        { word: "there", start: 0.36, end: 0.7 },
        { word: "It's", start: 1.0, end: 1.2 },
        { word: "5", start: 1.2, end: 1.5 },
        { word: "000", start: 1.5, end: 1.9 },
        { word: "isn't", start: 2.0, end: 2.3 },
        { word: "it", start: 2.3, end: 2.4 },
      ],
      usage: { type: "duration", seconds: 3 },
    };
    assert.deepEqual(
      texts(answer).map(([text]) => text),
      ["Hi", "there.", "It's", "5", "000", "isn't", "it?"],
    );
    assert.deepEqual(texts(answer)[1], ["there.", 360, 700]);
    assert.equal(read(answer).language, "english");
  });

  it("answers: faster-whisper's segments hold, where its words are null (verbose_json, segment)", () => {
    const answer = {
      task: "transcribe",
      language: "en",
      duration: "6.54",
      text: "Good morning. Not today.",
      words: null,
      segments: [
        { id: 0, seek: 0, start: 0.0, end: 1.5, text: " Good morning.", tokens: [50364], avg_logprob: -0.2 },
        { id: 1, seek: 0, start: "2.0", end: "3.25", text: " Not today.", words: null },
      ],
    };
    assert.deepEqual(texts(answer), [
      ["Good morning.", 0, 1500],
      ["Not today.", 2000, 3250],
    ]);
  });

  it("answers: the tokens of whisper.cpp's server become words (verbose_json of /inference)", () => {
    const tokens: [string, number, number][] = [
      [" And", 0.32, 0.5],
      [",", 0.5, 0.52],
      [" fellow", 0.6, 0.9],
      [" Amer", 0.9, 1.1],
      ["icans", 1.1, 1.4],
      [".", 1.4, 1.45],
    ];
    const words = tokens.map(([word, start, end]) => ({ word, start, end, t_dtw: -1, probability: 0.9 }));
    const segment = {
      id: 0,
      text: " And, fellow Americans.",
      start: 0.32,
      end: 1.45,
      words,
      no_speech_prob: 0.01,
    };
    const answer = {
      task: "transcribe",
      language: "english",
      duration: 11,
      text: " And ...\n",
      segments: [segment],
    };
    assert.deepEqual(texts(answer), [
      ["And,", 320, 520],
      ["fellow", 600, 900],
      ["Americans.", 900, 1450],
    ]);
  });

  it("answers: tokens of a script without blanks stay apart (Japanese)", () => {
    const words = [" 今日", "は", "高い"].map((word, i) => ({ word, start: i, end: i + 1 }));
    assert.equal(read({ segments: [{ text: "今日は高い", start: 0, end: 3, words }] }).texts.length, 3);
  });

  it("answers: whisper-cli's JSON, with tokens and without (--output-json-full, --output-json)", () => {
    const offsets = (from: number, to: number) => ({ offsets: { from, to } });
    const tokens = [
      { text: "[_BEG_]", ...offsets(0, 0), id: 50363, p: 0.9, t_dtw: -1 },
      { text: " Too", ...offsets(100, 300), id: 1, p: 0.9, t_dtw: -1 },
      { text: " exp", ...offsets(300, 500), id: 2, p: 0.9, t_dtw: -1 },
      { text: "ensive", ...offsets(500, 800), id: 3, p: 0.9, t_dtw: -1 },
      { text: "[_TT_40]", ...offsets(800, 800), id: 50403, p: 0.1, t_dtw: -1 },
    ];
    const segment = { timestamps: { from: "00:00:00,000" }, ...offsets(0, 900), text: " Too expensive" };
    const result = { language: "en" };
    const full = { result, transcription: [{ ...segment, tokens }] };
    assert.deepEqual(texts(full), [
      ["Too", 100, 300],
      ["expensive", 300, 800],
    ]);
    assert.equal(read(full).language, "en");
    assert.deepEqual(texts({ result, transcription: [segment] }), [["Too expensive", 0, 900]]);
  });

  it("answers: a text without times is spread over the audio, an empty one is no words (json)", () => {
    assert.deepEqual(texts({ text: "no times" }), [["no times", 0, 5000]]);
    assert.deepEqual(texts({ text: "  " }), []);
    assert.deepEqual(texts([{ text: "list", start: 1, end: 2 }]), [["list", 1000, 2000]]);
  });

  for (const [title, body, words, retry] of [
    ["HTML", "<!DOCTYPE html><title>Login</title>", /an HTML page instead of JSON/, "later"],
    ["half of JSON", '{"text": "secret things', /23 characters instead of JSON/, "later"],
    ["a number", "42", /no object/, "later"],
    ["other JSON", '{"status":"ok"}', /fields "status"/, "later"],
    ["empty", "", /0 characters/, "later"],
    ["whisper.cpp's old error", '{"error":"failed to read WAV file"}', /failed to read WAV file/, "never"],
    ["an error object", '{"error":{"message":"overloaded"}}', /overloaded/, "later"],
  ] as const)
    it(`answers: what is no transcript is refused without a word of it (${title})`, () => {
      assert.throws(
        () => readAnswer(body, 1000),
        (error) =>
          error instanceof TranscriptionError &&
          error.retry === retry &&
          words.test(error.message) &&
          !error.message.includes("secret"),
      );
    });

  it("answers: languages by name and by code (Whisper's and others)", () => {
    const named = [
      "english",
      "English",
      "en",
      "en_us",
      "pt-br",
      "myanmar",
      "jw",
      "haitian creole",
      "klingonese?",
      "",
    ];
    assert.deepEqual(named.map(languageTagOf), [
      "en",
      "en",
      "en",
      "en-US",
      "pt-BR",
      "my",
      "jv",
      "ht",
      "und",
      "und",
    ]);
  });
});
