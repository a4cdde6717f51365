// Asks the technician on the terminal for what the flags do not say: whose badge, which of the networks that it hears, consent.
import input from "@inquirer/input";
import password from "@inquirer/password";
import select from "@inquirer/select";
import type { ConsentPolicy } from "@salestag/protocol";
import type { JacdacClient } from "@salestag/protocol/jacdac";
import { type BadgePlan, checkPlan } from "./badge";
import { findBadge } from "./settings";
import { checkNetwork, type HeardNetwork, scanNetworks, wifiOf } from "./wifi";

const KEEP = "";
const OTHER = "\0other";
const NETWORKS_MAX = 12;

/** @returns the plan, with what was answered. Rejects when the technician leaves with Ctrl-C, or the badge does not answer. */
export async function askForPlan(
  client: JacdacClient,
  plan: BadgePlan,
  signal: AbortSignal,
): Promise<BadgePlan> {
  const asked = { ...plan };
  const context = { signal, output: process.stderr };
  if (asked.label === "")
    asked.label = await input(
      { message: "Whose badge is it?", validate: (label) => valid(() => checkPlan({ ...plan, label })) },
      context,
    );
  asked.wifi ??= await askForNetwork(client, context);
  asked.consent ??= await askForConsent(context);
  return asked;
}

type Context = { signal: AbortSignal; output: NodeJS.WriteStream };

async function askForNetwork(client: JacdacClient, context: Context): Promise<BadgePlan["wifi"]> {
  const wifi = wifiOf(client, (await findBadge(client)).manager.deviceId);
  if (wifi === undefined) return undefined;
  const heard = await scanNetworks(client, wifi);
  const chosen = await select(
    {
      message: "Which Wi-Fi? (one password for all; 2.4 GHz)",
      choices: [
        ...heard.slice(0, NETWORKS_MAX).map((one) => ({ name: nameOf(one), value: one.ssid })),
        { name: "another, by its name", value: OTHER },
        { name: "the one that the badge has", value: KEEP },
      ],
    },
    context,
  );
  if (chosen === KEEP) return undefined;
  const ssid = chosen === OTHER ? await input({ message: "Name of the Wi-Fi" }, context) : chosen;
  const known = heard.find((one) => one.ssid === ssid);
  if (known !== undefined && !known.hasPassword) return { ssid, password: "" };
  const validate = (text: string) => valid(() => checkNetwork({ ssid, password: text }));
  return {
    ssid,
    password: await password({ message: `Password of '${ssid}'`, mask: "*", validate }, context),
  };
}

const nameOf = ({ ssid, rssiDbm, hasPassword }: HeardNetwork) =>
  `${ssid}  ${rssiDbm} dBm${hasPassword ? "" : ", open"}`;

async function askForConsent(context: Context): Promise<BadgePlan["consent"]> {
  const policy = await select<ConsentPolicy["policy"] | typeof KEEP>(
    {
      message: "Whose consent is needed? (which one the law asks for differs from place to place)",
      choices: [
        { name: "announce: light and tone tell everybody", value: "announce" },
        { name: "verbal: kept only after the wearer's double press or a consent phrase", value: "verbal" },
        { name: "off: nothing is recorded", value: "off" },
        { name: "as the badge has it", value: KEEP },
      ],
    },
    context,
  );
  if (policy === KEEP) return undefined;
  return policy === "verbal" ? { policy, withinMs: 60_000, yes: [], no: [] } : { policy };
}

/** @returns true, or the sentence of the error */
function valid(check: () => void): true | string {
  try {
    check();
    return true;
  } catch (cause) {
    return (cause as Error).message;
  }
}
