// What was told to the memory and nothing else can give again: which tables hold it, and the files that keep it beside the embedded database, which
// itself never waits for the disk. DATA/told/TABLE/KEY.json has a row; DATA/told/audit/DAY.jsonl has the rows of a day, one a line.
import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseTrouble } from "./engine";

/** Tables of which rows are kept, each with the columns that name a row; in an order in which none refers to a later one. */
export const TOLD: Readonly<Record<string, readonly string[]>> = {
  team: ["id"],
  person: ["id"],
  territory: ["id"],
  badge: ["id"],
  wearer: ["badge_id", "since"],
  customer: ["id"],
  site: ["id"],
  transcript: ["conversation_id"],
  filing: ["conversation_id"],
  retention: ["id"],
  hold: ["id"],
  erasure: ["conversation_id"],
  customer_erasure: ["customer_id"],
  audit: ["id"],
};

/** Only added to: its rows lie many in a file, as one a search would be too many files. */
export const ADDED_ONLY = "audit";

/** A row as it is after a transaction. */
export interface Change {
  n: number;
  place: string;
  key: string;
  /** The row as JSON; null: it is gone. */
  body: string | null;
}

/**
 * Puts changes into files; they are there, also after a power cut, when this returns. Doing it once more does no harm.
 * @param folder DATA/told
 */
export function keep(folder: string, changes: readonly Change[]): void {
  const last = new Map(changes.map((change) => [`${change.place}/${change.key}`, change]));
  const touched = new Set<string>();
  for (const change of last.values())
    if (change.place !== ADDED_ONLY) {
      const path = join(folder, change.place, `${change.key}.json`);
      makeFolder(folder, change.place);
      keepRow(path, change.body);
      touched.add(dirname(path));
    }
  for (const path of touched) sync(path);
  const added = changes.filter(({ place, body }) => place === ADDED_ONLY && body !== null);
  for (const [day, lines] of byDay(added)) append(folder, day, lines);
}

function keepRow(path: string, body: string | null): void {
  const part = `${path}.part`; // one that an interruption left is written over
  if (body === null) {
    // An interruption may have left a part: what is deleted must not live on in it.
    for (const old of [path, part]) rmSync(old, { force: true });
    return;
  }
  const file = openSync(part, "w", 0o600);
  try {
    writeFileSync(file, `${body}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(part, path);
}

function byDay(changes: readonly Change[]): Map<string, string[]> {
  const days = new Map<string, string[]>();
  for (const { body } of changes) {
    const day = /^\d{4,6}-\d\d-\d\d/.exec((JSON.parse(body!) as { at: string }).at)?.[0] ?? "other";
    days.set(day, [...(days.get(day) ?? []), body!]);
  }
  return days;
}

/** Adds lines to a day's file, after the last whole one: an interruption may have left a part of a line, of which nobody was told. */
function append(folder: string, day: string, lines: readonly string[]): void {
  makeFolder(folder, ADDED_ONLY);
  const path = join(folder, ADDED_ONLY, `${day}.jsonl`);
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const end = endOfLines(file, path);
    ftruncateSync(file, end);
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, end + at);
    fdatasyncSync(file);
    if (end === 0) sync(dirname(path));
  } finally {
    closeSync(file);
  }
}

/** @returns bytes until the end of the last whole line */
function endOfLines(file: number, path: string): number {
  const { size } = fstatSync(file);
  const last = Buffer.alloc(1);
  if (size === 0 || (readSync(file, last, 0, 1, size - 1) === 1 && last[0] === NEWLINE)) return size;
  return readFileSync(path).lastIndexOf(NEWLINE) + 1;
}

const NEWLINE = 0x0a;

function makeFolder(folder: string, table: string): void {
  const path = join(folder, table);
  if (existsSync(path)) return;
  mkdirSync(path, { recursive: true, mode: 0o700 });
  sync(folder);
  sync(dirname(folder));
}

/** Makes durable what a file holds, or which files a folder has. */
export function sync(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Rows of one file. */
export interface ToldFile {
  path: string;
  /** Each as JSON. */
  rows: string[];
}

/** @returns whether anything was told */
export function hasTold(folder: string): boolean {
  return Object.keys(TOLD).some((table) => filesOf(folder, table).length > 0);
}

/**
 * What the files of a table hold, file by file.
 * @param folder DATA/told
 * @throws DatabaseTrouble when a file is damaged
 */
export function* toldFiles(folder: string, table: string): Generator<ToldFile> {
  for (const path of filesOf(folder, table)) {
    const text = readFileSync(path, "utf8");
    // The end of a file that grows may be a part of a line, of which nobody was told.
    const rows = table === ADDED_ONLY ? text.split("\n").slice(0, -1) : [text];
    for (const row of rows) checkRow(path, row);
    yield { path, rows };
  }
}

function filesOf(folder: string, table: string): string[] {
  const path = join(folder, table);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => /\.jsonl?$/.test(name))
    .sort()
    .map((name) => join(path, name));
}

function checkRow(path: string, row: string): void {
  try {
    const value: unknown = JSON.parse(row);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  } catch {
    // Named below.
  }
  throw new DatabaseTrouble(
    `'${path}' is damaged: it holds no row; bring it back from a backup, or move it away to go on without it.`,
  );
}
