// The board's configuration in the runtime's own form (DCFG), made from a *.board.json by the installed DeviceScript compiler. The
// compiler offers no call for it, so it runs as a process of its own, in a folder that is removed again.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { ExitCode, messageOf, ToolError } from "@salestag/protocol/team";
import { readImage } from "./images";
import { BOARD, SECTOR_BYTES, STORE } from "./layout";

const JSON_BYTES_MAX = 65536;
const COMPILE_MS_MAX = 60_000;

/** What the compiler asks to know of the chip: where its parts lie, which pin can do what. */
const ARCHITECTURE = {
  name: "ESP32-S3",
  id: "esp32s3",
  dcfgOffset: `0x${BOARD.address.toString(16)}`,
  flashPageSize: SECTOR_BYTES,
  fstorPages: STORE.lengthBytes / SECTOR_BYTES,
  fstorOffset: `0x${STORE.address.toString(16)}`,
  pins: {
    boot: "0,45,46",
    analogIn: "1-10",
    io: "0-18,21,33-48",
    input: "io",
    flash: "26-32",
    "octal-flash": "33-37",
    debug: "39-42",
    usb: "19,20",
  },
};

/**
 * @param path a *.json file, which is compiled, or a binary that is taken as it is
 * @throws ToolError when it cannot be read or does not compile
 */
export async function readBoard(path: string): Promise<Buffer> {
  if (!path.endsWith(".json")) return readImage(path, "board's configuration", BOARD.lengthBytes);
  const json = readImage(path, "board's definition", JSON_BYTES_MAX);
  const name = `${basename(path).replace(/(\.board)?\.json$/, "")}.board.json`; // the compiler insists on the ending
  const folder = mkdtempSync(join(tmpdir(), "salestag-board-"));
  try {
    writeFileSync(join(folder, name), json);
    writeFileSync(join(folder, "arch.json"), JSON.stringify(ARCHITECTURE));
    await compile(folder, name, path);
    return readFileSync(join(folder, "board.bin"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compile(folder: string, name: string, path: string): Promise<void> {
  let devs: string;
  try {
    devs = join(
      dirname(createRequire(import.meta.url).resolve("@devicescript/cli/package.json")),
      "devicescript",
    );
  } catch (cause) {
    throw new ToolError(
      ExitCode.Usage,
      `'${path}' cannot be compiled: @devicescript/cli is not installed; install it, or name the binary or a bundle.`,
      { cause },
    );
  }
  const run = promisify(execFile)(process.execPath, [devs, "dcfg", name, "-o", "board.bin"], {
    cwd: folder,
    timeout: COMPILE_MS_MAX,
  });
  await run.catch((cause: { stderr?: string }) => {
    const said = /(?:Error|error): (.*)/.exec(cause.stderr ?? "")?.[1] ?? messageOf(cause).split("\n")[0];
    throw new ToolError(
      ExitCode.Usage,
      `'${path}' is no board for this badge (${said}); docs/flashing.md has an example.`,
    );
  });
}
