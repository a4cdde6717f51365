// The day that a simulated badge hears, drawn from the seed: conversations with turns and pauses, and silence between them, as front-end frames. No
// sound is behind them: loud bands and the network's word say what is speech. Every frame's packet is unique and begins with marks that can
// be looked for wherever they must not be.
import { FRAME_MS } from "@salestag/protocol";
import { Random } from "../emulator/random";

/** What is played at a moment. */
export enum Sound {
  Silence = 0,
  Near = 1,
  Far = 2,
}

const HEADER_BYTES = 36;
const LAYOUT_2 = 2 << 4;
const LAYOUT_MUTED = 1;
const TOC = 0x48;
const PACKET_BYTES_MIN = 32;
const PACKET_BYTES_SPREAD = 16;
/** Bytes of a packet that tell badge, boot and frame. */
const MARK_BYTES = 8;

/** Frames of the voice front end (layout 2), by number. */
export interface RecordedFrames {
  recordedFrames: number;
  frame(seq: number): Buffer;
}

/** A stretch of one sound. */
interface Stretch {
  sound: Sound;
  /** First frame, of the scene. */
  from: number;
  conversation: number;
}

/** Seconds of silence, from `min` to just below `max`. */
export interface SilenceRange {
  min: number;
  max: number;
}

/** Longer than the silence that ends a conversation. */
const SILENCE_S: SilenceRange = { min: 40, max: 400 };

/** Where conversations begin and end, in frames of the scene. */
export interface ScriptedConversation {
  from: number;
  to: number;
}

export class Scene {
  readonly conversations: ScriptedConversation[] = [];
  readonly frames: number;
  /** What is heard in conversations instead of made sound; what of it is speech nobody knows for sure. */
  readonly recording: RecordedFrames | undefined;

  private readonly stretches: Stretch[] = [];
  private place = 0;

  /**
   * @param lengthMs how long it is played
   */
  constructor(
    random: Random,
    lengthMs: number,
    { recording, silenceS = SILENCE_S }: { recording?: RecordedFrames; silenceS?: SilenceRange } = {},
  ) {
    this.recording = recording;
    this.frames = Math.floor(lengthMs / FRAME_MS);
    const draw = (min: number, max: number) => min + (random.uint32() % (max - min));
    let at = 0;
    const add = (sound: Sound, seconds: number, conversation: number) => {
      this.stretches.push({ sound, from: at, conversation });
      at += Math.round((seconds * 1000) / FRAME_MS);
    };
    add(Sound.Silence, draw(4, 20), -1);
    while (at < this.frames) {
      const conversation = this.conversations.length;
      const from = at;
      const turns = draw(2, 30);
      let sound = draw(0, 2) === 0 ? Sound.Near : Sound.Far;
      for (let turn = 0; turn < turns; turn++) {
        add(sound, draw(5, 90) / 10, conversation);
        if (turn < turns - 1) add(Sound.Silence, draw(1, turn % 7 === 6 ? 120 : 30) / 10, conversation);
        if (draw(0, 4) > 0) sound = sound === Sound.Near ? Sound.Far : Sound.Near;
      }
      this.conversations.push({ from, to: at });
      add(Sound.Silence, draw(silenceS.min, silenceS.max), -1);
    }
  }

  /** @returns what is heard in a frame of the scene; silence behind its end */
  soundAt(frame: number): Sound {
    if (frame >= this.frames) return Sound.Silence;
    if (this.stretches[this.place].from > frame) this.place = 0;
    while (this.place + 1 < this.stretches.length && this.stretches[this.place + 1].from <= frame)
      this.place++;
    return this.stretches[this.place].sound;
  }

  /** @returns true while the scene is in a conversation, pauses within it too */
  inConversation(frame: number): boolean {
    return this.conversations.some(({ from, to }) => frame >= from && frame < to);
  }
}

/** What a packet tells of itself. */
export interface PacketMark {
  badge: number;
  boot: number;
  seq: number;
}

/** Makes and recognizes the packets of one run. */
export class Packets {
  /** Four bytes that begin every packet's content: what holds them is looked at closer. */
  private readonly marker: Buffer;

  constructor(private readonly seed: number) {
    this.marker = new Random(seed ^ 0x5eed).bytes(4);
  }

  /** @returns the Opus packet of a frame */
  packet({ badge, boot, seq }: PacketMark): Buffer {
    let state = (this.seed * 31 + badge * 7919 + boot * 104729 + seq * 2654435761) >>> 0 || 1;
    const next = () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state = (state ^ (state << 5)) >>> 0;
      return state;
    };
    const packet = Buffer.alloc(PACKET_BYTES_MIN + (next() % PACKET_BYTES_SPREAD));
    packet[0] = TOC;
    this.marker.copy(packet, 1);
    packet[5] = badge;
    packet.writeUInt16LE(boot, 6);
    packet.writeUInt32LE(seq, 8);
    for (let at = 1 + 4 + MARK_BYTES - 1; at < packet.length; at++) packet[at] = next() >>> 24;
    return packet;
  }

  /** @returns what the first packet is of that lies in the open anywhere in `bytes`; undefined when there is none */
  foundIn(bytes: Buffer): PacketMark | undefined {
    for (let at = bytes.indexOf(this.marker); at >= 0; at = bytes.indexOf(this.marker, at + 1)) {
      if (at + MARK_BYTES + 4 > bytes.length) return undefined;
      const mark = {
        badge: bytes[at + 4],
        boot: bytes.readUInt16LE(at + 5),
        seq: bytes.readUInt32LE(at + 7),
      };
      const content = this.packet(mark).subarray(1); // the TOC may be stored apart
      if (content.equals(bytes.subarray(at, at + content.length))) return mark;
    }
    return undefined;
  }

  /** @returns what the packet is of; undefined when it was not made here */
  markOf(packet: Buffer): PacketMark | undefined {
    if (packet.length < PACKET_BYTES_MIN || !packet.subarray(1, 5).equals(this.marker)) return undefined;
    const mark = { badge: packet[5], boot: packet.readUInt16LE(6), seq: packet.readUInt32LE(8) };
    return this.packet(mark).equals(packet) ? mark : undefined;
  }
}

/** @returns the front end's frame (layout 2) with this sound and packet */
export function frameOf(seq: number, sound: Sound, packet: Buffer, muted: boolean): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + packet.length);
  frame.writeUInt32LE(seq, 0);
  frame[4] = LAYOUT_2 | (muted ? LAYOUT_MUTED : 0);
  const loud = sound !== Sound.Silence && !muted;
  frame[5] = loud ? (sound === Sound.Near ? 50 : 76) : 130;
  frame[7] = packet.length;
  frame.fill(loud ? 100 + (seq % 5) * 8 : 12, 8, 32);
  frame[33] = 128;
  packet.copy(frame, HEADER_BYTES);
  return frame;
}

/** @returns the recording's frame for a place in the scene, with this number and packet, and without posteriors */
export function recordedFrameOf(recording: RecordedFrames, at: number, seq: number, packet: Buffer): Buffer {
  const heard = recording.frame(at % recording.recordedFrames);
  const frame = Buffer.alloc(HEADER_BYTES + packet.length);
  heard.copy(frame, 0, 0, HEADER_BYTES);
  frame.writeUInt32LE(seq, 0);
  frame[4] = LAYOUT_2;
  frame[7] = packet.length;
  packet.copy(frame, HEADER_BYTES);
  return frame;
}

/** Log odds byte of the network for a frame with this sound. */
export function speechByteOf(sound: Sound): number {
  return sound === Sound.Silence ? 40 : 220;
}
