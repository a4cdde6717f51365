// Asks every port at once what is at it and in what state that is.
import { messageOf } from "@salestag/protocol/team";
import { BadgePort } from "./badge-port";
import { PortError } from "./byte-line";
import { type Observation, observe } from "./observe";
import type { PortInfo } from "./port-list";
import { type PortUser, portUser } from "./port-user";

/** States of a badge, the first that applies. */
export const BADGE_STATES = [
  "bootloader",
  "not allowed",
  "in use",
  "no answer",
  "no program",
  "failing",
  "stopped",
  "unprovisioned",
  "storage failed",
  "no relay",
  "ready",
] as const;
export type BadgeState = (typeof BADGE_STATES)[number];

/** What is at a port. */
export interface ProbedPort {
  port: PortInfo;
  /** Undefined for a port that is no badge's. */
  state?: BadgeState;
  seen?: Observation;
  /** In use: by which program, where that is known. */
  user?: PortUser;
  /** Why it is so, where the state does not say it. */
  note?: string;
}

/** A badge says how it is every 2 s. */
const PROBE_MS = 3000;

/** Asks all ports in parallel; takes 3 s at most. @param answered called after each */
export async function probePorts(
  ports: PortInfo[],
  answered: (done: number, total: number) => void = () => undefined,
): Promise<ProbedPort[]> {
  let done = 0;
  const one = async (port: PortInfo): Promise<ProbedPort> => {
    const probed = await probe(port);
    answered(++done, ports.length);
    return probed;
  };
  return await Promise.all(ports.map(one));
}

async function probe(port: PortInfo): Promise<ProbedPort> {
  // Opening it could reset the chip: what is there is known from its USB ids.
  if (port.kind === "bootloader") return { port, state: "bootloader" };
  if (port.kind === "other") return { port };
  let badge: BadgePort;
  try {
    badge = await BadgePort.open(port.path);
  } catch (cause) {
    return { port, ...refusal(port.path, cause) };
  }
  try {
    const seen = await observe(badge, { forMs: PROBE_MS, briefly: true });
    const note = seen.gone === undefined ? undefined : `unplugged while it was asked (${seen.gone})`;
    return { port, state: stateOf(seen), seen, note };
  } finally {
    await badge.close();
  }
}

/** @returns the state of a badge whose port cannot be opened */
function refusal(path: string, cause: unknown): Pick<ProbedPort, "state" | "user" | "note"> {
  if (!(cause instanceof PortError)) throw cause;
  if (cause.trouble === "in use") return { state: "in use", user: portUser(path) };
  if (cause.trouble === "not allowed") return { state: "not allowed", note: "see 'salestag doctor'" };
  return { state: "no answer", note: messageOf(cause) };
}

/** @returns what a badge that was looked at is called */
export function stateOf(seen: Observation): BadgeState {
  const { program, running, autostart, said, health, panics } = seen;
  if (program === undefined && said === undefined) return "no answer";
  if (program?.sizeBytes === 0) return "no program";
  // A program that panicked is down for 5 s, then the runtime starts it again by itself.
  if (panics.length > 0 || (running === false && autostart === true)) return "failing";
  if (running === false) return "stopped";
  if (said === "unprovisioned") return "unprovisioned";
  if (said === "nochip" || health?.storageFailed) return "storage failed";
  if (health === undefined) return "no answer";
  return health.online ? "ready" : "no relay";
}
