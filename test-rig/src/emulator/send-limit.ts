// Lifts the runtime's limit of 50 packets a second. A board reaches its flash over SPI, without packets and so without the limit; in emulation the
// flash is on the bus, and with the limit it would be slower than any real one. The limit is a word in the VM's memory (a moment up to
// which packets are paid for), found by way of the heap: its collector points to the program's context, in which the word lies.
import type { VmInstance } from "./vm-module";

/** Words of the collector: free list, first chunk, three counters, the context. */
const GC_CHUNK = 1;
const GC_CONTEXT = 5;
/** The word lies so many words before the context's pointer to the collector. */
const LIMIT_BEFORE_GC = 4;
const CONTEXT_WORDS_MAX = 512;

export class SendLimit {
  private limitWord = 0;
  private gcWord = 0;

  constructor(private readonly vm: VmInstance) {}

  /** @param heapWord where the heap's chunk begins, in words; 0 while it is not known */
  lift(heapWord: number): void {
    if (heapWord === 0) return;
    const words = this.vm.HEAPU32;
    if (this.gcWord === 0) this.find(heapWord);
    if (this.limitWord > 0) words[this.limitWord] = 0;
  }

  /** The program starts again: its context is another one. */
  forget(): void {
    this.gcWord = 0;
    this.limitWord = 0;
  }

  private find(heapWord: number): void {
    const words = this.vm.HEAPU32;
    this.limitWord = 0;
    for (let at = 0; at < words.length; at++) {
      if (words[at] !== heapWord * 4) continue;
      const gc = at - GC_CHUNK;
      const context = words[gc + GC_CONTEXT] >>> 2;
      for (
        let word = context;
        word > 0 && word < Math.min(context + CONTEXT_WORDS_MAX, words.length);
        word++
      ) {
        if (words[word] !== gc * 4) continue;
        this.gcWord = word;
        this.limitWord = word - LIMIT_BEFORE_GC;
        return;
      }
    }
  }
}
