// How long a field tech's tool takes with one badge, from a blank chip to one that proved itself: the real `salestag`, real pseudo-terminals, an emulated
// bootloader and an emulated badge in real time. Prints the seconds of each step.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PluggedBadge } from "../e2e/plugged-badge";
import { SALESTAG, sample } from "../e2e/support";
import { newBadgeState } from "../src/badge-state";
import { startRelayWithDoor } from "../src/relay-with-door";
import { EmulatedBootloader } from "../src/rom/bootloader";
import { ChipPort } from "../src/rom/chip-port";
import { imageArguments, imagesFor, storeOf } from "../src/rom/flashing.fixture";
import { Site } from "../src/site";

const DEVICE_ID = "0102030405060708";
const OFFICE = { ssid: "Office", password: "correct horse", rssiDbm: -54, channel: 6 };

async function salestag(...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [SALESTAG, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`salestag ${args[0]} ended with ${code}: ${stderr}`);
}

const folder = mkdtempSync(join(tmpdir(), "salestag-technician-"));
const site = await Site.create(join(folder, "site"));
const { relay, doorUrl, tokenFile } = await startRelayWithDoor(site);
const [passwordFile, link] = ["wifi", "badge"].map((name) => join(folder, name));
writeFileSync(passwordFile, OFFICE.password, { mode: 0o600 });
const { frames } = await sample();
const images = imageArguments(folder, imagesFor());

const steps: [string, number][] = [];
async function timed<T>(what: string, work: Promise<T>): Promise<T> {
  const startMs = performance.now();
  const result = await work;
  steps.push([what, (performance.now() - startMs) / 1000]);
  return result;
}

const chip = new EmulatedBootloader();
const port = await ChipPort.plugIn(chip);
await timed(
  "flash: runtime, board and program into a blank chip",
  salestag("flash", "--port", port.path, ...images),
);
await port.unplug();
const state = { ...newBadgeState(DEVICE_ID), flash: Buffer.from(storeOf(chip)) };
const options = { deviceId: DEVICE_ID, link, frames, air: [OFFICE], state, program: "in flash" as const };
const badge = await timed("the badge starts with what was flashed", PluggedBadge.plugIn(options));
const team = ["--vault", site.vaultFolder, "--relay", relay.addresses[0], "--label", "Kim"];
const door = ["--relay-door", doorUrl, "--token-file", tokenFile];
const wifi = ["--wifi", OFFICE.ssid, "--wifi-password-file", passwordFile];
await timed(
  "provision: Wi-Fi, settings, keys, relay; two seconds recorded, uploaded, opened",
  salestag("provision", "--badge", badge.port, ...team, ...door, ...wifi),
);
await badge.putAway();
await relay.close();

console.log("| step | seconds |\n|---|---|");
for (const [what, seconds] of steps) console.log(`| ${what} | ${seconds.toFixed(1)} |`);
const sum = steps.reduce((total, [, seconds]) => total + seconds, 0);
console.log(`| **from blank to proven** (goal: under 20) | **${sum.toFixed(1)}** |`);
process.exit(0);
