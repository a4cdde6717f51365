// Servers that tests need, each in a process of its own with its files in a temporary folder: NATS with JetStream and PostgreSQL, as Debian packages them.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { requireProgram } from "./tools";

const POSTGRES_BIN = "/usr/lib/postgresql/15/bin";
const PGVECTOR = "/usr/share/postgresql/15/extension/vector.control";

/** @returns a port of this machine that nobody uses now */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** A NATS server with JetStream; it can be killed and started again with what it has stored. */
export class NatsServer {
  readonly url: string;
  private child: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    private readonly port: number,
    private readonly config: string,
  ) {
    this.url = `nats://127.0.0.1:${port}`;
  }

  /** @param config lines of the server's configuration besides address and store */
  static async start(config = ""): Promise<NatsServer> {
    const server = new NatsServer(mkdtempSync(join(tmpdir(), "salestag-nats-")), await freePort(), config);
    await server.up();
    return server;
  }

  /** Starts it, and waits until it takes connections. */
  async up(): Promise<void> {
    const path = join(this.folder, "nats.conf");
    const store = `jetstream { store_dir: "${join(this.folder, "store")}" }`;
    writeFileSync(path, `listen: 127.0.0.1:${this.port}\n${store}\n${this.config}\n`);
    const child = spawn("nats-server", ["-c", path], { stdio: ["ignore", "ignore", "pipe"] });
    this.child = child;
    await untilLine(child, /Server is ready/);
  }

  /** Ends it as a power cut would, as far as the machine's memory stays. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Skips the running suite where PostgreSQL 15 has no pgvector; fails it where CI says that it must be there. */
export function requirePgvector(test: Mocha.Context): void {
  requireProgram(test, "pgvector", () => existsSync(PGVECTOR));
}

/** A PostgreSQL 15 with a database `postgres` and a user `postgres`. */
export class PostgresServer {
  readonly password = "local-test";
  private child: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    readonly port: number,
  ) {}

  /** URL of a database on it. */
  url(database = "postgres", user = "postgres", password = this.password): string {
    return `postgres://${user}:${password}@127.0.0.1:${this.port}/${database}`;
  }

  static async start(): Promise<PostgresServer> {
    const server = new PostgresServer(mkdtempSync(join(tmpdir(), "salestag-pg-")), await freePort());
    const passwordFile = join(server.folder, "password");
    writeFileSync(passwordFile, server.password);
    server.own(passwordFile);
    const data = join(server.folder, "data");
    const args = [
      "-D",
      data,
      "-U",
      "postgres",
      "-A",
      "scram-sha-256",
      `--pwfile=${passwordFile}`,
      "--no-sync",
    ];
    const made = spawnSync(join(POSTGRES_BIN, "initdb"), args, { encoding: "utf8", ...notRoot() });
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
    await server.up();
    return server;
  }

  async up(): Promise<void> {
    const args = [
      "-D",
      join(this.folder, "data"),
      "-p",
      String(this.port),
      "-k",
      this.folder,
      "-h",
      "127.0.0.1",
    ];
    const child = spawn(join(POSTGRES_BIN, "postgres"), args, {
      stdio: ["ignore", "ignore", "pipe"],
      ...notRoot(),
    });
    this.child = child;
    await untilLine(child, /ready to accept connections/);
  }

  /** Ends it, and every connection to it. */
  async down(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const closed = once(child, "close");
    child.kill("SIGINT"); // fast shutdown
    await closed;
  }

  async end(): Promise<void> {
    await this.down();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** PostgreSQL does not run as root: then its files are those of the user that Debian's package makes. */
  private own(file: string): void {
    const { uid, gid } = notRoot();
    if (uid === undefined || gid === undefined) return;
    chmodSync(this.folder, 0o700);
    for (const path of [this.folder, file]) chownSync(path, uid, gid);
  }
}

function notRoot(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string) => Number(spawnSync("id", [flag, "postgres"], { encoding: "utf8" }).stdout);
  return { uid: idOf("-u"), gid: idOf("-g") };
}

/** Waits for a line in what the process says. @throws Error with all that it said when it ends before */
async function untilLine(child: ChildProcess, line: RegExp): Promise<void> {
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => reject(new Error(`the server ended: ${said.join("\n")}`)));
    if (child.stderr === null) return reject(new Error("the server has no pipe"));
    createInterface({ input: child.stderr }).on("line", (text) => {
      said.push(text);
      if (line.test(text)) resolve();
    });
  });
}
