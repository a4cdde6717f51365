// From front-end frames to conversations: marks lost frames, decides what is speech, keeps a pre-roll so that no onset is
// clipped and a hangover so that no ending is, begins a conversation at the first speech and ends it after a long silence; notes
// whose turn it was and which key phrases fell, asks the gate whether it may be kept, and gives account of every frame. Works 10 frames behind
// the microphone, because the front end looks ahead.
import {
  AudioPacker,
  ConsentMeans,
  type Crypto,
  EndReason,
  EventKind,
  FRAME_MS,
  LossCause,
  NudgeCause,
  type Tuning,
} from "@salestag/protocol";
import { type Account, Spent } from "./account";
import type { BadgeClock } from "./clock";
import { AUDIO_CHUNK_BYTES_MAX, MICROPHONE_LOST_MS } from "./config";
import {
  frameSeq,
  isFrame,
  isMuted,
  notedEnergy,
  notedLostBefore,
  noteHeard,
  OFFSET_BANDS,
  OFFSET_LEVEL,
  OFFSET_SPEECH,
} from "./front-end-frame";
import { type ConsentGate, Gate } from "./gate";
import { Interlude } from "./interlude";
import type { ChunkSink } from "./outbox";
import type { Phrases } from "./phrases";
import { type Epoch, Sealer } from "./sealer";
import { TalkTime } from "./talk";
import { Talkers, type Turn } from "./talkers";
import type { Trace } from "./trace";
import { BandEnergy, LookAhead, VoiceActivity } from "./vad";

/** What the recorder needs from the rest of the badge. */
export interface RecorderPorts {
  crypto: Crypto;
  badgeId: Buffer;
  /** Number of this boot. */
  boot: number;
  outbox: ChunkSink;
  trace: Trace;
  phrases: Phrases;
  gate: ConsentGate;
  account: Account;
  clock: BadgeClock;
  /** ms since boot. */
  nowMs: () => number;
  /** Key of a new conversation; undefined while the next one is still being prepared. */
  takeEpoch: () => Epoch | undefined;
  /** The wearer is to feel a nudge. */
  onNudge: (cause: NudgeCause) => void;
}

/** Frames that a jump of the front end's counter may skip and still be counted as lost: 10 s. */
const LOST_FRAMES_MAX = 500;
/** A frame that is older by at most this came twice; one that is older still is from a front end that started again. */
const REPEATED_FRAMES_MAX = 16;

export class Recorder {
  /** Frames that never came, since boot. */
  lostFrames = 0;
  /** The wearer has paused the badge. */
  paused = false;
  /** The microphone is switched off. */
  muted = false;
  /** Somebody speaks, as of the newest frame that was decided on. */
  speech = false;
  /** Conversations that ended since boot. */
  ended = 0;
  /** Frames that a technician's check still takes, speech or not. */
  checkFrames = 0;
  /** What was heard is to be known at once; whoever sends it takes this back. */
  urgent = false;

  private readonly energy = new BandEnergy();
  private readonly lookAhead = new LookAhead();
  private vad: VoiceActivity;
  private readonly talkers = new Talkers();
  private talk: TalkTime;
  private readonly packer = new AudioPacker(AUDIO_CHUNK_BYTES_MAX);
  private readonly interlude: Interlude;
  private sealer: Sealer | undefined = undefined;
  private conversationStartMs = 0;

  private waiting: Buffer[] = [];
  private lostSinceKept = 0;
  private hangoverLeft = 0;
  private speechStartSeq = -1;
  private lastSpeechMs = 0;

  private seqNext = -1;
  private resumeSeq = -1;
  private heardNext = 0;
  private bootMsOfSeqZero = 0;
  private lastFrameMs = 0;

  constructor(
    private readonly ports: RecorderPorts,
    private tuning: Tuning,
  ) {
    this.vad = new VoiceActivity(tuning.onsetScore, tuning.releaseScore);
    this.talk = new TalkTime(tuning.talkWindowMs, tuning.talkShareMax, tuning.monologueMsMax);
    this.interlude = new Interlude(ports, this.packer);
  }

  /** Takes the front end's next frame; a frame of another layout or a repeated one is dropped. */
  frame(frame: Buffer): void {
    if (!isFrame(frame)) return;
    const seq = frameSeq(frame);
    const lost = this.follow(seq);
    if (lost < 0) return;
    this.lastFrameMs = this.ports.nowMs();
    this.muted = isMuted(frame);
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

  /** Hears as `tuning` says from now on; not amid a conversation. */
  retune(tuning: Tuning): void {
    this.tuning = tuning;
    this.vad = new VoiceActivity(tuning.onsetScore, tuning.releaseScore);
    this.talk = new TalkTime(tuning.talkWindowMs, tuning.talkShareMax, tuning.monologueMsMax);
  }

  /** True while chunks of a conversation are made, with consent or before it. */
  inConversation(): boolean {
    return this.sealer !== undefined;
  }

  /** Called about once a second: ends what has lost its microphone, asks no longer for a consent that does not come. */
  tick(): void {
    const nowMs = this.ports.nowMs();
    if (nowMs - this.lastFrameMs < MICROPHONE_LOST_MS) return;
    this.hearRest();
    this.endLost();
    this.forgetWaiting();
    const { account } = this.ports;
    account.add(Spent.Unheard, Math.max(0, nowMs - account.untilMs()));
    if (this.ports.gate.tick(nowMs)) this.refuse();
  }

  /** Tells what is to be told of the account and of what happened between conversations, if this is the time for it. */
  tell(): void {
    const sealer = this.sealer;
    if (sealer === undefined) this.interlude.tell();
    else if (!sealer.held) this.interlude.tellWithin(sealer);
  }

  /** The relay told the time, and it was believed. */
  clockSet(): void {
    this.clockEvent();
    this.interlude.clockSet();
  }

  /** Something happened that the team is to know of. */
  note(kind: EventKind, values: number[]): void {
    const atMs = this.ports.nowMs();
    if (this.sealer !== undefined) this.sealer.event(kind, atMs, values);
    else this.interlude.note({ kind, atMs, values });
  }

  /** The wearer marks this moment. @returns false outside of any conversation */
  mark(): boolean {
    if (this.sealer === undefined) return false;
    this.sealer.event(EventKind.Mark, this.ports.nowMs(), []);
    this.ports.trace.mark();
    return true;
  }

  /** The wearer pauses the badge, or lets it go on. */
  pause(paused: boolean): void {
    this.paused = paused;
    if (!paused) {
      this.resumeSeq = this.seqNext; // what was heard while it was paused is not kept, as a pre-roll neither
      return;
    }
    if (this.sealer !== undefined) this.end(EndReason.Paused, this.ports.nowMs());
    this.ports.gate.end();
  }

  /** Somebody consented, or the wearer says that nobody does. */
  decided(consented: boolean, means: ConsentMeans): void {
    const sealer = this.sealer;
    if (sealer === undefined) return;
    if (!consented) {
      this.refuse();
      return;
    }
    sealer.held = false;
    this.ports.trace.consent(sealer.epoch.number, means);
    sealer.event(EventKind.Consent, this.ports.nowMs(), [means]);
    sealer.flushEvents();
    this.ports.account.decided(true);
  }

  /** Takes a frame on which everything is known: speech or not, keep it or not. */
  private hear(frame: Buffer): void {
    const seq = frameSeq(frame);
    this.heardNext = seq + 1;
    const loud = this.vad.update(notedEnergy(frame), frame[OFFSET_SPEECH]);
    const resting = this.paused || seq < this.resumeSeq;
    const speech = (loud || this.checkFrames > 0) && !resting;
    this.speech = speech;
    this.segment(seq, speech);
    if (speech && this.sealer === undefined) this.begin(seq);
    for (const turn of this.talkers.frame(seq, speech, frame[OFFSET_LEVEL])) this.turn(turn);
    if (this.sealer !== undefined && (speech || this.hangoverLeft > 0)) this.keepAll(frame, seq);
    else if (resting) this.rest(frame);
    else this.wait(frame);
    if (speech) this.hangoverLeft = this.tuning.hangoverFrames;
    else if (this.hangoverLeft > 0) this.hangoverLeft--;
    if (this.checkFrames > 0 && this.sealer !== undefined) this.checked(seq);
    else this.endIfOver(seq);
  }

  /** One frame more of a check is kept; its conversation ends with the last. */
  private checked(seq: number): void {
    this.checkFrames--;
    const sealer = this.sealer as Sealer;
    sealer.tick(seq + 1, this.startMsOf(seq + 1));
    if (this.checkFrames > 0) return;
    this.urgent = true;
    this.end(EndReason.Checked, this.startMsOf(seq + 1));
  }

  /** Notes a key phrase; one that falls outside of any conversation is nobody's. */
  private listen(frame: Buffer, seq: number): void {
    const phrase = this.ports.phrases.frame(frame, seq);
    if (phrase === undefined || this.sealer === undefined) return;
    const { number, fromSeq, toSeq, score, threshold, text } = phrase;
    this.ports.trace.phrase(number, fromSeq, toSeq, seq, score);
    const values = [(toSeq - fromSeq) * FRAME_MS, score, threshold];
    this.urgent = true;
    this.sealer.event(EventKind.KeyPhrase, this.startMsOf(fromSeq), values, text);
    if (this.ports.gate.phrase(text)) this.decided(this.ports.gate.gate === Gate.Open, ConsentMeans.Phrase);
    else this.sealer.flushEvents(); // it is to be known within a second
  }

  private turn(turn: Turn): void {
    const { fromSeq, toSeq, talker, level } = turn;
    this.ports.trace.turn(fromSeq, toSeq, talker, level);
    const durationMs = (toSeq - fromSeq) * FRAME_MS;
    if (this.sealer === undefined) return;
    this.sealer.event(EventKind.Turn, this.startMsOf(fromSeq), [durationMs, talker, level]);
    const endMs = this.startMsOf(toSeq);
    this.talk.turn(talker, durationMs, endMs);
    if (this.talk.shareIsOver(endMs)) this.nudge(NudgeCause.TalkShare, endMs);
    if (this.talk.monologueIsOver()) this.nudge(NudgeCause.Monologue, endMs);
  }

  private nudge(cause: NudgeCause, atMs: number): void {
    this.ports.trace.nudge(cause, 0);
    this.ports.onNudge(cause);
    this.talkEvent(atMs);
    if (this.sealer !== undefined) this.sealer.event(EventKind.Nudge, atMs, [cause, 0]);
  }

  private talkEvent(atMs: number): void {
    const { windowMs, nearMs, farMs, longestMs } = this.talk.times(atMs);
    if (this.sealer === undefined || nearMs + farMs === 0) return;
    this.sealer.event(EventKind.TalkTime, atMs, [windowMs, nearMs, farMs, longestMs]);
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
      this.ports.account.add(Spent.Unheard, lost * FRAME_MS);
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
    this.forgetWaiting();
    this.lostSinceKept = 0;
    this.resumeSeq = -1;
    const startMs = Math.max(0, this.ports.nowMs() - FRAME_MS);
    this.bootMsOfSeqZero = startMs - seq * FRAME_MS;
    const { account } = this.ports;
    account.add(Spent.Unheard, Math.max(0, startMs - account.untilMs()));
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
    const { gate, trace } = this.ports;
    if (this.paused || gate.off() || gate.gate === Gate.Refused) {
      this.checkFrames = 0;
      return;
    }
    const epoch = this.ports.takeEpoch();
    if (epoch === undefined) return; // speech goes on: the next frame tries again, the pre-roll keeps what was said
    const sealer = new Sealer(
      this.ports.crypto,
      this.ports.badgeId,
      epoch,
      this.ports.outbox,
      trace,
      this.packer,
    );
    this.sealer = sealer;
    const firstSeq = this.waiting.length > 0 ? frameSeq(this.waiting[0]) : seq;
    const startMs = this.startMsOf(firstSeq);
    this.conversationStartMs = startMs;
    this.lostSinceKept = 0;
    trace.conversation(epoch.number, firstSeq);
    sealer.event(EventKind.ConversationStart, startMs, []);
    sealer.event(EventKind.Boot, startMs, [this.ports.boot]);
    this.clockEvent();
    const means = this.checkFrames > 0 ? gate.check() : gate.begin(this.ports.nowMs());
    sealer.held = means === undefined;
    if (means === undefined) trace.asking(epoch.number);
    else {
      trace.consent(epoch.number, means);
      sealer.event(EventKind.Consent, startMs, [means]);
    }
  }

  private clockEvent(): void {
    const atMs = this.lastFrameMs;
    const unixMs = this.ports.clock.unixMs(atMs);
    if (this.sealer !== undefined && unixMs !== undefined) this.sealer.event(EventKind.Clock, atMs, [unixMs]);
  }

  /** Keeps the frames that waited, then this one. */
  private keepAll(frame: Buffer, seq: number): void {
    const sealer = this.sealer as Sealer;
    const spent = sealer.held ? Spent.Held : Spent.Sent;
    let lost = this.lostSinceKept;
    this.lostSinceKept = 0;
    for (const earlier of this.waiting) {
      const earlierSeq = frameSeq(earlier);
      sealer.keep(earlier, earlierSeq, lost + notedLostBefore(earlier), this.startMsOf(earlierSeq));
      lost = 0;
    }
    this.ports.account.add(spent, (this.waiting.length + 1) * FRAME_MS);
    this.waiting = [];
    sealer.keep(frame, seq, lost + notedLostBefore(frame), this.startMsOf(seq));
    if (sealer.refusedMs > 0) {
      this.ports.account.lost(sealer.refusedMs);
      sealer.refusedMs = 0;
    }
  }

  /** Lets a frame wait in the pre-roll; the oldest there is given up. */
  private wait(frame: Buffer): void {
    this.waiting.push(frame);
    if (this.waiting.length > this.tuning.preRollFrames) this.giveUp(this.waiting.shift() as Buffer);
  }

  /** A frame that was heard while the badge was paused is gone at once. */
  private rest(frame: Buffer): void {
    this.forgetWaiting();
    this.lostSinceKept += notedLostBefore(frame);
    this.ports.account.add(isMuted(frame) ? Spent.Muted : Spent.Paused, FRAME_MS);
  }

  private giveUp(frame: Buffer): void {
    this.lostSinceKept += notedLostBefore(frame);
    let spent = Spent.Silence;
    if (isMuted(frame)) spent = Spent.Muted;
    else if (this.ports.gate.off()) spent = Spent.Paused;
    else if (this.ports.gate.gate === Gate.Refused) spent = Spent.Refused;
    this.ports.account.add(spent, FRAME_MS);
  }

  private forgetWaiting(): void {
    for (const frame of this.waiting) this.giveUp(frame);
    this.waiting = [];
  }

  private endIfOver(seq: number): void {
    const nowMs = this.startMsOf(seq + 1);
    const silent = nowMs - this.lastSpeechMs >= this.tuning.conversationGapMs;
    const sealer = this.sealer;
    const { gate } = this.ports;
    if (sealer === undefined) {
      if (silent && gate.gate === Gate.Refused) gate.end();
      return;
    }
    sealer.tick(seq + 1, nowMs);
    if (silent) this.end(EndReason.Silence, nowMs);
    else if (nowMs - this.conversationStartMs >= this.tuning.conversationMsMax)
      this.end(EndReason.TooLong, nowMs);
    else if (gate.tick(this.ports.nowMs())) this.refuse();
  }

  private end(reason: EndReason, atMs: number): void {
    const sealer = this.sealer as Sealer;
    if (sealer.held) {
      this.refuse();
      this.ports.gate.end();
      return;
    }
    if (this.speechStartSeq >= 0) this.endSpeech(this.heardNext);
    for (const turn of this.talkers.end()) this.turn(turn);
    this.talkEvent(atMs);
    this.talk.end();
    sealer.event(EventKind.ConversationEnd, atMs, [reason]);
    sealer.end();
    this.ports.account.lost(sealer.refusedMs);
    this.ports.trace.ended(sealer.epoch.number, reason);
    this.over();
    this.ports.gate.end();
  }

  /** Nobody consented: nothing of the conversation leaves the badge, and its key is gone. The gate stays shut until it is over. */
  private refuse(): void {
    const sealer = this.sealer;
    if (sealer === undefined) return;
    if (this.speechStartSeq >= 0) this.endSpeech(this.heardNext);
    for (const turn of this.talkers.end()) this.turn(turn);
    this.talk.end();
    sealer.destroy();
    this.ports.outbox.refuse(sealer.epoch.number);
    this.ports.account.decided(false);
    this.ports.trace.denied(sealer.epoch.number);
    this.over();
  }

  private over(): void {
    this.sealer = undefined;
    this.hangoverLeft = 0;
    this.ended++;
  }
}
