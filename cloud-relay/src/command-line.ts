// The command line of the relay. main.ts runs it on the machine's own disk.
import { readFileSync } from "node:fs";
import { type Log, lineLog, systemClock } from "@salestag/protocol/service";
import { Command, InvalidArgumentError } from "commander";
import { readConfig } from "./config/config";
import type { Disk } from "./disk";
import { ExitCode, messageOf, RelayError } from "./errors";
import { parseListenAddress } from "./listen-address";
import { type Relay, type RelayOptions, startRelay } from "./relay";
import { parseSink } from "./sinks/parse";
import { SPOOL_BYTES_MIN } from "./spool/spool";

interface Flags {
  config?: string;
  listen: string[];
  tlsCert?: string;
  tlsKey?: string;
  registry?: string;
  spool?: string;
  sink: string[];
  spoolBytesMax?: number;
  json: boolean;
}

const EXAMPLES = `
Examples:
  salestag-relay --config /etc/salestag/relay.yaml
  salestag-relay --registry registry.json --spool spool --sink folder:out
  salestag-relay --listen tls://0.0.0.0:7789 --tls-cert relay.crt --tls-key relay.key \\
                 --registry /etc/salestag/registry.json --spool /var/lib/salestag/spool --sink folder:/srv/salestag

Exit codes: 0 ended as asked, 1 a mistake in the program, 2 an option or the registry cannot be used, 3 the spool is in use or
unreadable, 4 the disk failed, 5 an address cannot be listened on.`;

const collect = (value: string, before: string[]) => [...before, value];

function spoolBytes(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < SPOOL_BYTES_MIN)
    throw new InvalidArgumentError(`It must be a whole number of at least ${SPOOL_BYTES_MIN}.`);
  return value;
}

function toOptions(flags: Flags, disk: Disk): Omit<RelayOptions, "log" | "onFatal"> & { json: boolean } {
  return flags.config === undefined ? fromFlags(flags, disk) : fromConfig(flags, flags.config, disk);
}

/** A file says everything: options beside it would leave open which one counts. */
function fromConfig(
  { listen, tlsCert, tlsKey, registry, spool, sink, spoolBytesMax, json }: Flags,
  path: string,
  disk: Disk,
) {
  const beside = [tlsCert, tlsKey, registry, spool, spoolBytesMax].some((value) => value !== undefined);
  if (beside || listen.length > 0 || sink.length > 0)
    throw new RelayError(ExitCode.Usage, "--config says everything: leave the other options out");
  const config = readConfig(path, process.env, disk, systemClock);
  return { ...config, json: config.json || json };
}

function fromFlags(flags: Flags, disk: Disk) {
  const listen = (flags.listen.length > 0 ? flags.listen : ["tcp://127.0.0.1:7788"]).map(parseListenAddress);
  const sinks = flags.sink.map((name) => parseSink(name, disk));
  const { registry, spool, spoolBytesMax, json } = flags;
  if (registry === undefined || spool === undefined)
    throw new RelayError(ExitCode.Usage, "--registry FILE and --spool DIR are needed, or --config FILE");
  const tls = readTls(
    flags,
    listen.some(({ tls }) => tls),
  );
  return { listen, sinks, registry, spool, spoolBytesMax, tls, json };
}

function readTls({ tlsCert, tlsKey }: Flags, needed: boolean): RelayOptions["tls"] {
  if (!needed) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new RelayError(ExitCode.Usage, "a tls:// address needs --tls-cert FILE and --tls-key FILE");
  const read = (path: string) => {
    try {
      return readFileSync(path);
    } catch (cause) {
      throw new RelayError(ExitCode.Usage, `cannot read ${path}: ${messageOf(cause)}`);
    }
  };
  return { cert: read(tlsCert), key: read(tlsKey) };
}

/** The certificate and its key may have been renewed. */
function reload(relay: Relay, flags: Flags, disk: Disk, log: Log): void {
  try {
    const { tls } = toOptions(flags, disk);
    if (tls !== undefined) relay.useTls(tls);
    log.info("TLS certificate read again", { used: tls !== undefined });
  } catch (cause) {
    log.error("the new TLS files cannot be used, the old ones stay", { why: messageOf(cause) });
  }
}

async function run(flags: Flags, disk: Disk): Promise<void> {
  // A log that nobody reads any more is no reason to stop taking chunks.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const { json, ...options } = toOptions(flags, disk);
  const log = lineLog(systemClock, (line) => process.stderr.write(line), json);
  const onFatal = (error: RelayError) => {
    log.error("relay ends", { why: error.message });
    process.exit(error.exitCode); // what is unacknowledged stays with the badges
  };
  const relay = await startRelay({ ...options, disk, log, onFatal });
  let closing = false;
  const stop = () => {
    if (closing) return;
    closing = true;
    relay.close().then(
      () => process.exit(ExitCode.Ok),
      (cause) => onFatal(new RelayError(ExitCode.Internal, messageOf(cause))),
    );
  };
  process.on("SIGHUP", () => reload(relay, flags, disk, log));
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  if (relay.adminUrl !== undefined) log.info("operator's door open", { url: relay.adminUrl });
  for (const url of relay.addresses)
    process.stdout.write(json ? `${JSON.stringify({ event: "listening", url })}\n` : `listening on ${url}\n`);
}

function program(): Command {
  return new Command("salestag-relay")
    .description("Takes sealed chunks from badges, makes them durable, acknowledges them and passes them on.")
    .option(
      "--config <file>",
      "YAML file that says everything (docs/relay-config.md); SALESTAG_RELAY_... variables override it",
    )
    .option(
      "--listen <url>",
      "address to listen on: tcp://127.0.0.1:7788 (the default) or tls://HOST:PORT; repeatable",
      collect,
      [],
    )
    .option("--tls-cert <file>", "certificate chain, PEM")
    .option("--tls-key <file>", "private key, PEM")
    .option("--registry <file>", "badges and their keys, as provisioning writes it")
    .option("--spool <dir>", "folder of the spool, made if missing")
    .option(
      "--sink <sink>",
      "where chunks go: folder:DIR; repeatable. Without one the spool keeps them",
      collect,
      [],
    )
    .option("--spool-bytes-max <n>", "bound of the spool in bytes", spoolBytes)
    .option("--json", "log and notices as JSON lines", false)
    .addHelpText("after", EXAMPLES)
    .configureOutput({ outputError: (text, write) => write(text) })
    .exitOverride((error) => process.exit(error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage));
}

/**
 * Runs the relay as the process's arguments say, and ends the process with one of the exit codes.
 * @param disk takes everything that the relay makes durable
 */
export function runCommandLine(disk: Disk): void {
  const flags = program().parse().opts<Flags>();
  run(flags, disk).catch((cause) => {
    process.stderr.write(`salestag-relay: ${messageOf(cause)}\n`);
    process.exit(cause instanceof RelayError ? cause.exitCode : ExitCode.Internal);
  });
}
