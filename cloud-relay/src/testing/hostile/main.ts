// The command line of the hostile run: npm run fuzz:relay -- --frames 1000000 --seed 1
import { Command, InvalidArgumentError } from "commander";
import { checkMemory, type FuzzReport, fuzz, ROUND_FRAMES } from "./fuzz";

const MIB = 1024 * 1024;

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

function rounds(text: string): number {
  const frames = wholeNumber(text);
  if (frames % ROUND_FRAMES !== 0)
    throw new InvalidArgumentError(`It must be a multiple of ${ROUND_FRAMES}.`);
  return frames;
}

function print(report: FuzzReport, seconds: number): void {
  const table = (title: string, rows: [string, string | number][]): void => {
    process.stdout.write(`\n${title}\n`);
    for (const [name, value] of rows.sort()) process.stdout.write(`  ${name.padEnd(70)} ${value}\n`);
  };
  table("frames of each kind", [...report.kinds]);
  table(
    "bodies taken / refused by each decoder",
    [...report.decoded].map(([name, { taken, refused }]) => [name, `${taken} / ${refused}`]),
  );
  table("connections refused with", [...report.refusals]);
  const cpuSeconds = process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6;
  process.stdout.write(
    `\n${report.frames} frames, ${report.connections} connections, ${report.chunksDelivered} chunks stored and delivered\n` +
      `no crash, no hang; ${seconds.toFixed(0)} s, ${((cpuSeconds * 1e6) / report.frames).toFixed(0)} us of processor time for each frame\n` +
      `memory after collection: ${(report.earlyBytes / MIB).toFixed(1)} MiB at a tenth, ${(report.lateBytes / MIB).toFixed(1)} MiB at the end\n`,
  );
}

async function run({ frames, seed, from }: { frames: number; seed: number; from: number }): Promise<void> {
  process.stdout.write(`seed ${seed}, frames ${from} to ${from + frames - 1}\n`);
  const startMs = performance.now();
  const onProgress = (done: number) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${done} frames`);
  };
  const report = await fuzz({ frames, seed, from, onProgress });
  print(report, (performance.now() - startMs) / 1000);
  checkMemory(report);
}

const program = new Command("fuzz:relay")
  .description("Sends hostile frames to the protocol's decoders and to a relay in this process.")
  .option("--frames <n>", "how many", rounds, 100_000)
  .option("--seed <n>", "decides all of them", wholeNumber, 1)
  .option("--from <n>", "number of the first frame, to repeat one that failed", rounds, 0);

program.parse();
const given = program.opts<{ frames: number; seed: number; from: number }>();
for (const event of ["uncaughtException", "unhandledRejection"])
  process.on(event, (cause) => {
    process.stderr.write(
      `seed ${given.seed}: ${event}: ${cause instanceof Error ? cause.stack : String(cause)}\n`,
    );
    process.exit(1);
  });
run(given).catch((cause) => {
  process.stderr.write(`failed: ${cause instanceof Error ? cause.message : String(cause)}\n`);
  process.exitCode = 1;
});
