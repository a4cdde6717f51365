// Where a passphrase comes from: an open file descriptor, for scripts, or else the terminal. Never an argument or the environment.
import { readSync } from "node:fs";
import type { PassphraseSource } from "@salestag/protocol/team";
import { ExitCode, messageOf, ToolError } from "@salestag/protocol/team";
import { askTerminal } from "./terminal";

const PASSPHRASE_BYTES_MAX = 1024;

/** @returns a source that reads the descriptor, or asks on the terminal where none is given */
export function passphraseFrom(fd: number | undefined, what: string): PassphraseSource {
  if (fd !== undefined) return async () => readPassphrase(fd);
  return () => askTerminal(`Passphrase of ${what}: `, true, "the passphrase; give it with --passphrase-fd");
}

/** @returns a source of a new passphrase; on a terminal it is asked for twice */
export function newPassphraseFrom(fd: number | undefined): PassphraseSource {
  if (fd !== undefined) return async () => readPassphrase(fd);
  return async () => {
    const hint = "a passphrase; give it with --passphrase-fd";
    const first = await askTerminal("New passphrase: ", true, hint);
    const second = await askTerminal("The same again: ", true, hint);
    if (first === second) return first;
    throw new ToolError(ExitCode.Usage, "the two passphrases differ; nothing was made, try again.");
  };
}

/** @returns the first line of what can be read from an open file descriptor */
function readPassphrase(fd: number): string {
  const bytes = Buffer.alloc(PASSPHRASE_BYTES_MAX + 1);
  let lengthBytes = 0;
  try {
    for (let got = -1; got !== 0 && lengthBytes < bytes.length && !bytes.includes("\n"); lengthBytes += got)
      got = readSync(fd, bytes, lengthBytes, bytes.length - lengthBytes, null);
  } catch (cause) {
    throw new ToolError(
      ExitCode.Usage,
      `the passphrase cannot be read from descriptor ${fd} (${messageOf(cause)}); open it as in --passphrase-fd 3 3<FILE.`,
    );
  }
  const line = bytes.toString("utf8", 0, lengthBytes).split(/\r?\n/)[0];
  if (line === "" || lengthBytes > PASSPHRASE_BYTES_MAX)
    throw new ToolError(
      ExitCode.Usage,
      `descriptor ${fd} gives no passphrase: a line of 1 to ${PASSPHRASE_BYTES_MAX} bytes.`,
    );
  return line;
}
