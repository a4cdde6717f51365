import assert from "node:assert/strict";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { speechOf } from "../testing/speech.fixture";
import { transcriberOf } from "./setting";
import { TranscriptionError } from "./transcriber";

const speech = speechOf([[200, 1200]], 2000);
const never = new AbortController().signal;

describe("transcribe: a local command", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "salestag-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** @returns a setting whose command is Node with this program */
  function node(program: string, args: string[] = [], options = ""): string {
    const path = join(folder, "program.mjs");
    writeFileSync(path, `import { readFileSync, writeFileSync, statSync } from "node:fs";\n${program}`);
    return `command${options}:${JSON.stringify([process.execPath, path, ...args])}`;
  }
  const transcribe = (setting: string, signal = never) =>
    transcriberOf(setting, () => 0).transcribe(speech, signal);
  const failure = (words: RegExp) => (error: unknown) =>
    error instanceof TranscriptionError && error.retry === "later" && words.test(error.message);

  it("command: gets the audio on standard input and prints words (JSON)", async () => {
    const setting = node(`
      const wav = readFileSync(0);
      if (wav.toString("latin1", 8, 12) !== "WAVE") throw new Error("no WAV");
      console.log(JSON.stringify({ language: "en", words: [{ text: "bytes", start: 0.1, end: 0.3 }, { text: String(wav.length), start: 0.3, end: 0.6 }] }));
    `);
    const { words, language } = await transcribe(setting);
    assert.deepEqual(words, [
      { text: "bytes", startMs: 300, endMs: 500 },
      { text: String(44 + 32_000), startMs: 500, endMs: 800 },
    ]);
    assert.equal(language, "en");
  });

  it("command: gets a path that only this user may read, and that is gone afterwards ({audio})", async () => {
    const told = join(folder, "told");
    const setting = node(
      `const path = process.argv[2].slice("--in=".length);
       writeFileSync(process.argv[3], JSON.stringify({ path, mode: statSync(path).mode & 0o777, bytes: readFileSync(path).length }));
       console.log('{"text":"fine"}');`,
      ["--in={audio}", told],
    );
    assert.equal((await transcribe(setting)).words[0].text, "fine");
    const { path, mode, bytes } = JSON.parse(readFileSync(told, "utf8"));
    assert.deepEqual([mode, bytes], [0o600, 44 + 32_000]);
    assert.equal(existsSync(join(path, "..")), false);
  });

  it("command: may lay its JSON beside the audio, as whisper-cli does (text on standard output)", async () => {
    const json = {
      result: { language: "de" },
      transcription: [{ offsets: { from: 100, to: 400 }, text: " Guten" }],
    };
    const setting = node(
      `writeFileSync(process.argv[2] + ".json", ${JSON.stringify(JSON.stringify(json))});
       console.log("[00:00:00.100 --> 00:00:00.400]  Guten");`,
      ["{audio}"],
    );
    const { words, language } = await transcribe(setting);
    assert.deepEqual([words, language], [[{ text: "Guten", startMs: 300, endMs: 600 }], "de"]);
  });

  it("command: no shell reads its arguments, and it learns nothing of this process's environment (;, $, a secret)", async () => {
    process.env.SALESTAG_TEST_SECRET = "secret";
    try {
      const setting = node(
        `console.log(JSON.stringify({ text: process.argv[2] + " " + ("SALESTAG_TEST_SECRET" in process.env) }));`,
        ["$HOME;ls"],
      );
      const { words } = await transcribe(setting);
      assert.deepEqual(
        words.map(({ text }) => text),
        ["$HOME;ls", "false"],
      );
    } finally {
      delete process.env.SALESTAG_TEST_SECRET;
    }
  });

  it("command: one that hangs is given up (timeout=1)", async () => {
    const setting = node("setInterval(() => {}, 1000);", [], "?timeout=1");
    await assert.rejects(transcribe(setting), failure(/did not end within 1 s: is it slower than real time/));
  });

  it("command: a transcription that is called off kills all that it started (a child that holds the output open)", async () => {
    // The child keeps a connection open for as long as it lives.
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const child = `require("net").connect(${port}, "127.0.0.1").resume(); setInterval(() => {}, 1000)`;
    const setting = node(
      `import { spawn } from "node:child_process";
       spawn(process.execPath, ["-e", ${JSON.stringify(child)}], { stdio: "inherit" });
       setInterval(() => {}, 1000);`,
    );
    const off = new AbortController();
    const failed = assert.rejects(transcribe(setting, off.signal), /the memory ends/);
    const [socket] = await once(server, "connection");
    socket.on("error", () => {});
    socket.resume();
    off.abort(new Error("the memory ends"));
    await Promise.all([failed, once(socket, "close")]);
    server.close();
  });

  const failures: [string, string, RegExp][] = [
    ["it fails", 'console.error("model\\nmissing"); process.exit(3);', /ended with 3: model missing/],
    [
      "it is killed",
      'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000);',
      /was ended by SIGTERM/,
    ],
    ["it prints no JSON", 'console.log("hello secret");', /13 characters instead of JSON/],
    ["it prints nothing", "", /0 characters instead of JSON/],
    [
      "it prints without end",
      'const more = () => process.stdout.write("x".repeat(1 << 16), more); more();',
      /printed more than 8388608 bytes/,
    ],
  ];
  for (const [title, program, words] of failures)
    it(`command: one that does not do it is told, and nothing is left behind (${title})`, async () => {
      const temporary = process.env.TMPDIR;
      process.env.TMPDIR = join(folder, "tmp");
      mkdirSync(process.env.TMPDIR);
      await assert.rejects(transcribe(node(program, ["{audio}"])), (error) => {
        assert.ok(failure(words)(error), String(error));
        assert.doesNotMatch((error as Error).message, /secret/);
        return true;
      });
      assert.deepEqual(readdirSync(process.env.TMPDIR), []);
      if (temporary === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = temporary;
    });

  it("command: one that is not there is told (no such program)", async () => {
    await assert.rejects(
      transcribe("command:/no/such/program {audio}"),
      failure(/cannot be started: spawn .* ENOENT/),
    );
  });
});
