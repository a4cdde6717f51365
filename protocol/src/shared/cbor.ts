// The subset of CBOR (RFC 8949) that frames, chunk headers and events use: unsigned and negative integers up to 2^53 - 1,
// byte strings, text strings and arrays of definite length, in the core deterministic encoding (section 4.2.1): the
// shortest head for every length and number. No maps, tags, floats, simple values or indefinite lengths: the reader
// refuses them, so that every value has exactly one encoding.
import { FormatError } from "./errors";

const MAJOR_UINT = 0;
const MAJOR_NINT = 1;
const MAJOR_BYTES = 2;
const MAJOR_TEXT = 3;
const MAJOR_ARRAY = 4;
const TWO_32 = 4294967296;
const UINT_MAX = 9007199254740991;

/** Bytes that the head of a value or length takes: 1, 2, 3, 5 or 9. */
export function cborHeadBytes(value: number): number {
  if (value < 24) return 1;
  if (value < 256) return 2;
  if (value < 65536) return 3;
  if (value < TWO_32) return 5;
  return 9;
}

/** Writes values one after the other into a buffer of fixed capacity. */
export class CborWriter {
  private buffer: Buffer;
  private at = 0;

  /** @param capacityBytes the most that will be written; writing more throws a RangeError */
  constructor(capacityBytes: number) {
    this.buffer = Buffer.alloc(capacityBytes);
  }

  /** Bytes written so far. */
  length(): number {
    return this.at;
  }

  /** Starts an array of `count` values, which the caller writes next. */
  array(count: number): CborWriter {
    return this.head(MAJOR_ARRAY, count);
  }

  /** @param value integer, 0 to 2^53 - 1 */
  uint(value: number): CborWriter {
    return this.head(MAJOR_UINT, value);
  }

  /** @param value integer, -(2^53 - 1) to 2^53 - 1 */
  int(value: number): CborWriter {
    return value < 0 ? this.head(MAJOR_NINT, -1 - value) : this.head(MAJOR_UINT, value);
  }

  bytes(value: Buffer): CborWriter {
    this.head(MAJOR_BYTES, value.length);
    return this.raw(value);
  }

  /** Writes the head of a byte string whose `lengthBytes` bytes the caller sends right after this buffer. */
  bytesHead(lengthBytes: number): CborWriter {
    return this.head(MAJOR_BYTES, lengthBytes);
  }

  text(value: string): CborWriter {
    const utf8 = Buffer.from(value, "utf8");
    this.head(MAJOR_TEXT, utf8.length);
    return this.raw(utf8);
  }

  /** Copies values that are encoded already. */
  raw(encoded: Buffer): CborWriter {
    this.reserve(encoded.length);
    this.buffer.set(encoded, this.at);
    this.at += encoded.length;
    return this;
  }

  /** @returns a copy of what was written */
  done(): Buffer {
    return this.buffer.slice(0, this.at);
  }

  private reserve(lengthBytes: number): void {
    if (this.at + lengthBytes > this.buffer.length)
      throw new RangeError(`CBOR value needs more than its buffer of ${this.buffer.length} bytes`);
  }

  private head(major: number, value: number): CborWriter {
    if (!(value >= 0 && value <= UINT_MAX) || value !== Math.floor(value))
      throw new RangeError(`CBOR integer must be a whole number from 0 to 2^53 - 1, got ${value}`);
    const headBytes = cborHeadBytes(value);
    this.reserve(headBytes);
    const top = major << 5;
    if (headBytes === 1) this.buffer[this.at++] = top | value;
    else if (headBytes === 2) this.big(top | 24, value, 1);
    else if (headBytes === 3) this.big(top | 25, value, 2);
    else if (headBytes === 5) this.big(top | 26, value, 4);
    else this.big(top | 27, value, 8);
    return this;
  }

  private big(first: number, value: number, lengthBytes: number): void {
    this.buffer[this.at] = first;
    let rest = value;
    for (let i = lengthBytes; i > 0; i--) {
      const above = Math.floor(rest / 256);
      this.buffer[this.at + i] = rest - above * 256;
      rest = above;
    }
    this.at += 1 + lengthBytes;
  }
}

/** Reads values one after the other; every method throws a FormatError when the next value is not what it asks for. */
export class CborReader {
  private at = 0;

  constructor(private readonly buffer: Buffer) {}

  /** @returns the number of values in the array that starts here */
  array(what: string, countMin: number, countMax: number): number {
    const count = this.head(MAJOR_ARRAY, what);
    if (count < countMin || count > countMax)
      throw new FormatError(`${what} must have ${countMin} to ${countMax} values, got ${count}`);
    return count;
  }

  /** @returns an integer from 0 to `valueMax` (2^53 - 1 where it is left out) */
  uint(what: string, valueMax?: number): number {
    const value = this.head(MAJOR_UINT, what);
    if (valueMax !== undefined && value > valueMax)
      throw new FormatError(`${what} must be at most ${valueMax}, got ${value}`);
    return value;
  }

  /** @returns an integer from -(2^53 - 1) to 2^53 - 1 */
  int(what: string): number {
    if (this.at < this.buffer.length && this.buffer[this.at] >> 5 === MAJOR_NINT)
      return -1 - this.head(MAJOR_NINT, what);
    return this.head(MAJOR_UINT, what);
  }

  /** @returns a byte string of `lengthMin` to `lengthMax` bytes */
  bytes(what: string, lengthMin: number, lengthMax: number): Buffer {
    return this.string(MAJOR_BYTES, what, lengthMin, lengthMax);
  }

  /** @returns a text string of at most `lengthMax` bytes of valid UTF-8 */
  text(what: string, lengthMax: number): string {
    const utf8 = this.string(MAJOR_TEXT, what, 0, lengthMax);
    const value = utf8.toString("utf8");
    const again = Buffer.from(value, "utf8");
    let same = again.length === utf8.length;
    for (let i = 0; same && i < utf8.length; i++) same = again[i] === utf8[i];
    if (!same) throw new FormatError(`${what} is not valid UTF-8`);
    return value;
  }

  /** True when the next value is a text string. */
  atText(): boolean {
    return this.at < this.buffer.length && this.buffer[this.at] >> 5 === MAJOR_TEXT;
  }

  /** True when every byte was read. */
  atEnd(): boolean {
    return this.at === this.buffer.length;
  }

  /** Throws unless every byte was read. */
  end(what: string): void {
    if (!this.atEnd())
      throw new FormatError(`${what} has ${this.buffer.length - this.at} bytes more than its values need`);
  }

  private string(major: number, what: string, lengthMin: number, lengthMax: number): Buffer {
    const lengthBytes = this.head(major, what);
    if (lengthBytes < lengthMin || lengthBytes > lengthMax)
      throw new FormatError(`${what} must be ${lengthMin} to ${lengthMax} bytes long, got ${lengthBytes}`);
    if (this.at + lengthBytes > this.buffer.length) throw new FormatError(`${what} is cut short`);
    this.at += lengthBytes;
    return this.buffer.slice(this.at - lengthBytes, this.at);
  }

  private head(major: number, what: string): number {
    if (this.at >= this.buffer.length) throw new FormatError(`${what} is missing`);
    const first = this.buffer[this.at++];
    if (first >> 5 !== major)
      throw new FormatError(`${what} must be of CBOR major type ${major}, got ${first >> 5}`);
    const info = first & 31;
    if (info < 24) return info;
    if (info > 27) throw new FormatError(`${what} has a CBOR head of reserved or indefinite length`);
    const lengthBytes = 1 << (info - 24);
    if (this.at + lengthBytes > this.buffer.length) throw new FormatError(`${what} is cut short`);
    let value = 0;
    for (let i = 0; i < lengthBytes; i++) value = value * 256 + this.buffer[this.at++];
    if (value > UINT_MAX) throw new FormatError(`${what} is larger than 2^53 - 1`);
    if (cborHeadBytes(value) !== 1 + lengthBytes)
      throw new FormatError(`${what} is not in the shortest encoding`);
    return value;
  }
}
