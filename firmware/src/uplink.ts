// Brings the badge to its relay: one connection after the other, each with a fiber that reads and one that writes, and pauses in
// between that grow while the relay cannot be reached. A badge that saves power leaves when all is sent, and comes back later.
import { sleep } from "@devicescript/core";
import { connect, type Socket } from "@devicescript/net";
import { backoffMs } from "./backoff";
import type { Bell } from "./bell";
import { DEAD_AFTER_MS, LEAVE_MS_MAX, PROOF_MS_MAX, UPLOAD_LINGER_MS } from "./config";
import { Link, type LinkPorts } from "./link";

/** How often a socket whose queue is full is asked again, and how many times. */
const QUEUE_FULL_SLEEP_MS = 20;
const QUEUE_FULL_TRIES_MAX = 500;
/** The writer looks for something to do at least this often. */
const WRITER_WAKE_MS = 1000;

export interface UplinkPorts extends LinkPorts {
  /** ms since boot. */
  nowMs: () => number;
  /** Rings when there may be something to send. */
  bell: Bell;
  /** Called when the relay has proved itself, and when the connection is lost. */
  onUp: (up: boolean) => void;
  /** @returns ms to stay away from the relay once all is sent; 0: stay connected */
  restMs: () => number;
  /** Called when all is sent. */
  allSent: () => void;
}

/** Runs for ever. */
export async function runUplink(ports: UplinkPorts): Promise<void> {
  let failures = 0;
  while (true) {
    let why = "";
    let wasUp = false;
    let left = false;
    try {
      const { proto, host, port } = ports.identity.relay;
      const socket = await connect({ proto, host, port });
      const connection = new Connection(ports, socket);
      why = await connection.run();
      wasUp = connection.wasUp();
      left = connection.left;
    } catch (error) {
      why = (error as Error).message;
    }
    if (left) {
      failures = 0;
      await rest(ports);
      continue;
    }
    ports.onUp(false);
    failures = wasUp ? 1 : failures + 1;
    const pauseMs = backoffMs(failures, ports.crypto.random(1)[0]);
    ports.trace.down(pauseMs, why);
    await sleep(pauseMs);
  }
}

/** Stays away from the relay, until it is time or something cannot wait. */
async function rest(ports: UplinkPorts): Promise<void> {
  const fromMs = ports.nowMs();
  ports.trace.rest(ports.restMs());
  while (ports.nowMs() - fromMs < ports.restMs()) await ports.bell.wait(WRITER_WAKE_MS);
}

/** One connection, from the open socket to its end. */
class Connection {
  private readonly link: Link;
  /** True when the badge left because all was sent. */
  left = false;

  private ended = "";
  private upMs = -1;

  constructor(
    private readonly ports: UplinkPorts,
    private readonly socket: Socket,
  ) {
    this.link = new Link(ports, ports.nowMs());
  }

  /** True when the relay has proved itself on this connection. */
  wasUp(): boolean {
    return this.link.up;
  }

  /** @returns why the connection ended */
  async run(): Promise<string> {
    this.write.start();
    await this.read();
    this.ports.bell.ring(); // the writer sees that the connection ended, and ends too
    await this.socket.close();
    return this.ended;
  }

  private end(why: string): void {
    if (this.ended === "") this.ended = why;
  }

  private async read(): Promise<void> {
    let heardMs = this.ports.nowMs();
    while (this.ended === "") {
      try {
        const bytes = await this.socket.recv(this.patienceMs());
        if (bytes === null) this.end("closed by the relay");
        else if (bytes !== undefined) {
          heardMs = this.ports.nowMs();
          this.link.receive(bytes);
        } else if (!this.link.up || this.ports.nowMs() - heardMs >= DEAD_AFTER_MS)
          this.end("timeout: the relay sends nothing");
      } catch (error) {
        this.end((error as Error).message);
      }
      if (this.link.up && this.upMs < 0) {
        this.upMs = this.ports.nowMs();
        this.ports.trace.up();
        this.ports.onUp(true);
      }
      this.ports.bell.ring();
    }
  }

  /** One that may leave looks up now and then: its own farewell does not wake it. */
  private patienceMs(): number {
    if (!this.link.up) return PROOF_MS_MAX;
    return this.ports.restMs() > 0 ? LEAVE_MS_MAX : DEAD_AFTER_MS;
  }

  private async write(): Promise<void> {
    while (this.ended === "") {
      try {
        const parts = await this.link.next(this.ports.nowMs());
        for (const part of parts) await this.send(part);
        if (parts.length > 0) continue;
        if (this.mayLeave()) await this.leave();
        else await this.ports.bell.wait(WRITER_WAKE_MS);
      } catch (error) {
        this.end((error as Error).message);
        await this.socket.close();
      }
    }
  }

  private mayLeave(): boolean {
    const { ports } = this;
    if (this.upMs < 0 || !this.link.isIdle()) return false;
    ports.allSent();
    return ports.restMs() > 0 && ports.nowMs() - this.upMs >= UPLOAD_LINGER_MS;
  }

  /** Says goodbye and gives the relay time to close: what we close ourselves may not have been sent. */
  private async leave(): Promise<void> {
    const { ports } = this;
    const untilMs = ports.nowMs() + LEAVE_MS_MAX;
    this.left = true;
    await this.send(this.link.farewell());
    while (this.ended === "" && ports.nowMs() < untilMs) await ports.bell.wait(WRITER_WAKE_MS);
    if (this.ended !== "") return;
    this.end("all is sent");
    await this.socket.close();
  }

  /** Sends a whole part. The runtime's `send` throws when its queue is full; nothing was queued then, so we ask again. */
  private async send(part: Buffer): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.socket.send(part);
        return;
      } catch (error) {
        const queueFull = (error as Error).message.endsWith("send error -1");
        if (!queueFull || tries >= QUEUE_FULL_TRIES_MAX || this.ended !== "") throw error;
        await sleep(QUEUE_FULL_SLEEP_MS);
      }
    }
  }
}
