// The settings of a badge's DeviceScript runtime over Jacdac, and the restart of its program. The limits are the runtime's own:
// it ignores longer keys, and it panics when it reads a value that it was willing to store.
import type { JacdacClient, JdService } from "./client";

/** Service classes of the runtime. */
export const JD_CLASS_SETTINGS = 0x1107dc4a;
export const JD_CLASS_DEVICESCRIPT_MANAGER = 0x1134ea2b;

const COMMAND_GET = 0x80;
const COMMAND_SET = 0x81;
const COMMAND_DELETE = 0x84;
const REGISTER_RUNNING = 0x80;
const REGISTER_AUTOSTART = 0x81;
const KEY_BYTES_MAX = 13;
const ENTRY_BYTES_MAX = 230;
/** Also for a line that loses every second frame. */
const ANSWER_MS = 5000;
const RESEND_MS = 200;
const TRIES_MAX = 8;

/** The settings of one badge. */
export class BadgeSettings {
  constructor(
    private readonly client: JacdacClient,
    private readonly service: JdService,
  ) {}

  /** @returns the value, or undefined when the badge has no such setting. Rejects when the badge does not answer. */
  async read(key: string): Promise<Buffer | undefined> {
    checkKey(key);
    const name = Buffer.from(`${key}\0`, "utf8");
    const ofThisKey = (data: Buffer) => data.subarray(0, name.length).equals(name);
    const query = Buffer.from(key, "utf8");
    const patience = { timeoutMs: ANSWER_MS, resendMs: RESEND_MS };
    const answer = await this.client.request(this.service, COMMAND_GET, query, patience, ofThisKey);
    return answer.length === name.length ? undefined : answer.subarray(name.length);
  }

  /**
   * Writes a value and reads it back.
   * @throws RangeError when key or value are too long for the runtime
   * @throws Error when the badge has something else afterwards; the message names the key, never the value
   */
  async write(key: string, value: Buffer): Promise<void> {
    checkKey(key);
    const entry = Buffer.concat([Buffer.from(`${key}\0`, "utf8"), value]);
    if (entry.length > ENTRY_BYTES_MAX)
      throw new RangeError(
        `setting '${key}' needs ${entry.length} bytes with its key, the badge can read ${ENTRY_BYTES_MAX}: shorten it`,
      );
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      this.client.command(this.service, COMMAND_SET, entry);
      if ((await this.read(key))?.equals(value)) return;
    }
    throw new Error(`setting '${key}' is not on the badge after writing it: its flash may be full or worn`);
  }

  /**
   * Deletes a setting that may be there, and looks whether it is gone.
   * @throws Error when it is not
   */
  async delete(key: string): Promise<void> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      if ((await this.read(key)) === undefined) return;
      this.client.command(this.service, COMMAND_DELETE, Buffer.from(key, "utf8"));
    }
    throw new Error(
      `setting '${key}' is still on the badge after deleting it: its flash may be full or worn`,
    );
  }
}

/**
 * Stops or starts a badge's program. It must be stopped while settings are read or written from outside: the runtime delivers
 * every settings report to the program too, and an unexpected one makes it panic.
 * @throws Error when the badge does not do it
 */
export async function setProgramRunning(
  client: JacdacClient,
  manager: JdService,
  running: boolean,
): Promise<void> {
  // Without this a runtime that has just been switched on would start the program again by itself.
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    client.writeRegister(manager, REGISTER_AUTOSTART, Buffer.from([running ? 1 : 0]));
    client.writeRegister(manager, REGISTER_RUNNING, Buffer.from([running ? 1 : 0]));
    const autostart = await client.readRegister(manager, REGISTER_AUTOSTART, ANSWER_MS);
    const value = await client.readRegister(manager, REGISTER_RUNNING, ANSWER_MS);
    if ((value[0] !== 0) === running && (autostart[0] !== 0) === running) return;
  }
  throw new Error(
    `the badge's program did not ${running ? "start" : "stop"}: unplug the badge and plug it in again`,
  );
}

function checkKey(key: string): void {
  const lengthBytes = Buffer.byteLength(key, "utf8");
  if (lengthBytes < 1 || lengthBytes > KEY_BYTES_MAX)
    throw new RangeError(`setting key must be 1 to ${KEY_BYTES_MAX} bytes, got '${key}'`);
}
