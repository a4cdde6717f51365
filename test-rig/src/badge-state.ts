// What an emulated badge keeps while it is switched off: its hardware id and its flash, in a folder that only its owner may read,
// since the flash holds the badge's keys.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RigError } from "./errors";

export interface BadgeState {
  /** 16 hexadecimal digits. */
  deviceId: string;
  /** Empty for a badge that was never switched on. */
  flash: Buffer;
}

const FILE = "badge.json";

/**
 * Reads a badge's folder.
 * @throws RigError when there is none or it holds no badge
 */
export function loadBadgeState(folder: string): BadgeState {
  let text: string;
  try {
    text = readFileSync(join(folder, FILE), "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new RigError(
      `There is no emulated badge in '${folder}' (${code}): make one with 'rig badge --state ${folder}'.`,
    );
  }
  try {
    const { deviceId, flash } = JSON.parse(text) as { deviceId: unknown; flash: unknown };
    if (typeof deviceId !== "string" || !/^[0-9a-f]{16}$/.test(deviceId)) throw new Error("no device id");
    if (typeof flash !== "string") throw new Error("no flash");
    const bytes = Buffer.from(flash, "base64");
    if (bytes.toString("base64") !== flash) throw new Error("flash is not base64");
    return { deviceId, flash: bytes };
  } catch (error) {
    const { message } = error as Error;
    throw new RigError(
      `'${join(folder, FILE)}' is not an emulated badge's state (${message}): remove it and provision a new badge.`,
    );
  }
}

/** Writes a badge's folder, whole or not at all. */
export function saveBadgeState(folder: string, state: BadgeState): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const part = join(folder, `${FILE}.part`);
  const text = JSON.stringify({ deviceId: state.deviceId, flash: state.flash.toString("base64") });
  rmSync(part, { force: true }); // a file that exists would keep its mode
  writeFileSync(part, text, { mode: 0o600, flush: true });
  renameSync(part, join(folder, FILE));
}
