// `salestag provision`: makes a badge the team's own, and proves that it works.
import { randomBytes } from "node:crypto";
import { ExitCode, ToolError } from "@salestag/protocol/team";
import type { Command } from "commander";
import { listenForInterrupt } from "../interrupt";
import { spelledOut } from "../phrases/advice";
import { checkPlan } from "../provision/badge";
import { type ReadyBadge, readyBadge } from "../provision/one";
import { BadgePort } from "../usb/badge-port";
import { resolveBadge } from "../usb/resolve-badge";
import { jsonOr, type Output } from "./output";
import { addSharedOptions, planOf, relaySideOf, SHARED_HELP, type SharedFlags } from "./provision-options";
import { openVault } from "./team";
import { badgeOption } from "./values";

interface Flags extends SharedFlags {
  badge?: string;
  label: string;
  force: boolean;
  ask: boolean;
}

const HELP = `${SHARED_HELP}

Examples:
  salestag provision --ask --vault ~/salestag-vault --relay tls://relay.example:7789 \\
                     --relay-door https://relay.example/door --token-file admin.token
  salestag provision --vault ~/salestag-vault --registry registry.json --relay tcp://127.0.0.1:7788 --delivered out \\
                     --label 'Kim' --wifi Office --wifi-password-file wifi.txt --policy verbal`;

export function addProvision(parent: Command, output: Output): void {
  const command = parent
    .command("provision")
    .description(
      "Make a badge the team's own: Wi-Fi, settings, new keys, the relay; then prove that it works.",
    )
    .addOption(badgeOption())
    .option("--label <name>", "whose badge it is", "")
    .option("--ask", "ask on the terminal for what is not named", false)
    .option("--force", "give a provisioned badge new keys", false);
  addSharedOptions(command)
    .addHelpText("after", HELP)
    .action((flags: Flags) => run(flags, output));
}

async function run(flags: Flags, output: Output): Promise<void> {
  let plan = planOf(flags, flags.label);
  if (plan.label !== "") checkPlan(plan);
  if (flags.ask && process.stdin.isTTY !== true)
    throw new ToolError(ExitCode.Usage, "--ask needs a terminal; name everything with flags instead.");
  const vault = openVault(output, flags);
  const relay = relaySideOf(flags);
  const { signal, end } = listenForInterrupt(output.notice);
  for (const phrase of plan.phrases ?? [])
    output.notice(`"${phrase.text}"  ${spelledOut(phrase).join("  or  ")}`);
  const port = await BadgePort.open(await resolveBadge(flags.badge));
  try {
    if (flags.ask) plan = await (await import("../provision/ask")).askForPlan(port.client, plan, signal);
    const { registration, arrivalsOf } = relay;
    const { check, force } = flags;
    const onStep = (step: string) => output.notice(`${step} ...`);
    const made = { port, plan, vault, registration, arrivalsOf, check, force, signal, onStep };
    const startMs = performance.now();
    const ready = await readyBadge({ ...made, random: randomBytes, nowMs: Date.now });
    tell(output, flags, plan.label, ready, (performance.now() - startMs) / 1000, plan.phrases?.length);
  } finally {
    end();
    await port.close();
  }
}

function tell(
  output: Output,
  { json, relay, check }: Flags,
  label: string,
  ready: ReadyBadge,
  seconds: number,
  phrases: number | undefined,
): void {
  const { badge, deviceId, wifiDbm, proved, openedMs } = ready;
  const proof =
    openedMs === undefined
      ? "it reaches the relay"
      : `${openedMs / 1000} s of sound recorded, uploaded and opened`;
  jsonOr(output, json, { badge, deviceId, relay, label, phrases, wifiDbm, proved, openedMs }, [
    `badge     ${badge}`,
    `hardware  ${deviceId}`,
    `relay     ${relay}`,
    ...(wifiDbm === undefined ? [] : [`Wi-Fi     ${wifiDbm} dBm`]),
    ...(phrases === undefined ? [] : [`phrases   ${phrases}`]),
    `${proved ? `proved    ${proof}` : "proved    no (--no-check)"}, ${seconds.toFixed(1)} s`,
  ]);
  if (check && openedMs === undefined)
    output.notice("Nothing could be opened here: name --delivered or --relay-door to have it proved.");
}
