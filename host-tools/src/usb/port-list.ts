// The serial ports of this machine, and which of them are badges. On Linux it reads /sys itself: serialport's own list ends the process
// where `udevadm` is not installed. Emulated badges are found in the folders that SALESTAG_PORTS names (docs/ports.md).
import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "@salestag/protocol/team";

/** What is at a port: a DeviceScript runtime, an ESP32-S3 that runs its boot loader or something else, or anything else. */
export type PortKind = "badge" | "bootloader" | "other";

export interface PortInfo {
  /** To open it with, such as /dev/ttyACM0. */
  path: string;
  kind: PortKind;
  /** USB ids, 4 lower-case hexadecimal digits. */
  vendorId?: string;
  productId?: string;
  serialNumber?: string;
  manufacturer?: string;
  product?: string;
  /** Changes when what is at the path is another device than before, or the same one plugged in again. */
  identity: string;
}

/** Where to look; tests look elsewhere. */
export interface PortPlaces {
  platform: NodeJS.Platform;
  /** Folder that has `sys` and `dev`. */
  root: string;
  /** Folders with links to ports, as in SALESTAG_PORTS. */
  linkFolders: string[];
}

const TTY_NAME = /^tty(ACM|USB)\d+$/;
/** USB serial number of a DeviceScript runtime: its MAC address. */
const RUNTIME_SERIAL = /^JD[0-9A-F]{12}/i;
/** Espressif's USB serial unit, in the chip itself: there while the boot loader runs, or a program that uses it. */
const ESPRESSIF = "303a";
const SERIAL_JTAG = "1001";
/** From the interface of a USB device to the device itself, at most. */
const USB_LEVELS_MAX = 4;

/** @returns the folders that SALESTAG_PORTS names, separated by colons (Windows: semicolons) */
export function portFolders(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): string[] {
  const folders = (environment.SALESTAG_PORTS ?? "").split(platform === "win32" ? ";" : ":");
  return folders.filter((folder) => folder !== "");
}

/** @returns the places of this machine */
export function placesHere(): PortPlaces {
  const { platform, env } = process;
  return { platform, root: "/", linkFolders: portFolders(env, platform) };
}

/** @returns every serial port, badges or not, in the order of their names */
export async function listPorts(places = placesHere()): Promise<PortInfo[]> {
  const own = places.platform === "linux" ? linuxPorts(places.root) : await systemPorts();
  const linked = places.linkFolders.flatMap(linkedPorts);
  const named = new Set(linked.map(({ target }) => target));
  const ports = [...own.filter(({ path }) => !named.has(path)), ...linked.map(({ port }) => port)];
  return ports.sort((a, b) => a.path.localeCompare(b.path, "en", { numeric: true }));
}

function linuxPorts(root: string): PortInfo[] {
  const folder = join(root, "sys/class/tty");
  return namesIn(folder)
    .filter((name) => TTY_NAME.test(name))
    .map((name) => {
      const path = join(root, "dev", name);
      const inode = statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
      return portOf(path, `${inode}`, usbOf(join(folder, name, "device")));
    });
}

type Usb = Pick<PortInfo, "vendorId" | "productId" | "serialNumber" | "manufacturer" | "product">;

/** @param device the folder of the port's interface; the USB device is one of those above it */
function usbOf(device: string): Usb {
  let at: string;
  try {
    at = realpathSync(device);
  } catch {
    return {}; // unplugged since the folder was read, or no USB port
  }
  for (let level = 0; level < USB_LEVELS_MAX; level++, at = dirname(at)) {
    const vendorId = attribute(at, "idVendor")?.toLowerCase();
    if (vendorId === undefined) continue;
    return {
      vendorId,
      productId: attribute(at, "idProduct")?.toLowerCase(),
      serialNumber: attribute(at, "serial"),
      manufacturer: attribute(at, "manufacturer"),
      product: attribute(at, "product"),
    };
  }
  return {};
}

function attribute(folder: string, name: string): string | undefined {
  try {
    return readFileSync(join(folder, name), "utf8").trim() || undefined;
  } catch {
    return undefined; // a device tells as much about itself as it likes
  }
}

async function systemPorts(): Promise<PortInfo[]> {
  const { SerialPort } = await import("serialport");
  const ports = await SerialPort.list();
  return ports.map(({ path, vendorId, productId, serialNumber, manufacturer }) =>
    portOf(path, serialNumber ?? "", {
      vendorId: vendorId?.toLowerCase(),
      productId: productId?.toLowerCase(),
      serialNumber,
      manufacturer,
    }),
  );
}

function portOf(path: string, identity: string, usb: Usb): PortInfo {
  const bootloader = usb.vendorId === ESPRESSIF && usb.productId === SERIAL_JTAG;
  const runtime = RUNTIME_SERIAL.test(usb.serialNumber ?? "");
  const kind = runtime ? "badge" : bootloader ? "bootloader" : "other";
  return { path, kind, ...usb, identity: `${identity} ${usb.serialNumber ?? ""}` };
}

/** A link whose port is gone is left out: what made it ended without a word. */
function linkedPorts(folder: string): { port: PortInfo; target: string }[] {
  return namesIn(folder).flatMap((name) => {
    const path = join(folder, name);
    try {
      const link = lstatSync(path);
      if (!link.isSymbolicLink() || !statSync(path).isCharacterDevice()) return [];
      const identity = `${link.ino} ${link.ctimeMs} ${readlinkSync(path)}`;
      const port = { path, kind: "badge" as const, product: "named by SALESTAG_PORTS", identity };
      return [{ port, target: realpathSync(path) }];
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw new Error(`the port '${path}', which SALESTAG_PORTS names, cannot be read: ${messageOf(cause)}`, {
        cause,
      });
    }
  });
}

/** @returns no names for a folder that is not there: without USB ports, or before a badge was emulated */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw cause;
  }
}
