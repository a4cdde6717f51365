// The badge's housekeeping: one fiber that looks around once a second, and at once when something calls. It alone writes the journal, so nothing
// else has to wait for it or to lock it. Another fiber writes chunks to the flash.
import {
  type Configuration,
  ConsentMeans,
  type ConsentPolicy,
  type Crypto,
  EventKind,
  FrameType,
  type LossCause,
  type Nudge,
  NudgeCause,
  openConfiguration,
  openNudge,
  readConsentPolicy,
  type Tuning,
  tuningWith,
} from "@salestag/protocol";
import { Account } from "./account";
import { Bell } from "./bell";
import { Gesture } from "./button";
import { BadgeClock } from "./clock";
import { ACCOUNT_ENTRY_MS, BATTERY_LOW_PERCENT, HEALTH_MS, HEARTBEAT_MS } from "./config";
import { Epochs } from "./epochs";
import type { FlashLog } from "./flash/log";
import { ConsentGate, Gate } from "./gate";
import { patternFor } from "./indicators";
import type { Identity } from "./link";
import { Outbox } from "./outbox";
import { Panel } from "./panel";
import type { Phrases } from "./phrases";
import { Recorder } from "./recorder";
import type { StateStore } from "./state";
import type { Trace } from "./trace";

export interface KeeperPorts {
  crypto: Crypto;
  trace: Trace;
  identity: Identity;
  store: StateStore;
  log: FlashLog;
  phrases: Phrases;
  tuning: Tuning;
  consent: ConsentPolicy;
  /** Version of the configuration of the team that is in the settings; 0 for none. */
  configured: number;
  /** Writes one into the settings. @throws Error, with nothing written, when it cannot be used */
  configure: (configuration: Configuration) => Promise<void>;
  nowMs: () => number;
  /** A chunk may be sent. */
  onStored: () => void;
}

const TICK_MS = 1000;
const SECTOR_KB = 4;
/** Chunks of audio find no room when a chunk of this size does not. */
const FULL_BYTES = 4608;
/** Vibrations for a nudge of the badge's own; the team's say how many. */
const NUDGE_BUZZES = 2;
const NUDGE_BUZZES_MAX = 5;
/** Letters that may wait to be looked at. */
const LETTERS_MAX = 6;

interface Letter {
  type: FrameType;
  body: Buffer;
}

export class Keeper {
  readonly outbox: Outbox;
  readonly recorder: Recorder;
  readonly panel: Panel;

  private readonly epochs: Epochs;
  private readonly account: Account;
  private readonly gate: ConsentGate;
  private readonly time: BadgeClock;
  private readonly bell = new Bell();
  private readonly storageBell = new Bell();
  private endedSeen = 0;
  private closeDue = false;
  private pauseDue = false;
  /** Came, and were not looked at. */
  private letters: Letter[] = [];
  /** One that is in the settings, to be used when no conversation runs. */
  private next: Configuration | undefined = undefined;
  private savedMs = 0;
  private healthMs = 0;
  private isOnline = false;
  private uploadEveryMs: number;
  private storageFailed = false;

  constructor(private readonly ports: KeeperPorts) {
    const { crypto, trace, identity, store, log, phrases, tuning, consent, nowMs } = ports;
    const self = this; // DeviceScript has no `this` in arrow functions
    this.account = new Account(store, crypto);
    this.gate = new ConsentGate(consent);
    this.uploadEveryMs = tuning.uploadEveryMs;
    this.time = new BadgeClock(store.state.unixMs);
    this.epochs = new Epochs(crypto, store);
    this.outbox = new Outbox(log, tuning.dropOldest === 1, {
      work: () => self.storageBell.ring(),
      stored: (record) => {
        self.ports.trace.stored(record.epoch, record.index);
        self.account.stored(record.epoch, record.index);
        self.storageFailed = false;
        self.ports.onStored();
      },
      failed: (why) => {
        console.warn(`a chunk could not be stored: ${why}`);
        self.storageFailed = true;
        self.account.again();
      },
      lost: (durationMs, cause) => self.lost(durationMs, cause),
    });
    this.panel = new Panel(trace, nowMs, (gesture) => self.gesture(gesture));
    this.recorder = new Recorder(
      {
        crypto,
        badgeId: identity.badgeId,
        boot: store.state.boot,
        outbox: this.outbox,
        trace,
        phrases,
        gate: this.gate,
        account: this.account,
        clock: this.time,
        nowMs,
        takeEpoch: () => {
          const epoch = self.epochs.take();
          self.bell.ring();
          return epoch;
        },
        onNudge: () => self.panel.buzz(NUDGE_BUZZES),
      },
      tuning,
    );
    this.recorder.paused = store.state.paused;
  }

  /** To be done before anything else. @throws Error when the flash fails */
  async prepare(): Promise<void> {
    await this.outbox.settle();
    await this.epochs.prepare();
  }

  /** Runs for ever. */
  async run(): Promise<void> {
    while (true) {
      try {
        await this.look();
      } catch (error) {
        this.storageFailed = true;
        console.warn(`the state could not be kept: ${(error as Error).message}`);
      }
      await this.bell.wait(TICK_MS);
    }
  }

  /** Runs for ever: writes chunks to the flash, shreds what was refused. */
  async runStorage(): Promise<void> {
    while (true) {
      try {
        if (!(await this.outbox.work())) await this.storageBell.wait(TICK_MS);
      } catch (error) {
        this.storageFailed = true;
        console.warn(`the flash failed: ${(error as Error).message}`);
        await this.storageBell.wait(TICK_MS);
      }
    }
  }

  /** The relay told the time. */
  clock(unixMs: number): void {
    const nowMs = this.ports.nowMs();
    const known = this.time.offsetMs !== undefined;
    if (!this.time.told(unixMs, nowMs)) this.recorder.note(EventKind.ClockRefused, [unixMs]);
    else if (!known) this.recorder.clockSet();
  }

  /** A nudge or a configuration came; it is looked at in the keeper's own fiber. */
  letter(type: FrameType, body: Buffer): void {
    if (this.letters.length < LETTERS_MAX) this.letters.push({ type, body });
    this.bell.ring();
  }

  online(up: boolean): void {
    this.isOnline = up;
  }

  /** @returns ms that the badge may now stay away from the relay; 0 when it is to be connected */
  restMs(): number {
    return this.recorder.urgent || this.outbox.isHalfFull() ? 0 : this.uploadEveryMs;
  }

  /** Everything that may be sent was sent. */
  allSent(): void {
    this.recorder.urgent = false;
  }

  private async look(): Promise<void> {
    const { store, nowMs } = this.ports;
    this.recorder.tick();
    await this.epochs.prepare();
    if (this.recorder.ended !== this.endedSeen || this.account.openMs() >= ACCOUNT_ENTRY_MS) {
      this.endedSeen = this.recorder.ended;
      this.closeDue = true;
    }
    if (this.closeDue && (await this.account.close())) this.closeDue = false;
    const letters = this.letters;
    this.letters = [];
    for (const letter of letters)
      if (letter.type === FrameType.Nudge) await this.show(letter.body);
      else await this.configure(letter.body);
    if (this.next !== undefined && !this.recorder.inConversation()) this.use(this.next);
    if (this.pauseDue || nowMs() - this.savedMs >= HEARTBEAT_MS) {
      this.pauseDue = false;
      this.savedMs = nowMs();
      store.state.unixMs = this.time.unixMs(this.savedMs) ?? store.state.unixMs;
      await store.save();
    }
    this.recorder.tell();
    this.panel.show(patternFor(this.situation()));
    if (nowMs() - this.healthMs >= HEALTH_MS) this.tellHealth();
  }

  private tellHealth(): void {
    const { identity, log, trace, nowMs } = this.ports;
    this.healthMs = nowMs();
    const { lateMs, batteryPercent } = this.panel;
    this.panel.lateMs = 0;
    const used = log.sectors - 1 - log.freeSectors();
    trace.health(identity.badgeId.toString("hex"), [
      Math.floor(this.healthMs / 1000),
      used * SECTOR_KB,
      log.sectors * SECTOR_KB,
      lateMs,
      this.recorder.lostFrames,
      this.isOnline ? 1 : 0,
      this.storageFailed ? 1 : 0,
      batteryPercent,
    ]);
  }

  private situation() {
    const { recorder, gate } = this;
    const recording = recorder.inConversation();
    return {
      muted: recorder.muted,
      storageFailed: this.storageFailed,
      storageFull: !this.outbox.hasRoomInFlash(FULL_BYTES),
      batteryLow: this.panel.batteryPercent >= 0 && this.panel.batteryPercent < BATTERY_LOW_PERCENT,
      asking: gate.gate === Gate.Asking,
      recording: recording && gate.gate === Gate.Open,
      refused: gate.gate === Gate.Refused,
      paused: recorder.paused,
      off: gate.off(),
      online: this.isOnline,
    };
  }

  /** Shows a nudge of the team, once, if the team made it and it is not too late. */
  private async show(body: Buffer): Promise<void> {
    const { store, trace, nowMs } = this.ports;
    const nudge = this.opened(body);
    if (nudge === undefined || nudge.id <= store.state.nudgeId) return;
    store.state.nudgeId = nudge.id;
    await store.save();
    const unixMs = this.time.unixMs(nowMs());
    if (nudge.expiresUnixMs > 0 && unixMs !== undefined && unixMs >= nudge.expiresUnixMs) return;
    this.panel.buzz(Math.min(nudge.pattern, NUDGE_BUZZES_MAX));
    trace.nudge(NudgeCause.Team, nudge.id);
    this.recorder.note(EventKind.Nudge, [NudgeCause.Team, nudge.id]);
  }

  /** @returns the nudge; undefined when it is none, or not of the team */
  private opened(body: Buffer): Nudge | undefined {
    const { crypto, identity, store } = this.ports;
    try {
      return openNudge(crypto, store.state.inboxKey, identity.badgeId, body);
    } catch (error) {
      console.warn(`a nudge is left out: ${(error as Error).message}`);
      return undefined;
    }
  }

  /** Writes a newer configuration of the team into the settings, to be used when no conversation runs. */
  private async configure(body: Buffer): Promise<void> {
    const { ports } = this;
    const configuration = this.newer(body);
    if (configuration === undefined) return;
    let used = 1;
    try {
      await ports.configure(configuration);
      this.next = configuration;
    } catch (error) {
      used = 0;
      console.warn(`configuration ${configuration.version} is left out: ${(error as Error).message}`);
    }
    ports.configured = configuration.version;
    ports.trace.configured(configuration.version, used);
    this.recorder.note(EventKind.Configuration, [configuration.version, used]);
  }

  private use({ tuning, consent }: Configuration): void {
    this.next = undefined;
    if (tuning !== "") {
      const tuned = tuningWith(JSON.parse(tuning));
      this.recorder.retune(tuned);
      this.outbox.dropOldest = tuned.dropOldest === 1;
      this.uploadEveryMs = tuned.uploadEveryMs;
    }
    if (consent !== "") this.gate.policy = readConsentPolicy(JSON.parse(consent));
  }

  /** @returns the configuration; undefined when it is none, not of the team, or not newer than the last */
  private newer(body: Buffer): Configuration | undefined {
    const { crypto, identity, store, configured } = this.ports;
    try {
      const configuration = openConfiguration(crypto, store.state.inboxKey, identity.badgeId, body);
      return configuration !== undefined && configuration.version > configured ? configuration : undefined;
    } catch (error) {
      console.warn(`a configuration is left out: ${(error as Error).message}`);
      return undefined;
    }
  }

  private gesture(gesture: Gesture): void {
    const { recorder, gate } = this;
    if (gate.gate === Gate.Asking && gesture !== Gesture.Short) {
      const consents = gesture === Gesture.Twice;
      if (gate.button(consents)) recorder.decided(consents, ConsentMeans.Button);
    } else if (gesture === Gesture.Short) recorder.mark();
    else if (gesture === Gesture.Long) {
      recorder.pause(!recorder.paused);
      this.ports.store.state.paused = recorder.paused;
      this.pauseDue = true;
    }
    this.bell.ring();
  }

  private lost(durationMs: number, cause: LossCause): void {
    this.ports.trace.gaveUp(durationMs, cause);
    if (durationMs === 0) return;
    this.account.lost(durationMs);
    this.recorder.note(EventKind.Loss, [durationMs, cause]);
  }
}
