// Follows the wire protocol on one connection from outside, without keys, to know whether the relay owes the badge an answer.
import {
  decodeAck,
  decodeChunkFrame,
  decodeChunkHeader,
  decodeWelcome,
  FormatError,
  FRAME_MAC_BYTES,
  FRAME_PAYLOAD_BYTES_MAX,
  FrameSplitter,
  FrameType,
} from "@salestag/protocol";
import type { ConversationTracker } from "./network";

interface SentChunk {
  epoch: number;
  index: number;
  sentMs: number;
}

/** One for each connection. What is no frame of the protocol ends the account: it is for the badge to judge. */
export class RelayTracker implements ConversationTracker {
  private readonly toRelay = new FrameSplitter(FRAME_PAYLOAD_BYTES_MAX);
  private readonly toBadge = new FrameSplitter(FRAME_PAYLOAD_BYTES_MAX);
  /** When hello, proof and pings were sent that are still to be answered, in order, by challenge, welcome and pongs. */
  private asked: number[] = [];
  private unacked: SentChunk[] = [];
  /** The relay has closed the window: it owes no ack until it opens it again. */
  private held = false;
  private over = false;

  sent(bytes: Buffer, atMs: number): void {
    this.follow(() => this.toRelay.push(bytes, (payload) => this.toRelayFrame(payload, atMs)));
  }

  received(bytes: Buffer): number | undefined {
    const oldestMs = this.oldestMs();
    let answeredMs: number | undefined;
    this.follow(() =>
      this.toBadge.push(bytes, (payload) => {
        for (const sentMs of this.answeredBy(payload)) answeredMs = Math.max(answeredMs ?? 0, sentMs);
      }),
    );
    return this.over ? oldestMs : answeredMs;
  }

  oldestMs(): number | undefined {
    if (this.over) return undefined;
    const chunks = this.held ? [] : this.unacked.slice(0, 1);
    const sentMs = [...this.asked.slice(0, 1), ...chunks.map((chunk) => chunk.sentMs)];
    return sentMs.length > 0 ? Math.min(...sentMs) : undefined;
  }

  private follow(push: () => void): void {
    if (this.over) return;
    try {
      push();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.over = true;
    }
  }

  private toRelayFrame(payload: Buffer, atMs: number): void {
    const type = payload[0];
    if (type === FrameType.Hello || type === FrameType.Proof || type === FrameType.Ping)
      this.asked.push(atMs);
    else if (type === FrameType.Chunk) {
      const { header } = decodeChunkFrame(payload.subarray(1, payload.length - FRAME_MAC_BYTES));
      const { epoch, index } = decodeChunkHeader(header);
      this.unacked.push({ epoch, index, sentMs: atMs });
    }
  }

  /** @returns when each thing was sent that this frame answers */
  private answeredBy(payload: Buffer): number[] {
    const type = payload[0];
    if (type === FrameType.Error || type === FrameType.Bye) this.over = true;
    const body = payload.subarray(1, payload.length - FRAME_MAC_BYTES);
    if (type === FrameType.Welcome) this.held = decodeWelcome(body).window === 0;
    if (type === FrameType.Challenge || type === FrameType.Welcome || type === FrameType.Pong)
      return this.asked.splice(0, 1);
    if (type !== FrameType.Ack) return [];
    const { nextEpoch, nextIndex, window } = decodeAck(body);
    this.held = window === 0;
    const isLeft = ({ epoch, index }: SentChunk) =>
      epoch > nextEpoch || (epoch === nextEpoch && index >= nextIndex);
    const acked = this.unacked.filter((chunk) => !isLeft(chunk));
    this.unacked = this.unacked.filter(isLeft);
    return acked.map((chunk) => chunk.sentMs);
  }
}
