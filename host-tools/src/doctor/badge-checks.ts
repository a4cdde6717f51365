// What the doctor reads out of a look at a badge: runtime, program, storage, sound, load, battery, relay, clock. Pure: no badge is asked here.
import { ErrorCode } from "@salestag/protocol/host";
import { VOICE_FRONT_END_CLASS } from "../monitor/front-end";
import type { Observation } from "../usb/observe";
import { type Finding, failed, ok, skipped, warning } from "./finding";

/** Runtime that the badge program is built for. */
export const RUNTIME_VERSION = "2.16.4";

/** A program to compare the badge's with. */
export interface KnownProgram {
  /** Where it is, for people: a path. */
  from: string;
  /** 64 hexadecimal digits. */
  sha256: string;
  /** As its build named it. */
  version: string;
}

const FRAMES_PER_S = 50;
/** Lost sound beyond this share of the time since the start is told. */
const LOST_SHARE_MAX = 0.001;
/** What is due comes this late on a badge that has more to do than it can, ms. */
const LATE_MS_MAX = 500;
const FULL_SHARE = 0.9;
const BATTERY_LOW_PERCENT = 15;
const UNHANDLED_EXCEPTION = 60005;

/** @returns all of them, in the order in which they are shown */
export function checkBadge(seen: Observation, known: KnownProgram | undefined): Finding[] {
  return [
    checkRuntime(seen),
    checkProgram(seen, known),
    checkRunning(seen),
    checkProvisioned(seen),
    checkStorage(seen),
    checkSound(seen),
    checkLoad(seen),
    checkBattery(seen),
    checkLink(seen),
    checkClock(seen),
  ];
}

function checkRuntime({ deviceId, runtimeVersion }: Observation): Finding {
  const check = "runtime";
  if (deviceId === undefined)
    return failed(
      check,
      "nothing at the port speaks as a badge does",
      "unplug the badge and plug it in again; if that does not help, put the runtime on it with 'salestag flash'",
    );
  if (runtimeVersion === undefined)
    return warning(check, `${deviceId} does not tell its version`, "ask again; the cable may be bad");
  if (runtimeVersion !== RUNTIME_VERSION)
    return warning(
      check,
      `${deviceId} has ${runtimeVersion}, the badge program is built for ${RUNTIME_VERSION}`,
      "put that one on it with 'salestag flash'",
    );
  return ok(check, `${deviceId} answers, version ${runtimeVersion}`);
}

function checkProgram({ program }: Observation, known: KnownProgram | undefined): Finding {
  const check = "program";
  if (program === undefined) return noRuntime(check);
  if (program.sizeBytes === 0) return failed(check, "there is none", "put it on with 'salestag deploy'");
  const what = `${program.name} ${program.version}`.trim();
  if (known === undefined) return ok(check, `${what} (none was built here that it could be compared with)`);
  if (program.sha256 === known.sha256) return ok(check, `${what}, the one in ${known.from}`);
  return warning(
    check,
    `${what} is not the one in ${known.from}, ${known.version}`,
    "put that one on with 'salestag deploy', unless the badge is ahead of it",
  );
}

function checkRunning(seen: Observation): Finding {
  const check = "running";
  const { program, running, autostart, panics, starts, said, health } = seen;
  if (program === undefined && said === undefined) return noRuntime(check);
  if (program?.sizeBytes === 0) return skipped(check, "there is no program", "put it on first");
  if (panics.length > 0 || (running === false && autostart === true)) return failing(check, seen);
  if (running === false)
    return failed(
      check,
      "the program is stopped: nothing is recorded",
      "unplug the badge and plug it in again; it then starts by itself",
    );
  if (seen.wasStopped)
    return warning(check, "it was stopped; reading its settings started it again", "find out who stopped it");
  if (starts > 0)
    return warning(
      check,
      "the program started again while it was watched",
      "ask again, and look whether it stays up",
    );
  if (said === undefined)
    return failed(
      check,
      `the program runs and does not say how it is${seen.warnings.length > 0 ? `; it warned: ${seen.warnings.at(-1)}` : ""}`,
      "see the next lines; if they say nothing, put the program on anew with 'salestag deploy --force'",
    );
  return ok(check, health === undefined ? "it runs" : `for ${durationOf(health.upS)}`);
}

function failing(check: string, { panics, warnings }: Observation): Finding {
  const codes = [...new Set(panics)].map((code) =>
    code === UNHANDLED_EXCEPTION ? `code ${code}: an unhandled exception` : `code ${code}`,
  );
  const said = warnings.length > 0 ? `; it said: ${warnings.slice(-3).join("; ")}` : "";
  const often = panics.length > 1 ? `${panics.length} times` : "while it was watched";
  return failed(
    check,
    codes.length > 0
      ? `the program panicked ${often} (${codes.join(", ")})${said}`
      : "the program is down after a panic, and the runtime will start it again",
    "put the program on anew with 'salestag deploy --force'; if it fails again, look at its settings with 'salestag doctor --settings'",
  );
}

function checkProvisioned(seen: Observation): Finding {
  const check = "provisioned";
  const { said, health } = seen;
  if (said === "unprovisioned")
    return failed(check, "it has no keys and records nothing", "run 'salestag provision'");
  if (health === undefined) return untold(check, seen);
  return ok(check, `badge ${health.badge}`);
}

function checkStorage(seen: Observation): Finding {
  const check = "storage";
  const { said, health } = seen;
  if (said === "nochip")
    return failed(
      check,
      "no flash chip answers on the badge, and nothing can be recorded",
      "unplug it and plug it in again; if that does not help, have it repaired",
    );
  if (health === undefined) return untold(check, seen);
  const { usedKb, sizeKb, storageFailed } = health;
  if (storageFailed)
    return failed(check, "the flash chip fails", "let it upload what it has, then have it repaired");
  const room = `${sizeOf(usedKb)} of ${sizeOf(sizeKb)} in use`;
  if (usedKb > FULL_SHARE * sizeKb)
    return warning(check, room, "bring it where it reaches its relay, and leave it on until it has uploaded");
  return ok(check, room);
}

function checkSound(seen: Observation): Finding {
  const check = "sound";
  const { firstHealth, health, serviceClasses } = seen;
  if (firstHealth === undefined || health === undefined) return untold(check, seen);
  if (!serviceClasses.has(VOICE_FRONT_END_CLASS))
    return warning(
      check,
      "no microphone shows up at the badge",
      "unplug it and plug it in again; if that does not help, have it repaired",
    );
  const now = health.lostFrames - firstHealth.lostFrames;
  const share = health.lostFrames / Math.max(1, health.upS * FRAMES_PER_S);
  if (now <= 0 && share <= LOST_SHARE_MAX)
    return ok(check, `${health.lostFrames} frames of 20 ms lost since it started`);
  return warning(
    check,
    `${health.lostFrames} frames of 20 ms lost since it started, ${Math.max(0, now)} of them while it was watched`,
    "end other programs that talk to the badge; if it goes on, have the microphone's connection looked at",
  );
}

function checkLoad(seen: Observation): Finding {
  const check = "load";
  const { health, lateMsMax } = seen;
  if (health === undefined) return untold(check, seen);
  const says = `what was due came ${lateMsMax} ms late at worst`;
  if (lateMsMax <= LATE_MS_MAX) return ok(check, says);
  return warning(check, says, "give it fewer key phrases ('salestag phrases remove', then 'write')");
}

function checkBattery(seen: Observation): Finding {
  const check = "battery";
  const { health } = seen;
  if (health === undefined) return untold(check, seen);
  const { batteryPercent } = health;
  if (batteryPercent < 0)
    return skipped(check, "nothing on this badge tells its charge", "look at its light");
  if (batteryPercent < BATTERY_LOW_PERCENT)
    return warning(check, `${batteryPercent}% charged`, "leave it at the cable");
  return ok(check, `${batteryPercent}% charged`);
}

function checkLink(seen: Observation): Finding {
  const check = "relay";
  const { health, relay, down } = seen;
  if (health === undefined) return untold(check, seen);
  const where = relay === undefined ? "" : ` at ${relay}`;
  if (health.online) return ok(check, `reached${where}`);
  if (down === undefined)
    return failed(
      check,
      `not reached${where}; why was not said while it was watched, as it tries once a minute at least`,
      "ask again in a minute, or with --settings, which makes it try at once",
    );
  return failed(check, `not reached${where} (${down})`, todoFor(down));
}

/** What is to be done about the badge's own words for why it is not connected, the first that fits. */
const TODOS: [RegExp, string][] = [
  [
    new RegExp(`^refused ${ErrorCode.UnknownBadge}:`),
    "the relay does not know this badge: add it at the relay's door, or provision it with the relay's registry",
  ],
  [
    new RegExp(`^refused ${ErrorCode.BadProof}:|^relay-not-proved`),
    "badge and relay have different keys, or it is another relay: provision the badge again with this relay's registry",
  ],
  [new RegExp(`^refused ${ErrorCode.Version}:`), "update the older of badge and relay"],
  [new RegExp(`^refused ${ErrorCode.Unavailable}:`), "the relay has no room: look at its log and its disk"],
  [
    new RegExp(`^refused ${ErrorCode.Replaced}:`),
    "another badge has the same keys: provision this one again",
  ],
  [/REFUSED|UNREACH|TIMEDOUT/i, "start the relay there, or provision the badge with the right address"],
  [/NOTFOUND|EAI_AGAIN|dns/i, "the name has no address: check the relay's name, and the network's DNS"],
  [/certificate|tls|ssl/i, "check the relay's certificate, and that its name is the one in it"],
  [/no network/i, "the badge is in no network: see the line on Wi-Fi"],
  [/^bye/i, "the relay ended the connection: look at its log"],
];

function todoFor(down: string): string {
  return TODOS.find(([words]) => words.test(down))?.[1] ?? "check the network, and the relay's address";
}

/** The badge has its clock from the relay alone. */
function checkClock(seen: Observation): Finding {
  const check = "time";
  const { health } = seen;
  if (health === undefined) return untold(check, seen);
  if (health.online) return ok(check, "set by the relay, which it has reached since it started");
  return warning(
    check,
    "it has no relay now that tells it; whether it had one since it started is not known here",
    "bring it to its relay once: recordings from before get their time then, as long as it stays switched on",
  );
}

/** The program alone tells it. */
function untold(check: string, { said }: Observation): Finding {
  return said === "unprovisioned"
    ? skipped(check, "told by a badge that has keys", "provision it first")
    : skipped(check, "the badge does not tell it now", "mend what is above first");
}

function noRuntime(check: string): Finding {
  return skipped(check, "the runtime does not answer", "mend that first");
}

function durationOf(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} minutes`;
  return `${Math.floor(seconds / 3600)} hours`;
}

function sizeOf(kb: number): string {
  return kb < 1024 ? `${kb} KB` : `${(kb / 1024).toFixed(1)} MB`;
}
