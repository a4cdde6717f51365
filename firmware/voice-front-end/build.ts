// Compiles the front end's AssemblyScript to WASM, with the options of asconfig.json, and keeps it in dist/.
// Run it as a program to build; tests compile in memory, so that they always see the present sources.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { WASM_FILE } from "./built";

const FOLDER = dirname(fileURLToPath(import.meta.url));
const OUTPUT_NAME = "front-end.wasm";

/** The front end's module, compiled from the present sources. Throws an Error with the compiler's messages. */
export async function compileFrontEnd(): Promise<Uint8Array<ArrayBuffer>> {
  let wasm: Uint8Array<ArrayBuffer> | undefined;
  const { error, stderr } = await asc.main(
    ["assembly/index.ts", "--baseDir", FOLDER, "--config", "asconfig.json", "--outFile", OUTPUT_NAME],
    {
      writeFile: (name, contents) => {
        if (name === OUTPUT_NAME) wasm = Uint8Array.from(contents as Uint8Array);
      },
    },
  );
  if (error || !wasm)
    throw new Error(`The front end does not compile: ${stderr.toString() || error?.message}`);
  return wasm;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wasm = await compileFrontEnd();
  mkdirSync(dirname(WASM_FILE), { recursive: true });
  writeFileSync(WASM_FILE, wasm);
  console.log(`front-end.wasm: ${wasm.length} bytes`);
}
