// Follows the wire protocol on one connection from outside, without keys, to know whether the relay owes the badge an answer.
import {
  decodeAck,
  decodeChunkFrame,
  decodeChunkHeader,
  decodeWelcome,
  FRAME_MAC_BYTES,
  FRAME_PAYLOAD_BYTES_MAX,
  FrameSplitter,
  FrameType,
} from "@salestag/protocol";
import type { ConversationTracker } from "./network";

interface Position {
  epoch: number;
  index: number;
}

/** One for each connection. */
export class RelayTracker implements ConversationTracker {
  private readonly toRelay = new FrameSplitter(FRAME_PAYLOAD_BYTES_MAX);
  private readonly toBadge = new FrameSplitter(FRAME_PAYLOAD_BYTES_MAX);
  /** Answers that are owed one for one: challenge, welcome, pong. */
  private owed = 0;
  private unacked: Position[] = [];
  /** The relay has closed the window: it owes nothing until it opens it again. */
  private held = false;
  private over = false;

  sent(bytes: Buffer): void {
    if (this.over) return;
    this.toRelay.push(bytes, (payload) => {
      const type = payload[0];
      if (type === FrameType.Hello || type === FrameType.Proof || type === FrameType.Ping) this.owed++;
      else if (type === FrameType.Chunk) {
        const { header } = decodeChunkFrame(payload.subarray(1, payload.length - FRAME_MAC_BYTES));
        const { epoch, index } = decodeChunkHeader(header);
        this.unacked.push({ epoch, index });
      }
    });
  }

  received(bytes: Buffer): void {
    if (this.over) return;
    this.toBadge.push(bytes, (payload) => {
      const type = payload[0];
      if (type === FrameType.Error || type === FrameType.Bye) this.over = true;
      else if (type === FrameType.Ack) {
        const ack = decodeAck(payload.subarray(1, payload.length - FRAME_MAC_BYTES));
        this.held = ack.window === 0;
        this.unacked = this.unacked.filter(
          ({ epoch, index }) => epoch > ack.nextEpoch || (epoch === ack.nextEpoch && index >= ack.nextIndex),
        );
      } else if (type !== FrameType.Ping) this.owed--;
      if (type === FrameType.Welcome)
        this.held = decodeWelcome(payload.subarray(1, payload.length - FRAME_MAC_BYTES)).window === 0;
    });
  }

  awaiting(): boolean {
    return !this.over && (this.owed > 0 || (this.unacked.length > 0 && !this.held));
  }
}
