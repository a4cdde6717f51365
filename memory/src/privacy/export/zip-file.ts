// A ZIP file that grows entry by entry, in bounded memory, and appears whole or not at all. Each entry's SHA-256 goes into its last one, `manifest.json`.
import { createHash, randomBytes } from "node:crypto";
import { createWriteStream, linkSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { systemCodeOf } from "@salestag/protocol/service";
import { ZipFile } from "yazl";
import { PrivacyError } from "../error";

/** A file in the ZIP. */
export interface Entry {
  name: string;
  bytes: number;
  sha256: string;
}

/** Takes the files of a ZIP, one after the other. */
export interface ZipWriter {
  /** Resolves when all of it was taken. */
  add(name: string, content: Iterable<string | Buffer> | AsyncIterable<string | Buffer>): Promise<void>;
}

const FILE_MODE = 0o100600;

/**
 * @param path of a file that must not be there yet; mode 0600
 * @param atMs Unix time of the entries
 * @throws PrivacyError when there is such a file; what `fill` throws. Then nothing is left.
 */
export async function writeZip(
  path: string,
  atMs: number,
  fill: (zip: ZipWriter) => Promise<void>,
): Promise<Entry[]> {
  const part = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}.part`);
  try {
    const entries = await writeEntries(part, atMs, fill);
    place(part, path);
    await syncFolder(dirname(path));
    return entries;
  } finally {
    rmSync(part, { force: true });
  }
}

/** @param path a new file, which is on the disk when this resolves */
async function writeEntries(
  path: string,
  atMs: number,
  fill: (zip: ZipWriter) => Promise<void>,
): Promise<Entry[]> {
  const zip = new ZipFile();
  const entries: Entry[] = [];
  const stop = new AbortController();
  const options = { mtime: new Date(atMs), mode: FILE_MODE };
  const failed = new Promise<never>((_, reject) => zip.once("error", reject));
  const add: ZipWriter["add"] = (name, content) => {
    const taken = new Promise<void>((resolve, reject) => {
      zip.addReadStreamLazy(name, { ...options, compress: !name.endsWith(".ogg") }, (give) => {
        const stream = Readable.from(summed(name, content, entries), { objectMode: false });
        stream.once("end", resolve).once("error", reject);
        give(null, stream);
      });
    });
    return Promise.race([taken, failed, written]);
  };
  // Entries are taken only while what is made of them is written.
  const file = createWriteStream(path, { flags: "wx", mode: 0o600, flush: true });
  const written = pipeline(zip.outputStream, file, { signal: stop.signal });
  written.catch(() => undefined); // told by whoever waits for it below, or in `add`
  failed.catch(() => undefined);
  try {
    await fill({ add });
    await add("manifest.json", [`${JSON.stringify({ files: [...entries] }, null, 2)}\n`]);
    zip.end();
    await Promise.race([written, failed]);
  } catch (cause) {
    stop.abort();
    await written.catch(() => undefined);
    throw cause;
  }
  return entries;
}

async function* summed(
  name: string,
  content: Iterable<string | Buffer> | AsyncIterable<string | Buffer>,
  entries: Entry[],
): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of content) {
    const buffer = Buffer.from(piece as Buffer);
    hash.update(buffer);
    bytes += buffer.length;
    yield buffer;
  }
  entries.push({ name, bytes, sha256: hash.digest("hex") });
}

function place(part: string, path: string): void {
  try {
    linkSync(part, path);
  } catch (cause) {
    if (systemCodeOf(cause) !== "EEXIST") throw cause;
    throw new PrivacyError(
      "invalid",
      `'${path}' is there already and is not overwritten; choose another name.`,
    );
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
