// A badge for tests: real sockets, the shared protocol code, and no outbox. What it sends and waits for is up to the test.
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import {
  type Ack,
  ChunkCodec,
  ChunkKind,
  type Crypto,
  decodeAck,
  decodeChallenge,
  decodeError,
  decodeWelcome,
  type ErrorFrame,
  encodeChunkBodyStart,
  encodeChunkHeader,
  encodeHello,
  encodeProof,
  equalBytes,
  FRAME_PAYLOAD_BYTES_MAX,
  FrameSplitter,
  FrameType,
  type Introduction,
  joinBytes,
  NONCE_BYTES,
  nodeCrypto,
  type OpenedFrame,
  PROTOCOL_VERSION,
  plainFrame,
  proofOf,
  Session,
  Side,
  type Welcome,
} from "@salestag/protocol/host";

/** Who the badge is and where its relay. */
export interface BadgeClientOptions {
  /** As the relay prints it: `tcp://127.0.0.1:7788`. */
  address: string;
  /** 8 bytes. */
  badgeId: Buffer;
  /** 32 bytes. */
  authKey: Buffer;
  /** Certificate that is trusted, PEM; for `tls` addresses. */
  ca?: string;
  crypto?: Crypto;
}

/** The relay ended the connection with an error frame. */
export class RefusedError extends Error {
  constructor(readonly refusal: ErrorFrame) {
    super(`relay refused with code ${refusal.code}: ${refusal.text}`);
    this.name = "RefusedError";
  }
}

/** A connection that is read frame by frame. */
export class FrameConnection {
  /** Every byte that came, in order. */
  readonly received: Buffer[] = [];

  private readonly splitter = new FrameSplitter(FRAME_PAYLOAD_BYTES_MAX);
  private readonly payloads: Buffer[] = [];
  private readonly waiting: ((payload: Buffer | undefined) => void)[] = [];
  private ended = false;

  private constructor(readonly socket: Socket) {
    socket.on("data", (bytes: Buffer) => {
      this.received.push(bytes);
      this.splitter.push(bytes, (payload) => this.take(payload));
    });
    socket.on("error", () => undefined); // "close" follows
    socket.on("close", () => {
      this.ended = true;
      for (const resolve of this.waiting.splice(0)) resolve(undefined);
    });
  }

  /** @param address as the relay prints it */
  static async open(address: string, ca?: string): Promise<FrameConnection> {
    const { protocol, hostname, port } = new URL(address);
    const host = hostname.replace(/^\[|\]$/g, "");
    const secure = protocol === "tls:";
    const socket = secure
      ? connectTls({ host, port: Number(port), ca })
      : connectTcp({ host, port: Number(port) });
    const connection = new FrameConnection(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once(secure ? "secureConnect" : "connect", resolve);
      socket.once("error", reject);
    });
    return connection;
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** @returns type, body and MAC of the next frame, or undefined when the connection has ended */
  next(): Promise<Buffer | undefined> {
    const payload = this.payloads.shift();
    if (payload !== undefined) return Promise.resolve(payload);
    if (this.ended) return Promise.resolve(undefined);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Ends the connection and waits until it is closed. */
  async close(): Promise<void> {
    if (this.ended) return;
    const closed = new Promise((resolve) => this.socket.once("close", resolve));
    this.socket.destroy();
    await closed;
  }

  private take(payload: Buffer): void {
    const resolve = this.waiting.shift();
    if (resolve === undefined) this.payloads.push(payload);
    else resolve(payload);
  }
}

/** A badge that has proved itself and was welcomed. */
export class BadgeClient {
  private constructor(
    readonly connection: FrameConnection,
    readonly session: Session,
    readonly badgeId: Buffer,
    readonly welcome: Welcome,
  ) {}

  /**
   * Connects and goes through the mutual proof.
   * @throws RefusedError with the relay's error; Error when the relay's own proof is wrong or it hangs up
   */
  static async connect(options: BadgeClientOptions): Promise<BadgeClient> {
    const { badgeId, authKey, crypto = nodeCrypto() } = options;
    const connection = await FrameConnection.open(options.address, options.ca);
    const badgeNonce = crypto.random(NONCE_BYTES);
    const hello = encodeHello({ version: PROTOCOL_VERSION, badgeId, nonce: badgeNonce });
    connection.write(plainFrame(FrameType.Hello, hello));
    const challenge = decodeChallenge(await plainBody(connection, FrameType.Challenge));
    const introduction: Introduction = {
      version: PROTOCOL_VERSION,
      badgeId,
      badgeNonce,
      relayNonce: challenge.nonce,
    };
    if (!equalBytes(challenge.proof, proofOf(crypto, authKey, Side.Relay, introduction)))
      throw new Error("relay did not prove that it has the badge's authentication key");
    const proof = proofOf(crypto, authKey, Side.Badge, introduction);
    connection.write(plainFrame(FrameType.Proof, encodeProof(proof)));
    const session = new Session(crypto, Side.Badge, authKey, introduction);
    const payload = await connection.next();
    if (payload === undefined) throw new Error("relay hung up before its welcome");
    if (payload[0] === FrameType.Error) throw new RefusedError(decodeError(payload.subarray(1)));
    return new BadgeClient(connection, session, badgeId, decodeWelcome(session.open(payload).body));
  }

  /** Sends a frame with its MAC. */
  send(type: number, body: Buffer): void {
    this.connection.write(this.session.frame(type, body));
  }

  /** Sends a chunk; `sealed` stands for the ciphertext, at least 16 bytes. */
  sendChunk(epoch: number, index: number, sealed: Buffer): void {
    this.send(FrameType.Chunk, chunkBody(this.badgeId, epoch, index, sealed));
  }

  /** @returns the next frame from the relay @throws RefusedError for an error frame, Error when the connection has ended */
  async next(): Promise<OpenedFrame> {
    const payload = await this.connection.next();
    if (payload === undefined) throw new Error("relay ended the connection");
    const frame = this.session.open(payload);
    if (frame.type === FrameType.Error) throw new RefusedError(decodeError(frame.body));
    return frame;
  }

  /** Waits for an ack of everything before (epoch, index). @returns that ack */
  async ackedBefore(epoch: number, index: number): Promise<Ack> {
    for (;;) {
      const ack = await this.nextAck();
      if (ack.nextEpoch > epoch || (ack.nextEpoch === epoch && ack.nextIndex >= index)) return ack;
    }
  }

  /** @returns the next ack @throws Error when another frame comes first */
  async nextAck(): Promise<Ack> {
    const { type, body } = await this.next();
    if (type !== FrameType.Ack) throw new Error(`an ack was expected, frame type ${type} came`);
    return decodeAck(body);
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}

/** @returns the body of a chunk frame with a header of plausible values */
export function chunkBody(badgeId: Buffer, epoch: number, index: number, sealed: Buffer): Buffer {
  const header = encodeChunkHeader({
    badgeId,
    epoch,
    index,
    kind: ChunkKind.Audio,
    startMs: index * 2000,
    durationMs: 2000,
    codec: ChunkCodec.OpusItems,
    count: 100,
  });
  return joinBytes([encodeChunkBodyStart(header, sealed.length), sealed]);
}

async function plainBody(connection: FrameConnection, type: FrameType): Promise<Buffer> {
  const payload = await connection.next();
  if (payload === undefined) throw new Error("relay hung up during the proof");
  if (payload[0] === FrameType.Error) throw new RefusedError(decodeError(payload.subarray(1)));
  if (payload[0] !== type) throw new Error(`frame type ${type} was expected, ${payload[0]} came`);
  return payload.subarray(1);
}
