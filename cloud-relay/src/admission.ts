// Who may have a connection: bounds on all, on those from one address, and on those that have not proved themselves. One address that floods the relay takes
// no more than its share.
import { isIPv6 } from "node:net";
import type { Clock, Log } from "@salestag/protocol/service";
import { Tally } from "./admin/metrics";

/** Most connections at a time. */
export interface Limits {
  connections: number;
  /** From one IPv4 address, or from one /64 of IPv6. Badges behind one router share an address. */
  connectionsPerAddress: number;
  /** That have not proved themselves. */
  unproven: number;
}

export const LIMITS_DEFAULT: Limits = { connections: 20_000, connectionsPerAddress: 1000, unproven: 2000 };

/** A connection's raw socket. */
export interface RawSocket {
  readonly remoteAddress?: string;
  once(event: "close", listener: () => void): unknown;
  destroy(): unknown;
}

const TOLD_EVERY_MS = 60_000;

/** See the top of the file. */
export class Admission {
  /** Connections that were not let in, by the bound that they met. */
  readonly turnedAway = new Tally();

  private readonly byAddress = new Map<string, number>();
  private open = 0;
  private toldMs = Number.NEGATIVE_INFINITY;

  /** @param unproven how many have not proved themselves now */
  constructor(
    private readonly limits: Limits,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly unproven: () => number,
  ) {}

  /** Counts a socket until it closes. @returns false when it met a bound and was destroyed */
  enter(socket: RawSocket): boolean {
    const address = networkOf(socket.remoteAddress);
    const bound = this.boundMet(address);
    if (bound !== undefined) {
      this.turnAway(bound, socket);
      return false;
    }
    this.open++;
    this.byAddress.set(address, this.of(address) + 1);
    socket.once("close", () => this.leave(address));
    return true;
  }

  private boundMet(address: string): keyof Limits | undefined {
    if (this.open >= this.limits.connections) return "connections";
    if (this.of(address) >= this.limits.connectionsPerAddress) return "connectionsPerAddress";
    return this.unproven() >= this.limits.unproven ? "unproven" : undefined;
  }

  private turnAway(bound: keyof Limits, socket: RawSocket): void {
    socket.destroy();
    this.turnedAway.add(bound);
    // Whoever floods the relay must not flood its log.
    if (this.clock.steadyMs() - this.toldMs < TOLD_EVERY_MS) return;
    this.toldMs = this.clock.steadyMs();
    const { remoteAddress: remote } = socket;
    this.log.warn("connections are turned away", { bound, limit: this.limits[bound], remote });
  }

  private leave(address: string): void {
    this.open--;
    const left = this.of(address) - 1;
    if (left > 0) this.byAddress.set(address, left);
    else this.byAddress.delete(address);
  }

  private of(address: string): number {
    return this.byAddress.get(address) ?? 0;
  }
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** @returns the IPv4 address, or the first four groups of an IPv6 address: whoever has one of a /64 has all */
export function networkOf(address = ""): string {
  const [, mapped] = MAPPED.exec(address) ?? [];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [head, tail] = address.split("%")[0].split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  if (tail !== undefined) while (groups.length + after.length < 8) groups.push("0");
  return `${[...groups, ...after].slice(0, 4).join(":")}::/64`;
}
