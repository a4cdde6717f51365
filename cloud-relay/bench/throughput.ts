// Acked chunks a second and ack latency: the relay and two brokers, each alone on the machine for some seconds, in turn, in rounds.
// Every run gets a new server and an empty folder.
import { type LoadResult, runLoad } from "./job";
import type { Span } from "./meter";
import { startMosquitto } from "./mosquitto";
import { startNats } from "./nats";
import { startRelay } from "./ours";
import { findProgram, type Server, versionOf } from "./server";
import { CONNECTIONS, type TargetSpec } from "./target";
import { inFolder, say } from "./workplace";

/** One server in one way of using it. */
export interface Contender {
  key: string;
  /** Server and way of publishing, for the table. */
  title: string;
  /** Chunks in flight, all connections together. */
  inFlight: number;
  /** What an ack of it means. */
  ackMeans: string;
  start(folder: string): Promise<{ server: Server; target: TargetSpec; inFlight: number }>;
}

const SYNCED = "on disk, synced";
const PAGE_CACHE = "in the page cache";
const IN_RAM = "in RAM";
/** With this the devices have as much in flight as NATS at its highest. */
const MOSQUITTO_IN_FLIGHT = 5;

function relay(tls: boolean, inFlight: number, launcher?: string): Contender {
  const scheme = tls ? "TLS" : "TCP";
  return {
    key: `relay-${scheme.toLowerCase()}-${inFlight}`,
    title: `relay, ${scheme}, ${CONNECTIONS} badges x ${inFlight}`,
    inFlight: CONNECTIONS * inFlight,
    ackMeans: SYNCED,
    async start(folder) {
      const { server, ...rest } = await startRelay(folder, { tls, badges: CONNECTIONS, launcher });
      const { address, ca, registry } = rest;
      return { server, inFlight, target: { kind: "relay", address, ca, registry, connections: CONNECTIONS } };
    },
  };
}

function nats(program: string, api: "raw" | "publish", inFlight: number): Contender {
  return {
    key: `nats-${api}-${inFlight}`,
    title: `NATS JetStream, file, ${api === "raw" ? "own ack inbox" : "js.publish"}`,
    inFlight,
    ackMeans: PAGE_CACHE,
    async start(folder) {
      const { server, port } = await startNats(program, folder);
      return { server, inFlight, target: { kind: "nats", port, api } };
    },
  };
}

function mosquitto(program: string, autosaveS: number | undefined): Contender {
  return {
    key: `mosquitto-${autosaveS ?? "default"}`,
    title: `mosquitto QoS 1, autosave ${autosaveS === undefined ? "30 min (default)" : `${autosaveS} s`}`,
    inFlight: CONNECTIONS * MOSQUITTO_IN_FLIGHT,
    ackMeans: IN_RAM,
    async start(folder) {
      const { server, port } = await startMosquitto(program, folder, autosaveS);
      const target = { kind: "mosquitto", port, connections: CONNECTIONS } as const;
      return { server, inFlight: MOSQUITTO_IN_FLIGHT, target };
    },
  };
}

/** @param launcher of another checkout's relay, to compare with @returns the relay's ways: TLS and TCP, full window and 1 in flight */
export function relayContenders(launcher?: string): Contender[] {
  return [true, false].flatMap((tls) => [8, 1].map((inFlight) => relay(tls, inFlight, launcher)));
}

/** Who takes part. */
export interface Field {
  able: Contender[];
  /** Sentences on what to know of the servers when reading their figures. */
  remarks: string[];
  /** A sentence for each server that is not installed. */
  skipped: string[];
}

/** @returns the relay, and the brokers that this machine has */
export function contenders(): Field {
  const field: Field = {
    able: relayContenders(),
    remarks: ["Only the relay syncs before it acks."],
    skipped: [],
  };
  const natsServer = findProgram("nats-server");
  if (natsServer === undefined) field.skipped.push(missing("NATS", "nats-server"));
  else {
    for (const api of ["raw", "publish"] as const)
      for (const inFlight of [200, 1000]) field.able.push(nats(natsServer, api, inFlight));
    field.remarks.push(natsRemark(versionOf(natsServer, ["--version"])));
  }
  const broker = findProgram("mosquitto");
  if (broker === undefined) field.skipped.push(missing("mosquitto", "mosquitto"));
  else {
    field.able.push(mosquitto(broker, undefined), mosquitto(broker, 2));
    field.remarks.push(mosquittoRemark(versionOf(broker, ["-h"])));
  }
  return field;
}

function natsRemark(version: string): string {
  const [major, minor] = version.split(".").map(Number);
  const sync =
    major === 2 && minor < 10
      ? "has no `sync_interval` (2.10 brought it): it syncs every 2 minutes"
      : "is left at its default `sync_interval` of 2 minutes";
  return `NATS ${version} ${sync}, so its acks come from the page cache, which survives \`kill -9\` and no power cut. It gets one connection, which suits it better, and no TLS.`;
}

function mosquittoRemark(version: string): string {
  return `mosquitto ${version} acks from RAM and keeps the messages for a durable subscriber that is away; \`kill -9\` loses what came since the last autosave. No TLS either.`;
}

function missing(name: string, debianPackage: string): string {
  return `${name} is left out, as it is not installed: apt-get install ${debianPackage} (Debian) brings it.`;
}

/** Runs them in turn, so many rounds. @returns each one's results, one for each round */
export async function measureThroughput(
  list: readonly Contender[],
  { parent, rounds, span }: { parent: string; rounds: number; span: Span },
): Promise<Map<string, LoadResult[]>> {
  const results = new Map<string, LoadResult[]>(list.map(({ key }) => [key, []]));
  for (let round = 1; round <= rounds; round++)
    for (const contender of list) {
      const result = await inFolder(parent, (folder) => runOne(contender, folder, span));
      results.get(contender.key)?.push(result);
      const { chunksPerS, p50Ms, p99Ms } = result;
      const latency = `${p50Ms.toFixed(1)} / ${p99Ms.toFixed(1)} ms`;
      say(
        `round ${round} of ${rounds}: ${contender.key} ${chunksPerS.toFixed(0)} chunks/s, p50 / p99 ${latency}`,
      );
    }
  return results;
}

async function runOne(contender: Contender, folder: string, span: Span): Promise<LoadResult> {
  const { server, target, inFlight } = await contender.start(folder);
  try {
    return await runLoad({ target, serverPid: server.pid, load: { ...span, inFlight } });
  } finally {
    await server.stop("SIGKILL"); // its folder is removed anyway
  }
}
