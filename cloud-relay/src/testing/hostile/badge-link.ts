// One connection of a badge that has its key, in memory: the honest part. It goes through the proof, sends frames, and checks all that the relay
// answers: every frame in order and with its MAC, no error but one that was to be expected, no answer behind it.
import {
  type Ack,
  decodeAck,
  decodeChallenge,
  decodeError,
  decodeNumber,
  decodeWelcome,
  ErrorCode,
  encodeHello,
  encodeProof,
  equalBytes,
  FRAME_PAYLOAD_BYTES_MAX,
  FrameSplitter,
  FrameType,
  type Introduction,
  NONCE_BYTES,
  nodeCrypto,
  PROTOCOL_VERSION,
  plainFrame,
  proofOf,
  Session,
  Side,
} from "@salestag/protocol/host";
import { comparePositions, type Position, START } from "../../spool/position";
import type { Random } from "../random";
import { MemorySocket } from "./memory-socket";
import { cutAnywhere } from "./splitter";
import { type KnownBadge, nameOf, type World } from "./world";

/** What is known of the connection's fate. */
export type Fate =
  /** All that was sent is in order: it must stand, and answer. */
  | "stands"
  /** The relay may take what was sent last, or refuse it. */
  | "open question"
  /** It must be refused, with `expectedCode` where that is set. */
  | "doomed";

/** Bytes of answers for bytes sent, and for the connection itself. */
const ANSWER_RATIO_MAX = 4;
const ANSWER_BYTES_MAX = 1024;
const ANSWER_BYTES_PER_COMMIT = 32;
/** No answer needs more turns of the event loop than this, unless the disk is waited for. */
const TURNS = 3;
const ACK_MS_MAX = 60_000;

export class BadgeLink {
  fate: Fate = "stands";
  expectedCode: ErrorCode | undefined;
  phase: "hello" | "proof" | "open" = "hello";
  /** The relay has sent an error. */
  error: ErrorCode | undefined;
  closed = false;
  /** Behind the newest chunk that the relay knows of. */
  position: Position = START;
  session: Session | undefined;
  readonly socket: MemorySocket;
  readonly crypto = nodeCrypto((lengthBytes) => this.random.bytes(lengthBytes));

  private readonly splitter = new FrameSplitter(FRAME_PAYLOAD_BYTES_MAX);
  private introduction: Introduction | undefined;
  private readonly nonce: Buffer;
  private inFlight: Position[] = [];
  private acks = 0;
  private outOfStep = false;
  private sentBytes = 0;
  private pong: number | undefined;
  private wrong: Error | undefined;
  private changed: () => void = () => {};

  constructor(
    readonly world: World,
    readonly badge: KnownBadge,
    readonly random: Random,
  ) {
    this.nonce = this.crypto.random(NONCE_BYTES);
    this.socket = new MemorySocket((bytes) => this.receive(bytes));
    this.socket.on("close", () => {
      this.closed = true;
      this.changed();
    });
    world.accept(this.socket);
  }

  /** Sends bytes, cut at any place. */
  send(bytes: Buffer): void {
    this.sentBytes += bytes.length;
    for (const piece of cutAnywhere(this.random, bytes)) this.socket.badgeSends(piece);
  }

  /** From here on the relay must refuse the connection. What was doomed stays so. */
  doom(code?: ErrorCode): void {
    if (this.fate === "stands") this.expectedCode = code;
    this.fate = "doomed";
  }

  /** From here on the relay may refuse the connection. */
  question(): void {
    if (this.fate === "stands") this.fate = "open question";
  }

  /** From here on the relay may take for a frame whatever it likes, and wait for the rest of one. */
  loseStep(): void {
    this.question();
    this.outOfStep = true;
  }

  helloBody(): Buffer {
    return encodeHello({ version: PROTOCOL_VERSION, badgeId: this.badge.badgeId, nonce: this.nonce });
  }

  proofBody(): Buffer {
    return encodeProof(
      proofOf(this.crypto, this.badge.authKey, Side.Badge, this.introduction as Introduction),
    );
  }

  async hello(): Promise<void> {
    this.send(plainFrame(FrameType.Hello, this.helloBody()));
    await this.settle();
    if (this.fate === "stands" && this.introduction === undefined)
      throw new Error("a hello was not answered");
  }

  async prove(): Promise<void> {
    this.send(plainFrame(FrameType.Proof, this.proofBody()));
    if (this.fate === "doomed") return;
    const { crypto, badge } = this;
    this.session = new Session(crypto, Side.Badge, badge.authKey, this.introduction as Introduction);
    await this.settle();
    if (this.fate === "stands" && this.phase !== "open") throw new Error("a proof was not answered");
  }

  /** Sends a chunk that the relay must take. */
  chunk(body: Buffer, position: Position): void {
    if (this.fate === "stands") this.inFlight.push(position);
    this.send((this.session as Session).frame(FrameType.Chunk, body));
  }

  /** A ping that is answered shows that the relay has taken everything before it. */
  async probe(body: Buffer, token: number): Promise<void> {
    const wasDoomed = this.fate === "doomed";
    this.pong = undefined;
    this.send((this.session as Session).frame(FrameType.Ping, body));
    await this.settle();
    const answered = this.pong === token;
    if (answered && wasDoomed) throw new Error("a ping was answered behind what must be refused");
    if (answered) this.fate = "stands";
    else if (this.fate === "stands") throw new Error("a ping was not answered");
    else if (!this.outOfStep && !this.socket.writableEnded && !this.socket.destroyed)
      throw new Error("the relay neither took nor refused what was sent");
  }

  /** Waits until all chunks that the relay must take are acked. */
  async allAcked(): Promise<void> {
    while (this.inFlight.length > 0 && !this.closed && this.fate === "stands") await this.change();
  }

  /** Lets everything happen that needs no disk. @throws Error when the relay did what it must not do */
  async settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (this.wrong !== undefined) throw this.wrong;
    this.world.check();
  }

  /** @throws Error when the relay answered more than what was sent is worth */
  checkAnswers(): void {
    const allowed =
      ANSWER_BYTES_MAX + ANSWER_RATIO_MAX * this.sentBytes + ANSWER_BYTES_PER_COMMIT * this.acks;
    if (this.socket.answeredBytes > allowed)
      throw new Error(`${this.socket.answeredBytes} bytes were answered to ${this.sentBytes} bytes`);
  }

  private change(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("an ack did not come")), ACK_MS_MAX);
      this.changed = () => {
        clearTimeout(timer);
        if (this.wrong === undefined) resolve();
        else reject(this.wrong);
      };
    });
  }

  private receive(bytes: Buffer): void {
    try {
      this.splitter.push(bytes, (payload) => this.answer(payload));
    } catch (cause) {
      this.wrong ??= cause as Error;
    }
    this.changed();
  }

  private answer(payload: Buffer): void {
    if (this.error !== undefined) throw new Error(`frame type ${payload[0]} came behind the error`);
    const hasMac = this.phase === "open" || payload[0] === FrameType.Welcome;
    if (hasMac && this.session === undefined) throw new Error("a welcome came without a proof");
    const { type, body } = hasMac
      ? (this.session as Session).open(payload)
      : { type: payload[0], body: payload.subarray(1) };
    if (type === FrameType.Error) this.refused(decodeError(body));
    else if (type === FrameType.Challenge) this.challenged(body);
    else if (type === FrameType.Welcome) this.welcomed(body);
    else if (type === FrameType.Ack) this.acked(decodeAck(body));
    else if (type === FrameType.Pong) this.pong = decodeNumber(body, "pong");
    else throw new Error(`a frame of type ${type} came from the relay`);
  }

  private refused({ code, text }: { code: number; text: string }): void {
    this.error = code;
    const { fate, expectedCode } = this;
    if (fate === "stands") throw new Error(`refused although all was in order: ${ErrorCode[code]}, ${text}`);
    if (ErrorCode[code] === undefined) throw new Error(`refused with the unknown code ${code}`);
    if (expectedCode !== undefined && code !== expectedCode)
      throw new Error(`refused with ${ErrorCode[code]} (${text}), not ${ErrorCode[expectedCode]}`);
  }

  private challenged(body: Buffer): void {
    const { nonce, proof } = decodeChallenge(body);
    const { badge, crypto, fate } = this;
    if (fate !== "stands") return; // to a hello that was spoiled and is one all the same
    if (this.phase !== "hello") throw new Error("a second challenge came");
    const { badgeId } = badge;
    this.introduction = { version: PROTOCOL_VERSION, badgeId, badgeNonce: this.nonce, relayNonce: nonce };
    if (!equalBytes(proof, proofOf(crypto, badge.authKey, Side.Relay, this.introduction)))
      throw new Error("the relay's proof is wrong");
    this.phase = "proof";
  }

  private welcomed(body: Buffer): void {
    if (this.phase !== "proof") throw new Error("a second welcome came");
    const { nextEpoch, nextIndex } = decodeWelcome(body);
    const next = { epoch: nextEpoch, index: nextIndex };
    this.position = comparePositions(next, this.badge.reached) > 0 ? next : this.badge.reached;
    this.phase = "open";
    this.fate = "stands";
  }

  private acked({ nextEpoch, nextIndex }: Ack): void {
    this.acks++;
    const next = { epoch: nextEpoch, index: nextIndex };
    const isAcked = (position: Position) => comparePositions(position, next) < 0;
    for (const position of this.inFlight.filter(isAcked))
      if (comparePositions(position, this.badge.delivered) >= 0) this.badge.owed.add(nameOf(position));
    this.inFlight = this.inFlight.filter((position) => !isAcked(position));
  }
}
