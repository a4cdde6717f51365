// Which USB device is behind a serial port, as Linux tells it under /sys. Not by SerialPort.list(): that ends the process where the
// program udevadm is missing.
import { readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";

export interface UsbIds {
  usbVendorId?: number;
  usbProductId?: number;
}

/** The device lies above the interface (ttyACM) or two above it (ttyUSB). */
const LEVELS_MAX = 3;

/**
 * @param path of a serial port, or a link to it
 * @param classFolder where the system lists its ports
 * @returns nothing for a port that is no USB device, and on other systems
 */
export function usbIdsOf(path: string, classFolder = "/sys/class/tty"): UsbIds {
  try {
    let folder = realpathSync(join(classFolder, basename(realpathSync(path)), "device"));
    for (let level = 0; level < LEVELS_MAX; level++) {
      folder = dirname(folder);
      const [usbVendorId, usbProductId] = ["idVendor", "idProduct"].map((name) =>
        readHex(join(folder, name)),
      );
      if (usbVendorId !== undefined && usbProductId !== undefined) return { usbVendorId, usbProductId };
    }
  } catch {
    // no such port here, or no such folder: nothing is known
  }
  return {};
}

function readHex(path: string): number | undefined {
  try {
    const value = Number.parseInt(readFileSync(path, "utf8"), 16);
    return Number.isNaN(value) ? undefined : value;
  } catch {
    return undefined;
  }
}
