// `salestag-memory`: runs until it is told to end.
import { randomUUID } from "node:crypto";
import { lineLog, messageOf, systemClock } from "@salestag/protocol/service";
import { type MemoryConfig, readConfig } from "../config/config";
import { ExitCode } from "../errors";
import { type Memory, type MemoryParts, startMemory } from "../memory";
import { serveControl } from "./control";
import { OPERATIONS, type OperationArguments } from "./operations";

/** @returns the parts of a configuration on the machine's own time and randomness */
export function partsOf({ transcriber, structurer, embedder, json }: MemoryConfig): MemoryParts {
  return {
    ...{ transcriber, structurer, embedder },
    clock: systemClock,
    log: lineLog(systemClock, (line) => process.stderr.write(line), json),
    random: Math.random,
    newId: randomUUID,
  };
}

/** Serves until SIGTERM or SIGINT. */
export async function serve(configFile: string): Promise<void> {
  // A log that nobody reads any more is no reason to stop.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const config = readConfig(configFile, process.env, () => systemClock.unixMs());
  const parts = partsOf(config);
  const memory = await startMemory(config.settings, parts);
  const endControl = await serveControl(config.settings.data, operateOn(memory));
  if (endControl === undefined)
    parts.log.warn(
      "no control socket: the data folder's path is too long; commands work when this is stopped",
    );
  let closing = false;
  const stop = () => {
    if (closing) return;
    closing = true;
    Promise.resolve(endControl?.())
      .then(() => memory.close())
      .then(
        () => process.exit(ExitCode.Ok),
        (cause) => {
          parts.log.error("memory ends", { why: messageOf(cause) });
          process.exit(ExitCode.Internal);
        },
      );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.stdout.write(
    config.json
      ? `${JSON.stringify({ event: "listening", url: memory.url })}\n`
      : `listening on ${memory.url}\n`,
  );
}

/** @returns does operations in a memory that runs */
export function operateOn(memory: Memory) {
  const { database, teamId } = memory;
  const context = { database, teamId, nowUnixMs: () => systemClock.unixMs(), newId: randomUUID };
  return async (name: string, given: OperationArguments): Promise<object> => {
    if (name === "status") return { running: true, url: memory.url, ...(await memory.status()) };
    const operation = OPERATIONS[name];
    if (operation === undefined) throw new Error(`there is no operation ${JSON.stringify(name)}`);
    return operation(context, given);
  };
}
