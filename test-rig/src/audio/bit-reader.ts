// Reads a byte buffer as a stream of bits, most significant first, as FLAC frames are coded.

/** Thrown when bits are asked for beyond the last byte. */
export class EndOfBits extends RangeError {
  constructor() {
    super("The bits end before the value does.");
  }
}

/** A position in a buffer, in bits. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #next: number;
  #window = 0;
  /** Bits of the window that are not read yet, 0..31. */
  #left = 0;

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes;
    this.#next = offset;
  }

  /** Offset of the first byte of which nothing has been read. */
  get byteOffset(): number {
    return this.#next - (this.#left >> 3);
  }

  #fill(): void {
    if (this.#next >= this.#bytes.length) throw new EndOfBits();
    this.#window = (this.#window << 8) | this.#bytes[this.#next++];
    this.#left += 8;
  }

  /** Unsigned value of 0..32 bits. Throws EndOfBits. */
  bits(count: number): number {
    if (count > 24) return this.bits(count - 16) * 0x10000 + this.bits(16);
    while (this.#left < count) this.#fill();
    this.#left -= count;
    return (this.#window >>> this.#left) & ((1 << count) - 1);
  }

  /** Two's complement value of 0..33 bits. Throws EndOfBits. */
  signed(count: number): number {
    if (count === 0) return 0;
    const sign = this.bits(1);
    return this.bits(count - 1) - sign * 2 ** (count - 1);
  }

  /** Zero bits before the next one bit, which is read too. Throws EndOfBits. */
  unary(): number {
    for (let zeros = 0; ; ) {
      const unread = this.#window & ((1 << this.#left) - 1);
      if (unread !== 0) {
        const leading = Math.clz32(unread) - (32 - this.#left);
        this.#left -= leading + 1;
        return zeros + leading;
      }
      zeros += this.#left;
      this.#left = 0;
      this.#fill();
    }
  }

  /** Skips to the next whole byte. */
  align(): void {
    this.#left &= ~7;
  }
}
