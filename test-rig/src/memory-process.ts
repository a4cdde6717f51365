// A real memory in a process of its own, at a site of the rig: its configuration, somebody who may sign in, and a client.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type MemoryClient, memoryClient } from "@salestag/memory/client";
import { ListeningProcess } from "./listening-process";
import type { Site } from "./site";

const LAUNCHER = fileURLToPath(new URL("../../memory/bin/salestag-memory.mjs", import.meta.url));
const MANAGER = "manager";
const SECRET_BYTES = 32;
const CONFIG = "memory.yaml";
const JWT_SECRET = "jwt.key";
const HEADER_FILE = "manager.header";

export interface MemoryOptions {
  /** Address of a transcription server, to which `/audio/transcriptions` is added; without one only the badge's own words are there. */
  transcriptionUrl?: string;
}

/** A memory that takes what the site's relay delivers, over its webhook and out of its folder. */
export class SiteMemory {
  private constructor(
    private readonly running: ListeningProcess,
    /** The configuration that it was started with. */
    readonly config: string,
    /** A token for the team's manager. */
    readonly token: string,
    readonly client: MemoryClient,
  ) {}

  /** Starts it, or starts it again where the site has had one. */
  static async start(site: Site, { transcriptionUrl }: MemoryOptions = {}): Promise<SiteMemory> {
    const isFirst = !existsSync(join(site.folder, CONFIG));
    if (isFirst) writeSecrets(site);
    const config = writeConfig(site, transcriptionUrl);
    const running = await ListeningProcess.start("memory", LAUNCHER, ["--config", config]);
    const command = (...args: string[]) =>
      promisify(execFile)(process.execPath, [LAUNCHER, "--config", config, ...args]);
    if (isFirst) await command("person", "add", "Robin", "--role", "manager", "--subject", MANAGER);
    const { stdout } = await command("token", MANAGER);
    const token = stdout.trim();
    writeFileSync(join(site.folder, HEADER_FILE), `Authorization: Bearer ${token}\n`, { mode: 0o600 });
    return new SiteMemory(running, config, token, memoryClient({ url: running.url, token: () => token }));
  }

  /** A file with the header that signs the manager in, as `curl -H @FILE` reads it. */
  get headerFile(): string {
    return join(dirname(this.config), HEADER_FILE);
  }

  get url(): string {
    return this.running.url;
  }

  /** What it wrote to standard error so far. */
  get notices(): string[] {
    return this.running.notices;
  }

  async stop(): Promise<void> {
    await this.running.stop();
  }

  /** As a power cut would end it. */
  async kill(): Promise<void> {
    await this.running.kill();
  }
}

function writeSecrets({ folder, hookSecretFile }: Site): void {
  const write = (name: string, content: string) =>
    writeFileSync(join(folder, name), `${content}\n`, { mode: 0o600 });
  write(JWT_SECRET, randomBytes(SECRET_BYTES).toString("base64"));
  write(hookSecretFile, `whsec_${randomBytes(SECRET_BYTES).toString("base64")}`);
}

/** @returns path of the configuration */
function writeConfig(site: Site, transcriptionUrl: string | undefined): string {
  const transcriber =
    transcriptionUrl === undefined
      ? []
      : [`transcriber: ${JSON.stringify(`openai+${transcriptionUrl}?model=known-by-heart`)}`];
  const lines = [
    "data: memory",
    "vault: vault",
    "identity: identity.txt",
    "team: Bright Roof Solar",
    ...transcriber,
    "ingest:",
    "  folder: relay",
    "  webhook:",
    `    secretFiles: [${site.hookSecretFile}]`,
    "api:",
    "  listen: 127.0.0.1:0",
    "  jwt:",
    `    secretFile: ${JWT_SECRET}`,
  ];
  const config = join(site.folder, CONFIG);
  writeFileSync(config, `${lines.join("\n")}\n`, { mode: 0o600 });
  return config;
}
