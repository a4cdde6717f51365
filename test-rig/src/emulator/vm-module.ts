// The DeviceScript virtual machine, taken at run time out of the installed @devicescript/cli package (pinned to 2.16.4) and
// evaluated with its own clock, timers and randomness. Nothing of it is kept in this repository.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** What the virtual machine takes from its surroundings. */
export interface VmSurroundings {
  /** ms; may be a fraction. */
  nowMs(): number;
  random(lengthBytes: number): Buffer;
  log(line: string): void;
}

/** The parts of an instance that the emulator uses. */
export interface VmInstance {
  HEAPU8: Uint8Array;
  HEAPU32: Uint32Array;
  _malloc(lengthBytes: number): number;
  _free(pointer: number): void;
  /** Runs what is due. @returns microseconds that it may sleep */
  _jd_em_process(): number;
  /** @returns 0, or not 0 when the frame was dropped */
  _jd_em_frame_received(pointer: number): number;
  _jd_em_tcpsock_on_event(kind: number, pointer: number, lengthBytes: number): void;
  devsSetDeviceId(high: number, low: number): void;
  devsInit(): void;
  /** @returns 0 when the program was accepted */
  devsDeploy(program: Uint8Array): number;
  sendPacket(frame: Uint8Array): void;
  dmesg(line: string): void;
  panicHandler(code: number): void;
  flashSize: number;
  flashLoad(): Uint8Array;
  flashSave(image: Uint8Array): void;
  sockOpen(hostPointer: number, port: number): number;
  sockWrite(pointer: number, lengthBytes: number): number;
  sockClose(): number;
  sockIsAvailable(): boolean;
}

type VmFactory = (hooks: object) => Promise<VmInstance>;

const MODULE_START =
  'var require_devicescript_vm = __commonJS({\n  "runtime/devicescript-vm/built/devicescript-vm.js"';

let factorySource: string | undefined;

/** @returns the source of the module, cut out of the bundle; read once for each process */
function readFactorySource(): string {
  if (factorySource !== undefined) return factorySource;
  const require = createRequire(import.meta.url);
  const packageJson = require.resolve("@devicescript/cli/package.json");
  const { version } = JSON.parse(readFileSync(packageJson, "utf8")) as { version: string };
  const bundle = readFileSync(join(dirname(packageJson), "built", "devicescript-cli.cjs"), "utf8");
  const start = bundle.indexOf(MODULE_START);
  const end = bundle.indexOf("\n});", start);
  if (start < 0 || end < 0)
    throw new Error(
      `@devicescript/cli ${version} has no virtual machine where 2.16.4 has it: install exactly 2.16.4`,
    );
  const body = bundle.indexOf("{\n", start + MODULE_START.length) + 2;
  factorySource = bundle.slice(body, bundle.lastIndexOf("}", end));
  return factorySource;
}

/** Makes a new virtual machine that has not started yet. */
export async function instantiateVm(surroundings: VmSurroundings): Promise<VmInstance> {
  const module: { exports: VmFactory | object } = { exports: {} };
  const say = (...words: unknown[]) => surroundings.log(words.map(String).join(" "));
  const injected = {
    module2: module, // the name that the bundle uses
    exports: module.exports,
    require: (name: string) => {
      if (name === "crypto") return { randomBytes: surroundings.random };
      return createRequire(import.meta.url)(name);
    },
    Date: { now: () => Math.floor(surroundings.nowMs()) },
    // The instance is driven from outside; a timer of its own would run in real time.
    setTimeout: () => 0,
    clearTimeout: () => undefined,
    setInterval: () => 0,
    clearInterval: () => undefined,
    console: { log: say, debug: say, warn: say, error: say },
    process: { versions: process.versions, release: process.release, argv: ["node"], on: () => undefined },
    __filename: "devicescript-vm.js",
    __dirname: ".",
  };
  new Function(...Object.keys(injected), readFactorySource())(...Object.values(injected));
  return await (module.exports as VmFactory)({});
}
