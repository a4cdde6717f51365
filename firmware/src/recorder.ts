// From front-end frames to conversations: marks lost frames, decides what is speech, keeps a pre-roll so that no onset is
// clipped and a hangover so that no ending is, begins a conversation at the first speech and ends it after a long silence; notes
// whose turn it was and which key phrases fell. Works 10 frames behind the microphone, because the front end looks ahead.
import { type Crypto, EndReason, EventKind, FRAME_MS, LossCause, type Tuning } from "@salestag/protocol";
import { MICROPHONE_LOST_MS } from "./config";
import {
  frameSeq,
  isFrame,
  notedEnergy,
  notedLostBefore,
  noteHeard,
  OFFSET_BANDS,
  OFFSET_LEVEL,
  OFFSET_SPEECH,
} from "./front-end-frame";
import type { Outbox } from "./outbox";
import type { Phrases } from "./phrases";
import { type Epoch, Sealer } from "./sealer";
import { Talkers, type Turn } from "./talkers";
import type { Trace } from "./trace";
import { BandEnergy, LookAhead, VoiceActivity } from "./vad";

/** What the recorder needs from the rest of the badge. */
export interface RecorderPorts {
  crypto: Crypto;
  badgeId: Buffer;
  outbox: Outbox;
  trace: Trace;
  phrases: Phrases;
  /** ms since boot. */
  nowMs: () => number;
  /** Key of a new conversation; undefined while the next one is still being prepared. */
  takeEpoch: () => Epoch | undefined;
}

/** Frames that a jump of the front end's counter may skip and still be counted as lost: 10 s. */
const LOST_FRAMES_MAX = 500;
/** A frame that is older by at most this came twice; one that is older still is from a front end that started again. */
const REPEATED_FRAMES_MAX = 16;

export class Recorder {
  /** Frames that never came, since boot. */
  lostFrames = 0;

  private readonly energy = new BandEnergy();
  private readonly lookAhead = new LookAhead();
  private readonly vad: VoiceActivity;
  private readonly talkers = new Talkers();
  private sealer: Sealer | undefined = undefined;
  private epochNumber = 0;
  private conversationStartMs = 0;
  private clockOffsetMs: number | undefined = undefined;

  private waiting: Buffer[] = [];
  private lostSinceKept = 0;
  private hangoverLeft = 0;
  private speechStartSeq = -1;
  private lastSpeechMs = 0;

  private seqNext = -1;
  private heardNext = 0;
  private bootMsOfSeqZero = 0;
  private lastFrameMs = 0;

  constructor(
    private readonly ports: RecorderPorts,
    private readonly tuning: Tuning,
  ) {
    this.vad = new VoiceActivity(tuning.onsetScore, tuning.releaseScore);
  }

  /** Takes the front end's next frame; a frame of another layout or a repeated one is dropped. */
  frame(frame: Buffer): void {
    if (!isFrame(frame)) return;
    const seq = frameSeq(frame);
    this.lastFrameMs = this.ports.nowMs();
    const lost = this.follow(seq);
    if (lost < 0) return;
    const energy = this.energy.update(frame, OFFSET_BANDS);
    this.listen(frame, seq);
    noteHeard(frame, energy, lost);
    this.lookAhead.push(frame);
    let heard = this.lookAhead.next(seq);
    while (heard !== undefined) {
      this.hear(heard);
      heard = this.lookAhead.next(seq);
    }
  }

  /** Takes a frame on which everything is known: speech or not, keep it or not. */
  private hear(frame: Buffer): void {
    const seq = frameSeq(frame);
    this.heardNext = seq + 1;
    const speech = this.vad.update(notedEnergy(frame), frame[OFFSET_SPEECH]);
    this.segment(seq, speech);
    if (speech && this.sealer === undefined) this.begin(seq);
    for (const turn of this.talkers.frame(seq, speech, frame[OFFSET_LEVEL])) this.turn(turn);
    if (this.sealer !== undefined && (speech || this.hangoverLeft > 0)) this.keepAll(frame, seq);
    else this.wait(frame);
    if (speech) this.hangoverLeft = this.tuning.hangoverFrames;
    else if (this.hangoverLeft > 0) this.hangoverLeft--;
    this.endIfOver(seq);
  }

  /** Notes a key phrase; one that falls outside of any conversation is nobody's. */
  private listen(frame: Buffer, seq: number): void {
    const phrase = this.ports.phrases.frame(frame, seq);
    if (phrase === undefined || this.sealer === undefined) return;
    const { number, fromSeq, toSeq, score, threshold } = phrase;
    this.ports.trace.phrase(number, fromSeq, toSeq, seq, score);
    const values = [(toSeq - fromSeq) * FRAME_MS, score, threshold];
    this.sealer.event(EventKind.KeyPhrase, this.startMsOf(fromSeq), values, phrase.text);
  }

  private turn(turn: Turn): void {
    const { fromSeq, toSeq, talker, level } = turn;
    this.ports.trace.turn(fromSeq, toSeq, talker, level);
    const values = [(toSeq - fromSeq) * FRAME_MS, talker, level];
    if (this.sealer !== undefined) this.sealer.event(EventKind.Turn, this.startMsOf(fromSeq), values);
  }

  /** Called about once a second: ends a conversation whose microphone fell silent for good. */
  tick(): void {
    if (this.sealer === undefined || this.ports.nowMs() - this.lastFrameMs < MICROPHONE_LOST_MS) return;
    this.hearRest();
    this.endLost();
  }

  /** The relay told the time. @param unixMs Unix time at `nowMs` */
  setClock(unixMs: number): void {
    const known = this.clockOffsetMs !== undefined;
    this.clockOffsetMs = unixMs - this.ports.nowMs();
    if (!known) this.clockEvent();
  }

  /** Follows the frame counter. @returns frames lost before this one, -1 for a repeated frame */
  private follow(seq: number): number {
    const expected = this.seqNext;
    if (seq < expected && expected - seq <= REPEATED_FRAMES_MAX) return -1;
    this.seqNext = seq + 1;
    if (expected < 0 || seq < expected || seq - expected > LOST_FRAMES_MAX) {
      this.restart(seq);
      return 0;
    }
    const lost = seq - expected;
    if (lost > 0) {
      this.lostFrames += lost;
      this.ports.trace.lost(expected, seq);
      if (this.sealer !== undefined)
        this.sealer.event(EventKind.Loss, this.startMsOf(expected), [lost * FRAME_MS, LossCause.Bus]);
    }
    return lost;
  }

  /** The front end started, or started again: its time is fixed to the badge's own. */
  private restart(seq: number): void {
    this.hearRest();
    this.endLost();
    if (this.speechStartSeq >= 0) this.endSpeech(this.heardNext); // outside of any conversation: no key was ready
    for (const turn of this.talkers.end()) this.turn(turn);
    this.ports.phrases.reset();
    this.waiting = [];
    this.lostSinceKept = 0;
    const startMs = Math.max(0, this.ports.nowMs() - FRAME_MS);
    this.bootMsOfSeqZero = startMs - seq * FRAME_MS;
  }

  /** Takes the frames that still wait for the network's word, which will not come. */
  private hearRest(): void {
    for (const heard of this.lookAhead.flush()) this.hear(heard);
  }

  private endLost(): void {
    if (this.sealer !== undefined) this.end(EndReason.MicrophoneLost, this.lastFrameMs);
  }

  private startMsOf(seq: number): number {
    return this.bootMsOfSeqZero + seq * FRAME_MS;
  }

  /** Notes where speech begins and ends. */
  private segment(seq: number, speech: boolean): void {
    if (speech) this.lastSpeechMs = this.startMsOf(seq);
    if (speech && this.speechStartSeq < 0) {
      this.speechStartSeq = seq;
      this.ports.trace.onset(seq);
    } else if (!speech && this.speechStartSeq >= 0) this.endSpeech(seq);
  }

  private endSpeech(seq: number): void {
    const fromSeq = this.speechStartSeq;
    this.speechStartSeq = -1;
    this.ports.trace.speech(fromSeq, seq);
    if (this.sealer !== undefined)
      this.sealer.event(EventKind.Speech, this.startMsOf(fromSeq), [(seq - fromSeq) * FRAME_MS]);
  }

  private begin(seq: number): void {
    const epoch = this.ports.takeEpoch();
    if (epoch === undefined) return; // speech goes on: the next frame tries again, the pre-roll keeps what was said
    const ports = this.ports;
    this.sealer = new Sealer(ports.crypto, ports.badgeId, epoch, ports.outbox, ports.trace);
    this.epochNumber = epoch.number;
    const firstSeq = this.waiting.length > 0 ? frameSeq(this.waiting[0]) : seq;
    this.conversationStartMs = this.startMsOf(firstSeq);
    this.lostSinceKept = 0;
    this.ports.trace.conversation(epoch.number, firstSeq);
    this.sealer.event(EventKind.ConversationStart, this.conversationStartMs, []);
    this.clockEvent();
  }

  private clockEvent(): void {
    if (this.sealer === undefined || this.clockOffsetMs === undefined) return;
    const atMs = this.lastFrameMs;
    this.sealer.event(EventKind.Clock, atMs, [atMs + this.clockOffsetMs]);
  }

  /** Keeps the frames that waited, then this one. */
  private keepAll(frame: Buffer, seq: number): void {
    const sealer = this.sealer as Sealer;
    let lost = this.lostSinceKept;
    this.lostSinceKept = 0;
    for (const earlier of this.waiting) {
      const earlierSeq = frameSeq(earlier);
      sealer.keep(earlier, earlierSeq, lost + notedLostBefore(earlier), this.startMsOf(earlierSeq));
      lost = 0;
    }
    this.waiting = [];
    sealer.keep(frame, seq, lost + notedLostBefore(frame), this.startMsOf(seq));
  }

  /** Lets a frame wait in the pre-roll; the oldest there is given up. */
  private wait(frame: Buffer): void {
    this.waiting.push(frame);
    if (this.waiting.length <= this.tuning.preRollFrames) return;
    this.lostSinceKept += notedLostBefore(this.waiting.shift() as Buffer);
  }

  private endIfOver(seq: number): void {
    const sealer = this.sealer;
    if (sealer === undefined) return;
    const nowMs = this.startMsOf(seq + 1);
    sealer.tick(seq + 1, nowMs);
    if (nowMs - this.lastSpeechMs >= this.tuning.conversationGapMs) this.end(EndReason.Silence, nowMs);
    else if (nowMs - this.conversationStartMs >= this.tuning.conversationMsMax)
      this.end(EndReason.TooLong, nowMs);
  }

  private end(reason: EndReason, atMs: number): void {
    const sealer = this.sealer as Sealer;
    if (this.speechStartSeq >= 0) this.endSpeech(this.heardNext);
    for (const turn of this.talkers.end()) this.turn(turn);
    sealer.event(EventKind.ConversationEnd, atMs, [reason]);
    sealer.end();
    this.sealer = undefined;
    this.hangoverLeft = 0;
    this.ports.trace.ended(this.epochNumber, reason);
  }
}
