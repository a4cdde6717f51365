// What the badge says about its work, one line each, for the rig, the monitor and a tech's terminal. A line is '@', a word and
// numbers; it never holds a key or anything that was said. The lines are listed in firmware/README.md.

import type { ChipProbe } from "./chip-probe";

/** Writes trace lines through `print`. */
export class Trace {
  constructor(private readonly print: (line: string) => void) {}

  /** The program runs and knows its keys and its relay. */
  ready(badge: string, relay: string): void {
    this.print(`@ready ${badge} ${relay}`);
  }

  /** The program runs and has no keys. */
  unprovisioned(): void {
    this.print("@unprovisioned");
  }

  /** The program runs and has no flash chip: it records nothing. */
  nochip(): void {
    this.print("@nochip");
  }

  /** What the factory's test of the flash chip found. */
  chipTest(probe: ChipProbe): void {
    const { sectors, places, refused, unerased, unwritten, wrong } = probe;
    this.print(`@chiptest ${sectors} ${places} ${refused} ${unerased} ${unwritten} ${wrong}`);
  }

  /** The motor was told so many times to vibrate, for the factory's test; 0: there is none. */
  motorTest(pulses: number): void {
    this.print(`@motortest ${pulses}`);
  }

  /** How the badge is: its id, and the numbers in the order of firmware/README.md. */
  health(badge: string, numbers: number[]): void {
    this.print(`@health ${badge} ${numbers.join(" ")}`);
  }

  /** Frame `seq` is the first of a stretch of speech. */
  onset(seq: number): void {
    this.print(`@onset ${seq}`);
  }

  /** Frames `fromSeq` to `toSeq - 1` were speech. */
  speech(fromSeq: number, toSeq: number): void {
    this.print(`@speech ${fromSeq} ${toSeq}`);
  }

  /** A talker (0 unsure, 1 near, 2 far) spoke from `fromSeq` to `toSeq - 1`, at a level in half decibels below full scale. */
  turn(fromSeq: number, toSeq: number, talker: number, level: number): void {
    this.print(`@turn ${fromSeq} ${toSeq} ${talker} ${level}`);
  }

  /** Key phrase `number` of the settings fell in frames `fromSeq` to `toSeq - 1`; known with frame `atSeq`. Its text is only in the event. */
  phrase(number: number, fromSeq: number, toSeq: number, atSeq: number, score: number): void {
    this.print(`@phrase ${number} ${fromSeq} ${toSeq} ${atSeq} ${score}`);
  }

  /** Frames `fromSeq` to `toSeq - 1` never came. */
  lost(fromSeq: number, toSeq: number): void {
    this.print(`@lost ${fromSeq} ${toSeq}`);
  }

  /** A conversation begins with frame `seq`. */
  conversation(epoch: number, seq: number): void {
    this.print(`@conversation ${epoch} ${seq}`);
  }

  /** Nobody has consented to the conversation yet. */
  asking(epoch: number): void {
    this.print(`@asking ${epoch}`);
  }

  /** It may be kept; `means` is a ConsentMeans. */
  consent(epoch: number, means: number): void {
    this.print(`@consent ${epoch} ${means}`);
  }

  /** It must not be kept: its chunks are destroyed. */
  denied(epoch: number): void {
    this.print(`@denied ${epoch}`);
  }

  ended(epoch: number, reason: number): void {
    this.print(`@ended ${epoch} ${reason}`);
  }

  /** A chunk went into the outbox. */
  chunk(epoch: number, index: number, kind: number, count: number, bytes: number): void {
    this.print(`@chunk ${epoch} ${index} ${kind} ${count} ${bytes}`);
  }

  /** A chunk is in the flash for good. */
  stored(epoch: number, index: number): void {
    this.print(`@stored ${epoch} ${index}`);
  }

  /** `durationMs` of sound that had been taken are lost; `cause` is a LossCause. */
  gaveUp(durationMs: number, cause: number): void {
    this.print(`@gaveup ${durationMs} ${cause}`);
  }

  /** The wearer was nudged; `cause` is a NudgeCause. */
  nudge(cause: number, id: number): void {
    this.print(`@nudge ${cause} ${id}`);
  }

  /** A configuration of the team came; `used` is 1 when the badge can use it. */
  configured(version: number, used: number): void {
    this.print(`@configured ${version} ${used}`);
  }

  /** The wearer marked this moment. */
  mark(): void {
    this.print("@mark");
  }

  /** Entry `seq` of the account is in a chunk of `epoch`. */
  account(seq: number, epoch: number): void {
    this.print(`@account ${seq} ${epoch}`);
  }

  /** What the badge shows now: a name of the table in the README. */
  shows(pattern: string): void {
    this.print(`@shows ${pattern}`);
  }

  /** A chunk did not fit into the outbox. */
  refused(epoch: number, kind: number, durationMs: number): void {
    this.print(`@refused ${epoch} ${kind} ${durationMs}`);
  }

  /** Every chunk before (epoch, index) is durable at the relay; `waiting` chunks are not yet. */
  acked(nextEpoch: number, nextIndex: number, waiting: number): void {
    this.print(`@acked ${nextEpoch} ${nextIndex} ${waiting}`);
  }

  /** The relay has no room and takes no chunks until it says so. */
  held(): void {
    this.print("@held");
  }

  /** Mutual proof done. */
  up(): void {
    this.print("@up");
  }

  /** All was sent: no connection for `ms`, unless something cannot wait. */
  rest(ms: number): void {
    this.print(`@rest ${ms}`);
  }

  /** No connection; the next attempt is in `retryMs`. */
  down(retryMs: number, why: string): void {
    this.print(`@down ${retryMs} ${why}`);
  }
}
