// Translates the built front end's WASM to C with wabt's wasm2c, and compiles the programs of host/ around it.
// As a program it writes front.c and front.h, which the chip's component takes in: npx tsx firmware/native/build.ts FOLDER

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { NETWORK_FILE, WASM_FILE } from "../voice-front-end/built";

/** This folder: the C sources. */
export const NATIVE = fileURLToPath(new URL(".", import.meta.url));
/** Prefix of the translated module's names in C: Z_front_... */
const MODULE = "front";
/** The first line after the helpers that wasm2c writes into every file; ours are in wasm-rt.h. */
const FIRST_OWN_LINE = "static bool s_module_initialized = false;";
const WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-Wno-unused-parameter"];

/** A processor that the front end can be compiled for, by a compiler of Debian. */
export interface Target {
  compiler: string;
  /** Options that choose the processor and what surrounds the program. */
  options: string[];
  /** Sources that the programs need there besides their own. */
  sources: string[];
  /** Options for the linker, after the sources. */
  libraries: string[];
  /** What runs the program, before its path; nothing where this computer does. */
  runner: string[];
  /** Number of the system call that writes, where the runner can count instructions. */
  writeCall?: number;
}

const BARE = ["-O2", "-ffreestanding", "-nostdlib", "-static", "-fno-tree-loop-distribute-patterns"];

/** This computer, with every access to memory and every arithmetic step checked. */
export const CHECKED: Target = {
  compiler: "gcc",
  options: ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
  sources: [],
  libraries: [],
  runner: [],
};

/** 32-bit RISC-V with multiplication and compressed instructions, as in the ESP32-C3. */
export const RV32: Target = {
  compiler: "riscv64-unknown-elf-gcc",
  options: [...BARE, "-march=rv32imc", "-mabi=ilp32"],
  sources: ["host/memory.c", "host/system-rv32.c"],
  libraries: ["-lgcc"],
  runner: ["qemu-riscv32"],
  writeCall: 64,
};

/** Xtensa LX106, the only Xtensa core that Debian compiles for: without the ESP32-S3's loops, windows, minima and wide products. */
export const XTENSA: Target = {
  compiler: "xtensa-lx106-elf-gcc",
  options: [...BARE, "-mlongcalls"],
  sources: ["host/memory.c", "host/system-xtensa.c", "host/wide-xtensa.c"],
  libraries: ["-lgcc"],
  runner: ["qemu-xtensa", "-cpu", "lx106"],
  writeCall: 13,
};

/**
 * Writes the front end as front.c and front.h.
 * Throws an Error when wasm2c fails, or writes what this does not know.
 * @param wasmFile the built module
 */
export function translate(folder: string, wasmFile = WASM_FILE): void {
  mkdirSync(folder, { recursive: true });
  const source = join(folder, `${MODULE}.c`);
  execFileSync("wasm2c", ["--module-name", MODULE, wasmFile, "-o", source], { stdio: "pipe" });
  const text = readFileSync(source, "utf8");
  const start = text.indexOf(FIRST_OWN_LINE);
  if (start < 0)
    throw new Error(`wasm2c's output has no line '${FIRST_OWN_LINE}'; this build knows wabt 1.0.32.`);
  writeFileSync(source, `#include "${MODULE}.h"\n${text.slice(start)}`);
}

/** Compiles a program of host/ with the front end that was translated into `folder`. @returns its path */
export function compileProgram(folder: string, name: string, sources: string[], target: Target): string {
  const program = join(folder, `${name}-${target.compiler}`);
  const files = [...sources, ...target.sources].map((file) => join(NATIVE, file));
  const includes = [folder, NATIVE, join(NATIVE, "stub")].map((path) => `-I${path}`);
  const from = ["-std=gnu11", ...WARNINGS, ...includes, join(folder, `${MODULE}.c`), ...files];
  execFileSync(target.compiler, [...target.options, ...from, ...target.libraries, "-o", program], {
    stdio: "pipe",
  });
  return program;
}

/** Compiles host/replay.c: hops in, features out. @returns its path */
export function compileReplay(folder: string, target: Target): string {
  return compileProgram(folder, "replay", ["front_end.c", "host/replay.c"], target);
}

/** Folders of libopus's sources that an encoder needs, and what in them is none of it. */
const OPUS_FOLDERS = ["celt", "silk", "silk/fixed", "src"];
const OPUS_OTHERS = /demo|dump_modes|compare|^analysis|^mlp/;
const OPUS_OPTIONS = ["-DOPUS_BUILD", "-DFIXED_POINT", "-DDISABLE_FLOAT_API", "-DVAR_ARRAYS", "-w"];

/**
 * Compiles host/replay-opus.c, hops in and packets out, with libopus in fixed point for a bare processor.
 * @param opus a folder with the sources of a release of libopus
 * @returns its path
 */
export function compileOpus(folder: string, opus: string, target: Target): string {
  const program = join(folder, `opus-${target.compiler}`);
  const library = OPUS_FOLDERS.flatMap((part) =>
    readdirSync(join(opus, part))
      .filter((file) => file.endsWith(".c") && !OPUS_OTHERS.test(file))
      .map((file) => join(opus, part, file)),
  );
  const own = ["opus_packet.c", "host/replay-opus.c", ...target.sources].map((file) => join(NATIVE, file));
  const parts = ["include", ...OPUS_FOLDERS].map((part) => join(opus, part));
  const includes = [join(NATIVE, "host", "libc"), NATIVE, ...parts].map((path) => `-I${path}`);
  const unused = ["-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"];
  const options = [...target.options, ...unused, ...OPUS_OPTIONS, ...includes];
  execFileSync(target.compiler, [...options, ...library, ...own, ...target.libraries, "-o", program], {
    stdio: "pipe",
  });
  return program;
}

/** Compiles host/count-instructions.c, a plugin for the emulators. @returns its path */
export function compileCounter(folder: string): string {
  const plugin = join(folder, "count-instructions.so");
  const source = join(NATIVE, "host", "count-instructions.c");
  execFileSync("gcc", ["-O2", ...WARNINGS, "-shared", "-fPIC", source, "-o", plugin], { stdio: "pipe" });
  return plugin;
}

/** The pins that host/chip.c plays. */
const PINS = ["MIC_CLOCK_GPIO=4", "MIC_WORD_GPIO=5", "MIC_DATA_GPIO=6", "MUTE_STATE_GPIO=7"];

/** Compiles all that goes onto the chip, with host/chip.c as the chip, for this computer with Debian's libopus. @returns its path */
export function compileChip(folder: string): string {
  const own = ["front_end.c", "frame_ring.c", "opus_packet.c", "listener.c", "voice_service.c"];
  const vitals = ["runtime_heap.c", "vitals_service.c"];
  const chip = ["chip/capture.c", "chip/badge_front_end.c", "host/chip.c", "host/network.S"];
  const options = [...CHECKED.options, ...PINS.map((pin) => `-D${pin}`)];
  options.push("-I/usr/include/opus", `-Wa,-I${dirname(NETWORK_FILE)}`);
  const target = { ...CHECKED, options, libraries: ["-lopus"] };
  return compileProgram(folder, "chip", [...own, ...vitals, ...chip], target);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2];
  if (folder === undefined) {
    process.stderr.write("Usage: npx tsx firmware/native/build.ts FOLDER\n");
    process.exit(2);
  }
  translate(folder);
  process.stdout.write(`wrote ${join(folder, `${MODULE}.c`)} and ${join(folder, `${MODULE}.h`)}\n`);
}
