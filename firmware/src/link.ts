// The badge's side of one connection to the relay, without the socket: bytes in, frames out. Hello, the relay's proof, our
// proof, then chunks within the window, acks, pings. Anything wrong throws, and the caller ends the connection.
import {
  type Crypto,
  decodeAck,
  decodeChallenge,
  decodeError,
  decodeNumber,
  decodeWelcome,
  encodeHello,
  encodeNumber,
  encodeProof,
  equalBytes,
  FormatError,
  FRAME_MAC_BYTES,
  FRAME_TO_BADGE_BYTES_MAX,
  FRAME_TYPE_OPTIONAL_MIN,
  FRAME_UNPROVEN_BYTES_MAX,
  FrameSplitter,
  FrameType,
  frameStart,
  type Introduction,
  NONCE_BYTES,
  PROTOCOL_VERSION,
  plainFrame,
  proofOf,
  Session,
  Side,
} from "@salestag/protocol";
import { PING_AFTER_MS } from "./config";
import type { Outbox } from "./outbox";
import type { Trace } from "./trace";

/** Where the relay listens. */
export interface RelayAddress {
  proto: "tcp" | "tls";
  host: string;
  port: number;
}

/** A provisioned badge. */
export interface Identity {
  badgeId: Buffer;
  authKey: Buffer;
  relay: RelayAddress;
}

/** What the link needs from the rest of the badge. */
export interface LinkPorts {
  crypto: Crypto;
  identity: Identity;
  outbox: Outbox;
  trace: Trace;
  /** Called with the relay's Unix time once it has proved itself. */
  onClock: (unixMs: number) => void;
  /** Called with the body of a nudge or configuration frame: the team's, or nobody's. */
  onLetter: (type: FrameType, body: Buffer) => void;
}

/** Why the badge leaves: it has sent all that it may send now. */
const REASON_ALL_SENT = 2;

/** Answers that wait to be sent at most. */
const CONTROL_FRAMES_MAX = 8;

export class Link {
  /** True from the relay's welcome on. */
  up = false;

  private readonly splitter = new FrameSplitter(FRAME_UNPROVEN_BYTES_MAX);
  private readonly introduction: Introduction;
  private session: Session | undefined = undefined;
  private control: Buffer[] = [];
  private window = -1; // none was told yet
  private lastSentMs: number;
  private pings = 0;

  constructor(
    private readonly ports: LinkPorts,
    nowMs: number,
  ) {
    const nonce = ports.crypto.random(NONCE_BYTES);
    const badgeId = ports.identity.badgeId;
    this.introduction = { version: PROTOCOL_VERSION, badgeId, badgeNonce: nonce, relayNonce: nonce };
    const hello = encodeHello({ version: PROTOCOL_VERSION, badgeId, nonce });
    this.control.push(plainFrame(FrameType.Hello, hello));
    this.lastSentMs = nowMs;
  }

  /**
   * Takes bytes from the relay.
   * @throws Error with the reason when the connection must end
   */
  receive(bytes: Buffer): void {
    const self = this; // DeviceScript has no `this` in arrow functions
    this.splitter.push(bytes, (payload) => self.payload(payload));
  }

  /** @returns the next frame to send, in parts; none when there is nothing to send now */
  async next(nowMs: number): Promise<Buffer[]> {
    let parts: Buffer[] = [];
    if (this.control.length > 0) parts.push(this.control.shift() as Buffer);
    else if (this.up && this.ports.outbox.inFlightCount() < this.window) parts = await this.nextChunk();
    if (parts.length === 0 && this.up && nowMs - this.lastSentMs >= PING_AFTER_MS)
      parts.push((this.session as Session).frame(FrameType.Ping, encodeNumber(++this.pings)));
    if (parts.length > 0) this.lastSentMs = nowMs;
    return parts;
  }

  /** True when nothing waits on its way into the flash or to the relay, and everything that was sent is acknowledged. To be asked after `next()` had nothing. */
  isIdle(): boolean {
    const { outbox } = this.ports;
    return this.up && outbox.isWritten() && outbox.inFlightCount() === 0;
  }

  /** @returns the last frame of a connection that the relay has proved itself on */
  farewell(): Buffer {
    return (this.session as Session).frame(FrameType.Bye, encodeNumber(REASON_ALL_SENT));
  }

  /** In parts, because a chunk is the largest thing in the heap and is not to be copied. */
  private async nextChunk(): Promise<Buffer[]> {
    const chunk = await this.ports.outbox.next();
    if (chunk === undefined) return [];
    const { body } = chunk;
    const mac = (this.session as Session).macOfNext(FrameType.Chunk, [body]);
    return [frameStart(FrameType.Chunk, body.length + FRAME_MAC_BYTES), body, mac];
  }

  private payload(payload: Buffer): void {
    if (this.session === undefined) {
      this.challenge(payload);
      return;
    }
    // A relay that refuses our proof cannot know the session key: its error comes without a MAC.
    if (!this.up && payload[0] === FrameType.Error) refuse(payload.slice(1));
    const frame = this.session.open(payload);
    if (!this.up && frame.type !== FrameType.Welcome && frame.type !== FrameType.Error)
      throw new FormatError(`frame of type ${frame.type} came before the welcome`);
    this.handle(frame.type, frame.body);
  }

  private challenge(payload: Buffer): void {
    const type = payload[0];
    const body = payload.slice(1);
    if (type === FrameType.Error) refuse(body);
    if (type !== FrameType.Challenge)
      throw new FormatError(`first frame must be a challenge, got type ${type}`);
    const challenge = decodeChallenge(body);
    this.introduction.relayNonce = challenge.nonce;
    const { crypto, identity } = this.ports;
    const expected = proofOf(crypto, identity.authKey, Side.Relay, this.introduction);
    if (!equalBytes(expected, challenge.proof))
      throw new Error("relay-not-proved: it does not know this badge's authentication key");
    const proof = proofOf(crypto, identity.authKey, Side.Badge, this.introduction);
    this.control.push(plainFrame(FrameType.Proof, encodeProof(proof)));
    this.splitter.payloadBytesMax = FRAME_TO_BADGE_BYTES_MAX;
    this.session = new Session(crypto, Side.Badge, identity.authKey, this.introduction);
  }

  private handle(type: number, body: Buffer): void {
    if (type === FrameType.Welcome && !this.up) {
      const welcome = decodeWelcome(body);
      this.up = true;
      this.ports.outbox.rewind();
      this.ports.onClock(welcome.unixMs);
      this.acked(welcome.nextEpoch, welcome.nextIndex, welcome.window);
    } else if (type === FrameType.Ack) {
      const ack = decodeAck(body);
      if (!this.ports.outbox.wasSent(ack.nextEpoch, ack.nextIndex))
        throw new FormatError(
          `ack of (${ack.nextEpoch}, ${ack.nextIndex}) is about chunks that were not sent`,
        );
      this.acked(ack.nextEpoch, ack.nextIndex, ack.window);
    } else if (type === FrameType.Ping) {
      const token = decodeNumber(body, "ping");
      if (this.control.length >= CONTROL_FRAMES_MAX)
        throw new Error("flood: the relay pings faster than we can answer");
      this.control.push((this.session as Session).frame(FrameType.Pong, encodeNumber(token)));
    } else if (type === FrameType.Nudge || type === FrameType.Config) {
      this.ports.onLetter(type, body);
    } else if (type === FrameType.Pong) {
      decodeNumber(body, "pong");
    } else if (type === FrameType.Bye) {
      throw new Error(`bye: the relay ends the connection, reason ${decodeNumber(body, "bye")}`);
    } else if (type === FrameType.Error) {
      refuse(body);
    } else if (type < FRAME_TYPE_OPTIONAL_MIN) {
      throw new FormatError(`frame of type ${type} must not come from the relay`);
    }
  }

  private acked(nextEpoch: number, nextIndex: number, window: number): void {
    const forgotten = this.ports.outbox.acked(nextEpoch, nextIndex);
    if (window === 0 && this.window !== 0) this.ports.trace.held();
    this.window = window;
    if (forgotten > 0) this.ports.trace.acked(nextEpoch, nextIndex, this.ports.outbox.count());
  }
}

/** Ends the connection with the reason that the relay's error frame gives. */
function refuse(body: Buffer): void {
  const error = decodeError(body);
  throw new Error(`refused ${error.code}: ${error.text}`);
}
