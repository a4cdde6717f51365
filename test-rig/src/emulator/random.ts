// Seeded randomness: sfc32 (Chris Doty-Humphrey, PractRand), 128 bits of state. Not for keys that protect anything.

/** A stream of numbers that its seed repeats. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /** @param seed any whole number; its low 32 bits count */
  constructor(seed: number) {
    this.a = seed | 0;
    this.b = 0x9e3779b9 | 0;
    this.c = 0x243f6a88 | 0;
    for (let i = 0; i < 15; i++) this.uint32();
  }

  /** @returns 0 to 2^32 - 1 */
  uint32(): number {
    const sum = (((this.a + this.b) | 0) + this.counter++) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11) | 0) + sum) | 0;
    return sum >>> 0;
  }

  bytes(lengthBytes: number): Buffer {
    const bytes = Buffer.alloc(lengthBytes);
    for (let i = 0; i < lengthBytes; i++) bytes[i] = this.uint32() >>> 24;
    return bytes;
  }
}
