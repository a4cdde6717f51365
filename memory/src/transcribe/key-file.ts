// A file that holds the key of a hosted service: only its owner may read it.
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { messageOf } from "./transcriber";

const OTHERS_MODE = 0o077;
const KEY_BYTES_MAX = 4096;

/** @returns the key, without blanks around it, or what is wrong with the file */
export function readKey(path: string): { key: string } | { wrong: string } {
  try {
    const file = openSync(path, "r");
    try {
      const { mode, size } = fstatSync(file);
      if (process.platform !== "win32" && (mode & OTHERS_MODE) !== 0)
        return { wrong: "can be read by other users: run chmod 600 on it" };
      if (size > KEY_BYTES_MAX) return { wrong: `has ${size} bytes: a key has at most ${KEY_BYTES_MAX}` };
      const key = readFileSync(file, "utf8").trim();
      return /^[\x21-\x7e]+$/.test(key)
        ? { key }
        : { wrong: "holds no key: one line of printable characters" };
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    return { wrong: `cannot be read: ${messageOf(cause)}` };
  }
}
