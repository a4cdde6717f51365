// Reads how much of the VM's garbage-collected heap is in use, from the VM's memory: the heap is one chunk of blocks, each
// with a word of tag (8 bits) and size (24 bits, in words of 4 bytes), the last one marked as final.
import type { VmInstance } from "./vm-module";

const TAG_FREE = 0x01;
const TAG_FINAL = 0x4f;
const FINAL_HEADER = ((TAG_FINAL << 24) | 1) >>> 0;
const HEAP_BYTES_MIN = 60 * 1024;
const HEAP_BYTES_MAX = 68 * 1024;

export class HeapMeter {
  /** Most bytes in use that were seen: what lives and what waits to be collected. */
  peakBytes = 0;
  /** Size of the heap, 0 until it was found. */
  sizeBytes = 0;
  /** Bytes in use, and the largest free block, when last looked at. */
  usedBytes = 0;
  freeBlockBytes = 0;

  private firstWord = 0;
  private lastWord = 0;

  constructor(private readonly vm: VmInstance) {}

  /** Where the heap begins in the VM's memory, in words; 0 until it was found. */
  get chunkWord(): number {
    return this.sizeBytes === 0 ? 0 : this.firstWord - 2;
  }

  /** The program starts again: its heap is another one. The peak stays. */
  forget(): void {
    this.sizeBytes = 0;
  }

  /** Takes a look. Cheap enough for a few looks in each second of virtual time. */
  sample(): void {
    if (this.sizeBytes === 0) this.find();
    if (this.sizeBytes === 0) return;
    const words = this.vm.HEAPU32;
    let used = 0;
    let freeBlock = 0;
    for (let at = this.firstWord; at < this.lastWord; ) {
      const header = words[at];
      const size = header & 0xffffff;
      if (size === 0) return; // caught in the middle of a change: cannot happen between two calls into the VM
      if (((header >>> 24) & 0xf) !== TAG_FREE) used += size;
      else freeBlock = Math.max(freeBlock, size);
      at += size;
    }
    this.usedBytes = used * 4;
    this.freeBlockBytes = freeBlock * 4;
    this.peakBytes = Math.max(this.peakBytes, this.usedBytes);
  }

  /** The chunk starts with a null `next` pointer and a pointer to its final block. */
  private find(): void {
    const words = this.vm.HEAPU32;
    for (let at = 0; at + 2 < words.length; at++) {
      const sizeBytes = words[at + 1] - at * 4;
      if (words[at] !== 0 || sizeBytes < HEAP_BYTES_MIN || sizeBytes > HEAP_BYTES_MAX) continue;
      const last = words[at + 1] >>> 2;
      if (words[last] !== FINAL_HEADER) continue;
      this.firstWord = at + 2;
      this.lastWord = last;
      this.sizeBytes = sizeBytes;
      return;
    }
  }
}
