// The consent gate: whether what is being said may be kept, by the team's policy (protocol/src/shared/consent.ts). It knows nothing of chunks: the
// recorder asks it, and holds, releases or destroys.
import { ConsentMeans, type ConsentPolicy } from "@salestag/protocol";

/** Where the conversation that runs stands. */
export enum Gate {
  /** There is none. */
  Closed = 0,
  /** Nobody has consented yet. */
  Asking = 1,
  /** It may be kept. */
  Open = 2,
  /** It must not be kept, nor anything more of it. */
  Refused = 3,
}

export class ConsentGate {
  gate = Gate.Closed;

  private askingSinceMs = 0;

  /** @param policy may be changed while the gate is closed */
  constructor(public policy: ConsentPolicy) {}

  /** True when nothing is to be recorded at all. */
  off(): boolean {
    return this.policy.policy === "off";
  }

  /** A technician's check begins: it may be kept, whatever the policy. */
  check(): ConsentMeans {
    this.gate = Gate.Open;
    return ConsentMeans.Check;
  }

  /** Somebody speaks. @returns how it is known that this may be kept; undefined when it has to be asked for */
  begin(nowMs: number): ConsentMeans | undefined {
    if (this.policy.policy === "announce") {
      this.gate = Gate.Open;
      return ConsentMeans.Announced;
    }
    this.gate = Gate.Asking;
    this.askingSinceMs = nowMs;
    return undefined;
  }

  /** A key phrase fell. @returns true when it changed the gate */
  phrase(text: string): boolean {
    if (this.gate !== Gate.Asking) return false;
    if (contains(this.policy.no, text)) this.gate = Gate.Refused;
    else if (contains(this.policy.yes, text)) this.gate = Gate.Open;
    return this.gate !== Gate.Asking;
  }

  /** The wearer answered with the button. @returns true when it changed the gate */
  button(consents: boolean): boolean {
    if (this.gate !== Gate.Asking) return false;
    this.gate = consents ? Gate.Open : Gate.Refused;
    return true;
  }

  /** @returns true when the time to consent is over now */
  tick(nowMs: number): boolean {
    if (this.gate !== Gate.Asking || nowMs - this.askingSinceMs < this.policy.withinMs) return false;
    this.gate = Gate.Refused;
    return true;
  }

  /** The conversation is over. */
  end(): void {
    this.gate = Gate.Closed;
  }
}

function contains(texts: string[], text: string): boolean {
  for (const one of texts) if (one === text) return true;
  return false;
}
