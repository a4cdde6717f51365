// Connections between badges and relay without sockets, in virtual time: bytes take a latency and a bandwidth, links slow down, stop, vanish
// without a farewell or break. The relay's end is a stream as a socket is one.
import { Duplex } from "node:stream";
import type { BadgeSocket } from "@salestag/cloud-relay";
import type { Connection, ConnectionEvents, Network } from "../emulator/network";
import type { VirtualTime } from "../emulator/virtual-time";

/** How the air is at the moment, for one badge. */
export interface Air {
  latencyMs: number;
  bytesPerS: number;
  /** Nothing gets through and nobody is told. */
  dead: boolean;
  /** No connection can be made. */
  down: boolean;
}

export const GOOD_AIR: Air = { latencyMs: 40, bytesPerS: 60_000, dead: false, down: false };

/** What stands at the other end: takes a connection, or undefined when nobody listens. */
export type Acceptor = ((socket: BadgeSocket) => void) | undefined;

/** Where everything that passes is seen; both ways, in order, by connection. */
export interface Wiretap {
  bytes(connection: number, toRelay: boolean, bytes: Buffer): void;
}

export interface VirtualNetworkParts {
  time: VirtualTime;
  air: Air;
  acceptor: () => Acceptor;
  tap: Wiretap;
  /** The relay's code has something to do: time waits until it is done. */
  settle: () => void;
  nextConnection: () => number;
}

/** The network of one badge. */
export class VirtualNetwork implements Network {
  private readonly links = new Set<Link>();

  constructor(private readonly parts: VirtualNetworkParts) {}

  open(_host: string, _port: number, _tls: boolean, events: ConnectionEvents): Connection {
    const link = new Link(this.parts, events, () => this.links.delete(link));
    this.links.add(link);
    return link;
  }

  /** Breaks every connection: both ends are told. */
  breakAll(): void {
    for (const link of [...this.links]) link.break();
  }
}

class Link implements Connection {
  private readonly number: number;
  private readonly relayEnd: RelayEnd;
  private toRelayFreeMs = 0;
  private toBadgeFreeMs = 0;
  private over = false;

  constructor(
    private readonly parts: VirtualNetworkParts,
    private readonly events: ConnectionEvents,
    private readonly onOver: () => void,
  ) {
    this.number = parts.nextConnection();
    this.relayEnd = new RelayEnd({
      write: (bytes) => this.toBadge(bytes),
      end: () => this.later(() => this.close()),
    });
    const { time, air } = parts;
    time.at(time.nowMs() + 2 * air.latencyMs, () => this.connect());
  }

  write(bytes: Buffer): void {
    if (this.over) return;
    const { air, time, tap } = this.parts;
    tap.bytes(this.number, true, bytes);
    if (air.dead) return;
    this.toRelayFreeMs = Math.max(time.nowMs(), this.toRelayFreeMs) + (bytes.length * 1000) / air.bytesPerS;
    time.at(Math.ceil(this.toRelayFreeMs) + air.latencyMs, () => {
      if (this.over || air.dead) return;
      this.relayEnd.push(bytes);
      this.parts.settle();
    });
  }

  abort(): void {
    if (this.over) return;
    this.finish();
    const { time, air } = this.parts;
    if (!air.dead) time.at(time.nowMs() + air.latencyMs, () => this.dropRelayEnd());
    // A relay that was never told notices by its own clock; the stream is given up when it does.
  }

  break(): void {
    if (this.over) return;
    this.finish();
    this.dropRelayEnd();
    this.events.error("connection reset");
  }

  private connect(): void {
    if (this.over) return;
    const accept = this.parts.air.down || this.parts.air.dead ? undefined : this.parts.acceptor();
    if (accept === undefined) {
      this.finish();
      this.events.error("connect ECONNREFUSED");
      return;
    }
    accept(this.relayEnd);
    this.parts.settle();
    this.events.open();
  }

  private toBadge(bytes: Buffer): void {
    if (this.over) return;
    const { air, time, tap } = this.parts;
    tap.bytes(this.number, false, bytes);
    if (air.dead) return;
    this.toBadgeFreeMs = Math.max(time.nowMs(), this.toBadgeFreeMs) + (bytes.length * 1000) / air.bytesPerS;
    time.at(Math.ceil(this.toBadgeFreeMs) + air.latencyMs, () => {
      if (!this.over && !air.dead) this.events.data(bytes);
    });
  }

  private later(action: () => void): void {
    const { time, air } = this.parts;
    time.at(Math.max(time.nowMs(), Math.ceil(this.toBadgeFreeMs)) + air.latencyMs, () => {
      if (!this.over && !air.dead) action();
    });
  }

  private close(): void {
    this.finish();
    this.events.close();
  }

  private finish(): void {
    this.over = true;
    this.onOver();
  }

  private dropRelayEnd(): void {
    this.relayEnd.destroy();
    this.parts.settle();
  }
}

/** The relay's end of a link. */
class RelayEnd extends Duplex implements BadgeSocket {
  readonly remoteAddress = "badge";

  constructor(private readonly link: { write: (bytes: Buffer) => void; end: () => void }) {
    super({ allowHalfOpen: true });
  }

  setNoDelay(): void {}

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.link.write(bytes);
    done();
  }

  override _final(done: () => void): void {
    this.link.end();
    done();
  }

  override _destroy(_error: Error | null, done: (error: Error | null) => void): void {
    this.link.end();
    done(null);
  }
}
