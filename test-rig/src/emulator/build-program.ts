// Compiles a small DeviceScript program for a test, in a folder of its own inside the rig so that it finds the workspace's
// packages. The compiler is the installed one, run as a command.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const SCRATCH = fileURLToPath(new URL("../../.scratch/", import.meta.url));
const FIRMWARE = fileURLToPath(new URL("../../../firmware/", import.meta.url));

/**
 * @param files source files by name; `main.ts` is the program. A name that ends in `.md` is a service definition
 * @returns the bytecode
 * @throws Error with the compiler's words when the program does not compile
 */
export async function buildProgram(files: Record<string, string>): Promise<Buffer> {
  mkdirSync(SCRATCH, { recursive: true });
  const folder = mkdtempSync(join(SCRATCH, "program-"));
  try {
    mkdirSync(join(folder, "src"));
    mkdirSync(join(folder, "services"));
    const { version } = JSON.parse(readFileSync(join(FIRMWARE, "package.json"), "utf8")) as {
      version: string;
    };
    writeFileSync(join(folder, "devsconfig.json"), "{}");
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "test-program", version }));
    writeFileSync(join(folder, "src", "tsconfig.json"), readFileSync(join(FIRMWARE, "src", "tsconfig.json")));
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(folder, name.endsWith(".md") ? "services" : "src", name), text);
    const cli = createRequire(import.meta.url).resolve("@devicescript/cli/package.json");
    const devs = join(dirname(cli), "devicescript");
    try {
      await promisify(execFile)(process.execPath, [devs, "build", "src/main.ts"], { cwd: folder });
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`the test program does not compile: ${stdout}${stderr}`);
    }
    return readFileSync(join(folder, ".devicescript", "bin", "bytecode.devs"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
