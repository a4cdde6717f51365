// Numbers that look random and are the same on every run: xorshift32 from a seed.
export class Seeded {
  private state: number;

  /** @param seed any whole number but 0 */
  constructor(seed: number) {
    this.state = seed >>> 0 || 1;
  }

  /** @returns a number from 0 up to, not including, 1 */
  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state / 2 ** 32;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** Mean 0 and deviation 1, from two even draws. */
  triangular(): number {
    return Math.sqrt(6) * (this.next() + this.next() - 1);
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)];
  }

  shuffled<T>(list: readonly T[]): T[] {
    const out = [...list];
    for (let i = out.length - 1; i > 0; i--) {
      const j = Math.floor(this.next() * (i + 1));
      [out[i], out[j]] = [out[j], out[i]];
    }
    return out;
  }
}
