// A real relay in a process of its own.
import { fileURLToPath } from "node:url";
import { ListeningProcess } from "./listening-process";

const LAUNCHER = fileURLToPath(new URL("../../cloud-relay/bin/salestag-relay.mjs", import.meta.url));

export interface RelayProcessOptions {
  registry: string;
  spool: string;
  /** Folder of the folder sink; without one the spool keeps everything. */
  folder?: string;
  /** Where to listen; port 0 lets the system choose. */
  listen?: string;
  /** More arguments for the relay's command line. */
  args?: string[];
}

export type RelayProcess = ListeningProcess;

/** Starts a relay and waits until it listens. @throws RigError with what it said when it ends instead */
export function startRelayProcess(options: RelayProcessOptions): Promise<RelayProcess> {
  const { registry, spool, folder, listen = "tcp://127.0.0.1:0", args = [] } = options;
  const sinks = folder === undefined ? [] : ["--sink", `folder:${folder}`];
  const given = ["--listen", listen, "--registry", registry, "--spool", spool, ...sinks];
  return ListeningProcess.start("relay", LAUNCHER, [...given, ...args]);
}

/** The same with a configuration file that says everything. */
export function startConfiguredRelay(config: string): Promise<RelayProcess> {
  return ListeningProcess.start("relay", LAUNCHER, ["--config", config]);
}
