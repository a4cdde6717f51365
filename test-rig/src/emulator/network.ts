// The badge's sockets, over real TCP and TLS. Time at the badge is virtual and at the relay real, so a connection holds
// virtual time while the relay owes an answer: what comes back is delivered one latency after what it answers was sent, however
// long the relay took in real time. A relay that stays silent for too long in real time is taken for dead and holds nothing.
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Gate, VirtualTime } from "./virtual-time";

/** What happens to a connection, told in virtual time. */
export interface ConnectionEvents {
  open(): void;
  data(bytes: Buffer): void;
  close(): void;
  error(message: string): void;
}

export interface Connection {
  write(bytes: Buffer): void;
  /** Ends it at once. No event follows. */
  abort(): void;
}

export interface Network {
  open(host: string, port: number, tls: boolean, events: ConnectionEvents): Connection;
}

/** Knows the protocol on a connection well enough to say what the other side owes an answer to. */
export interface ConversationTracker {
  sent(bytes: Buffer, atMs: number): void;
  /** @returns when the newest of what these bytes answer was sent; undefined when they answer nothing */
  received(bytes: Buffer): number | undefined;
  /** When the oldest of what still has no answer was sent; undefined when all has. */
  oldestMs(): number | undefined;
}

export interface RealNetworkOptions {
  time: VirtualTime;
  /** Virtual ms between a request and its answer. */
  latencyMs: number;
  /** Real ms after which a silent other side no longer holds virtual time. */
  patienceMs: number;
  tracker: () => ConversationTracker;
  /** Certificates to trust instead of the system's, PEM. */
  ca?: string;
}

export class RealNetwork implements Network {
  /** Bytes written by badges and received by them, over all connections. */
  sentBytes = 0;
  receivedBytes = 0;
  connections = 0;

  constructor(private readonly options: RealNetworkOptions) {}

  open(host: string, port: number, tls: boolean, events: ConnectionEvents): Connection {
    this.connections++;
    const servername = isIP(host) === 0 ? host : undefined; // RFC 6066: never an address
    const socket = tls
      ? connectTls({ host, port, servername, ca: this.options.ca })
      : connectTcp({ host, port });
    const count = (sent: number, received: number) => {
      this.sentBytes += sent;
      this.receivedBytes += received;
    };
    return new HeldConnection(socket, tls ? "secureConnect" : "connect", events, this.options, count);
  }
}

class HeldConnection implements Connection, Gate {
  private readonly tracker: ConversationTracker;
  private readonly openedAtMs: number;
  private deliveredAtMs = 0;
  private pending = true; // the connection itself is an answer that is awaited
  private over = false;
  private aborted = false;
  private patienceLost = false;
  private patience: NodeJS.Timeout;
  private wake: () => void = () => {};

  constructor(
    private readonly socket: Socket,
    opened: "connect" | "secureConnect",
    events: ConnectionEvents,
    private readonly options: RealNetworkOptions,
    private readonly count: (sent: number, received: number) => void,
  ) {
    this.tracker = options.tracker();
    this.openedAtMs = options.time.nowMs();
    this.patience = setTimeout(() => this.losePatience(), options.patienceMs);
    options.time.addGate(this);
    socket.setNoDelay(true);
    let failure = "";
    socket.once(opened, () => {
      this.pending = false;
      this.deliver(() => events.open(), this.openedAtMs);
    });
    socket.on("data", (bytes: Buffer) => {
      this.count(0, bytes.length);
      const askedMs = this.tracker.received(bytes);
      this.deliver(() => events.data(bytes), askedMs);
    });
    socket.on("error", (error) => {
      failure = error.message;
    });
    socket.on("close", () => {
      const askedMs = this.oldestMs();
      this.pending = false;
      this.deliver(() => (failure === "" ? events.close() : events.error(failure)), askedMs);
      this.finish();
    });
  }

  write(bytes: Buffer): void {
    if (this.over) return;
    this.count(bytes.length, 0);
    if (this.oldestMs() === undefined) this.restartPatience();
    this.tracker.sent(bytes, this.options.time.nowMs());
    this.socket.write(bytes);
  }

  abort(): void {
    this.aborted = true;
    this.finish();
    this.socket.destroy();
  }

  holdMs(): number | undefined {
    const oldestMs = this.oldestMs();
    if (this.over || this.patienceLost || oldestMs === undefined) return undefined;
    return oldestMs + this.options.latencyMs;
  }

  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  /** When the oldest of what the other side owes an answer to was sent. */
  private oldestMs(): number | undefined {
    return this.pending ? this.openedAtMs : this.tracker.oldestMs();
  }

  /** Tells the badge of something one latency after what it answers, and never before what was told earlier. */
  private deliver(event: () => void, askedMs: number | undefined): void {
    const time = this.options.time;
    const dueMs = askedMs === undefined ? 0 : askedMs + this.options.latencyMs;
    this.deliveredAtMs = Math.max(time.nowMs(), dueMs, this.deliveredAtMs);
    time.atEndOf(this.deliveredAtMs, () => {
      if (!this.aborted) event();
    });
    this.restartPatience();
    this.wake();
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.patience);
    this.options.time.removeGate(this);
    this.wake();
  }

  private restartPatience(): void {
    this.patienceLost = false;
    this.patience.refresh();
  }

  private losePatience(): void {
    this.patienceLost = true;
    this.wake();
  }
}
