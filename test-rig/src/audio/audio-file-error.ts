// The one error that reading an audio file gives: a sentence for the user and a stable code for programs.

/** Why an audio file was refused. */
export type AudioFileErrorCode =
  | "missing"
  | "not-a-file"
  | "unreadable"
  | "empty"
  | "not-audio"
  | "unsupported"
  | "bad-header"
  | "bad-samples"
  | "truncated"
  | "damaged"
  | "unknown-length"
  | "no-samples"
  | "too-long";

/** What the user can do about it, where the message does not say it already. */
const ADVICE: Partial<Record<AudioFileErrorCode, string>> = {
  missing: "check the path",
  unreadable: "check its permissions",
  empty: "copy or export it again",
  "no-samples": "copy or export it again",
  truncated: "copy or export it again",
  damaged: "copy or export it again",
  "bad-header": "copy or export it again",
  "bad-samples": "export it again, as 16-bit PCM",
};

/** A file that cannot be used as audio; the message is one sentence that names the file. */
export class AudioFileError extends Error {
  override readonly name = "AudioFileError";

  constructor(
    readonly code: AudioFileErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    const advice = ADVICE[code];
    super(advice === undefined ? message : `${message.replace(/\.$/, "")}; ${advice}.`, options);
  }
}

/** Most audio that a file may hold. */
export const DURATION_MAX_S = 4 * 3600;
const RATE_MIN_HZ = 1000;
const RATE_MAX_HZ = 768_000;
const CHANNELS_MAX = 64;

/** What a container's header says of its samples. */
export interface AudioFormat {
  rateHz: number;
  channels: number;
  bitsPerSample: number;
}

/** Throws AudioFileError "bad-header" if no recording could have this format. */
export function checkFormat(file: string, { rateHz, channels }: AudioFormat): void {
  if (channels < 1 || channels > CHANNELS_MAX) {
    throw new AudioFileError(
      "bad-header",
      `${file}: the header says ${channels} channels; 1 to ${CHANNELS_MAX} can be read.`,
    );
  }
  if (rateHz < RATE_MIN_HZ || rateHz > RATE_MAX_HZ) {
    throw new AudioFileError(
      "bad-header",
      `${file}: the header says ${rateHz} Hz; ${RATE_MIN_HZ} to ${RATE_MAX_HZ} Hz can be read.`,
    );
  }
}

/** Throws AudioFileError "no-samples" or "too-long" for a duration, in samples of each channel, out of range. */
export function checkDuration(file: string, frames: number, rateHz: number): void {
  if (frames === 0) throw new AudioFileError("no-samples", `${file}: the file holds no samples.`);
  if (frames > DURATION_MAX_S * rateHz) {
    const hours = (frames / rateHz / 3600).toFixed(1);
    throw new AudioFileError(
      "too-long",
      `${file}: the header says ${hours} hours of audio; cut it into parts of at most ${DURATION_MAX_S / 3600} hours.`,
    );
  }
}
