// The doctor: looks at one badge and what belongs to it, and says of each thing whether it is well. It ends within about 10 s whatever is wrong.
import { clauseOf, ToolError } from "@salestag/protocol/team";
import { withSettings } from "../provision/settings";
import { BadgePort } from "../usb/badge-port";
import { PortError } from "../usb/byte-line";
import { nothingSeen, type Observation, observe } from "../usb/observe";
import { checkBadge, type KnownProgram } from "./badge-checks";
import { checkDoor, type Door } from "./door-check";
import { type Finding, failed, ok, skipped } from "./finding";
import { portRefused } from "./port-check";
import { checkSettings, readSettings, type StoredSettings } from "./settings-check";
import { checkKeys, checkVault, type Team } from "./team-checks";
import { checkWifi } from "./wifi-check";

export interface DoctorOptions {
  /** Port of the badge. */
  port: string;
  /** Read the settings too: stops the program for a moment, and with it a recording. */
  settings: boolean;
  /** Program to compare the badge's with. */
  known?: KnownProgram;
  team?: Team;
  door?: Door;
  /** Told what is being done, for people. */
  onProgress?: (doing: string) => void;
}

/** Longer than the pause after which the runtime starts a program again that panicked (5 s). */
const WATCH_MS = 6000;
/** Where settings are read: is the program stopped, or down after a panic, before it is stopped for them? */
const BEFORE_MS = 1000;
/** On a line that loses much, reading 40 settings could take minutes. */
const SETTINGS_MS_MAX = 4000;

/** @throws ToolError when `port` is no port */
export async function examine(asked: DoctorOptions): Promise<Finding[]> {
  const options = { ...asked, door: asked.door === undefined ? undefined : askedEarly(asked.door) };
  let badge: BadgePort;
  try {
    badge = await BadgePort.open(options.port);
  } catch (cause) {
    if (!(cause instanceof PortError)) throw cause;
    return [portRefused(options.port, cause), ...(await aroundBadge(options, nothingSeen(), undefined))];
  }
  try {
    return await examineOpen(options, badge);
  } finally {
    await badge.close();
  }
}

/** The relay answers while the badge is watched. */
function askedEarly(door: Door): Door {
  const listed = door.listBadges();
  listed.catch(() => undefined); // told by the check
  return { listBadges: () => listed };
}

async function examineOpen(options: DoctorOptions, badge: BadgePort): Promise<Finding[]> {
  const say = options.onProgress ?? (() => undefined);
  let before: Observation | undefined;
  let settings: { findings: Finding[]; stored?: StoredSettings } = { findings: [settingsSkipped()] };
  if (options.settings) {
    say("looking at the badge");
    before = await observe(badge, { forMs: BEFORE_MS, briefly: true });
    say("reading its settings");
    settings = before.deviceId === undefined ? { findings: [noRuntime()] } : await lookAtSettings(badge);
  }
  say(`watching the badge for ${WATCH_MS / 1000} s`);
  const watched = await observe(badge, { forMs: WATCH_MS });
  const seen = before === undefined ? watched : together(before, watched);
  if (seen.gone !== undefined) return [unplugged(options.port, seen.gone)];
  const wifi = await checkWifi(badge.client, seen.deviceId);
  return [
    ok(
      "port",
      `${options.port} opens${badge.losses > 0 ? `; ${badge.losses} pieces were lost on the line` : ""}`,
    ),
    ...checkBadge(seen, options.known),
    wifi,
    ...settings.findings,
    ...(await aroundBadge(options, seen, settings.stored)),
  ];
}

/** What a badge was before its program was stopped for the settings, and what it says after. */
function together(before: Observation, after: Observation): Observation {
  const failing = before.running === false && before.autostart === true;
  return {
    ...after,
    running: failing ? false : after.running,
    wasStopped: before.running === false && before.autostart === false,
    starts: Math.max(0, after.starts - 1),
    panics: [...before.panics, ...after.panics],
    warnings: [...before.warnings, ...after.warnings],
  };
}

async function lookAtSettings(badge: BadgePort): Promise<{ findings: Finding[]; stored?: StoredSettings }> {
  const giveUp = setTimeout(
    () => badge.client.interrupt(new Error("the line loses too much, or the badge hangs")),
    SETTINGS_MS_MAX,
  );
  try {
    const stored = await withSettings(badge.client, readSettings);
    return { findings: checkSettings(stored), stored };
  } catch (cause) {
    if (!(cause instanceof ToolError)) throw cause;
    const says = clauseOf(cause);
    return { findings: [failed("settings", says, "unplug the badge, plug it in again and ask again")] };
  } finally {
    clearTimeout(giveUp);
  }
}

function settingsSkipped(): Finding {
  return skipped(
    "settings",
    "they can be read only while the badge's program is stopped, which ends a recording",
    "add --settings when nobody wears it",
  );
}

function noRuntime(): Finding {
  return skipped("settings", "the runtime does not answer", "mend that first");
}

function unplugged(port: string, why: string): Finding {
  return failed(
    "port",
    `the badge at ${port} was unplugged while it was looked at (${why})`,
    "plug it in and ask again",
  );
}

/** What is not on the badge: the vault, the relay. */
async function aroundBadge(
  { team, door }: DoctorOptions,
  seen: Observation,
  stored: StoredSettings | undefined,
): Promise<Finding[]> {
  const badge = seen.health?.badge;
  const findings: Finding[] = [];
  if (team !== undefined) {
    findings.push(checkVault(team, badge));
    findings.push(await checkKeys(team, badge, seen.deviceId, stored));
  } else findings.push(skipped("vault", "none was named", "add --vault"));
  if (door !== undefined) findings.push(await checkDoor(door, badge, seen.health?.online));
  else findings.push(skipped("relay's door", "none was named", "add --relay-door and --token-file"));
  return findings;
}
