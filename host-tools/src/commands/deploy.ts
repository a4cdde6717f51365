// `salestag deploy`: puts another program into a badge.
import { basename } from "node:path";
import { ExitCode, messageOf, ToolError } from "@salestag/protocol/team";
import { type Command, Option } from "commander";
import { type Deployed, deployProgram } from "../deploy/deploy";
import { BUILT_PROGRAM, type ProgramFile, programOf, readProgramFile } from "../deploy/program-file";
import { ProgramStore, storeFolder } from "../deploy/store";
import { readBundle } from "../flash/bundle";
import { readTrust } from "../flash/signing";
import { BadgePort } from "../usb/badge-port";
import { resolveBadge } from "../usb/resolve-badge";
import { jsonOr, type Output } from "./output";
import { badgeOption, wholeWithin } from "./values";

interface Flags {
  badge?: string;
  program?: string;
  bundle?: string;
  trust?: string;
  allowUnsigned: boolean;
  rollbackTo?: string;
  rollbackFrom?: string;
  /** False with --no-rollback. */
  rollback: boolean;
  force: boolean;
  withinS: number;
  json: boolean;
}

const WITHIN_S = 15;

const HELP = `
The badge keeps its settings and what it has recorded. A program that does not say within the bound that it runs, that ends by a mistake,
or that makes the badge restart is taken out again, and the earlier one put back: it is kept in this user's data folder when it
was deployed from this computer.

Ctrl-C before the transfer begins leaves everything as it was; afterwards the tool finishes first, and a second one ends it at once.

Examples:
  salestag deploy                                                         # what 'npm run build' made
  salestag deploy --badge COM3 --program bytecode.devs --rollback-from old-programs`;

export function addDeploy(parent: Command, output: Output): void {
  parent
    .command("deploy")
    .description(
      "Put the badge program into a badge that has the runtime, and the earlier one back if it is not well.",
    )
    .addOption(badgeOption())
    .option("--program <file>", "bytecode.devs of a build (default: what 'npm run build' made)")
    .addOption(new Option("--bundle <file>", "the program of a bundle").conflicts("program"))
    .option("--trust <file>", "public key of who signs the team's bundles")
    .option("--allow-unsigned", "take a bundle that nobody signed", false)
    .option("--rollback-to <file>", "the program to go back to, whatever runs now")
    .option("--rollback-from <dir>", "a folder of programs (.devs) that may have the one that runs now")
    .option("--no-rollback", "deploy although there is nothing to go back to")
    .option(
      "--within-s <n>",
      "seconds in which the program must say that it runs",
      wholeWithin(1, 600),
      WITHIN_S,
    )
    .option("--force", "deploy also what the badge runs already", false)
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP)
    .action((flags: Flags) => run(flags, output));
}

async function run(flags: Flags, output: Output): Promise<void> {
  const program = programToDeploy(flags);
  const to = flags.rollbackTo === undefined ? undefined : readProgramFile(flags.rollbackTo);
  const startMs = performance.now();
  const badge = await resolveBadge(flags.badge);
  const interrupts = new Interrupts(output);
  const deployed = await deployProgram({
    open: () => BadgePort.open(badge),
    program,
    store: new ProgramStore(storeFolder(process.env)),
    rollback: { to, fromFolder: flags.rollbackFrom, none: !flags.rollback },
    force: flags.force,
    withinMs: flags.withinS * 1000,
    nowMs: Date.now,
    onPlan: (before) => output.notice(`${title(before)} -> ${title(program)}`),
    onPointOfNoReturn: () => interrupts.finishFirst(),
    onProgress: (sentBytes, allBytes) => output.progress(progressOf(sentBytes, allBytes)),
    onNotice: (text) => output.notice(text),
  }).finally(() => {
    output.progress("");
    interrupts.end();
  });
  print(output, flags.json, deployed, (performance.now() - startMs) / 1000);
}

/** @throws ToolError when file or bundle cannot be used, or nobody trusted signed the bundle */
function programToDeploy({ program, bundle, trust, allowUnsigned }: Flags): ProgramFile {
  if (bundle === undefined) return readProgramFile(program ?? BUILT_PROGRAM);
  const { images } = readBundle(bundle, readTrust(trust, allowUnsigned, process.env));
  try {
    return programOf(images.program, basename(bundle));
  } catch (cause) {
    throw new ToolError(
      ExitCode.Usage,
      `the program in '${bundle}' cannot be used (${messageOf(cause)}); make the bundle anew with 'salestag bundle'.`,
      { cause },
    );
  }
}

function print(output: Output, json: boolean, deployed: Deployed, tookS: number): void {
  const { outcome, deviceId, before, program } = deployed;
  const { name, version, sha256 } = program;
  const earlier = { name: before.name, version: before.version, sha256: before.sha256 };
  const rounded = Math.round(tookS * 10) / 10;
  const told = { outcome, deviceId, name, version, sha256, before: earlier, seconds: rounded };
  const said = {
    deployed: `deployed ${title(program)} in ${rounded} s; it is well`,
    "up to date": `${title(program)} is up to date`,
    started: `${title(program)} is up to date; it did not run and was started`,
  }[outcome];
  jsonOr(output, json, told, [`${deviceId}: ${said}`]);
}

function title({ version, sha256 }: { version: string; sha256: string | undefined }): string {
  if (sha256 === undefined) return "no program";
  return `${version === "" ? "a program without a version" : version} (${sha256.slice(0, 8)})`;
}

function progressOf(sentBytes: number, allBytes: number): string {
  if (sentBytes === allBytes) return "waiting until it says that it is well";
  return `${Math.floor((sentBytes / allBytes) * 100)} % of ${Math.ceil(allBytes / 1024)} KB`;
}

/** What Ctrl-C does: until the point of no return it ends the tool, after it the second one does. */
class Interrupts {
  private finishing = false;
  private asked = false;
  private readonly listener = () => this.interrupted();

  constructor(private readonly output: Output) {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, this.listener);
  }

  finishFirst(): void {
    this.finishing = true;
  }

  end(): void {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, this.listener);
  }

  private interrupted(): void {
    if (this.finishing && !this.asked) {
      this.asked = true;
      this.output.notice(
        "The badge has no program until this is done: finishing first. Again to end at once.",
      );
      return;
    }
    this.output.notice(
      this.finishing
        ? "Ended in the middle: the badge may have no program now; run the same command again."
        : "Ended; nothing on the badge was changed.",
    );
    process.exit(ExitCode.Interrupted);
  }
}
