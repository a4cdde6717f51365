// The relay: listeners, connections, spool and sinks put together. The command line and the tests start it here.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { ErrorCode, nodeCrypto } from "@salestag/protocol/host";
import type { Log } from "@salestag/protocol/service";
import { type Clock, systemClock } from "@salestag/protocol/service";
import type { BadgeBook } from "./admin/badges";
import { type Metric, Tally } from "./admin/metrics";
import { Presence } from "./admin/presence";
import { relayMetrics } from "./admin/relay-metrics";
import { type AdminDoor, type AdminOptions, openAdmin } from "./admin/server";
import type { Status } from "./admin/status";
import { reportStatus } from "./admin/status-report";
import { Watches } from "./admin/watches";
import { Admission, LIMITS_DEFAULT, type Limits } from "./admission";
import { type BadgeSocket, Connection } from "./connection";
import { type Disk, nodeDisk } from "./disk";
import { ExitCode, messageOf, RelayError } from "./errors";
import type { ListenAddress } from "./listen-address";
import { type Listener, listenOn, type TlsFiles } from "./listeners";
import { JetStreamMailbox } from "./mail/jetstream-mailbox";
import type { Letter, Mailbox } from "./mail/mailbox";
import { MailboxFile } from "./mail/mailbox-file";
import { Registry } from "./registry";
import { DeadLetters } from "./sinks/dead-letters";
import { type DeadLetterBounds, Dispatcher } from "./sinks/dispatcher";
import type { Sink } from "./sinks/sink";
import type { ChunkStore, StoreListener } from "./spool/chunk-store";
import { JetStreamSpool, type JetStreamSpoolSettings } from "./spool/jetstream-spool";
import { SEGMENT_BYTES, Spool } from "./spool/spool";

export interface RelayOptions {
  listen: ListenAddress[];
  /** Ways in besides `listen`, which hand over connections of their own making. */
  doors?: ((accept: (socket: BadgeSocket) => void) => Listener)[];
  /** Needed for `tls` addresses. */
  tls?: TlsFiles;
  /** Path of the registry file. */
  registry: string;
  /** Folder of the spool; or the stream of JetStream that takes its place. */
  spool: string | JetStreamSpoolSettings;
  /** Without any the spool keeps everything. */
  sinks: Sink[];
  /** Bound of all segments together, in bytes; left out: what the disk has. */
  spoolBytesMax?: number;
  /** Longest segment, in bytes. */
  segmentBytes?: number;
  limits?: Limits;
  /** When a chunk that a sink does not take is put aside. */
  deadLetters?: DeadLetterBounds;
  /** The operator's door; none where it is left out. */
  admin?: AdminOptions;
  log: Log;
  clock?: Clock;
  disk?: Disk;
  /** Bytes from a cryptographically strong source. */
  random?: (lengthBytes: number) => Buffer;
  /** Called once when the disk of the spool failed: every connection has ended by then, and nothing more is stored or acked. */
  onFatal: (error: RelayError) => void;
}

/** A relay that runs. */
export interface Relay {
  /** Where the operator's door is; undefined where there is none. */
  readonly adminUrl: string | undefined;
  /** Where it listens, with the ports that the system chose, such as `tcp://127.0.0.1:7788`. */
  readonly addresses: string[];
  /** Uses another certificate for new connections. @throws RelayError when it cannot be used: the old one stays */
  useTls(tls: TlsFiles): void;
  /** Takes no more, stores and acks what has come, says goodbye, delivers what the sinks take at once, and ends. */
  close(): Promise<void>;
}

const CLOSE_MS_MAX = 5000;
const DEAD_LETTERS_FOLDER = "dead-letters";

/** Opens registry, spool and sinks, and listens. @throws RelayError */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const relay = new RunningRelay(options);
  try {
    await relay.start();
  } catch (cause) {
    await relay.close();
    throw cause;
  }
  return relay;
}

class RunningRelay implements Relay {
  readonly addresses: string[] = [];

  private readonly connections = new Set<Connection>();
  private readonly byBadge = new Map<string, Connection>();
  private readonly sockets = new Set<BadgeSocket>();
  private readonly listeners: Listener[] = [];
  private readonly dispatchers: Dispatcher[] = [];
  private readonly clock: Clock;
  private readonly random: (lengthBytes: number) => Buffer;
  private registry: Registry | undefined;
  private mailbox: Mailbox | undefined;
  private door: AdminDoor | undefined;
  private readonly refusals = new Tally();
  private readonly presence = new Presence();
  private readonly watches = new Watches((badge) => this.byBadge.has(badge));
  private readonly startedSteadyMs: number;
  private readonly admission: Admission;
  private connectionsTotal = 0;
  private spool: ChunkStore | undefined;
  private closing: Promise<void> | undefined;
  private readonly ending = new AbortController();

  constructor(private readonly options: RelayOptions) {
    this.clock = options.clock ?? systemClock;
    this.random = options.random ?? randomBytes;
    this.startedSteadyMs = this.clock.steadyMs();
    const unproven = () => this.connections.size - this.byBadge.size;
    this.admission = new Admission(options.limits ?? LIMITS_DEFAULT, this.clock, options.log, unproven);
  }

  async start(): Promise<void> {
    const { log, disk = nodeDisk, sinks, listen, tls } = this.options;
    this.registry = Registry.open(this.options.registry, log);
    this.registry.watch(this.clock, () => {
      for (const connection of this.connections) connection.recheck();
    });
    const spool = await this.openStore(disk);
    this.spool = spool;
    this.mailbox = await this.openMailbox(disk);
    for (const sink of sinks) {
      const feed = await spool.openFeed(sink.name);
      const deadLetters = new DeadLetters(disk, join(this.folder, DEAD_LETTERS_FOLDER), sink);
      const random = () => this.random(4).readUInt32LE() / 2 ** 32;
      const { clock, options } = this;
      this.dispatchers.push(
        new Dispatcher({ sink, feed, deadLetters, bounds: options.deadLetters, clock, random, log }),
      );
    }
    spool.feedsOpened();
    for (const address of listen) {
      const listener = await listenOn(address, tls, this.admission, (socket) => this.accept(socket), log);
      this.listeners.push(listener);
      this.addresses.push(listener.url);
    }
    await this.openDoor();
    for (const door of this.options.doors ?? []) {
      const listener = door((socket) => this.accept(socket));
      this.listeners.push(listener);
      this.addresses.push(listener.url);
    }
  }

  private openStore(disk: Disk): Promise<ChunkStore> {
    const { log, spool } = this.options;
    const listener: StoreListener = {
      committed: (badges, chunks) => {
        for (const badge of badges) this.byBadge.get(badge)?.acknowledge();
        this.watches.stored(chunks);
      },
      roomChanged: () => {
        for (const connection of this.byBadge.values()) connection.acknowledge();
      },
      uncrowded: () => {
        for (const connection of this.byBadge.values()) connection.resume();
      },
      failed: (error) => this.failed(error),
    };
    if (typeof spool !== "string") return JetStreamSpool.open(spool, { log, clock: this.clock, listener });
    return Spool.open({
      directory: spool,
      segmentBytes: this.options.segmentBytes ?? SEGMENT_BYTES,
      bytesMax: this.options.spoolBytesMax ?? Number.POSITIVE_INFINITY,
      disk,
      clock: this.clock,
      random: this.random,
      log,
      listener,
    });
  }

  /** Of what the relay keeps besides chunks that lie elsewhere. */
  private get folder(): string {
    const { spool } = this.options;
    if (typeof spool === "string") return spool;
    if (spool.folder === undefined)
      throw new RelayError(
        ExitCode.Usage,
        "sinks need spool.folder beside the stream: dead letters lie there",
      );
    return spool.folder;
  }

  private async openMailbox(disk: Disk): Promise<Mailbox> {
    const { spool, log } = this.options;
    if (typeof spool === "string") return MailboxFile.open(disk, this.clock, spool);
    const pass = (badge: string, letter: Letter) => void this.byBadge.get(badge)?.letter(letter);
    return await JetStreamMailbox.open(spool.place, spool.stream, this.clock, log, pass);
  }

  get adminUrl(): string | undefined {
    return this.door?.url;
  }

  private async openDoor(): Promise<void> {
    const { admin, log } = this.options;
    if (admin === undefined) return;
    this.door = await openAdmin(admin, {
      clock: this.clock,
      log,
      notReady: () => {
        if (this.closing !== undefined) return "it is ending";
        return this.spool?.hasRoom
          ? ""
          : `no chunks are taken: ${this.spool?.noRoomReason ?? "it is starting"}`;
      },
      metrics: () => this.metrics(),
      status: () => this.status(),
      badges: this.badgeBook(),
      watches: this.watches,
      redeliver: (name) => {
        const dispatcher = this.dispatchers.find((one) => one.name === name);
        return dispatcher?.deadLetters.redeliver(this.ending.signal);
      },
      knows: (badge) => this.registry?.authKeyOf(badge) !== undefined,
      keep: (badge, letter) => this.keep(badge, letter),
    });
  }

  private badgeBook(): BadgeBook {
    const registry = this.registry as Registry;
    return {
      list: () =>
        [...registry.badges].map(([badge, { label, addedMs }]) => {
          return { badge, label, addedMs, connected: this.byBadge.has(badge) };
        }),
      add: (badge, authKey, label) => registry.add(badge, authKey, label, this.clock.unixMs()),
      rotate: (badge, authKey) => registry.rotate(badge, authKey),
      remove: (badge) => registry.remove(badge),
    };
  }

  private status(): Status {
    return reportStatus({
      clock: this.clock,
      startedSteadyMs: this.startedSteadyMs,
      presence: this.presence,
      registry: this.registry as Registry,
      spool: this.spool as ChunkStore,
      spoolBytesMax: this.options.spoolBytesMax,
      sinks: this.dispatchers,
    });
  }

  private metrics(): Metric[] {
    return relayMetrics({
      badgesConnected: this.byBadge.size,
      connectionsTotal: this.connectionsTotal,
      refusals: this.refusals,
      turnedAway: this.admission.turnedAway,
      spool: this.spool as ChunkStore,
      sinks: this.dispatchers,
    });
  }

  private async keep(badge: string, letter: Letter): Promise<boolean> {
    await this.mailbox?.add(badge, letter);
    return this.byBadge.get(badge)?.letter(letter) ?? false;
  }

  /** Sends a badge that has connected what waits for it. */
  private async hand(open: Connection): Promise<void> {
    try {
      for (const letter of (await this.mailbox?.of(open.badge)) ?? []) open.letter(letter);
    } catch (cause) {
      this.options.log.error("letters cannot be read, the badge gets them when it comes again", {
        badge: open.badge,
        why: messageOf(cause),
      });
    }
  }

  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  useTls(tls: TlsFiles): void {
    for (const listener of this.listeners) listener.useTls?.(tls);
  }

  private async closeAll(): Promise<void> {
    this.registry?.close();
    this.ending.abort();
    await this.door?.close();
    const listenersClosed = Promise.all(this.listeners.map((listener) => listener.close()));
    for (const connection of this.connections) connection.pause();
    await this.spool?.drain(); // its last commit is acked on the way
    for (const connection of this.connections) connection.bye();
    const cancel = this.clock.after(CLOSE_MS_MAX, () => this.destroySockets());
    await listenersClosed;
    cancel();
    await Promise.all(this.dispatchers.map((dispatcher) => dispatcher.stop()));
    await this.mailbox?.close();
    await this.spool?.close();
  }

  private failed(error: RelayError): void {
    for (const listener of this.listeners) void listener.close();
    this.destroySockets();
    this.watches.cut();
    this.options.onFatal(error);
  }

  private destroySockets(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private accept(socket: BadgeSocket): void {
    this.connectionsTotal++;
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    const connection = new Connection(socket, {
      crypto: nodeCrypto(this.random),
      clock: this.clock,
      log: this.options.log,
      registry: this.registry as Registry,
      spool: this.spool as ChunkStore,
      onProven: (proven) => this.replace(proven),
      onOpen: (open) => {
        void this.hand(open);
      },
      onRefused: (code) => this.refusals.add(ErrorCode[code] ?? String(code)),
      onEnd: (ended) => this.forget(ended),
    });
    this.connections.add(connection);
    if (this.closing !== undefined) connection.bye();
  }

  /** One connection for each badge: the newest that proved itself. */
  private replace(proven: Connection): void {
    this.byBadge.get(proven.badge)?.refuse(ErrorCode.Replaced, "a newer connection of this badge took over");
    this.byBadge.set(proven.badge, proven);
    this.presence.came(proven, this.clock.unixMs());
    this.watches.presenceChanged(proven.badge);
  }

  private forget(ended: Connection): void {
    this.connections.delete(ended);
    this.presence.went(ended, this.clock.unixMs());
    if (this.byBadge.get(ended.badge) !== ended) return;
    this.byBadge.delete(ended.badge);
    this.spool?.leave(ended.badge);
    this.watches.presenceChanged(ended.badge);
  }
}
