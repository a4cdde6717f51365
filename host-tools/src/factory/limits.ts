// What a badge must measure in the factory test: one table, with the reason of each limit. None of these has met a real board yet: the reasons
// say what they are derived from, and the first boards will have to correct them.

export interface Limit {
  unit: string;
  /** Undefined: no lower limit. */
  least?: number;
  /** Undefined: no upper limit. */
  most?: number;
  /** Why the limit is where it is. */
  why: string;
}

/** Values by their names in the record; docs/factory-record.md has the same table. */
export const LIMITS = {
  framesMissing: {
    unit: "of 50 frames",
    most: 2,
    why: "the front end sends 50 frames a second; more than a stray one lost on USB is a front end that stalls",
  },
  noiseFloor: {
    unit: "dBFS",
    least: -100,
    most: -45,
    why: "a digital MEMS microphone's own noise lies at about -90 dBFS, a quiet workshop (50 dB SPL) at about -70 (94 dB SPL is -26 dBFS; from memory, check the datasheet of the microphone that is fitted); below is no microphone, above a broken one or no silence",
  },
  ownToneRise: {
    unit: "dB",
    least: 10,
    why: "the badge's buzzer is centimetres from its microphone and must stand out of the room by far more",
  },
  soundRise: { unit: "dB", least: 10, why: "a voice at half a metre (60 dB SPL and more) over a quiet room" },
  mutedLevel: {
    unit: "dBFS",
    most: -120,
    why: "a microphone without supply gives zeros, and the front end says -127.5 for them; any noise is a microphone that still works",
  },
  unmutedLevel: { unit: "dBFS", least: -100, why: "as noiseFloor: the microphone has its supply back" },
  flashSectors: {
    unit: "sectors of 4 KB",
    least: 16384,
    why: "the board has a chip of 64 MB: the outbox of a day out of reach",
  },
  flashPlaces: { unit: "sectors tried", least: 4, why: "one in each quarter: all address bits are used" },
  flashRefused: { unit: "commands", most: 0, why: "a sound chip refuses nothing" },
  flashUnerased: { unit: "bytes", most: 0, why: "an erased sector is all ones" },
  flashUnwritten: { unit: "bytes", most: 0, why: "what was written is there" },
  flashWrong: { unit: "bytes", most: 0, why: "a new chip on good wires reads back what was written" },
  wifiNetworks: { unit: "networks", least: 1, why: "a factory has an access point on 2.4 GHz" },
  wifiSignal: {
    unit: "dBm",
    least: -75,
    why: "the strongest access point, in the same room; below it 'salestag doctor' calls a signal hardly usable: an antenna that is covered, or not connected",
  },
  currentDraw: {
    unit: "mA",
    least: 15,
    most: 150,
    why: "idle, looking for Wi-Fi now and then: 27.6 mA at 160 MHz, 95 mA while the receiver is on (ESP32-S3-WROOM-1 datasheet v1.8, tables 6-6 and 6-4); more is a short or a part that is on, less no processor that runs",
  },
  batteryVoltage: {
    unit: "mV",
    least: 3300,
    most: 4250,
    why: "a lithium cell between nearly empty and its end of charge (4200 mV), with 50 mV for the gauge",
  },
} as const satisfies Record<string, Limit>;

export type ValueName = keyof typeof LIMITS;

/** A value with the limits that it was held to. */
export interface Value {
  name: string;
  value: number;
  unit: string;
  least?: number;
  most?: number;
}

/** @returns the value with its limits */
export function measured(name: ValueName, value: number): Value {
  const { unit, least, most }: Limit = LIMITS[name];
  return {
    name,
    value,
    unit,
    ...(least === undefined ? {} : { least }),
    ...(most === undefined ? {} : { most }),
  };
}

/** @returns true when a value keeps to its own limits */
export function keeps({ value, least, most }: Value): boolean {
  return (least === undefined || value >= least) && (most === undefined || value <= most);
}
