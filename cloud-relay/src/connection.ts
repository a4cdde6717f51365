// One badge's connection, from the first byte to the last: proof, then chunks in and acks out. A table says which frame may come
// in which state; everything else ends the connection with an error frame that says why.
import type { Socket } from "node:net";
import {
  type ChunkRecord,
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
import type { Clock } from "./clock";
import { messageOf } from "./errors";
import type { Log } from "./log";
import type { Registry } from "./registry";
import { comparePositions, type Position, START } from "./spool/position";
import type { Spool } from "./spool/spool";

/** Time to finish the proof. */
const PROOF_MS_MAX = 10_000;
/** Longest silence of a badge; it pings every 30 s. */
const IDLE_MS_MAX = 90_000;
/** Chunks that a badge may have in flight. */
const WINDOW = 8;
/** How soon a badge is told to go on after the spool had no room. */
const ROOM_CHECK_MS = 2000;
/** A frame's answer that is still unsent at this size means that the badge does not read: the connection ends. */
const UNSENT_BYTES_MAX = 256 * 1024;

export interface ConnectionParts {
  crypto: Crypto;
  clock: Clock;
  log: Log;
  registry: Registry;
  spool: Spool;
  /** Called when the badge has proved itself, before the welcome: an older connection of the badge must end. */
  onProven: (connection: Connection) => void;
  onEnd: (connection: Connection) => void;
}

type State = "hello" | "proof" | "open" | "ended";

/** An end of the connection that is told to the badge. */
class Refusal extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
  }
}

export class Connection {
  /** Id of the badge, 16 hexadecimal digits; empty until it has said hello. */
  badge = "";

  private state: State = "hello";
  private readonly splitter = new FrameSplitter(FRAME_UNPROVEN_BYTES_MAX);
  private introduction: Introduction | undefined;
  private authKey: Buffer | undefined;
  private session: Session | undefined;
  private newest: Position = START;
  private acked: Position = START;
  private cancelTimer: () => void = () => {};
  private cancelRoomCheck: () => void = () => {};

  constructor(
    private readonly socket: Socket,
    private readonly parts: ConnectionParts,
  ) {
    this.restartTimer(PROOF_MS_MAX);
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => this.receive(bytes));
    socket.on("error", () => undefined); // a badge that vanished; "close" follows
    socket.on("close", () => this.ended());
  }

  /** Ends the connection with an error that the badge is told. */
  refuse(code: ErrorCode, text: string): void {
    if (this.state === "ended") return;
    this.parts.log.info("connection ended", { badge: this.badge || undefined, code, why: text });
    const body = encodeError({ code, text: text.slice(0, 150) });
    this.finish(FrameType.Error, body);
  }

  /** Says goodbye: the relay is shutting down. */
  bye(): void {
    if (this.state === "ended") return;
    if (this.state === "open") this.finish(FrameType.Bye, encodeNumber(1));
    else this.finish(undefined);
  }

  private receive(bytes: Buffer): void {
    try {
      this.splitter.push(bytes, (payload) => {
        if (this.state !== "ended") this.payload(payload);
      });
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
    if (this.state === "hello") this.hello(payload);
    else if (this.state === "proof") this.proof(payload);
    else {
      this.restartTimer(IDLE_MS_MAX);
      const { type, body } = this.open(payload);
      this.frame(type, body);
    }
  }

  private hello(payload: Buffer): void {
    const { crypto, registry } = this.parts;
    if (payload[0] !== FrameType.Hello)
      throw new Refusal(ErrorCode.Unexpected, `the first frame must be a hello, got type ${payload[0]}`);
    const hello = decodeHello(payload.subarray(1));
    if (hello.version !== PROTOCOL_VERSION)
      throw new Refusal(
        ErrorCode.Version,
        `this relay speaks version ${PROTOCOL_VERSION}, the badge ${hello.version}`,
      );
    const badge = hello.badgeId.toString("hex");
    const authKey = registry.authKeyOf(badge);
    if (authKey === undefined)
      throw new Refusal(ErrorCode.UnknownBadge, `badge ${badge} is not registered at this relay`);
    this.badge = badge;
    this.authKey = authKey;
    const relayNonce = crypto.random(NONCE_BYTES);
    this.introduction = {
      version: hello.version,
      badgeId: Buffer.from(hello.badgeId),
      badgeNonce: Buffer.from(hello.nonce),
      relayNonce,
    };
    const proof = proofOf(crypto, authKey, Side.Relay, this.introduction);
    this.send(plainFrame(FrameType.Challenge, encodeChallenge({ nonce: relayNonce, proof })));
    this.state = "proof";
  }

  private proof(payload: Buffer): void {
    const { clock, crypto, spool } = this.parts;
    if (payload[0] === FrameType.Error) this.toldError(payload.subarray(1));
    if (payload[0] !== FrameType.Proof)
      throw new Refusal(ErrorCode.Unexpected, `a proof must follow the hello, got type ${payload[0]}`);
    const introduction = this.introduction as Introduction;
    const authKey = this.authKey as Buffer;
    const expected = proofOf(crypto, authKey, Side.Badge, introduction);
    if (!equalBytes(expected, decodeProof(payload.subarray(1))))
      throw new Refusal(ErrorCode.BadProof, "the badge's proof does not match its key");
    this.parts.onProven(this);
    this.session = new Session(crypto, Side.Relay, authKey, introduction);
    this.splitter.payloadBytesMax = FRAME_PAYLOAD_BYTES_MAX;
    this.state = "open";
    this.restartTimer(IDLE_MS_MAX);
    this.acked = spool.positionOf(this.badge);
    const { epoch, index } = this.acked;
    const window = spool.full ? 0 : WINDOW;
    const welcome = { unixMs: clock.unixMs(), nextEpoch: epoch, nextIndex: index, window, configVersion: 0 };
    this.sendFrame(FrameType.Welcome, encodeWelcome(welcome));
    if (spool.full) this.checkRoomLater();
    this.parts.log.info("badge connected", { badge: this.badge, nextEpoch: epoch, nextIndex: index });
  }

  private open(payload: Buffer): { type: number; body: Buffer } {
    try {
      return (this.session as Session).open(payload);
    } catch (cause) {
      throw new Refusal(ErrorCode.BadProof, messageOf(cause));
    }
  }

  private frame(type: number, body: Buffer): void {
    if (type === FrameType.Chunk) this.chunk(body);
    else if (type === FrameType.Ping)
      this.sendFrame(FrameType.Pong, encodeNumber(decodeNumber(body, "ping")));
    else if (type === FrameType.Pong) decodeNumber(body, "pong");
    else if (type === FrameType.Bye) {
      decodeNumber(body, "bye");
      this.finish(undefined);
    } else if (type === FrameType.Error) this.toldError(body);
    else if (type < FRAME_TYPE_OPTIONAL_MIN)
      throw new Refusal(ErrorCode.Unexpected, `a frame of type ${type} must not come from a badge`);
  }

  private toldError(body: Buffer): void {
    const { code, text } = decodeError(body);
    this.parts.log.warn("badge ends the connection", { badge: this.badge, code, why: text });
    this.finish(undefined);
  }

  private chunk(body: Buffer): void {
    const { clock, spool } = this.parts;
    const { header, sealed } = decodeChunkFrame(body);
    const { badgeId, epoch, index } = decodeChunkHeader(header);
    if (badgeId.toString("hex") !== this.badge)
      throw new Refusal(
        ErrorCode.Unexpected,
        `a chunk of another badge came over the connection of ${this.badge}`,
      );
    const position = { epoch, index };
    if (comparePositions(position, this.newest) < 0)
      throw new Refusal(
        ErrorCode.Unexpected,
        `chunk ${epoch}/${index} came after ${this.newest.epoch}/${this.newest.index}`,
      );
    this.newest = { epoch, index: index + 1 };
    if (comparePositions(position, spool.positionOf(this.badge)) < 0) {
      this.sendAck(WINDOW); // the spool has it: the badge missed the ack
      return;
    }
    const record: ChunkRecord = {
      badge: this.badge,
      epoch,
      index,
      receivedMs: clock.unixMs(),
      header: Buffer.from(header),
      sealed: Buffer.from(sealed),
    };
    spool.append(record).then(
      () => this.stored(),
      () => this.noRoom(),
    );
    if (spool.overloaded()) this.pauseUntilCommit();
  }

  /** Acknowledges all that is durable by now: one ack for as many chunks as one commit stored. */
  private stored(): void {
    if (this.state !== "open") return;
    const durable = this.parts.spool.positionOf(this.badge);
    if (comparePositions(durable, this.acked) <= 0) return;
    this.acked = durable;
    this.sendAck(WINDOW);
  }

  /** Stops the badge. It keeps its chunks; the connection ends so that it sends them again once there is room. */
  private noRoom(): void {
    if (this.state !== "open") return;
    this.refuse(ErrorCode.Unavailable, "the relay's spool has no room");
  }

  private checkRoomLater(): void {
    this.cancelRoomCheck = this.parts.clock.after(ROOM_CHECK_MS, () => {
      if (this.state === "open") this.sendAck(1); // one chunk finds out whether there is room
    });
  }

  private pauseUntilCommit(): void {
    if (this.socket.isPaused()) return;
    this.socket.pause();
    const unsubscribe = this.parts.spool.onCommit(() => {
      if (this.parts.spool.overloaded()) return;
      unsubscribe();
      this.socket.resume();
    });
  }

  private sendAck(window: number): void {
    const { epoch, index } = this.acked;
    this.sendFrame(FrameType.Ack, encodeAck({ nextEpoch: epoch, nextIndex: index, window }));
  }

  private sendFrame(type: FrameType, body: Buffer): void {
    this.send((this.session as Session).frame(type, body));
  }

  private send(bytes: Buffer): void {
    if (this.socket.writableLength > UNSENT_BYTES_MAX) {
      this.parts.log.warn("badge does not read", { badge: this.badge });
      this.socket.destroy();
      return;
    }
    this.socket.write(bytes);
  }

  private finish(type: FrameType | undefined, body: Buffer = Buffer.alloc(0)): void {
    if (type !== undefined)
      this.send(this.session === undefined ? plainFrame(type, body) : this.session.frame(type, body));
    this.state = "ended";
    this.socket.end();
    // A badge that does not close its side is not waited for.
    this.restartTimer(PROOF_MS_MAX);
  }

  private restartTimer(ms: number): void {
    this.cancelTimer();
    this.cancelTimer = this.parts.clock.after(ms, () => {
      if (this.state === "ended") this.socket.destroy();
      else this.refuse(ErrorCode.Timeout, `nothing came for ${ms / 1000} s`);
    });
  }

  private ended(): void {
    const wasOpen = this.state === "open";
    this.state = "ended";
    this.cancelTimer();
    this.cancelRoomCheck();
    if (wasOpen) this.parts.log.info("badge gone", { badge: this.badge });
    this.parts.onEnd(this);
  }
}
