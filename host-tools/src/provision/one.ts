// One badge from the cable to "ready": provisioned, and proved. A badge that cannot be proved is unprovisioned again, so that a badge is
// either ready or as if nobody had touched it.
import { clauseOf, ToolError } from "@salestag/protocol/team";
import { type ProvisionedBadge, type ProvisionOptions, provisionBadge, unprovisionBadge } from "./badge";
import { type Arrivals, type Proof, type ProofOptions, type ProofPort, proveBadge } from "./proof";
import type { Registration } from "./registration";

/** Length of the sound that a check records. */
export const CHECK_MS = 2000;

export interface OneOptions extends Omit<ProvisionOptions, "client" | "checkMs" | "onRegistered"> {
  port: ProofPort;
  /** False: the badge is taken for ready without a proof. */
  check: boolean;
  /** Where its chunks can be seen; undefined where they cannot. */
  arrivalsOf?: (badge: string) => Promise<Arrivals>;
}

export interface ReadyBadge extends Omit<ProvisionedBadge, "keys">, Proof {
  /** True when the live check was done. */
  proved: boolean;
}

/**
 * @throws ToolError when the badge is not ready; its sentence says what became of it
 */
export async function readyBadge(options: OneOptions): Promise<ReadyBadge> {
  const { port, plan, check, arrivalsOf, signal, onStep, registration } = options;
  const records = check && plan.consent?.policy !== "off";
  const checkMs = records ? CHECK_MS : 0;
  let arrivals: Arrivals | undefined;
  const onRegistered = async (badge: string) => {
    if (records) arrivals = await arrivalsOf?.(badge);
  };
  try {
    const made = await provisionBadge({ ...options, client: port.client, checkMs, onRegistered });
    const { badge, keys, ...rest } = made;
    if (!check) return { badge, ...rest, proved: false };
    const proof = { port, badge, keys, relayUrl: plan.relayUrl, checkMs, arrivals, signal, onStep };
    return { badge, ...rest, ...(await proveOrTakeBack(proof, registration)), proved: true };
  } finally {
    arrivals?.end();
  }
}

async function proveOrTakeBack(options: ProofOptions, registration: Registration): Promise<Proof> {
  const { port, badge, onStep } = options;
  try {
    return await proveBadge(options);
  } catch (cause) {
    onStep?.("taking it back");
    await unprovisionBadge(port.client, registration, badge).catch((second) => {
      const why = clauseOf(second);
      throw taken(cause, `; and its keys could not be taken back (${why}): it has those of badge ${badge}`);
    });
    throw taken(cause, "; its keys were taken back");
  }
}

/** The first failure is what matters; what became of the badge is said at its end. */
function taken(cause: unknown, what: string): unknown {
  if (!(cause instanceof ToolError)) return cause;
  return new ToolError(cause.exitCode, `${clauseOf(cause)}${what}.`, { cause });
}
