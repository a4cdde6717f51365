// The compiled front end, where `build.ts` puts it. Apart from the build, whose compiler takes seconds to load.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Path of the built module. */
export const WASM_FILE = fileURLToPath(new URL("dist/front-end.wasm", import.meta.url));

/** The built module. Throws an Error that names the build command if it has not been built. */
export function readFrontEnd(): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(readFileSync(WASM_FILE));
  } catch (cause) {
    throw new Error("The front end is not built; run: npm run build", { cause });
  }
}
