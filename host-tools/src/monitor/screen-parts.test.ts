// The screen's parts that need no badge: what of a picture is written, what of a frame is read, how lines are said.
import { strict as assert } from "node:assert";
import { bytesOf } from "@salestag/protocol/testing";
import { Canvas } from "./canvas";
import { changeJson, changeLine, changesOf } from "./changes";
import { soundOf } from "./front-end";
import { logLines } from "./log-view";
import { type Input, initialState, type MonitorState } from "./model";
import { reduce } from "./state";
import { span } from "./words";

describe("monitor: canvas", () => {
  it("canvas: lines that did not change are not written, one that is gone is erased, none beyond the height", () => {
    const written: string[] = [];
    const canvas = new Canvas({ write: (text) => written.push(text) }, 10, 3);
    const picture = (text: string) => {
      written.length = 0;
      canvas.write(text);
      return written.join("").replaceAll("\x1b[?2026h", "").replaceAll("\x1b[?2026l", "");
    };
    assert.equal(picture("a\nb\nc\nd"), "\x1b[2J\x1b[1;1Ha\x1b[K\x1b[2;1Hb\x1b[K\x1b[3;1Hc\x1b[K");
    assert.equal(picture("a\nb\nc\nd"), "");
    assert.equal(picture("a\nB"), "\x1b[2;1HB\x1b[K\x1b[3;1H\x1b[K");
    canvas.resize(10, 1);
    assert.equal(picture("a\nB"), "\x1b[2J\x1b[1;1Ha\x1b[K");
  });
});

describe("monitor: a frame of the front end", () => {
  const frame = (edit: (data: Buffer) => void) => {
    const data = bytesOf(3, 120);
    data[4] = 2 << 4;
    data[5] = 61;
    data[32] = 128;
    edit(data);
    return soundOf({ serviceIndex: 1, command: 0x1101, data });
  };

  it("front end: level, flags and the network's word, and nothing of the sound", () => {
    assert.deepEqual(
      frame(() => undefined),
      { levelDb: -30.5, clipped: false, muted: false, speech: 0.5 },
    );
    const muted = frame((data) => {
      data[4] |= 3;
      data[32] = 0;
    });
    assert.deepEqual(muted, { levelDb: -30.5, clipped: true, muted: true, speech: undefined });
  });

  it("front end: another layout, a short frame and another register are left alone", () => {
    assert.equal(
      frame((data) => {
        data[4] = 3 << 4;
      }),
      undefined,
    );
    assert.equal(soundOf({ serviceIndex: 1, command: 0x1101, data: Buffer.alloc(35, 0x20) }), undefined);
    assert.equal(soundOf({ serviceIndex: 1, command: 0x1102, data: Buffer.alloc(120, 0x20) }), undefined);
  });
});

describe("monitor: changes", () => {
  /** What is said of these inputs, a second apart. */
  const said = (...inputs: Input[]): string[] => {
    let state: MonitorState = initialState(0);
    return inputs.flatMap((input, at) => {
      const before = state;
      state = reduce(before, input, at * 1000);
      const phraseText = (number: number) => (number === 4 ? "what does it cost" : undefined);
      return changesOf(before, state, input, phraseText).map((change) => changeLine(change, "T"));
    });
  };
  const line = (text: string): Input => ({ kind: "line", text });
  const health = (upS: number, used: number) =>
    line(`> @health 0011223344556677 ${upS} ${used} 650 9 0 1 0 -1`);

  it("changes: a line each, texts in quotation marks, units of people", () => {
    assert.deepEqual(
      said(
        { kind: "plugged" },
        line("> @turn 100 150 2 66"),
        line("> @phrase 4 0 50 72 -18"),
        line("> @phrase 5 0 50 72 -18"),
        line("> @down 500 refused 3: no badge"),
        line("* the flash failed"),
        { kind: "gone", why: "unplugged" },
      ),
      [
        "T plugged",
        "T turn fromSeq=100 toSeq=150 talker=far levelDb=-33 durationMs=1000",
        'T phrase number=4 fromSeq=0 toSeq=50 atSeq=72 score=-18 durationMs=1000 text="what does it cost"',
        "T phrase number=5 fromSeq=0 toSeq=50 atSeq=72 score=-18 durationMs=1000",
        'T down retryMs=500 why="refused 3: no badge"',
        'T warning text="the flash failed"',
        "T gone why=unplugged",
      ],
    );
  });

  it("changes: what repeats is said once", () => {
    const untold: Input = { kind: "vitals", vitals: "untold" };
    const sounds = [-30, -31].map(
      (levelDb): Input => ({ kind: "sound", sound: { levelDb, clipped: true, muted: true } }),
    );
    const lines = said(health(2, 4), health(4, 4), health(6, 8), untold, untold, ...sounds);
    assert.deepEqual(
      lines.map((text) => text.split(" ").slice(1, 3).join(" ").replace(" badge=0011223344556677", "")),
      [
        "health",
        "health",
        "vitals told=false",
        "sound levelDb=-30",
        "muted",
        "clipped levelDb=-30",
        "clipped levelDb=-31",
      ],
    );
    assert.equal(said(line("> @unprovisioned"), line("> @unprovisioned")).length, 1);
  });

  it("changes: JSON has the time, the word and the fields", () => {
    assert.deepEqual(JSON.parse(changeJson({ what: "down", why: 'a "b"', retryMs: 5, x: undefined }, "T")), {
      time: "T",
      what: "down",
      why: 'a "b"',
      retryMs: 5,
    });
  });
});

describe("monitor: words", () => {
  for (const [ms, text] of [
    [-5, "0:00"],
    [59_999, "0:59"],
    [3_600_000, "1:00:00"],
    [90_061_000, "1 d 1:01:01"],
  ] as const)
    it(`words: ${ms} ms is ${text}`, () => assert.equal(span(ms), text));

  it("words: chatter never pushes the last warning out (rows 1 to 12)", () => {
    let state = reduce(initialState(0), { kind: "line", text: "* warning" }, 0);
    for (let at = 1; at < 50; at++) state = reduce(state, { kind: "line", text: `chat ${at}` }, at);
    for (let rows = 4; rows <= 12; rows++) {
      const lines = logLines(state, rows, false);
      assert.ok(lines.length <= rows, `${lines.length} lines in ${rows} rows`);
      assert.ok(lines.some((row) => "text" in row && row.text === "warning"));
      assert.ok("text" in lines[lines.length - 1]);
    }
    for (const rows of [-1, 0, 1, 2, 3]) assert.ok(logLines(state, rows, false).length <= Math.max(0, rows));
  });
});
