// Plays the Jacdac service `power` on an emulated badge's bus, of which the badge reads the battery's charge.
import { PlayedRegisters, u16 } from "./played-registers";
import type { VirtualTime } from "./virtual-time";

const POWER_CLASS = 0x1fa4c95a;
const REGISTER_BATTERY_CHARGE = 0x182;
/** The register counts in 65536ths; all of them together do not fit it. */
const FULL = 0xffff;

export interface PlayedPowerParts {
  time: VirtualTime;
  /** 16 hexadecimal digits. */
  deviceId: string;
  /** Charge of the battery, 0 to 100. */
  percent: number;
  /** Puts a frame on the bus. */
  send: (frame: Buffer) => void;
}

/** @returns a power supply whose battery keeps its charge */
export function playedPower({ time, deviceId, percent, send }: PlayedPowerParts): PlayedRegisters {
  const charge = () => u16(Math.round((percent / 100) * FULL));
  const registers = new Map([[REGISTER_BATTERY_CHARGE, charge]]);
  return new PlayedRegisters({ time, deviceId, serviceClass: POWER_CLASS, registers, send });
}
