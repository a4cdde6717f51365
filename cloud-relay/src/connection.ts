// One badge's connection, from the first byte to the last: proof, then chunks in and acks out (docs/wire-format.md). Whatever
// should not come ends the connection with an error frame that says why.
import type { Duplex } from "node:stream";
import {
  type Crypto,
  decodeChunkFrame,
  decodeChunkHeader,
  decodeError,
  decodeHello,
  decodeNumber,
  decodeProof,
  ErrorCode,
  encodeAck,
  encodeChallenge,
  encodeError,
  encodeNumber,
  encodeWelcome,
  equalBytes,
  FormatError,
  FRAME_PAYLOAD_BYTES_MAX,
  FRAME_TYPE_OPTIONAL_MIN,
  FRAME_UNPROVEN_BYTES_MAX,
  FrameSplitter,
  FrameType,
  type Introduction,
  NONCE_BYTES,
  PROTOCOL_VERSION,
  plainFrame,
  proofOf,
  Session,
  Side,
} from "@salestag/protocol/host";
import type { Clock, Log } from "@salestag/protocol/service";
import { messageOf } from "./errors";
import type { Letter } from "./mail/mailbox";
import type { Registry } from "./registry";
import type { ChunkStore } from "./spool/chunk-store";
import { comparePositions, type Position, START } from "./spool/position";

/** A connection's bytes: a TCP or TLS socket, or anything that behaves like one. */
export interface BadgeSocket extends Duplex {
  readonly remoteAddress?: string;
  setNoDelay(noDelay: boolean): unknown;
}

/** Time to finish the proof. */
export const PROOF_MS_MAX = 10_000;
/** Longest silence of a badge once it has proved itself; any frame ends a silence. */
export const IDLE_MS_MAX = 90_000;
/** Chunks that a badge may have in flight. */
export const WINDOW_CHUNKS = 8;

/** Time that the badge has to close its side after the last frame. */
const LINGER_MS = 2000;
/** With more than this unsent the badge does not read what it is sent. */
const UNSENT_BYTES_MAX = 64 * 1024;
/** The position behind a chunk must be a u32 as well. */
const INDEX_MAX = 4294967294;
const REASON_SHUTDOWN = 1;
const ERROR_CHARACTERS_MAX = 150;

/** What a connection needs of the relay. */
export interface ConnectionParts {
  crypto: Crypto;
  clock: Clock;
  log: Log;
  registry: Registry;
  spool: ChunkStore;
  /** Called when the badge has proved itself, before the welcome: an older connection of the badge must end. */
  onProven: (connection: Connection) => void;
  /** Called after the welcome: what waits for the badge may be sent. */
  onOpen: (connection: Connection) => void;
  /** Called with the code of an error that ends a connection. */
  onRefused: (code: ErrorCode) => void;
  onEnd: (connection: Connection) => void;
}

type State = "hello" | "proof" | "proven" | "open" | "ended";

/** An end of the connection that is told to the badge. */
class Refusal extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** See the top of the file. */
export class Connection {
  /** Id of the badge, 16 hexadecimal digits; empty until it has said hello. */
  badge = "";
  /** Unix time in ms of the badge's last frame; 0 until it has proved itself. */
  heardUnixMs = 0;

  private state: State = "hello";
  private readonly splitter = new FrameSplitter(FRAME_UNPROVEN_BYTES_MAX);
  private introduction: Introduction | undefined;
  private authKey: Buffer | undefined;
  private session: Session | undefined;
  /** Position behind the newest chunk of this connection. */
  private newest: Position = START;
  private chunks = 0;
  private ackDue = false;
  private cancelTimer: () => void = () => {};

  constructor(
    private readonly socket: BadgeSocket,
    private readonly parts: ConnectionParts,
  ) {
    this.restartTimer(PROOF_MS_MAX);
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => this.receive(bytes));
    socket.on("error", () => undefined); // a badge that vanished; "close" follows
    socket.on("close", () => this.closed());
  }

  /** Ends the connection with an error that the badge is told. */
  refuse(code: ErrorCode, text: string): void {
    if (this.state === "ended") return;
    const { badge, socket } = this;
    this.parts.onRefused(code);
    this.parts.log.warn("connection refused", {
      badge: badge || undefined,
      remote: socket.remoteAddress,
      code: ErrorCode[code],
      why: text,
    });
    this.finish(FrameType.Error, encodeError({ code, text: text.slice(0, ERROR_CHARACTERS_MAX) }));
  }

  /** Tells the badge where the spool stands: after a commit, and when the room in the spool changes. */
  acknowledge(): void {
    if (this.state !== "open") return;
    const { spool } = this.parts;
    const { epoch, index } = spool.durablePosition(this.badge);
    const window = spool.hasRoom ? WINDOW_CHUNKS : 0;
    this.send(this.sealed(FrameType.Ack, encodeAck({ nextEpoch: epoch, nextIndex: index, window })));
  }

  /** Sends the badge a letter of the team. @returns false when the badge has not proved itself, or is gone */
  letter({ type, body }: Letter): boolean {
    if (this.state !== "open") return false;
    this.send(this.sealed(type, body));
    return true;
  }

  /** Reads nothing more until `resume`; the time that this takes is not the badge's silence. */
  pause(): void {
    if (this.state === "ended" || this.socket.isPaused()) return;
    this.socket.pause();
    if (this.state === "open") this.cancelTimer();
  }

  resume(): void {
    if (this.state === "ended" || !this.socket.isPaused()) return;
    if (this.state === "open") this.restartTimer(IDLE_MS_MAX);
    this.socket.resume();
  }

  /** The registry has changed: a badge that was removed, or got another key, loses its connection. */
  recheck(): void {
    const { authKey } = this;
    if (this.state === "ended" || authKey === undefined) return;
    const valid = this.parts.registry.authKeyOf(this.badge);
    if (valid !== undefined && equalBytes(valid, authKey)) return;
    const { code, message } = this.unknownBadge();
    this.refuse(code, message);
  }

  /** Says goodbye: the relay ends. */
  bye(): void {
    if (this.state === "open") this.finish(FrameType.Bye, encodeNumber(REASON_SHUTDOWN));
    else if (this.state !== "ended") this.finish();
  }

  private receive(bytes: Buffer): void {
    try {
      this.splitter.push(bytes, (payload) => this.payload(payload));
      if (this.ackDue) this.acknowledge();
      this.ackDue = false;
    } catch (cause) {
      if (cause instanceof Refusal) this.refuse(cause.code, cause.message);
      else if (cause instanceof FormatError) this.refuse(ErrorCode.BadFrame, cause.message);
      else {
        this.parts.log.error("connection failed", { badge: this.badge || undefined, why: messageOf(cause) });
        this.socket.destroy();
      }
    }
  }

  private payload(payload: Buffer): void {
    if (this.state === "ended") return;
    if (this.state === "open") {
      const { type, body } = this.opened(payload);
      this.heardUnixMs = this.parts.clock.unixMs();
      this.restartTimer(IDLE_MS_MAX);
      this.frame(type, body);
      return;
    }
    const type = payload[0];
    const body = payload.subarray(1);
    if (type === FrameType.Error) this.toldError(body);
    else if (type === FrameType.Bye) this.finish();
    else if (type === FrameType.Hello && this.state === "hello") this.hello(body);
    else if (type === FrameType.Proof && this.state === "proof") this.proof(body);
    else this.unexpected(type);
  }

  /** Frames after the proof. */
  private frame(type: number, body: Buffer): void {
    if (type === FrameType.Chunk) this.chunk(body);
    else if (type === FrameType.Ping) this.ping(body);
    else if (type === FrameType.Pong) decodeNumber(body, "pong");
    else if (type === FrameType.Bye) {
      decodeNumber(body, "bye");
      this.finish();
    } else if (type === FrameType.Error) this.toldError(body);
    else this.unexpected(type);
  }

  private unexpected(type: number): void {
    if (type >= FRAME_TYPE_OPTIONAL_MIN) return;
    if (FrameType[type] === undefined)
      throw new Refusal(ErrorCode.BadFrame, `frame type ${type} is not known to this relay`);
    throw new Refusal(
      ErrorCode.Unexpected,
      `a frame of type ${type} must not come from a badge at this point`,
    );
  }

  private hello(body: Buffer): void {
    const { crypto, registry } = this.parts;
    const { version, badgeId, nonce } = decodeHello(body);
    if (version !== PROTOCOL_VERSION)
      throw new Refusal(
        ErrorCode.Version,
        `this relay speaks version ${PROTOCOL_VERSION}, the badge ${version}`,
      );
    this.badge = badgeId.toString("hex");
    this.authKey = registry.authKeyOf(this.badge);
    if (this.authKey === undefined) throw this.unknownBadge();
    const relayNonce = crypto.random(NONCE_BYTES);
    this.introduction = { version, badgeId, badgeNonce: nonce, relayNonce };
    const proof = proofOf(crypto, this.authKey, Side.Relay, this.introduction);
    this.send(plainFrame(FrameType.Challenge, encodeChallenge({ nonce: relayNonce, proof })));
    this.state = "proof";
  }

  private proof(body: Buffer): void {
    const { crypto, onProven, spool } = this.parts;
    const introduction = this.introduction as Introduction;
    const authKey = this.authKey as Buffer;
    const expected = proofOf(crypto, authKey, Side.Badge, introduction);
    if (!equalBytes(expected, decodeProof(body)))
      // takes the same time wherever they differ
      throw new Refusal(ErrorCode.BadProof, "the badge's proof does not match its key");
    this.heardUnixMs = this.parts.clock.unixMs();
    onProven(this);
    this.session = new Session(crypto, Side.Relay, authKey, introduction);
    this.splitter.payloadBytesMax = FRAME_PAYLOAD_BYTES_MAX;
    const prepared = spool.prepare(this.badge);
    if (prepared === undefined) {
      this.open();
      return;
    }
    // Until the store says how far the badge has come, it has nothing to send.
    this.state = "proven";
    prepared.then(
      () => this.state === "proven" && this.open(),
      (cause) => this.refuse(ErrorCode.Unavailable, `the relay cannot store now: ${messageOf(cause)}`),
    );
  }

  private open(): void {
    const { clock, log, spool } = this.parts;
    this.state = "open";
    this.restartTimer(IDLE_MS_MAX);
    const { epoch: nextEpoch, index: nextIndex } = spool.durablePosition(this.badge);
    const window = spool.hasRoom ? WINDOW_CHUNKS : 0;
    const welcome = { unixMs: clock.unixMs(), nextEpoch, nextIndex, window, configVersion: 0 };
    this.send(this.sealed(FrameType.Welcome, encodeWelcome(welcome)));
    log.info("badge connected", {
      badge: this.badge,
      remote: this.socket.remoteAddress,
      nextEpoch,
      nextIndex,
      window,
    });
    this.parts.onOpen(this);
    if (spool.isCrowded) this.pause();
  }

  private opened(payload: Buffer): { type: number; body: Buffer } {
    try {
      return (this.session as Session).open(payload);
    } catch (cause) {
      if (cause instanceof FormatError) throw new Refusal(ErrorCode.BadProof, cause.message);
      throw cause;
    }
  }

  private chunk(body: Buffer): void {
    const { clock, spool } = this.parts;
    const { header, sealed } = decodeChunkFrame(body);
    const { badgeId, epoch, index } = decodeChunkHeader(header);
    if (badgeId.toString("hex") !== this.badge)
      throw new Refusal(ErrorCode.BadFrame, `a chunk of another badge came from badge ${this.badge}`);
    if (index > INDEX_MAX)
      throw new Refusal(ErrorCode.BadFrame, `chunk index must be at most ${INDEX_MAX}, got ${index}`);
    const chunk = { epoch, index };
    if (spool.isDurable(this.badge, chunk)) {
      this.ackDue = true; // the badge missed the ack
      return;
    }
    if (comparePositions(chunk, this.newest) < 0)
      throw new Refusal(
        ErrorCode.Unexpected,
        `chunk ${epoch}/${index} must not come after the chunk before ${this.newest.epoch}/${this.newest.index}`,
      );
    this.newest = { epoch, index: index + 1 };
    this.chunks++;
    spool.append({ badge: this.badge, epoch, index, receivedMs: clock.unixMs(), header, sealed });
    if (spool.isCrowded) this.pause();
  }

  private ping(body: Buffer): void {
    const token = decodeNumber(body, "ping");
    this.send(this.sealed(FrameType.Pong, encodeNumber(token)));
  }

  private unknownBadge(): Refusal {
    return new Refusal(ErrorCode.UnknownBadge, `badge ${this.badge} is not registered with this relay`);
  }

  private toldError(body: Buffer): void {
    const { code } = decodeError(body);
    this.parts.log.warn("badge ended the connection", {
      badge: this.badge || undefined,
      code: ErrorCode[code] ?? code,
    });
    this.finish();
  }

  private sealed(type: FrameType, body: Buffer): Buffer {
    return (this.session as Session).frame(type, body);
  }

  private send(frame: Buffer): void {
    if (this.socket.writableLength > UNSENT_BYTES_MAX) {
      this.parts.log.warn("connection ended: the badge does not read", { badge: this.badge });
      this.state = "ended"; // what has arrived behind it must not be answered, nor logged, once more for each frame
      this.socket.destroy();
    } else this.socket.write(frame);
  }

  /** The last frame, if any; what the badge still sends is read and dropped, so that it gets to read that frame. */
  private finish(type?: FrameType, body?: Buffer): void {
    if (type !== undefined && body !== undefined)
      this.send(this.session === undefined ? plainFrame(type, body) : this.sealed(type, body));
    if (this.state === "open")
      this.parts.log.info("badge disconnected", { badge: this.badge, chunks: this.chunks });
    this.state = "ended";
    this.socket.end();
    this.socket.resume();
    this.restartTimer(LINGER_MS);
  }

  private restartTimer(waitMs: number): void {
    this.cancelTimer();
    this.cancelTimer = this.parts.clock.after(waitMs, () => {
      if (this.state === "ended") this.socket.destroy();
      else this.refuse(ErrorCode.Timeout, `nothing was heard for ${waitMs / 1000} s`);
    });
  }

  private closed(): void {
    if (this.state === "open")
      this.parts.log.info("badge vanished", { badge: this.badge, chunks: this.chunks });
    this.state = "ended";
    this.cancelTimer();
    this.parts.onEnd(this);
  }
}
