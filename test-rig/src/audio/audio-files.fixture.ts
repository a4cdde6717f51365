// Builds audio files byte by byte for tests: WAV with any header field wrong on request, FLAC with verbatim frames
// (RFC 9639). Independent of the readers.

/** What a test WAV's header says; `data` follows as it is. */
export interface WavSpec {
  tag?: number;
  channels?: number;
  rateHz?: number;
  bits?: number;
  blockAlign?: number;
  /** Value of the data chunk's size field; default its true size. */
  dataSize?: number;
  /** Value of the RIFF size field; default its true size. */
  riffSize?: number;
  /** Subformat tag of a WAVE_FORMAT_EXTENSIBLE header, written instead of `tag`. */
  subformat?: number;
  /** Chunks before the format and after the data. */
  before?: Buffer;
  after?: Buffer;
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** A RIFF chunk with its padding byte; `size` overrides the size field. */
export function chunk(id: string, body: Buffer, size = body.length): Buffer {
  return Buffer.concat([Buffer.from(id, "latin1"), u32(size), body, Buffer.alloc(body.length & 1)]);
}

/** The bytes of a WAV file. */
export function wav(data: Buffer, spec: WavSpec = {}): Buffer {
  const { tag = 1, channels = 1, rateHz = 16000, bits = 16, subformat } = spec;
  const { blockAlign = (channels * bits) / 8, dataSize, before, after } = spec;
  const format = [
    u16(subformat === undefined ? tag : 0xfffe),
    u16(channels),
    u32(rateHz),
    u32(rateHz * blockAlign),
    u16(blockAlign),
    u16(bits),
  ];
  if (subformat !== undefined) {
    const guidTail = Buffer.from("000000001000800000aa00389b71", "hex");
    format.push(u16(22), u16(bits), u32(0), u16(subformat), guidTail);
  }
  const body = Buffer.concat([
    Buffer.from("WAVE"),
    before ?? Buffer.alloc(0),
    chunk("fmt ", Buffer.concat(format)),
    chunk("data", data, dataSize),
    after ?? Buffer.alloc(0),
  ]);
  return Buffer.concat([Buffer.from("RIFF"), u32(spec.riffSize ?? body.length), body]);
}

/** Samples of 16 bits as WAV data. */
export function pcm16(samples: ArrayLike<number>): Buffer {
  const bytes = Buffer.alloc(samples.length * 2);
  Array.from(samples).forEach((sample, i) => {
    bytes.writeInt16LE(sample, 2 * i);
  });
  return bytes;
}

function crc(bytes: Buffer, width: 8 | 16, polynomial: number): number {
  const top = 1 << (width - 1);
  let value = 0;
  for (const byte of bytes) {
    value ^= byte << (width - 8);
    for (let bit = 0; bit < 8; bit++) value = value & top ? (value << 1) ^ polynomial : value << 1;
    value &= (1 << width) - 1;
  }
  return value;
}

const FLAC_BLOCK = 256;

/** Codes of the sample rates that a frame header can name (RFC 9639 section 9.1.2). */
const FLAC_RATE_CODES: Record<number, number> = { 16000: 5, 44100: 9, 48000: 10 };

/** One frame of 256 samples of 16 bits a channel, of the fixed-block-size kind. */
function flacFrame(number: number, channels: number[][], rateHz: number): Buffer {
  if (number > 127) throw new RangeError("The test writer numbers frames in one byte.");
  const header = Buffer.from([
    0xff,
    0xf8,
    0x80 | FLAC_RATE_CODES[rateHz],
    ((channels.length - 1) << 4) | 0x08,
    number,
  ]);
  const subframes = channels.map((samples) => {
    const bytes = Buffer.alloc(1 + 2 * samples.length, 0x02);
    samples.forEach((sample, i) => {
      bytes.writeInt16BE(sample, 1 + 2 * i);
    });
    return bytes;
  });
  const body = Buffer.concat([header, Buffer.from([crc(header, 8, 0x07)]), ...subframes]);
  const footer = Buffer.alloc(2);
  footer.writeUInt16BE(crc(body, 16, 0x8005));
  return Buffer.concat([body, footer]);
}

/** A FLAC file of 16-bit samples, a whole number of 256-sample blocks; `total` overrides the header's count. */
export function flac(channels: number[][], rateHz = 16000, total = channels[0].length): Buffer {
  const info = Buffer.alloc(34);
  info.writeUInt16BE(FLAC_BLOCK, 0);
  info.writeUInt16BE(FLAC_BLOCK, 2);
  const packed =
    (BigInt(rateHz) << 44n) | (BigInt(channels.length - 1) << 41n) | (15n << 36n) | BigInt(total);
  info.writeBigUInt64BE(packed, 10);
  const frames = [];
  for (let start = 0; start < channels[0].length; start += FLAC_BLOCK) {
    frames.push(
      flacFrame(
        start / FLAC_BLOCK,
        channels.map((samples) => samples.slice(start, start + FLAC_BLOCK)),
        rateHz,
      ),
    );
  }
  return Buffer.concat([Buffer.from("fLaC"), Buffer.from([0x80, 0, 0, 34]), info, ...frames]);
}
