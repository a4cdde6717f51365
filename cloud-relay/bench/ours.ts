// Our relay: started as an operator does, and badges that send it chunks.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  decodeAck,
  encodeNumber,
  FRAME_PAYLOAD_BYTES_MAX,
  FrameSplitter,
  FrameType,
  readRegistry,
} from "@salestag/protocol/host";
import { generate } from "selfsigned";
import { BadgeClient } from "../src/testing/badge-client";
import type { Send } from "./meter";
import { Server } from "./server";
import { CHUNK_BYTES, fail, type Target, type TargetSpec } from "./target";

/** Where the command line of this checkout's relay is. */
export const LAUNCHER = fileURLToPath(new URL("../bin/salestag-relay.mjs", import.meta.url));

/** Without a sign of life the relay ends a connection after 90 s. */
const PING_MS = 30_000;
/** Handshakes that the load generator has under way at once. */
const CONNECTING_MAX = 50;
const EPOCH = 1;

/** On SIGUSR2 the relay collects its garbage and says so; loaded before it, as the relay itself has no such door. */
const COLLECT_ON_SIGNAL = `data:text/javascript,${encodeURIComponent(
  'process.on("SIGUSR2", () => { gc(); setImmediate(() => { gc(); process.stderr.write("collected\\n"); }); });',
)}`;

/** A relay that runs, and how to reach it. */
export interface RunningRelay {
  server: Server;
  address: string;
  /** Certificate to trust, PEM; only for TLS. */
  ca: string | undefined;
  registry: string;
}

/** What a relay is started with. */
export interface RelayStart {
  tls: boolean;
  /** Badges that its registry gets. */
  badges: number;
  launcher?: string;
}

/** Starts a relay with its files in a folder. */
export async function startRelay(
  folder: string,
  { tls, badges, launcher }: RelayStart,
): Promise<RunningRelay> {
  const registry = join(folder, "registry.json");
  writeRegistry(registry, badges);
  const certificate = tls ? await makeCertificate(folder) : { ca: undefined, lines: [] };
  const config = join(folder, "relay.yaml");
  const lines = [
    `listen: ["${tls ? "tls" : "tcp"}://127.0.0.1:0"]`,
    ...certificate.lines,
    `registry: ${registry}`,
    `spool: {folder: ${join(folder, "spool")}}`,
    // All badges of the benchmark come from one address.
    "limits: {connectionsPerAddress: 20000, unproven: 20000}",
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const args = ["--config", config];
  const node = ["--expose-gc", "--import", COLLECT_ON_SIGNAL, launcher ?? LAUNCHER];
  const [server, [, address]] = await Server.start(
    process.execPath,
    [...node, ...args],
    /^listening on (\S+)/,
  );
  return { server, address, ca: certificate.ca, registry };
}

/** Has the relay collect its garbage and waits until it has. */
export async function collectGarbage(server: Server): Promise<void> {
  const collected = server.line(/^collected$/);
  server.signal("SIGUSR2");
  await collected;
}

/** `addBadge` writes and syncs the file for each badge, which takes minutes for thousands. */
function writeRegistry(path: string, count: number): void {
  const badges: Record<string, unknown> = {};
  for (let i = 0; i < count; i++)
    badges[badgeName(i)] = { authKey: randomBytes(32).toString("hex"), label: "bench", addedMs: 1 };
  writeFileSync(path, JSON.stringify({ version: 1, badges }), { mode: 0o600 });
}

/** @returns id of the badge with this number */
export function badgeName(number: number): string {
  return number.toString(16).padStart(16, "0");
}

async function makeCertificate(folder: string): Promise<{ ca: string; lines: string[] }> {
  const { cert, private: key } = await generate([{ name: "commonName", value: "bench" }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
  });
  const [certPath, keyPath] = [join(folder, "relay.crt"), join(folder, "relay.key")];
  writeFileSync(certPath, cert);
  writeFileSync(keyPath, key, { mode: 0o600 });
  return { ca: cert, lines: [`tls: {cert: ${certPath}, key: ${keyPath}}`] };
}

/** Connects badges to a relay: one lane for each. */
export async function connectBadges(spec: TargetSpec & { kind: "relay" }): Promise<Target> {
  const badges = [...readRegistry(spec.registry)].slice(0, spec.connections);
  const lanes: BadgeLane[] = [];
  for (let at = 0; at < badges.length; at += CONNECTING_MAX) {
    const some = badges.slice(at, at + CONNECTING_MAX);
    lanes.push(...(await Promise.all(some.map(([badge, { authKey }]) => connectOne(spec, badge, authKey)))));
  }
  const pings = setInterval(() => {
    for (const lane of lanes) lane.ping();
  }, PING_MS);
  return {
    lanes: lanes.map(
      (lane): Send =>
        (acked) =>
          lane.send(acked),
    ),
    close: async () => {
      clearInterval(pings);
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}

async function connectOne({ address, ca }: TargetSpec & { kind: "relay" }, badge: string, authKey: Buffer) {
  const badgeId = Buffer.from(badge, "hex");
  return new BadgeLane(await BadgeClient.connect({ address, ca, badgeId, authKey }));
}

/** A badge that is welcome. It reads for itself from here on: the client for tests keeps all that it ever received. */
class BadgeLane {
  private readonly splitter = new FrameSplitter(FRAME_PAYLOAD_BYTES_MAX);
  private readonly waiting: (() => void)[] = [];
  private readonly sealed = randomBytes(CHUNK_BYTES);
  private sent = 0;
  private closing = false;

  constructor(private readonly client: BadgeClient) {
    const { socket } = client.connection;
    socket.removeAllListeners("data");
    socket.on("data", (bytes: Buffer) => this.splitter.push(bytes, (payload) => this.take(payload)));
    socket.on("close", () => {
      if (!this.closing) fail(`the relay closed the connection of badge ${client.badgeId.toString("hex")}`);
    });
  }

  send(acked: () => void): void {
    const { window } = this.client.welcome;
    if (this.waiting.length >= window) fail(`the relay grants ${window} chunks in flight, one more was sent`);
    this.waiting.push(acked);
    this.client.sendChunk(EPOCH, this.sent++, this.sealed);
  }

  ping(): void {
    this.client.send(FrameType.Ping, encodeNumber(0));
  }

  async close(): Promise<void> {
    this.closing = true;
    await this.client.close();
  }

  private take(payload: Buffer): void {
    const { type, body } = this.client.session.open(payload);
    if (type === FrameType.Pong) return;
    if (type !== FrameType.Ack) fail(`an ack was expected, frame type ${type} came`);
    const { nextIndex } = decodeAck(body);
    let acked = nextIndex - (this.sent - this.waiting.length);
    for (; acked > 0; acked--) this.waiting.shift()?.();
  }
}
