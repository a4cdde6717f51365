// Randomness that its seed repeats, for tests: sfc32 (Chris Doty-Humphrey, PractRand). Not for keys that protect anything.

/** A stream of numbers. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /**
   * @param seed any whole number; its low 32 bits count
   * @param stream another stream of the same seed for each number
   */
  constructor(seed: number, stream = 0) {
    this.a = seed | 0;
    this.b = stream | 0;
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

  /** @returns a whole number from 0 to `count` - 1 */
  below(count: number): number {
    return Math.floor((this.uint32() / 2 ** 32) * count);
  }

  /** @returns true in `percent` of 100 calls */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  bytes(lengthBytes: number): Buffer {
    const bytes = Buffer.alloc(lengthBytes);
    for (let i = 0; i < lengthBytes; i++) bytes[i] = this.uint32() >>> 24;
    return bytes;
  }
}
