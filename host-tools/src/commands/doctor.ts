// `salestag doctor`: what is wrong with a badge, and what to do about it.
import { existsSync } from "node:fs";
import { defaultIdentityPath, ExitCode, ToolError } from "@salestag/protocol/team";
import { type Command, Option } from "commander";
import { examine } from "../doctor/doctor";
import type { Finding, Verdict } from "../doctor/finding";
import { knownProgram } from "../doctor/known-program";
import { noBadge, udevRule } from "../doctor/port-check";
import type { Team } from "../doctor/team-checks";
import { RelayDoor, readToken } from "../relay-door";
import { resolveBadge } from "../usb/resolve-badge";
import { jsonOr, type Output } from "./output";
import { identitiesOf, openVault, withPassphrase } from "./team";
import { badgeOption } from "./values";

interface Flags {
  badge?: string;
  vault?: string;
  identity?: string;
  passphraseFd?: number;
  relayDoor?: string;
  tokenFile?: string;
  program?: string;
  bundle?: string;
  settings: boolean;
  udevRule: boolean;
  json: boolean;
}

const HELP = `
Takes about 7 s, 10 with --settings. Ends with 0 when nothing failed, with 5 when something did. docs/doctor.md has a table of what each line means.

Examples:
  salestag doctor
  salestag doctor --settings --vault ~/salestag-vault            # ends a recording that is going on
  salestag doctor --relay-door http://127.0.0.1:7780 --token-file admin.token
  salestag doctor --udev-rule | sudo tee /etc/udev/rules.d/70-salestag.rules`;

const CHECK_WIDTH = 13;
const VERDICT_WIDTH = 8;

export function addDoctor(parent: Command, output: Output): void {
  const command = parent
    .command("doctor")
    .description("Look at a badge and what belongs to it, and say what is wrong and what to do.")
    .addOption(badgeOption())
    .option(
      "--settings",
      "read its settings too: stops its program for a moment, and with it a recording",
      false,
    )
    .option("--vault <dir>", "the team's vault: has it the badge, and has the badge its keys?")
    .option(
      "--identity <file>",
      "the team's identity, to open the vault's entry; else the one that 'salestag keys init' makes",
    )
    .option("--relay-door <url>", "the relay's door for its operator: does it know the badge?")
    .option("--token-file <file>", "file with the door's token")
    .addOption(
      new Option(
        "--program <file>",
        "bytecode to compare the badge's program with; else what was built here",
      ).conflicts("bundle"),
    )
    .option("--bundle <file>", "a bundle to compare its program with")
    .option(
      "--udev-rule",
      "print the rule that lets who sits at a Linux computer use badges, and nothing else",
      false,
    )
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP);
  withPassphrase(command).action(async (flags: Flags) => {
    if (flags.udevRule) {
      output.line(udevRule().trimEnd());
      return;
    }
    const findings = await findingsOf(output, flags);
    output.progress("");
    const failures = findings.filter(({ verdict }) => verdict === "failed").length;
    const result = { ok: failures === 0, checks: findings };
    jsonOr(
      output,
      flags.json,
      result,
      findings.flatMap((finding) => linesOf(output, finding)),
    );
    if (failures > 0)
      throw new ToolError(
        ExitCode.Badge,
        `${failures} of ${findings.length} checks failed; each says what to do.`,
      );
  });
}

async function findingsOf(output: Output, flags: Flags): Promise<Finding[]> {
  const team = await teamOf(output, flags);
  const door = doorOf(flags);
  const known = knownProgram(flags.program, flags.bundle);
  let port: string;
  try {
    port = await resolveBadge(flags.badge);
  } catch (cause) {
    if (cause instanceof ToolError && cause.exitCode === ExitCode.Badge) return [await noBadge()];
    throw cause;
  }
  const onProgress = (doing: string) => output.progress(`${doing}...`);
  return await examine({ port, settings: flags.settings, known, team, door, onProgress });
}

async function teamOf(output: Output, flags: Flags): Promise<Team | undefined> {
  const { vault, identity, passphraseFd } = flags;
  if (vault === undefined) {
    if (identity !== undefined)
      throw new ToolError(
        ExitCode.Usage,
        "--identity opens a vault's entry; name the vault too, with --vault.",
      );
    return undefined;
  }
  const path = identity ?? defaultIdentityPath(process.env);
  const known = identity !== undefined || existsSync(path);
  const identities = known ? await identitiesOf({ identity: path, passphraseFd }) : undefined;
  return { vault: openVault(output, { vault }), folder: vault, identities };
}

function doorOf({ relayDoor, tokenFile }: Flags): RelayDoor | undefined {
  if ((relayDoor === undefined) !== (tokenFile === undefined))
    throw new ToolError(ExitCode.Usage, "--relay-door and --token-file belong together; name both.");
  if (relayDoor === undefined || tokenFile === undefined) return undefined;
  return new RelayDoor({ relay: relayDoor, token: readToken(tokenFile) });
}

function linesOf({ colors }: Output, { check, verdict, says, todo, commands }: Finding): string[] {
  const paint: Record<Verdict, (text: string) => string> = {
    ok: colors.green,
    warning: colors.yellow,
    failed: colors.red,
    skipped: colors.dim,
  };
  const end = todo === undefined ? "" : `: ${todo}`;
  const line = `${paint[verdict](verdict.padEnd(VERDICT_WIDTH))} ${check.padEnd(CHECK_WIDTH)} ${says}${end}`;
  return [line, ...(commands ?? []).map((command) => `${" ".repeat(VERDICT_WIDTH + 1)}${command}`)];
}
