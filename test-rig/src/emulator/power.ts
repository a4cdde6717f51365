// Plays the Jacdac service `power` on an emulated badge's bus, of which the badge reads the battery's charge.
import { PlayedRegisters, u16 } from "./played-registers";
import type { VirtualTime } from "./virtual-time";

const POWER_CLASS = 0x1fa4c95a;
const REGISTER_CURRENT = 0x101;
const REGISTER_BATTERY_VOLTAGE = 0x180;
const REGISTER_BATTERY_CHARGE = 0x182;
/** The register counts in 65536ths; all of them together do not fit it. */
const FULL = 0xffff;

export interface PlayedPowerParts {
  time: VirtualTime;
  /** 16 hexadecimal digits. */
  deviceId: string;
  /** Charge of the battery, 0 to 100. */
  percent: number;
  /** What the badge draws, and the battery's voltage; left out: nothing tells them. */
  gauge?: { currentMa: number; voltageMv: number };
  /** Puts a frame on the bus. */
  send: (frame: Buffer) => void;
}

/** @returns a power supply whose battery keeps its charge */
export function playedPower({ time, deviceId, percent, gauge, send }: PlayedPowerParts): PlayedRegisters {
  const charge = () => u16(Math.round((percent / 100) * FULL));
  const registers = new Map([[REGISTER_BATTERY_CHARGE, charge]]);
  if (gauge !== undefined) {
    registers.set(REGISTER_CURRENT, () => u16(gauge.currentMa));
    registers.set(REGISTER_BATTERY_VOLTAGE, () => u16(gauge.voltageMv));
  }
  return new PlayedRegisters({ time, deviceId, serviceClass: POWER_CLASS, registers, send });
}
