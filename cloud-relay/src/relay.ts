// The relay: listeners, connections, spool and sinks put together. `startRelay` is what the command line and the tests use.
import { randomBytes } from "node:crypto";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { ErrorCode, nodeCrypto } from "@salestag/protocol/host";
import { type Clock, systemClock } from "./clock";
import { Connection } from "./connection";
import { type Disk, nodeDisk } from "./disk";
import { ExitCode, messageOf, RelayError } from "./errors";
import type { ListenAddress } from "./listen-address";
import type { Log } from "./log";
import { Registry } from "./registry";
import { Dispatcher } from "./sinks/dispatcher";
import { FolderSink } from "./sinks/folder";
import { Spool } from "./spool/spool";

export interface RelayOptions {
  listen: ListenAddress[];
  /** Certificate chain and key, PEM; needed for `tls` addresses. */
  tls?: { cert: Buffer; key: Buffer };
  /** Path of the registry file. */
  registry: string;
  /** Folder of the spool. */
  spool: string;
  /** Folders of folder sinks. */
  folders: string[];
  /** Bound of the spool in bytes. */
  spoolBytesMax?: number;
  /** Size at which a segment is closed. */
  segmentBytesMax?: number;
  log: Log;
  clock?: Clock;
  disk?: Disk;
  /** Called once when the relay cannot go on. */
  onFatal: (error: RelayError) => void;
}

const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
const DRAIN_MS_MAX = 5000;

export class Relay {
  /** Where it listens, with the ports that the system chose, such as `tcp://127.0.0.1:7788`. */
  addresses: string[] = [];

  private readonly connections = new Set<Connection>();
  private readonly byBadge = new Map<string, Connection>();
  private readonly sockets = new Set<Socket>();
  private readonly servers: Server[] = [];
  private readonly dispatchers: Dispatcher[] = [];
  private readonly clock: Clock;

  private constructor(
    private readonly options: RelayOptions,
    private readonly registry: Registry,
    private readonly spool: Spool,
  ) {
    this.clock = options.clock ?? systemClock;
  }

  /** Opens everything and listens. @throws RelayError */
  static async start(options: RelayOptions): Promise<Relay> {
    const { log, onFatal, clock = systemClock, disk = nodeDisk } = options;
    const registry = Registry.open(options.registry, log);
    const spool = await Spool.open({
      directory: options.spool,
      disk,
      clock,
      log,
      randomUint32: () => randomBytes(4).readUInt32LE(0),
      segmentBytesMax: options.segmentBytesMax ?? SEGMENT_BYTES_MAX,
      bytesMax: options.spoolBytesMax,
      onFatal,
    });
    const relay = new Relay(options, registry, spool);
    try {
      await relay.startSinks(disk, clock);
      for (const address of options.listen) await relay.listen(address);
    } catch (cause) {
      await relay.close();
      throw cause;
    }
    return relay;
  }

  /** Takes no more, stores what has come, tells the badges, delivers what the sinks take at once, and ends. */
  async close(): Promise<void> {
    const closing = this.servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const connection of this.connections) connection.bye();
    const cancel = this.clock.after(DRAIN_MS_MAX, () => {
      for (const socket of this.sockets) socket.destroy();
    });
    await Promise.all(closing);
    cancel();
    for (const dispatcher of this.dispatchers) await dispatcher.stop();
    await this.spool.close();
  }

  private async startSinks(disk: Disk, clock: Clock): Promise<void> {
    const { log, folders, spool: directory } = this.options;
    for (const folder of folders) {
      const sink = new FolderSink(folder, disk);
      const { spool } = this;
      const onMoved = () => this.forgetDelivered();
      const random = Math.random; // spreads retries; nothing depends on it
      this.dispatchers.push(new Dispatcher({ spool, sink, directory, disk, clock, log, random, onMoved }));
    }
    for (const dispatcher of this.dispatchers) await dispatcher.start();
  }

  /** Deletes what every sink has passed. */
  private forgetDelivered(): void {
    const oldest = this.dispatchers.map(({ cursor }) => cursor).sort((a, b) => a.segment - b.segment)[0];
    this.spool.forgetBefore(oldest).catch((cause) => {
      this.options.log.error("delivered segments could not be deleted", { why: messageOf(cause) });
    });
  }

  private async listen(address: ListenAddress): Promise<void> {
    const accept = (socket: Socket) => this.accept(socket);
    const { tls, log } = this.options;
    const server = address.tls
      ? createTlsServer({ ...tls, minVersion: "TLSv1.2" }, accept)
      : createTcpServer(accept);
    this.servers.push(server);
    server.on("tlsClientError", (error: Error) => log.info("TLS failed", { why: error.message }));
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) =>
        reject(
          new RelayError(
            ExitCode.Listen,
            `cannot listen on ${address.host} port ${address.port}: ${error.message}; choose another with --listen`,
          ),
        ),
      );
      server.listen(address.port, address.host, resolve);
    });
    const { port } = server.address() as AddressInfo;
    const host = address.host.includes(":") ? `[${address.host}]` : address.host;
    this.addresses.push(`${address.tls ? "tls" : "tcp"}://${host}:${port}`);
  }

  private accept(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    const connection = new Connection(socket, {
      crypto: nodeCrypto(),
      clock: this.clock,
      log: this.options.log,
      registry: this.registry,
      spool: this.spool,
      onProven: (proven) => this.replace(proven),
      onEnd: (ended) => this.forget(ended),
    });
    this.connections.add(connection);
  }

  /** One connection for each badge: the newest that proved itself. */
  private replace(proven: Connection): void {
    this.byBadge.get(proven.badge)?.refuse(ErrorCode.Replaced, "a newer connection of this badge took over");
    this.byBadge.set(proven.badge, proven);
  }

  private forget(ended: Connection): void {
    this.connections.delete(ended);
    if (this.byBadge.get(ended.badge) === ended) this.byBadge.delete(ended.badge);
  }
}
