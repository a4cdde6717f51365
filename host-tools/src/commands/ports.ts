// `salestag ports`: what is plugged in, and how it is.
import type { Command } from "commander";
import type { Observation } from "../usb/observe";
import { listPorts, type PortInfo, placesHere } from "../usb/port-list";
import { type BadgeState, type ProbedPort, probePorts } from "../usb/probe";
import { jsonOr, type Output } from "./output";

interface Flags {
  all: boolean;
  json: boolean;
}

const HELP = `
Nothing is disturbed: a badge that records goes on. docs/ports.md says what each state means and what to do.
Links in the folders of the environment variable SALESTAG_PORTS count as badges: emulated ones are found so.

Examples:
  salestag ports
  salestag ports --all --json
  SALESTAG_PORTS=ports salestag ports      # with 'rig badge --state badge1 --link ports/badge1'`;

const STATE_WIDTH = 14;
const ID_WIDTH = 16;
/** Longest path that leaves 80 columns for the rest of its line. */
const PATH_WIDTH_MAX = 28;

export function addPorts(parent: Command, output: Output): void {
  parent
    .command("ports")
    .description("List the badges that are plugged in, and how they are.")
    .option("--all", "serial ports that are no badges too", false)
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP)
    .action(async ({ all, json }: Flags) => {
      const places = placesHere();
      const ports = (await listPorts(places)).filter(({ kind }) => all || kind !== "other");
      output.progress(sayDone(0, ports.length));
      const probed = await probePorts(ports, (done, total) => output.progress(sayDone(done, total)));
      output.progress("");
      if (ports.length === 0) output.notice(nothingThere(all, places.linkFolders));
      jsonOr(output, json, probed.map(jsonOf), table(output, probed));
    });
}

function sayDone(done: number, total: number): string {
  return done === total ? "" : `asking the badges: ${done} of ${total} have answered`;
}

function nothingThere(all: boolean, folders: string[]): string {
  const what = all ? "serial port" : "badge";
  const where = folders.length === 0 ? "" : `, and there is none in ${folders.join(", ")}`;
  return `no ${what} is plugged in${where}; a badge has to be switched on, and some cables carry no data.`;
}

function jsonOf({ port, state, seen, user, note }: ProbedPort) {
  const { identity: _, path, kind, ...usb } = port;
  return {
    port: path,
    kind,
    ...usb,
    state,
    deviceId: seen?.deviceId,
    badge: seen?.health?.badge,
    program: programOf(seen?.program),
    runtimeVersion: seen?.runtimeVersion,
    usedBy: user,
    note,
  };
}

function programOf(program: Observation["program"]) {
  if (program === undefined || program.sizeBytes === 0) return undefined;
  const { name, version, sizeBytes } = program;
  return { name, version, sizeBytes };
}

/** Two lines for each port: what it is, and below it what runs there. */
function table(output: Output, probed: ProbedPort[]): string[] {
  if (probed.length === 0) return [];
  const { colors } = output;
  const paths = probed.map(({ port }) => port.path.length).filter((length) => length <= PATH_WIDTH_MAX);
  const width = Math.max("PORT".length, ...paths);
  const row = (path: string, state: string, badge: string, hardware: string) =>
    `${path.padEnd(width)}  ${state}  ${badge.padEnd(ID_WIDTH)}  ${hardware}`.trimEnd();
  const head = colors.bold(row("PORT", "STATE".padEnd(STATE_WIDTH), "BADGE", "HARDWARE"));
  const lines = probed.flatMap((one) => {
    const { port, state, seen } = one;
    const shown = state === undefined ? "not a badge" : state;
    const word = paint(output, state)(shown.padEnd(STATE_WIDTH));
    const fits = port.path.length <= width;
    const first = row(fits ? port.path : "", word, seen?.health?.badge ?? "", seen?.deviceId ?? "");
    const detail = detailOf(one);
    return [
      ...(fits ? [] : [port.path]),
      first,
      ...(detail === "" ? [] : [`${" ".repeat(width + 2)}${colors.dim(detail)}`]),
    ];
  });
  return [head, ...lines];
}

function detailOf({ port, seen, user, note }: ProbedPort): string {
  const { name, version } = seen?.program ?? { name: "", version: "" };
  const runs = name === "" ? [] : [`program ${shortName(name)} ${version}`.trimEnd()];
  const runtime = seen?.runtimeVersion === undefined ? [] : [`runtime ${seen.runtimeVersion}`];
  const used = user === undefined ? [] : [`by ${user.name} (process ${user.pid})`];
  const usb = seen === undefined && user === undefined ? [usbText(port)].filter((text) => text !== "") : [];
  return [...runs, ...runtime, ...used, ...usb, ...(note === undefined ? [] : [note])].join(", ");
}

/** `@salestag/firmware` is what is expected, and long. */
function shortName(name: string): string {
  return name.replace(/^@salestag\//, "");
}

function usbText({ manufacturer, product, vendorId, productId }: PortInfo): string {
  const ids = vendorId === undefined ? "" : `USB ${vendorId}:${productId ?? "?"}`;
  return [manufacturer, product, ids].filter((text) => text !== undefined && text !== "").join(" ");
}

function paint({ colors }: Output, state: BadgeState | undefined): (text: string) => string {
  if (state === undefined) return colors.dim;
  if (state === "ready") return colors.green;
  const people: BadgeState[] = ["no relay", "unprovisioned", "stopped", "in use", "bootloader", "no program"];
  return people.includes(state) ? colors.yellow : colors.red;
}
