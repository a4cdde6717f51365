// Plays the Jacdac service `runtime-vitals` (firmware/services/runtime-vitals.md) for an emulated badge. The heap is the true one of its virtual
// machine. The load is no measurement of a badge: it is the virtual machine's share of this computer's time, scaled to an ESP32-S3.
import type { HeapMeter } from "./heap-meter";
import { PlayedRegisters, u16, u32 } from "./played-registers";
import type { VirtualTime } from "./virtual-time";

export const RUNTIME_VITALS_CLASS = 0x1b8d3f62;

const REGISTER_HEAP_SIZE = 0x180;
const REGISTER_HEAP_USED = 0x181;
const REGISTER_HEAP_FREE_BLOCK = 0x182;
const REGISTER_LOAD = 0x183;
const LOAD_MS = 1000;
const PER_MILLE_MAX = 0xffff;

/** What is played: the badge as it runs. */
export interface MeasuredRuntime {
  heap: HeapMeter;
  /** Real ms spent inside the virtual machine. */
  cpuMs: number;
}

export interface PlayedVitalsParts {
  time: VirtualTime;
  /** 16 hexadecimal digits. */
  deviceId: string;
  /** Another one after a reset; undefined while it is off. */
  runtime: () => MeasuredRuntime | undefined;
  /** Times that the badge's processor is slower than this computer. */
  slower: number;
  /** Puts a frame on the bus. */
  send: (frame: Buffer) => void;
}

/** @returns the vitals of a badge that runs here */
export function playedVitals({ time, deviceId, runtime, slower, send }: PlayedVitalsParts): PlayedRegisters {
  let perMille = 0;
  let beforeMs = 0;
  const measure = () => {
    const nowMs = runtime()?.cpuMs ?? 0;
    const sinceMs = Math.max(0, nowMs - beforeMs);
    beforeMs = nowMs;
    perMille = Math.min(PER_MILLE_MAX, Math.round((1000 * sinceMs * slower) / LOAD_MS));
    time.at(time.nowMs() + LOAD_MS, measure);
  };
  time.at(time.nowMs() + LOAD_MS, measure);
  const known = (bytes: (heap: HeapMeter) => number) => () => {
    const heap = runtime()?.heap;
    return heap === undefined || heap.sizeBytes === 0 ? undefined : u32(bytes(heap));
  };
  const registers = new Map([
    [REGISTER_HEAP_SIZE, known((heap) => heap.sizeBytes)],
    [REGISTER_HEAP_USED, known((heap) => heap.usedBytes)],
    [REGISTER_HEAP_FREE_BLOCK, known((heap) => heap.freeBlockBytes)],
    [REGISTER_LOAD, () => u16(perMille)],
  ]);
  return new PlayedRegisters({ time, deviceId, serviceClass: RUNTIME_VITALS_CLASS, registers, send });
}
