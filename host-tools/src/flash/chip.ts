// An ESP32-S3 in its ROM bootloader, as the rest of `flash` sees it: a flash that can be digested, read and written. Behind it
// esptool-js, which loads Espressif's own stub into the chip's memory.

import { ExitCode, messageOf, ToolError } from "@salestag/protocol/team";
import type { ESPLoader } from "esptool-js";
import { md5 } from "./digest";
import { FLASH_BYTES } from "./layout";
import type { SerialDevice } from "./serial-device";

/** Flash behind a bootloader. Everything rejects with a ToolError when the cable is pulled. */
export interface Chip {
  /** MD5 of a piece of flash, 32 hexadecimal digits, computed by the chip. */
  md5(address: number, lengthBytes: number): Promise<string>;
  read(address: number, lengthBytes: number): Promise<Buffer>;
  /** Erases and writes whole sectors, and compares the chip's digest with ours. @throws ToolError when they differ, after some attempts */
  write(address: number, bytes: Buffer): Promise<void>;
  /** Starts what is in flash. @returns false when the chip does not say that it does */
  restart(): Promise<boolean>;
  close(): Promise<void>;
}

const ROM_BAUD = 115200;
const SYNC_ATTEMPTS = 2;
const RESET_ATTEMPTS = 4;
const WRITE_ATTEMPTS = 4;
const READ_ATTEMPTS = 4;
const SYNC_PACKETS = 5;
/** Read at once: what is read again when a byte was lost. */
const READ_BYTES = 0x4000;
/** Longest time between two packets of what is read. */
const READ_MS_MAX = 3000;
const RESET_MS = 100;
const CHIP_NAME = "ESP32-S3";

const DOWNLOAD_MODE = "hold its BOOT button while you plug it in, then try again";

/** The library says nothing to the user: its words are no sentences. */
const SILENT = { clean: () => undefined, writeLine: () => undefined, write: () => undefined };

/**
 * Connects to the chip at a serial port and checks that it can be written.
 * @param baud bits per second after the connection is made; a USB port of the chip itself ignores it
 * @throws ToolError when there is no port, no chip answers, or it is one that this program must not write
 */
export async function openChip(path: string, baud: number): Promise<Chip> {
  // Loaded here, because every other command can do without them.
  const { ESPLoader, Transport } = await quietly(() => import("esptool-js"));
  const { SerialDevice } = await import("./serial-device");
  const lost = new Lost(path);
  class OurTransport extends Transport {
    override trace(): void {} // it would print what is read from the badge

    /** Whoever waits for the chip when it is gone would wait on, for seconds to minutes: an escape that is none ends that. */
    fail(): void {
      (this as unknown as { buffer: Uint8Array }).buffer = Uint8Array.of(0xdb, 0);
    }

    override flushInput(): void {
      super.flushInput();
      if (lost.cause !== undefined) this.fail();
    }

    override async write(data: Uint8Array): Promise<void> {
      if (lost.cause !== undefined) throw lost.cause;
      await super.write(data);
    }
  }
  const device = new SerialDevice(path, () => {
    lost.tell();
    transport.fail();
  });
  const transport = new OurTransport(device as never);
  const loader = new ESPLoader({
    transport,
    baudrate: baud,
    romBaudrate: ROM_BAUD,
    terminal: SILENT,
  });
  loader.FLASH_READ_TIMEOUT = READ_MS_MAX;
  const chip = new EspChip(loader, device, lost);
  try {
    await chip.connect(baud);
    return chip;
  } catch (cause) {
    await chip.close();
    throw cause;
  }
}

/** The port that goes away. */
class Lost {
  cause: ToolError | undefined;
  /** Rejects when it does. */
  readonly promise: Promise<never>;
  private reject: (cause: ToolError) => void = () => undefined;

  constructor(private readonly path: string) {
    this.promise = new Promise<never>((_resolve, reject) => {
      this.reject = reject;
    });
    this.promise.catch(() => undefined); // told to whoever waits; nobody may
  }

  tell(): void {
    this.cause ??= new ToolError(
      ExitCode.Badge,
      `the port '${this.path}' is gone: was the cable pulled? Plug it in and run the same command again.`,
    );
    this.reject(this.cause);
  }
}

class EspChip implements Chip {
  constructor(
    private readonly loader: ESPLoader,
    private readonly device: SerialDevice,
    private readonly lost: Lost,
  ) {}

  async connect(baud: number): Promise<void> {
    const { loader, device } = this;
    await this.sync();
    if (loader.chip.CHIP_NAME !== CHIP_NAME)
      throw new ToolError(
        ExitCode.Badge,
        `the chip at '${device.path}' is an ${loader.chip.CHIP_NAME}, a badge has an ${CHIP_NAME}: this is another device.`,
      );
    await this.say("the chip does not tell how it is protected", () => this.checkProtection());
    await this.say("the chip takes no program into its memory", async () => {
      await loader.runStub();
      if (baud !== ROM_BAUD) await loader.changeBaud();
    });
    await this.say("the chip's flash does not answer", () => this.checkSize());
  }

  /** A chip that is in download mode already is left there; another may be got there by the lines of its USB converter. */
  private async sync(): Promise<void> {
    const { loader, device } = this;
    for (const [mode, attempts] of [
      ["no_reset", SYNC_ATTEMPTS],
      ["default_reset", RESET_ATTEMPTS],
    ] as const)
      try {
        return await this.orLost(loader.connect(mode, attempts));
      } catch (cause) {
        if (cause instanceof ToolError) throw cause;
        if (/Unexpected (chip|CHIP)/.test(messageOf(cause)))
          throw new ToolError(
            ExitCode.Badge,
            `the chip at '${device.path}' is none that this program knows; a badge has an ${CHIP_NAME}.`,
            { cause },
          );
        await loader.transport.disconnect();
      }
    throw new ToolError(
      ExitCode.Badge,
      `no chip in download mode answers at '${device.path}': ${DOWNLOAD_MODE}.`,
    );
  }

  /** What a protected chip would take it could not start, or only once. */
  private async checkProtection(): Promise<void> {
    const { parsedFlags, flashCryptCnt } = await this.loader.getSecurityInfo();
    const bits = [...flashCryptCnt.toString(2)].filter((bit) => bit === "1").length;
    const found = parsedFlags.SECURE_BOOT_EN
      ? "it starts signed programs only (secure boot)"
      : bits % 2 === 1
        ? "its flash is encrypted"
        : parsedFlags.SECURE_DOWNLOAD_ENABLE
          ? "its download mode is restricted"
          : undefined;
    if (found !== undefined)
      throw new ToolError(
        ExitCode.Badge,
        `this chip is locked: ${found}. It cannot be unlocked; take another board.`,
      );
  }

  private async checkSize(): Promise<void> {
    const id = await this.loader.readFlashId();
    const sizeBits = (id >> 16) & 0xff;
    const bytes = sizeBits >= 0x10 && sizeBits <= 0x1f ? 2 ** sizeBits : 0;
    if (bytes === 0)
      throw new ToolError(
        ExitCode.Badge,
        `the chip's flash names no size (id 0x${id.toString(16)}); is it soldered, are its pins free?`,
      );
    if (bytes < FLASH_BYTES)
      throw new ToolError(
        ExitCode.Badge,
        `the flash has ${bytes / 1024} KB, a badge needs ${FLASH_BYTES / 1024} KB; take another board.`,
      );
  }

  async md5(address: number, lengthBytes: number): Promise<string> {
    return await this.again(READ_ATTEMPTS, "the flash cannot be digested", () =>
      this.loader.flashMd5sum(address, lengthBytes),
    );
  }

  async read(address: number, lengthBytes: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let at = 0; at < lengthBytes; at += READ_BYTES)
      pieces.push(await this.readPiece(address + at, Math.min(READ_BYTES, lengthBytes - at)));
    return Buffer.concat(pieces);
  }

  private async readPiece(address: number, lengthBytes: number): Promise<Buffer> {
    return await this.again(READ_ATTEMPTS, "the flash cannot be read", async () => {
      const bytes = Buffer.from(await this.loader.readFlash(address, lengthBytes));
      if (md5(bytes) !== (await this.loader.flashMd5sum(address, lengthBytes)))
        throw new Error("what came is not what the chip has");
      return bytes;
    });
  }

  async write(address: number, bytes: Buffer): Promise<void> {
    const place = `0x${address.toString(16)}`;
    await this.again(WRITE_ATTEMPTS, `the flash at ${place} does not take what is written`, () =>
      this.loader.writeFlash({
        fileArray: [{ data: bytes, address }],
        flashSize: "keep",
        flashMode: "keep",
        flashFreq: "keep",
        eraseAll: false,
        compress: true,
        calculateMD5Hash: (image) => md5(image),
      }),
    );
  }

  async restart(): Promise<boolean> {
    try {
      await this.say("the chip does not restart", () => this.leaveBootloader());
      return true;
    } catch (cause) {
      if (!(cause instanceof ToolError)) throw cause;
      return this.lost.cause !== undefined; // a chip with USB of its own takes its port along when it restarts
    }
  }

  private async leaveBootloader(): Promise<void> {
    await this.loader.flashBegin(0, 0);
    await this.loader.flashFinish(true);
    await this.pulseReset().catch(() => undefined); // it said that it restarts; its port may be gone with it
  }

  /** Where a USB converter holds the chip's reset line. */
  private async pulseReset(): Promise<void> {
    await this.device.setSignals({ requestToSend: true });
    await new Promise((resolve) => setTimeout(resolve, RESET_MS));
    await this.device.setSignals({ requestToSend: false });
  }

  async close(): Promise<void> {
    await this.device.close();
  }

  /** After a lost byte the chip may wait for the rest of something: it takes the first packet for that, and hears the next one. */
  private async resynchronise(): Promise<void> {
    for (let attempt = 0; attempt < SYNC_PACKETS; attempt++)
      try {
        await this.loader.transport.drainInput();
        await this.loader.sync();
        break;
      } catch {
        // the next packet; what does not answer at all is told by what is tried again
      }
    await this.loader.transport.drainInput();
  }

  private async orLost<T>(work: Promise<T>): Promise<T> {
    return await Promise.race([work, this.lost.promise]);
  }

  private async say<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await this.orLost(work());
    } catch (cause) {
      if (cause instanceof ToolError) throw cause;
      throw new ToolError(
        ExitCode.Badge,
        `${what} (${wordsOf(cause)}); try another cable or USB port, or --baud 115200.`,
        { cause },
      );
    }
  }

  private async again<T>(attempts: number, what: string, work: () => Promise<T>): Promise<T> {
    return await this.say(what, async () => {
      for (let attempt = 1; ; attempt++)
        try {
          return await this.orLost(work());
        } catch (cause) {
          if (cause instanceof ToolError || attempt === attempts) throw cause;
          await this.orLost(this.resynchronise());
        }
    });
  }
}

function wordsOf(cause: unknown): string {
  return messageOf(cause)
    .replace(/\s+/g, " ")
    .replace(/[.!: ]+$/, "");
}

/** Node calls the library's way of reading JSON experimental; the user need not hear it. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { emitWarning } = process;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!/Importing JSON modules/.test(String(warning)))
      (emitWarning as (...all: unknown[]) => void).call(process, warning, ...rest);
  };
  try {
    return await work();
  } finally {
    process.emitWarning = emitWarning;
  }
}
