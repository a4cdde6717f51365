// The memory as a process of its own, as an operator runs it: configured by files, fed over its webhook, killed at will.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type ChunkRecord, encodeRecord } from "@salestag/protocol/host";
import { Webhook } from "standardwebhooks";
import { stringify } from "yaml";
import type { TestTeam } from "./team";

const PROGRAM = fileURLToPath(new URL("../../bin/salestag-memory.mjs", import.meta.url));

export class MemoryProcess {
  readonly data: string;
  readonly relayFolder: string;
  readonly config: string;
  readonly secret = `whsec_${randomBytes(32).toString("base64")}`;
  /** What it wrote to its log, all starts together. */
  log = "";
  private child: ChildProcess | undefined;
  private url = "";

  /** @param folder gets the configuration and everything that it names */
  constructor(folder: string, team: TestTeam, more: object = {}) {
    this.data = join(folder, "data");
    this.relayFolder = join(folder, "relay");
    this.config = join(folder, "memory.yaml");
    const file = (name: string, content: string) =>
      writeFileSync(join(folder, name), content, { mode: 0o600 });
    file("hook.key", this.secret);
    file("jwt.key", randomBytes(32).toString("base64"));
    const settings = {
      ...{ data: "data", vault: team.vaultFolder, identity: team.identity, team: "Sunny Roofs" },
      ingest: { webhook: { secretFiles: ["hook.key"] }, folder: "relay" },
      api: { listen: "127.0.0.1:0", jwt: { secretFile: "jwt.key" } },
      ...more,
    };
    writeFileSync(this.config, stringify(settings));
  }

  /** Starts it, and waits until it listens. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [PROGRAM, "--config", this.config], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    child.stderr.on("data", (text) => {
      this.log += text;
    });
    this.url = await new Promise<string>((resolve, reject) => {
      child.on("close", (code) => reject(new Error(`the memory ended with ${code}: ${this.log}`)));
      createInterface({ input: child.stdout }).on("line", (line) => {
        const found = /^listening on (\S+)$/.exec(line);
        if (found !== null) resolve(found[1]);
      });
    });
  }

  /** Ends it as `kill -9` does. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null) return;
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
  }

  /** Ends it in order. @returns its exit code */
  async stop(): Promise<number | null> {
    const { child } = this;
    if (child === undefined) return null;
    const closed = once(child, "close");
    child.kill("SIGTERM");
    await closed;
    return child.exitCode;
  }

  /** Runs one command. */
  command(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(process.execPath, [PROGRAM, "--config", this.config, ...args], { encoding: "utf8" });
  }

  /** Posts chunks as a relay does. @returns the status; undefined where nobody answered */
  async post(records: ChunkRecord[], nowMs: number): Promise<number | undefined> {
    const body = JSON.stringify(records.map(eventOf));
    const time = new Date(nowMs);
    const headers = {
      "content-type": "application/cloudevents-batch+json",
      "webhook-id": "test",
      "webhook-timestamp": String(Math.floor(nowMs / 1000)),
      "webhook-signature": new Webhook(this.secret).sign("test", time, body),
    };
    try {
      const answer = await fetch(`${this.url}/ingest`, { method: "POST", headers, body });
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      return undefined;
    }
  }
}

/** @returns the CloudEvent of a chunk, as a relay's webhook sink makes it */
export function eventOf(record: ChunkRecord) {
  const { badge, epoch, index, receivedMs } = record;
  return {
    specversion: "1.0",
    id: `${badge}/${epoch}/${index}`,
    source: `/badges/${badge}`,
    type: "io.salestag.chunk.v1",
    subject: badge,
    time: new Date(receivedMs).toISOString(),
    datacontenttype: "application/vnd.salestag.chunk+msgpack",
    data_base64: encodeRecord(record).toString("base64"),
  };
}
