import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecure } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ToolError } from "@salestag/protocol/team";
import { generate } from "selfsigned";
import { speechOf } from "../testing/speech.fixture";
import { transcriberOf } from "./setting";
import { type Speech, TranscriptionError } from "./transcriber";

const NOW_MS = Date.UTC(2025, 5, 1, 12, 0, 0);
const never = new AbortController().signal;
/** A second of tone, 9 s of silence, a second of tone: 3 s as a part. */
const speech = () =>
  speechOf(
    [
      [0, 1000],
      [10_000, 11_000],
    ],
    12_000,
  );

interface Got {
  url: string | undefined;
  authorization: string | undefined;
  form: FormData;
}
type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function formOf(request: IncomingMessage): Promise<Got> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  const headers = { "content-type": request.headers["content-type"] ?? "" };
  const form = await new Response(Buffer.concat(parts), { headers }).formData();
  return { url: request.url, authorization: request.headers.authorization, form };
}

describe("transcribe: servers", () => {
  let folder = "";
  let server: Server;
  let handle: Handler;
  let origin = "";

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "salestag-test-"));
    server = createServer((request, response) => handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  /** Answers every request with a status and a body; what came is kept. */
  function answering(status: number, body: string | object, headers: Record<string, string> = {}): Got[] {
    const got: Got[] = [];
    handle = async (request, response) => {
      got.push(await formOf(request));
      response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
    };
    return got;
  }
  const transcribe = (setting: string, heard: Speech = speech(), signal = never) =>
    transcriberOf(setting, () => NOW_MS).transcribe(heard, signal);
  const openai = (options = "") => `openai+${origin}/v1?model=whisper-1${options}`;
  function keyFile(text: string): string {
    const path = join(folder, "key");
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  it("servers: words come back in the conversation's time, the form is OpenAI's (key, language, prompt)", async () => {
    const got = answering(200, {
      task: "transcribe",
      language: "english",
      duration: 3,
      text: "Hello there. Goodbye.",
      words: [
        { word: "Hello", start: 0.1, end: 0.4 },
        { word: "there", start: 0.4, end: 0.9 },
        { word: "Goodbye", start: 2.2, end: 2.8 },
      ],
    });
    const path = encodeURIComponent(keyFile("sk-secret\n"));
    const heard = await transcribe(openai(`&key-file=${path}&language=en&prompt=Bright+Roof`));
    assert.deepEqual(heard.words, [
      { text: "Hello", startMs: 100, endMs: 400 },
      { text: "there.", startMs: 400, endMs: 900 },
      { text: "Goodbye.", startMs: 10_200, endMs: 10_800 },
    ]);
    assert.deepEqual([heard.language, heard.spreadWords, heard.notes], ["en", 0, []]);
    const [{ url, authorization, form }] = got;
    assert.deepEqual([got.length, url, authorization], [1, "/v1/audio/transcriptions", "Bearer sk-secret"]);
    const fields = [...form].filter(([name]) => name !== "file");
    assert.deepEqual(fields, [
      ["model", "whisper-1"],
      ["temperature", "0"],
      ["response_format", "verbose_json"],
      ["timestamp_granularities[]", "word"],
      ["timestamp_granularities[]", "segment"],
      ["language", "en"],
      ["prompt", "Bright Roof"],
    ]);
    const file = form.get("file") as File;
    assert.deepEqual([file.name, file.type, file.size], ["audio.wav", "audio/wav", 44 + 3 * 32_000]);
  });

  it("servers: what has only segments or a text is spread and counted (times=segment, times=none)", async () => {
    const [got] = [
      answering(200, { language: "en", segments: [{ start: 0, end: 1, text: " Hello there" }] }),
    ];
    const segments = await transcribe(openai("&times=segment"));
    assert.deepEqual([segments.words.length, segments.spreadWords], [2, 2]);
    assert.deepEqual(got[0].form.getAll("timestamp_granularities[]"), ["segment"]);
    const texts = answering(200, { text: "Hello there, goodbye" });
    const text = await transcribe(openai("&times=none"));
    assert.deepEqual([text.words.length, text.spreadWords, text.language], [3, 3, "und"]);
    assert.deepEqual(texts[0].form.get("response_format"), "json");
  });

  it("servers: whisper.cpp gets WAV at /inference and its tokens become words (language by itself)", async () => {
    const word = (text: string, start: number, end: number) => ({ word: text, start, end, probability: 0.9 });
    const words = [word(" Good", 0.1, 0.3), word("bye", 0.3, 0.6), word(".", 0.6, 0.6)];
    const segments = [{ id: 0, text: " Goodbye.", start: 0, end: 1, words }];
    const got = answering(200, {
      task: "transcribe",
      language: "german",
      duration: 3,
      text: " Goodbye.\n",
      segments,
    });
    const transcriber = transcriberOf(`whisper.cpp+${origin}`, () => NOW_MS);
    const heard = await transcriber.transcribe(speech(), never);
    assert.deepEqual(heard.words, [{ text: "Goodbye.", startMs: 100, endMs: 600 }]);
    assert.deepEqual([transcriber.name, heard.language, got[0].url], ["whisper.cpp", "de", "/inference"]);
    const { language, split_on_word, response_format } = Object.fromEntries(got[0].form);
    assert.deepEqual([language, split_on_word, response_format], ["auto", "true", "verbose_json"]);
  });

  it("servers: a long conversation goes in parts, one after the other (130 s, part=1)", async () => {
    const got = answering(200, { words: [{ word: "here", start: 0.5, end: 0.9 }] });
    const heard = await transcribe(openai("&part=1"), speechOf([[0, 130_000]], 130_000));
    assert.equal(got.length, 3);
    assert.equal(heard.words.length, 3);
    const sizes = got.map(({ form }) => (form.get("file") as File).size - 44);
    assert.equal(
      sizes.reduce((a, b) => a + b),
      130 * 32_000,
    );
    assert.deepEqual(
      heard.words.map(({ startMs }) => startMs),
      [500, 500 + sizes[0] / 32, 500 + (sizes[0] + sizes[1]) / 32],
    );
  });

  it("servers: where nobody spoke, nobody is asked (no packets)", async () => {
    const got = answering(500, "");
    const { words, language } = await transcribe(openai(), { packets: [], durationMs: 5000 });
    assert.deepEqual([words, language, got.length], [[], "und", 0]);
  });

  const refusals: [
    string,
    number,
    string | object,
    Record<string, string>,
    RegExp,
    "later" | "never",
    number?,
  ][] = [
    ["a redirection", 302, "", { location: "http://127.0.0.1:1/" }, /Redirections are not followed/, "later"],
    [
      "401",
      401,
      { error: { message: "Incorrect API key: sk-secret" } },
      {},
      /Incorrect API key: \(the key\)"?. Check the key in key-file/,
      "later",
    ],
    ["403, an HTML page", 403, "<html>no</html>", {}, /answered 403: an HTML page. Check the key/, "later"],
    ["404", 404, "File Not Found (/v1)", {}, /Check the path/, "later"],
    ["413", 413, "", {}, /lower part, or use audio=ogg/, "never"],
    ["429 with seconds", 429, "", { "retry-after": "7" }, /too much to do/, "later", 7000],
    [
      "429 with a date",
      429,
      "",
      { "retry-after": new Date(NOW_MS + 60_000).toUTCString() },
      /429/,
      "later",
      60_000,
    ],
    ["429 with a bad word", 429, "", { "retry-after": "soon" }, /429/, "later"],
    [
      "503 for a year",
      503,
      "loading",
      { "retry-after": "31536000" },
      /answered 503: loading/,
      "later",
      86_400_000,
    ],
    [
      "400 about the audio",
      400,
      { error: { message: "could not decode" } },
      {},
      /does not take this audio/,
      "never",
    ],
    [
      "400 about word times",
      400,
      { error: { message: "`timestamp_granularities[]` not supported" } },
      {},
      /set times=segment/,
      "later",
    ],
    ["200 with an HTML page", 200, "<!doctype html>", {}, /an HTML page instead of JSON/, "later"],
    ["204", 204, "", {}, /answered 204/, "later"],
  ];
  for (const [title, status, body, headers, words, retry, retryAfterMs] of refusals)
    it(`servers: an answer that is none says what to do, and whether to come again (${title})`, async () => {
      answering(status, body, headers);
      const path = encodeURIComponent(keyFile("sk-secret"));
      await assert.rejects(transcribe(openai(`&key-file=${path}`)), (error) => {
        assert.ok(error instanceof TranscriptionError, String(error));
        assert.match(error.message, words);
        assert.ok(!error.message.includes("sk-secret"), error.message);
        assert.deepEqual([error.retry, error.retryAfterMs], [retry, retryAfterMs]);
        return true;
      });
    });

  const failure = (words: RegExp) => (error: unknown) =>
    error instanceof TranscriptionError && error.retry === "later" && words.test(error.message);

  it("servers: one that never answers is given up (no answer, half an answer)", async () => {
    handle = () => {};
    await assert.rejects(
      transcribe(openai("&timeout=1")),
      failure(/did not answer within 1 s: is it slower/),
    );
    handle = (_, response) => response.writeHead(200).write('{"text": "');
    await assert.rejects(transcribe(openai("&timeout=1")), failure(/did not answer within 1 s/));
  });

  it("servers: one that breaks off or is not there is told (connection closed, no server)", async () => {
    handle = (_, response) => response.destroy();
    await assert.rejects(transcribe(openai()), failure(/cannot be reached/));
    handle = (_, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write('{"text": "', () => response.destroy());
    };
    await assert.rejects(transcribe(openai()), failure(/cannot be reached/));
    await new Promise((resolve) => server.close(resolve));
    await assert.rejects(transcribe(openai()), failure(/cannot be reached: connect ECONNREFUSED/));
  });

  it("servers: one that refuses before it has the audio is understood (413 at once, 2 min of WAV)", async () => {
    handle = (_, response) => response.writeHead(413, { connection: "close" }).end("too large");
    await assert.rejects(
      transcribe(openai(), speechOf([[0, 120_000]], 120_000)),
      (error) =>
        error instanceof TranscriptionError && error.retry === "never" && /answered 413/.test(error.message),
    );
  });

  it("servers: one whose certificate nobody vouches for gets nothing (https, signed by itself)", async () => {
    const { private: key, cert } = await generate([{ name: "commonName", value: "127.0.0.1" }]);
    let asked = 0;
    const secure = createSecure({ key, cert }, () => asked++);
    await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
    const { port } = secure.address() as AddressInfo;
    try {
      await assert.rejects(
        transcribe(`openai+https://127.0.0.1:${port}/v1?model=m`),
        failure(/cannot be reached: self-signed certificate/),
      );
      assert.equal(asked, 0);
    } finally {
      secure.close();
    }
  });

  it("servers: an endless answer is cut off (more than 8 MiB)", async () => {
    handle = (_, response) => {
      response.writeHead(200);
      const more = () => response.write("x".repeat(1 << 20), (error) => error ?? more());
      more();
    };
    await assert.rejects(transcribe(openai()), failure(/larger than 8388608 bytes/));
  });

  it("servers: a transcription that is called off ends with its reason (while the server thinks, before)", async () => {
    const off = new AbortController();
    handle = () => off.abort(new Error("the memory ends"));
    await assert.rejects(transcribe(openai(), speech(), off.signal), /the memory ends/);
    await assert.rejects(transcribe(openai(), speech(), off.signal), /the memory ends/);
  });

  it("servers: packets out of order are refused before anybody is asked (twice the same place)", async () => {
    const [{ packet }] = speech().packets;
    const heard = { packets: [0, 20, 20].map((startMs) => ({ startMs, packet })), durationMs: 60 };
    await assert.rejects(
      transcribe(openai(), heard),
      (error) => error instanceof TranscriptionError && error.retry === "never",
    );
  });

  const settings: [string, RegExp][] = [
    ["whisper", /none of the known ones; write openai\+https/],
    ["openai+http://127.0.0.1/v1", /has no model/],
    ["openai+http://10.0.0.7/v1?model=m", /in the clear: use https, or add plain=yes/],
    ["openai+https://user:secret@host/v1?model=m", /a name or a password in it/],
    ["openai+https://host/v1?model=m&modle=n", /option "modle", which is not known/],
    ["openai+https://host/v1?model=m&model=n", /an option twice/],
    ["openai+https://host/v1?model=m&audio=mp3", /audio is "mp3"; write wav/],
    ["openai+https://host/v1?model=m&part=0", /part is "0"; write a whole number from 1 to 60/],
    ["openai+https://host/v1?model=m&language=klingon!", /language is "klingon!"/],
    ["openai+https://host/v1?model=m&key-file=/no/such", /key-file \/no\/such cannot be read: ENOENT/],
    ["whisper.cpp+http://127.0.0.1:8080?model=m", /option "model"/],
    ["command:", /none of the known/],
    ["command: ", /names no program/],
    ['command:["a", 1]', /no JSON array of texts/],
    ["command?timeout=x:/bin/true", /timeout is "x"/],
  ];
  for (const [setting, words] of settings)
    it(`setting: a wrong one says what is wrong, without a secret (${setting})`, () => {
      assert.throws(
        () => transcriberOf(setting, () => NOW_MS),
        (error) => error instanceof ToolError && words.test(error.message) && !/secret/.test(error.message),
      );
    });

  it("setting: a key that others may read, or that is none, is not used (mode 644, two lines)", () => {
    const path = keyFile("sk-secret");
    const setting = `openai+https://host/v1?model=m&key-file=${encodeURIComponent(path)}`;
    chmodSync(path, 0o644);
    assert.throws(() => transcriberOf(setting, () => NOW_MS), /can be read by other users: run chmod 600/);
    chmodSync(path, 0o600);
    writeFileSync(path, "sk-secret\nanother");
    assert.throws(() => transcriberOf(setting, () => NOW_MS), /holds no key/);
  });

  it("setting: names say who transcribes, no address (three kinds)", () => {
    const names = [
      "openai+https://host:9/v1?model=Systran/faster-whisper-small",
      "whisper.cpp+http://10.0.0.7:8080?plain=yes",
      'command?language=en&timeout=60:["/opt/my tools/listen", "-"]',
    ].map((setting) => transcriberOf(setting, () => NOW_MS).name);
    assert.deepEqual(names, ["openai/Systran/faster-whisper-small", "whisper.cpp", "command/listen"]);
  });
});
