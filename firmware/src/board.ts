// What the badge's board has of its own, beside the services on the bus: the flash chip on SPI, the light, the motor, the fuel gauge. Pins are known by
// name; their numbers are in the runtime's board configuration, made from hardware/pins.ts. A runtime without one, as in the emulated badge, knows no
// pin, and there everything is on the bus. Nothing of this has run on a real board.
//
// The runtime's own calls are used where a package of DeviceScript's would put objects on the heap of every badge: @devicescript/spi, i2c, gpio.
import * as ds from "@devicescript/core";
import { pins } from "@dsboard/salestag_badge";
import type { FlashChip } from "./flash/flash-chip";
import { openSpiChip } from "./flash/spi-chip";

/** The runtime's calls for two buses (its packages spi/src/spi.ts and i2c/src/i2c_impl.ts). */
type Buses = typeof ds & {
  spiConfigure: (miso: number, mosi: number, sck: number, mode: number, hz: number) => void;
  spiXfer: (out: Buffer, into: Buffer) => Promise<void>;
  /** @returns 0 when the chip answered */
  _i2cTransaction: (address: number, out: Buffer, into: Buffer) => Promise<number>;
};
/** Part of its package gpio/src/pins.ts. */
type Pin = ds.Pin & { setMode: (mode: ds.GPIOMode) => void };

/** The chip takes 50 MHz for a plain read; the wires on the board are short, but nobody has looked at the signals. */
const SPI_HZ = 20_000_000;
const SPI_MODE = 0;
/** MAX17048: its address, and the register whose high byte is the charge in per cent. */
const GAUGE_ADDRESS = 0x36;
const GAUGE_CHARGE = 0x04;
const GAUGE_BYTES = 2;
const CHARGE_MAX = 100;

/** @returns true where the runtime knows the badge's pins */
export function hasBoard(): boolean {
  return pins.FLASH_SELECT !== undefined;
}

/**
 * @returns the flash chip on SPI; its calls may come from several fibers
 * @throws Error when no chip answers
 */
export async function openBoardChip(): Promise<FlashChip> {
  drive(pins.FLASH_SELECT, true);
  const { FLASH_DATA_IN, FLASH_DATA_OUT, FLASH_CLOCK } = pins;
  (ds as Buses).spiConfigure(FLASH_DATA_IN.gpio, FLASH_DATA_OUT.gpio, FLASH_CLOCK.gpio, SPI_MODE, SPI_HZ);
  return await openSpiChip({
    select: async (low) => drive(pins.FLASH_SELECT, !low),
    exchange: async (bytes) => {
      const answer = Buffer.alloc(bytes.length);
      await (ds as Buses).spiXfer(bytes, answer);
      return answer;
    },
    sleep: async (ms) => await ds.sleep(ms),
  });
}

/** @param light 0xRRGGBB */
export async function shineBoardLight(light: number): Promise<void> {
  const control = new ds.Control("control[int:0]");
  await control.setStatusLight(light >> 16, (light >> 8) & 255, light & 255, 0);
}

/** Vibrates for so long. */
export async function buzzBoard(ms: number): Promise<void> {
  drive(pins.MOTOR, true);
  await ds.sleep(ms);
  drive(pins.MOTOR, false);
}

/** @returns charge of the battery in per cent; -1 when the gauge does not answer */
export async function readBoardCharge(): Promise<number> {
  const register = Buffer.alloc(GAUGE_BYTES);
  const status = await (ds as Buses)._i2cTransaction(GAUGE_ADDRESS, Buffer.from([GAUGE_CHARGE]), register);
  if (status === 0) return Math.min(CHARGE_MAX, register[0]);
  console.warn(`the fuel gauge does not answer: status ${status}`);
  return -1;
}

function drive(pin: ds.Pin, high: boolean): void {
  (pin as Pin).setMode(high ? ds.GPIOMode.OutputHigh : ds.GPIOMode.OutputLow);
}
