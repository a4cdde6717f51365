// The monitor as a technician runs it: the real program on a real pseudo-terminal, at a badge that hears the bundled sample.
import { strict as assert } from "node:assert";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { phrasesOfSet } from "@salestag/host-tools";
import { useFolder } from "@salestag/protocol/testing";
import { writePhraseList } from "../../host-tools/src/phrases/phrase-list";
import { type Ambience, quietRoom, recordingIn } from "./ambience";
import { newBadgeState } from "./badge-state";
import { BENCH_DEFAULTS, Bench } from "./bench";
import { runAtPace } from "./emulator/pace-gate";
import { playedPower } from "./emulator/power";
import { playedVitals } from "./emulator/runtime-vitals";
import type { RelayProcess } from "./relay-process";
import { ESP32_SLOWER } from "./replay";
import { Site } from "./site";
import { UsbDoor } from "./usb-door";

const PROGRAM = fileURLToPath(new URL("../../host-tools/bin/salestag.mjs", import.meta.url));
const SAMPLE = fileURLToPath(new URL("../samples/solar-sale.flac", import.meta.url));
const DEVICE_ID = "0102030405060708";
/** Times real time: what a minute holds is heard in seconds. */
const SPEED = 8;

/** A program that runs, and all that it says. */
class Running {
  /** With ␛ for the escape character. */
  said = "";
  errors = "";
  readonly ended: Promise<number | null>;
  private changed: () => void = () => undefined;

  constructor(readonly child: ChildProcess) {
    this.ended = new Promise((resolve) => child.once("close", resolve));
    const hear = (stream: Readable, add: (text: string) => void) =>
      stream.setEncoding("utf8").on("data", (text: string) => {
        add(text);
        this.changed();
      });
    hear(child.stdout as Readable, (text) => {
      this.said += text.replaceAll("\x1b", "␛");
    });
    hear(child.stderr as Readable, (text) => {
      this.errors += text;
    });
  }

  /** Waits until it has said this. Rejects when it ends before. */
  async until(words: RegExp, from = 0): Promise<void> {
    let over = false;
    void this.ended.then(() => {
      over = true;
      this.changed();
    });
    while (!words.test(this.said.slice(from))) {
      if (over) throw new Error(`it ended before it said ${words}: ${this.said.slice(-2000)} ${this.errors}`);
      await new Promise<void>((resolve) => {
        this.changed = resolve;
      });
    }
  }
}

/** A provisioned badge that runs a few times as fast as it should, with its relay. */
class Stage {
  private constructor(
    readonly bench: Bench,
    readonly badge: string,
    private readonly relay: RelayProcess,
    private readonly stop: () => Promise<void>,
  ) {}

  static async open(folder: string, room: Ambience): Promise<Stage> {
    const site = await Site.create(join(folder, "site"));
    const relay = await site.startRelay();
    const bench = await Bench.open({ ...BENCH_DEFAULTS, state: newBadgeState(DEVICE_ID) });
    const badge = await site.provision(bench, relay.url, "Kim", phrasesOfSet("solar", 1));
    const { time } = bench;
    bench.plug((send) =>
      playedVitals({
        time,
        deviceId: "0102030405060709",
        runtime: () => bench.badge,
        slower: ESP32_SLOWER,
        send,
      }),
    );
    bench.plug((send) => playedPower({ time, deviceId: "010203040506070a", percent: 87, send }));
    await bench.until(() => bench.traced("up").length > 0, 30_000);
    bench.plugFrontEnd(room);
    return new Stage(bench, badge, relay, runAtPace(time, SPEED));
  }

  async close(): Promise<void> {
    await this.stop();
    this.bench.badge.powerOff();
    await this.relay.stop();
  }
}

describe("monitor: a badge on a serial port", function () {
  this.timeout(120_000);
  let stage: Stage;
  let door: UsbDoor;
  let port = "";
  let phrases = "";
  let room: Ambience;
  let sample: Ambience;
  let heard: Ambience;
  let started: Running[] = [];

  afterEach(async () => {
    for (const { child, ended } of started) {
      child.kill("SIGKILL");
      await ended;
    }
    started = [];
    await door.close();
    await stage.close();
  });
  const folder = useFolder(); // after the hook that closes what is in it

  before(async () => {
    room = await quietRoom();
    sample = await recordingIn(room, SAMPLE, false);
  });
  beforeEach(async () => {
    [port, phrases] = [join(folder(), "port"), join(folder(), "phrases.json")];
    writePhraseList(phrases, phrasesOfSet("solar", 1));
    heard = room;
    stage = await Stage.open(folder(), (seq) => heard(seq));
    door = await UsbDoor.onTerminal(stage.bench, port);
  });
  /** The sample from now on. */
  const play = () => {
    const from = (stage.bench.frontEnd?.seq ?? 0) + 2;
    const first = from + (from % 2); // every second frame carries more than the others
    heard = (seq) => {
      const frame = seq < first ? room(seq) : sample(seq - first);
      frame.writeUInt32LE(seq, 0);
      return frame;
    };
  };
  const run = (program: string, args: string[], env: NodeJS.ProcessEnv = {}): Running => {
    const child = spawn(program, args, {
      env: { ...process.env, CI: undefined, NO_COLOR: undefined, FORCE_COLOR: undefined, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const running = new Running(child);
    started.push(running);
    return running;
  };
  const monitor = (...args: string[]) =>
    run(process.execPath, [PROGRAM, "monitor", "--badge", port, ...args]);
  /** On a terminal of 80 columns and 24 rows. */
  const onTerminal = (env: NodeJS.ProcessEnv = {}) => {
    const script = join(folder(), "run.sh");
    const command = [process.execPath, PROGRAM, "monitor", "--badge", port].map((word) => `'${word}'`);
    writeFileSync(script, `stty cols 80 rows 24\n${command.join(" ")}\necho "code=$?"; stty -a\n`);
    return run("script", ["-qfec", `sh ${script}`, "/dev/null"], { TERM: "xterm-256color", ...env });
  };

  it("monitor: --json says turns, phrases, conversation, acks, heap; ended by the user it ends with 0", async () => {
    const running = monitor("--json", "--phrases", phrases);
    await running.until(/"what":"sound"/);
    play();
    await running.until(/"what":"ended"/);
    const end = running.said.length;
    await running.until(/"what":"acked"[^\n]*"waiting":0[^\n]*\n/, end);
    running.child.kill("SIGINT");
    assert.deepEqual([await running.ended, running.errors], [0, ""]);
    const lines = running.said
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const of = (what: string) => lines.filter((line) => line.what === what);
    assert.ok(lines.every(({ time }) => /^\d{4}-.*Z$/.test(String(time))));
    assert.deepEqual(
      [of("conversation").length, of("consent").map(({ means }) => means), of("ended").length],
      [1, [1], 1],
    );
    const texts = of("phrase").map(({ text }) => text);
    const expected = stage.bench.traced("phrase").map(({ number }) => phrasesOfSet("solar", 1)[number].text);
    assert.ok(texts.length >= 3);
    assert.deepEqual(texts, expected);
    assert.equal(of("turn").length, stage.bench.traced("turn").length);
    assert.ok(of("turn").some(({ talker }) => talker === "near"));
    assert.equal(of("who")[0].deviceId, DEVICE_ID);
    const { badge, batteryPercent, online } = of("health").at(-1) ?? {};
    assert.deepEqual([badge, batteryPercent, online], [stage.badge, 87, true]);
    const { heapBytes, heapUsedBytes, levelDb } = of("vitals")[0] as Record<string, number>;
    assert.ok(heapBytes > 60_000 && heapUsedBytes > 10_000 && heapUsedBytes < heapBytes && levelDb < 0);
  });

  it("monitor: --plain says a line a change and ends with 5 when the badge is unplugged", async () => {
    const running = monitor("--plain");
    await running.until(/ sound levelDb=-8\d/);
    play();
    await running.until(/ turn /);
    await door.close();
    assert.equal(await running.ended, 5);
    assert.match(running.errors, /^salestag: the badge at \S+port is gone \(.+\); plug it in again\.\n$/);
    const lines = running.said.trimEnd().split("\n");
    assert.ok(
      lines.every((line) => /^\d{4}-\d\d-\d\dT[\d:.]+Z [a-z-]+( \w+=("(\\.|[^"])*"|[^ "]+))*$/.test(line)),
    );
    assert.match(lines.at(-1) ?? "", / gone why=/);
    assert.match(running.said, / conversation epoch=\d+ seq=\d+\n/);
  });

  it("monitor: without a terminal it is plain, --seconds ends it with 0, a reader that has enough too", async () => {
    const running = monitor("--seconds", "2");
    assert.equal(await running.ended, 0);
    assert.match(running.said, / plugged\n/);
    const reader = monitor("--json");
    await reader.until(/plugged/);
    reader.child.stdout?.destroy();
    assert.equal(await reader.ended, 0);
  });

  it("monitor: on a terminal it shows the badge, waits for one that is unplugged, and q leaves the terminal clean", async () => {
    const running = onTerminal();
    const stdin = running.child.stdin as Writable;
    await running.until(new RegExp(stage.badge));
    assert.match(running.said, /␛\[\?1049h␛\[\?25l/);
    play();
    await running.until(/speaking/);
    await running.until(/near \d+%, far \d+%/);
    let from = running.said.length;
    await door.close();
    await running.until(/unplugged for .*waiting for it at/, from);
    from = running.said.length;
    door = await UsbDoor.onTerminal(stage.bench, port);
    await running.until(new RegExp(stage.badge), from);
    stdin.write("p");
    await running.until(/PAUSED/, from);
    stdin.write("l");
    await running.until(/l all/, from);
    stdin.write("q");
    assert.equal(await running.ended, 0);
    const after = running.said.slice(running.said.lastIndexOf("␛[?1049l"));
    assert.ok(running.said.includes("␛[?25h␛[?1049l"));
    assert.match(after, /code=0\r\n/);
    assert.match(after, / icanon /);
    assert.match(after, / echo /);
    assert.ok(!after.includes("␛[?25l"));
  });

  it("monitor: on a terminal Ctrl-C ends it with 0, and NO_COLOR leaves the colours out", async () => {
    const running = onTerminal({ NO_COLOR: "1" });
    await running.until(new RegExp(stage.badge));
    (running.child.stdin as Writable).write("\x03");
    assert.equal(await running.ended, 0);
    assert.match(running.said, /␛\[\?1049lcode=0/);
    assert.doesNotMatch(running.said, /␛\[[\d;]*m/);
  });

  it("monitor: a port that is not there is refused before the screen is opened (exit 5)", async () => {
    port = join(folder(), "nothing");
    const running = onTerminal();
    await once(running.child, "close");
    assert.match(running.said, /salestag: the port \S+nothing cannot be opened: [^\r]+\.\r\ncode=5/);
    assert.ok(!running.said.includes("␛[?1049h"));
    port = join(folder(), "port");
  });
});
