// Guesses from a file's first bytes what it is, for the message that refuses it.

/** Bytes that `describeContents` looks at. */
export const SNIFF_BYTES = 16;

const SIGNATURES: [offset: number, bytes: string, what: string][] = [
  [0, "OggS", "an Ogg file (Opus, Vorbis or Ogg FLAC)"],
  [0, "ID3", "an MP3 file or one with an ID3 tag in front"],
  [4, "ftyp", "an MP4 or M4A file"],
  [0, "FORM", "an AIFF file"],
  [0, "RIFX", "a big-endian WAV file"],
  [0, "RF64", "an RF64 file (WAV for more than 4 GiB)"],
  [0, "RIFF", "a RIFF file that is not WAV"],
  [0, ".snd", "a Sun AU file"],
  [0, "caff", "a Core Audio file"],
  [0, "\x1aE\xdf\xa3", "a Matroska or WebM file"],
  [0, "#!AMR", "an AMR file"],
  [0, "wvpk", "a WavPack file"],
  [0, "PK\x03\x04", "a ZIP archive"],
  [0, "\x1f\x8b", "a gzip archive"],
];

/** What a file that starts with these bytes seems to be, as a noun phrase. */
export function describeContents(head: Buffer): string {
  const text = head.toString("latin1");
  const known = SIGNATURES.find(([offset, bytes]) => text.startsWith(bytes, offset));
  if (known) return known[2];
  // MPEG audio: 11 bits of frame sync; layer bits 00 are ADTS AAC.
  if (head[0] === 0xff && (head[1] & 0xe0) === 0xe0)
    return (head[1] & 0x06) === 0 ? "an AAC file" : "an MP3 file";
  return /^[\t\n\r\x20-\x7e]+$/.test(text) ? "a text file" : "no format known here, perhaps raw samples";
}
