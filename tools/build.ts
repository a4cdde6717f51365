// Builds what runs on the badge: the front end's WASM and the badge program's bytecode; and what follows from the memory's routes: its OpenAPI document
// and the types of its client. Everything else runs from source.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BOARD_FILE, boardFile } from "../hardware/board";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FRONT_END = join(ROOT, "firmware", "voice-front-end");
const WASM = join(FRONT_END, "dist", "front-end.wasm");
const FIRMWARE = join(ROOT, "firmware");
const BOARD = join(FIRMWARE, "boards", BOARD_FILE);
const MEMORY = join(ROOT, "memory");
const CLIENT_TYPES = join(MEMORY, "dist", "openapi.d.ts");
const BYTECODE = join(FIRMWARE, ".devicescript", "bin", "bytecode.devs");

/** @returns the newest change in ms of a file or of all files in a folder */
function changedMs(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => changedMs(join(path, name))));
}

function upToDate(product: string, sources: string[]): boolean {
  return existsSync(product) && sources.every((source) => changedMs(source) <= statSync(product).mtimeMs);
}

/** Runs a Node program; what it says is shown only when it fails. */
function run(what: string, args: string[], cwd: string): void {
  const startMs = performance.now();
  try {
    execFileSync(process.execPath, args, { cwd, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    process.stderr.write(`${stdout ?? ""}${stderr ?? error}\n`);
    process.exit(1);
  }
  process.stderr.write(`built ${what} in ${((performance.now() - startMs) / 1000).toFixed(1)} s\n`);
}

/** Writes the board definition where the compiler looks for it, when it is another one. */
function writeBoard(): void {
  if (existsSync(BOARD) && readFileSync(BOARD, "utf8") === boardFile()) return;
  mkdirSync(dirname(BOARD), { recursive: true });
  writeFileSync(BOARD, boardFile());
}

const lock = join(ROOT, "package-lock.json");
if (!upToDate(WASM, [join(FRONT_END, "assembly"), join(FRONT_END, "build.ts"), lock]))
  run("the voice front end", ["--import", "tsx", "build.ts"], FRONT_END);
writeBoard();
const sources = [
  BOARD,
  join(FIRMWARE, "src"),
  join(FIRMWARE, "services"),
  join(ROOT, "protocol", "src", "shared"),
  lock,
];
if (!upToDate(BYTECODE, sources)) {
  const cli = createRequire(import.meta.url).resolve("@devicescript/cli/package.json");
  run("the badge program", [join(dirname(cli), "devicescript"), "build", "src/main.ts"], FIRMWARE);
}
const memorySources = [join(MEMORY, "build.ts"), join(MEMORY, "package.json"), join(MEMORY, "src"), lock];
if (!upToDate(CLIENT_TYPES, memorySources))
  run("the memory's OpenAPI document and client", ["--import", "tsx", "build.ts"], MEMORY);
