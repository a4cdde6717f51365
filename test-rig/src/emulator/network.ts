// The badge's sockets, over real TCP and TLS. Time at the badge is virtual and at the relay real, so a connection holds
// virtual time while the relay owes an answer: what comes back is delivered one latency after what it answers was sent, however
// long the relay took in real time. A relay that stays silent for too long in real time is taken for dead and holds nothing.
import { connect as connectTcp, type Socket } from "node:net";
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

/** Knows the protocol on a connection well enough to say whether the other side owes an answer. */
export interface ConversationTracker {
  sent(bytes: Buffer): void;
  received(bytes: Buffer): void;
  /** True while an answer to something sent is still to come. */
  awaiting(): boolean;
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
    const socket = tls
      ? connectTls({ host, port, servername: host, ca: this.options.ca })
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
  private askedAtMs: number;
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
    this.askedAtMs = options.time.nowMs();
    this.patience = setTimeout(() => this.losePatience(), options.patienceMs);
    options.time.addGate(this);
    socket.setNoDelay(true);
    let failure = "";
    socket.once(opened, () => {
      this.pending = false;
      this.deliver(() => events.open());
    });
    socket.on("data", (bytes: Buffer) => {
      this.count(0, bytes.length);
      this.tracker.received(bytes);
      this.deliver(() => events.data(bytes));
    });
    socket.on("error", (error) => {
      failure = error.message;
    });
    socket.on("close", () => {
      this.pending = false;
      this.deliver(() => (failure === "" ? events.close() : events.error(failure)));
      this.finish();
    });
  }

  write(bytes: Buffer): void {
    if (this.over) return;
    this.count(bytes.length, 0);
    if (!this.owes()) this.askedAtMs = this.options.time.nowMs();
    this.tracker.sent(bytes);
    this.restartPatience();
    this.socket.write(bytes);
  }

  abort(): void {
    this.aborted = true;
    this.finish();
    this.socket.destroy();
  }

  holdMs(): number | undefined {
    if (this.over || this.patienceLost || !this.owes()) return undefined;
    return this.askedAtMs + this.options.latencyMs;
  }

  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  private owes(): boolean {
    return this.pending || this.tracker.awaiting();
  }

  /** Tells the badge of something one latency after it asked, and never before what was told earlier. */
  private deliver(event: () => void): void {
    const time = this.options.time;
    const atMs = Math.max(time.nowMs(), this.askedAtMs + this.options.latencyMs, this.deliveredAtMs);
    this.deliveredAtMs = atMs;
    if (this.owes()) this.askedAtMs = atMs; // what is still owed is owed from now on
    time.at(atMs, () => {
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
