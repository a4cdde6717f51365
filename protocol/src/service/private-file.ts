// Files that hold a secret: only their owner may read them.
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { messageOf } from "./errors";

const OTHERS_MODE = 0o077;

/** @returns what a file holds that nobody else may read, without blanks around it; or what is wrong with it */
export function readPrivate(path: string): Buffer | string {
  try {
    const file = openSync(path, "r");
    try {
      const { mode } = fstatSync(file);
      if (process.platform !== "win32" && (mode & OTHERS_MODE) !== 0)
        return "can be read by other users: run chmod 600 on it";
      return Buffer.from(readFileSync(file, "utf8").trim(), "utf8");
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    return `cannot be read: ${messageOf(cause)}`;
  }
}
