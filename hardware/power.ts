// The power budget: from what a badge did (counted by the rig, or given) and how its native part is built, the mean current by consumer, at 3.3 V and at the
// cell, and how long a cell lasts. The figures are in power-data.ts, the page in power.md. A model: no badge was ever measured.
import {
  CELL,
  CORE_SHARE,
  CPU,
  CPU_SLOW_IDLE,
  type CpuMhz,
  type Dtim,
  FLASH,
  JOINED_IDLE,
  MICROPHONE,
  RADIO,
  SHOWN,
  SUPPLY,
} from "./power-data";

/** What a badge did in a stretch of time. */
export interface Usage {
  elapsedMs: number;
  /** Time of the badge program on an ESP32-S3 at 240 MHz. */
  programMs: number;
  /** Somebody speaks, as the badge hears it. */
  speechMs: number;
  /** Time of frames that were kept: speech, its pre-roll and hangover. */
  keptMs: number;
  /** The network is in reach. */
  inReachMs: number;
  connections: number;
  /** A socket is open. */
  connectedMs: number;
  /** The radio is awake for packets: from each to the end of the time that it listens on after one. */
  radioAwakeMs: number;
  sentBytes: number;
  receivedBytes: number;
  flashReads: number;
  flashPrograms: number;
  flashErases: number;
  lightMs: number;
  tones: number;
  buzzes: number;
}

/** @returns a usage of no time */
export function noUsage(): Usage {
  return {
    elapsedMs: 0,
    programMs: 0,
    speechMs: 0,
    keptMs: 0,
    inReachMs: 0,
    connections: 0,
    connectedMs: 0,
    radioAwakeMs: 0,
    sentBytes: 0,
    receivedBytes: 0,
    flashReads: 0,
    flashPrograms: 0,
    flashErases: 0,
    lightMs: 0,
    tones: 0,
    buzzes: 0,
  };
}

/** How the native part of the badge is built: what the badge program cannot change. */
export interface Build {
  name: string;
  cpuMhz: CpuMhz;
  /** Dynamic frequency scaling: the clock while no core works, MHz; undefined: always the full one. */
  slowMhz?: 40 | 80;
  dtim: Dtim;
  /** The station leaves the network between connections. */
  leavesNetwork: boolean;
  /** Time from one scan to the next while no network is joined. */
  scanEveryMs: number;
  /** The front end encodes only what is kept; else all. */
  opusOnlyKept: boolean;
  /** Share of the frames that the front end's network looks at: 1, or less where it sleeps in silence. */
  networkShare: number;
  /** By how much the network is faster than in plain instructions. */
  networkSpeedUp: number;
}

/** microsoft/devicescript-esp32 with the front end added and nothing else changed: ESP-IDF's defaults. */
export const AS_IT_IS: Build = {
  name: "runtime as it is",
  cpuMhz: 160,
  dtim: 1,
  leavesNetwork: false,
  scanEveryMs: RADIO.scanEveryMs.value,
  opusOnlyKept: false,
  networkShare: 1,
  networkSpeedUp: 1,
};

/** Mean current in mA at 3.3 V, by consumer. */
export type Currents = Record<Consumer, number>;

export const CONSUMERS = [
  "clock and idle processor",
  "badge program",
  "front end: features",
  "front end: network",
  "front end: Opus",
  "staying joined to Wi-Fi",
  "searching for Wi-Fi",
  "radio awake for packets",
  "radio sending",
  "TLS handshakes",
  "microphone",
  "flash",
  "light",
  "tones and vibration",
] as const;
export type Consumer = (typeof CONSUMERS)[number];

const REFERENCE_MHZ = 240;

/** @returns what of one core's time is taken, by task, at the build's clock; above 1 in sum for one core it cannot keep up */
export function coreShares(usage: Usage, build: Build) {
  const slower = REFERENCE_MHZ / build.cpuMhz;
  const kept = build.opusOnlyKept ? usage.keptMs / usage.elapsedMs : 1;
  return {
    program: (slower * usage.programMs) / usage.elapsedMs,
    features: slower * CORE_SHARE.features.value,
    network: (slower * CORE_SHARE.network.value * build.networkShare) / build.networkSpeedUp,
    opus: slower * CORE_SHARE.opus.value * kept,
  };
}

/** Current while no core works and the radio sleeps, as measured by the maker, moved to the build's clocks by the datasheet's differences. */
function idleMa({ cpuMhz, slowMhz }: Build): number {
  if (slowMhz === 40) return JOINED_IDLE.scaled.between.value;
  if (slowMhz === 80)
    return JOINED_IDLE.scaled.between.value + CPU_SLOW_IDLE[80].value - CPU_SLOW_IDLE[40].value;
  return JOINED_IDLE.fixed160.between.value + CPU[cpuMhz].idle.value - CPU[160].idle.value;
}

/** How the two cores share the time: the front end has one, the program the other, and neither waits for the other. */
function coresOf(usage: Usage, build: Build) {
  const { program, features, network, opus } = coreShares(usage, build);
  const frontEnd = Math.min(1, features + network + opus);
  const both = frontEnd * Math.min(1, program);
  const any = frontEnd + Math.min(1, program) - both;
  return { both, any, one: any - both };
}

/** What working cores draw above the idle current: with frequency scaling the whole chip leaves its slow clock for one of them. */
function workingMa(usage: Usage, build: Build): number {
  const { idle, oneCore, bothCores } = CPU[build.cpuMhz];
  const { any, one, both } = coresOf(usage, build);
  const awake = idleMa({ ...build, slowMhz: undefined }) - idleMa(build);
  return any * awake + one * (oneCore.value - idle.value) + both * (bothCores.value - idle.value);
}

/** What staying joined draws. With frequency scaling that is also the clock that rises for each beacon, unless a core works anyway. */
function joinedMa(usage: Usage, { dtim, slowMhz, ...build }: Build): number {
  const extra = ({ between, mean }: typeof JOINED_IDLE.scaled) => mean[dtim].value - between.value;
  const radio = extra(JOINED_IDLE.fixed160);
  if (slowMhz === undefined) return radio;
  const { any } = coresOf(usage, { ...build, dtim, slowMhz });
  return radio + (1 - any) * (extra(JOINED_IDLE.scaled) - radio);
}

/** @returns the mean currents; what the working cores draw is shared out by time */
export function currentsOf(usage: Usage, build: Build): Currents {
  const share = (ms: number) => ms / usage.elapsedMs;
  const shares = coreShares(usage, build);
  const shareSum = shares.program + shares.features + shares.network + shares.opus;
  const perShare = shareSum === 0 ? 0 : workingMa(usage, build) / shareSum;
  const listeningMa = RADIO.rx.value - CPU[160].idle.value;
  const joined = build.leavesNetwork ? share(usage.connectedMs) : share(usage.inReachMs);
  const searching = ((1 - joined) * RADIO.scanMs.value) / build.scanEveryMs;
  const joins = build.leavesNetwork
    ? share(usage.connections * (RADIO.scanMs.value + RADIO.joinMs.value))
    : 0;
  const handshakes = share(usage.connections * RADIO.handshakeMs.value);
  const bits = 8 * (usage.sentBytes + usage.connections * RADIO.handshakeBytes.value);
  const flashMs =
    usage.flashPrograms * FLASH.programMs.value +
    usage.flashErases * FLASH.eraseMs.value +
    usage.flashReads * FLASH.readMs.value;
  return {
    "clock and idle processor": idleMa(build),
    "badge program": shares.program * perShare,
    "front end: features": shares.features * perShare,
    "front end: network": shares.network * perShare,
    "front end: Opus": shares.opus * perShare,
    "staying joined to Wi-Fi": joined * joinedMa(usage, build),
    "searching for Wi-Fi": (searching + joins) * listeningMa,
    "radio awake for packets": share(usage.radioAwakeMs) * listeningMa,
    "radio sending": share(bits / RADIO.airBitsPerMs.value) * (RADIO.tx.value - RADIO.rx.value),
    "TLS handshakes":
      handshakes * (listeningMa + CPU[build.cpuMhz].oneCore.value - CPU[build.cpuMhz].idle.value),
    microphone: MICROPHONE.value,
    flash: FLASH.standby.value + share(flashMs) * FLASH.program.value,
    light: share(usage.lightMs) * SHOWN.light.value,
    "tones and vibration":
      share(usage.tones * SHOWN.toneMs.value) * SHOWN.buzzer.value +
      share(usage.buzzes * SHOWN.buzzMs.value) * SHOWN.motor.value,
  };
}

/** @returns mA at 3.3 V */
export function sumOf(currents: Currents): number {
  return Object.values(currents).reduce((sum, one) => sum + one, 0);
}

const RAIL_V = 3.3;

/** @returns mA that the cell gives for so many at 3.3 V */
export function cellMa(railMa: number): number {
  const { efficiency, regulator, charger, gauge } = SUPPLY;
  const own = regulator.value + charger.value + gauge.value;
  return (railMa * RAIL_V) / (CELL.nominalV.value * efficiency.value) + own;
}

/** A cell, and what is left of what is printed on it. */
export interface Cell {
  mAh: number;
  /** Product of age, cold and the like; 1 for a new one at 25 °C. */
  health: number;
}

/** @returns mAh that can be taken */
export function usableMah({ mAh, health }: Cell): number {
  return mAh * CELL.usable.value * health;
}

/** @returns hours that the cell lasts */
export function hoursOf(cell: Cell, railMa: number): number {
  return usableMah(cell) / cellMa(railMa);
}

/** @returns mA at 3.3 V that a badge may draw in the mean, so that this share of the cell is left after so many hours */
export function allowedMa(cell: Cell, hours: number, left: number): number {
  const own = cellMa(0);
  const mA = (usableMah(cell) * (1 - left)) / hours;
  return ((mA - own) * CELL.nominalV.value * SUPPLY.efficiency.value) / RAIL_V;
}

/** @returns the sum of two stretches */
export function addUsage(a: Usage, b: Usage): Usage {
  const sum = { ...a };
  for (const name of Object.keys(sum) as (keyof Usage)[]) sum[name] += b[name];
  return sum;
}
