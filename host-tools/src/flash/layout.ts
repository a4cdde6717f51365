// The flash of a badge as the DeviceScript runtime divides it on an ESP32-S3 (its partition table says the same; images.ts checks it).

/** Smallest piece that can be erased. */
export const SECTOR_BYTES = 4096;
/** Flash that the runtime needs. */
export const FLASH_BYTES = 0x200000;

export interface Area {
  address: number;
  lengthBytes: number;
}

/** Second-stage bootloader and partition table. */
export const BOOT: Area = { address: 0, lengthBytes: 0x9000 };
export const PARTITION_TABLE_ADDRESS = 0x8000;
/** Configuration of the board: pins, lights, services. */
export const BOARD: Area = { address: 0x9000, lengthBytes: 0x2000 };
/** What ESP-IDF keeps for itself: calibration of the radio. Written only when everything is erased. */
export const SYSTEM: Area = { address: 0xb000, lengthBytes: 0x5000 };
/** The runtime itself. */
export const APP: Area = { address: 0x10000, lengthBytes: 0x1b0000 };
/** Settings and the badge program: docs/runtime-flash.md. */
export const STORE: Area = { address: 0x1c0000, lengthBytes: 0x40000 };
