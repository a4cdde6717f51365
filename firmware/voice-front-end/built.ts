// The compiled front end, where `build.ts` puts it, and its network. Apart from the build, whose compiler takes seconds to load.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { FrontEndFiles } from "./front-end";

/** Path of the built module. */
export const WASM_FILE = fileURLToPath(new URL("dist/front-end.wasm", import.meta.url));
/** Path of the network's weights, which training/ makes. */
export const NETWORK_FILE = fileURLToPath(new URL("network.bin", import.meta.url));

/** The network's weights as they are in the repository. */
export function readNetwork(): Uint8Array {
  return Uint8Array.from(readFileSync(NETWORK_FILE));
}

/** The built module and its network. Throws an Error that names the build command if it has not been built. */
export function readFrontEnd(): FrontEndFiles {
  let wasm: Uint8Array<ArrayBuffer>;
  try {
    wasm = Uint8Array.from(readFileSync(WASM_FILE));
  } catch (cause) {
    throw new Error("The front end is not built; run: npm run build", { cause });
  }
  return { wasm, network: readNetwork() };
}
