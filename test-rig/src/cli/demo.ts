// `rig demo`: the bundled conversation from microphone to memory, slow enough to watch; with --serve everything stays on afterwards.
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import {
  startTranscriptionServer,
  type TranscriptionServer,
} from "../../../memory/src/testing/transcription-server";
import { quietRoom, recordingIn } from "../ambience";
import type { Bench } from "../bench";
import { runAtPace } from "../emulator/pace-gate";
import { knownRecording } from "../known-recording";
import { SiteMemory } from "../memory-process";
import { FindableConversations, type MemoryLine, recall } from "../remember";
import type { ReplayHands } from "../replay";
import type { Site } from "../site";
import { type ReplayFlags, replayAndTell, withReplayOptions } from "./replay";

interface Flags extends ReplayFlags {
  file?: string;
  serve: boolean;
}

const SAMPLE = fileURLToPath(new URL("../../samples/solar-sale.flac", import.meta.url));
/** It is slowed down to this, so that one can see it. */
const SPEED = 20;
/** The ready set that the badge listens for. */
const PHRASES = "solar";

const HELP = `
Examples:
  rig demo
  rig demo --file talk.wav
  rig demo --serve                        # relay, badge and memory stay on, and the badge goes on hearing the conversation, until Ctrl-C`;

export function addDemo(program: Command): void {
  withReplayOptions(program.command("demo"))
    .description("The bundled conversation from the microphone to the team's memory, slow enough to watch.")
    .option("--file <file>", "play this recording instead; the memory then has what the badge itself heard")
    .option("--serve", "leave relay, badge and memory on, until Ctrl-C", false)
    .addHelpText("after", HELP)
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const file = flags.file ?? SAMPLE;
  const transcription =
    flags.file === undefined ? await startTranscriptionServer([await knownRecording(SAMPLE)]) : undefined;
  let demo: Demo | undefined;
  try {
    await replayAndTell(
      file,
      { speed: SPEED, ...flags },
      {
        phraseSet: PHRASES,
        onSite: (site) => {
          demo = new Demo(site, file, transcription);
        },
        after: async ({ conversations }, bench, hands) => {
          await demo?.tell(conversations.length, flags.json);
          if (flags.serve) await demo?.serve(bench, hands);
        },
      },
    );
  } finally {
    await demo?.end();
    await transcription?.close();
  }
}

interface Watched {
  memory: SiteMemory;
  findable: FindableConversations;
}

/** The memory beside a replay. */
class Demo {
  private readonly watched: Promise<Watched>;

  constructor(
    private readonly site: Site,
    private readonly file: string,
    private readonly transcription: TranscriptionServer | undefined,
  ) {
    // It starts beside the replay; what it fails by is told when it is asked.
    this.watched = this.start();
    this.watched.catch(() => undefined);
  }

  /** Prints what the memory makes of the conversations. */
  async tell(conversations: number, json: boolean): Promise<void> {
    process.stderr.write("the memory opens, transcribes and tags what arrived ...\n");
    const { memory, findable } = await this.watched;
    for (let told = 0; told < conversations; told++) {
      const lines = await recall(memory, await findable.next());
      if (json) process.stdout.write(`${JSON.stringify({ memory: lines })}\n`);
      else print(lines);
    }
    if (!json && this.transcription !== undefined)
      process.stdout.write(
        `${"".padEnd(NAME_COLUMNS)} (The transcriber is a stand-in that knows this recording by heart; a real one is one setting: docs/transcribers.md.)\n`,
      );
  }

  /** Has the badge go on in real time, with a relay and the memory, until Ctrl-C. */
  async serve(bench: Bench, hands: ReplayHands): Promise<void> {
    const { memory } = await this.watched;
    await hands.restart();
    bench.plugFrontEnd(await recordingIn(await quietRoom(), this.file, true));
    const stop = runAtPace(bench.time);
    const { headerFile, url, config } = memory;
    process.stdout.write(
      [
        "",
        `relay        ${hands.relay.url}`,
        `memory       ${url}   (salestag-memory --config ${config})`,
        "live events  while the badge hears the conversation again and again:",
        `  curl -sN -H @${headerFile} -H 'Salestag-Purpose: coaching' ${url}/v1/live`,
        "what it knows:",
        `  curl -s -H @${headerFile} -H 'Salestag-Purpose: coaching' ${url}/v1/conversations`,
        "Ctrl-C ends all of it.",
        "",
      ].join("\n"),
    );
    await new Promise<void>((resolve) => {
      process.once("SIGINT", resolve);
      process.once("SIGTERM", resolve);
    });
    await stop();
    await hands.relay.stop();
  }

  async end(): Promise<void> {
    const watched = await this.watched.catch(() => undefined);
    watched?.findable.end();
    await watched?.memory.stop();
  }

  private async start(): Promise<Watched> {
    const memory = await SiteMemory.start(this.site, { transcriptionUrl: this.transcription?.url });
    return { memory, findable: await FindableConversations.watch(memory) };
  }
}

const NAME_COLUMNS = 12;

function print(lines: MemoryLine[]): void {
  process.stdout.write("\n");
  let before = "";
  for (const [name, text] of lines) {
    process.stdout.write(`${(name === before ? "" : name).padEnd(NAME_COLUMNS)} ${text}\n`);
    if (name !== "") before = name;
  }
}
