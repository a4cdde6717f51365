// What the badge's board has of its own, beside the services on the bus: the flash chip on SPI, the light, the motor, the fuel gauge. Pins are known by
// name; their numbers are in the runtime's board configuration, made from hardware/pins.ts. A runtime without one, as in the emulated badge, knows no
// pin, and there everything is on the bus. Nothing of this has run on a real board.
import { Control, GPIOMode, sleep } from "@devicescript/core";
import "@devicescript/gpio";
import { i2c } from "@devicescript/i2c";
import { spi } from "@devicescript/spi";
import { pins } from "@dsboard/salestag_badge";
import type { FlashChip } from "./flash/flash-chip";
import { openSpiChip } from "./flash/spi-chip";

/** The chip takes 50 MHz for a plain read; the wires on the board are short, but nobody has looked at the signals. */
const SPI_HZ = 20_000_000;
/** MAX17048: its address, and the register whose high byte is the charge in per cent. */
const GAUGE_ADDRESS = 0x36;
const GAUGE_CHARGE = 0x04;
const GAUGE_BYTES = 2;
const CHARGE_MAX = 100;

/** The board's parts. */
export class Board {
  private readonly control = new Control("control[int:0]");

  constructor() {
    pins.MOTOR.setMode(GPIOMode.OutputLow);
  }

  /** @throws Error when no chip answers */
  async openChip(): Promise<FlashChip> {
    pins.FLASH_SELECT.setMode(GPIOMode.OutputHigh);
    spi.configure({
      miso: pins.FLASH_DATA_IN,
      mosi: pins.FLASH_DATA_OUT,
      sck: pins.FLASH_CLOCK,
      mode: 0,
      hz: SPI_HZ,
    });
    return await openSpiChip({
      select: async (low) => pins.FLASH_SELECT.setMode(low ? GPIOMode.OutputLow : GPIOMode.OutputHigh),
      exchange: async (bytes) => await spi.transfer(bytes),
      sleep: async (ms) => await sleep(ms),
    });
  }

  /** @param light 0xRRGGBB */
  async light(light: number): Promise<void> {
    await this.control.setStatusLight(light >> 16, (light >> 8) & 255, light & 255, 0);
  }

  /** Vibrates for so long. */
  async buzz(ms: number): Promise<void> {
    pins.MOTOR.setMode(GPIOMode.OutputHigh);
    await sleep(ms);
    pins.MOTOR.setMode(GPIOMode.OutputLow);
  }

  /** @returns charge of the battery in per cent; -1 when the gauge does not answer */
  async chargePercent(): Promise<number> {
    try {
      const register = await i2c.readRegBuf(GAUGE_ADDRESS, GAUGE_CHARGE, GAUGE_BYTES);
      return Math.min(CHARGE_MAX, register[0]);
    } catch (error) {
      console.warn(`the fuel gauge does not answer: ${(error as Error).message}`);
      return -1;
    }
  }
}

/** @returns the board; undefined where the runtime knows no pins */
export function openBoard(): Board | undefined {
  return pins.FLASH_SELECT === undefined ? undefined : new Board();
}
