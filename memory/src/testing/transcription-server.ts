// A stand-in for a Whisper server, OpenAI-compatible, that recognises nothing: it knows some recordings by heart, finds the audio that it gets in them by
// how its loudness runs, and answers the words that were written down for that stretch. So the whole path is the real one, but for the ear.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { RATE_HZ } from "../transcribe/audio";
import type { HeardWord } from "../transcribe/transcriber";

/** A recording that the server knows. */
export interface KnownRecording {
  /** 16 kHz mono, full scale 32768. */
  samples: Int16Array;
  /** Times are ms after the recording's start. */
  words: HeardWord[];
  /** As Whisper names it, such as `english`. */
  language: string;
}

export interface TranscriptionServer {
  /** Address to which a client adds `/audio/transcriptions`. */
  url: string;
  /** Lengths of the audio that came, ms. */
  heardMs: number[];
  close(): Promise<void>;
}

const BODY_BYTES_MAX = 64 * 1024 * 1024;
/** Loudness is compared in steps of so many samples: 5 ms. */
const STEP_SAMPLES = 80;
const STEP_MS = (STEP_SAMPLES * 1000) / RATE_HZ;
/** Silence as long, without any noise, is where the client left something out. */
const CUT_STEPS = 40;
/** So much of a stretch is compared at most: 4 s. */
const COMPARED_STEPS_MAX = 800;
/** Correlation from which on a stretch is taken to be found. */
const FOUND_MIN = 0.6;
const WAV_HEADER_BYTES = 44;

/** A stretch of loudness without a cut in it. */
interface Stretch {
  fromStep: number;
  levels: Float64Array;
}

/** Where a stretch was found. */
interface Place {
  recording: KnownRecording;
  step: number;
  likeness: number;
}

/** Starts the server on loopback, at a port of the system's choice. */
export async function startTranscriptionServer(recordings: KnownRecording[]): Promise<TranscriptionServer> {
  const known = recordings.map((recording) => ({ recording, levels: levelsOf(recording.samples) }));
  const heardMs: number[] = [];
  const server = createServer((request, response) => {
    answer(request, known, heardMs).then(
      (body) => reply(response, 200, body),
      (cause) => reply(response, 400, { error: { message: String(cause), type: "invalid_request_error" } }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    heardMs,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Known = { recording: KnownRecording; levels: Float64Array }[];

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

async function answer(request: IncomingMessage, known: Known, heardMs: number[]): Promise<object> {
  if (request.method !== "POST" || request.url !== "/v1/audio/transcriptions")
    throw new Error(`${request.method} ${request.url} is not served: POST /v1/audio/transcriptions`);
  const samples = await audioIn(request);
  heardMs.push((samples.length * 1000) / RATE_HZ);
  return transcriptionOf(samples, known);
}

async function audioIn(request: IncomingMessage): Promise<Int16Array> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > BODY_BYTES_MAX) throw new Error(`the form is larger than ${BODY_BYTES_MAX} bytes`);
    parts.push(part);
  }
  const headers = { "content-type": request.headers["content-type"] ?? "" };
  const file = (await new Response(Buffer.concat(parts), { headers }).formData()).get("file");
  if (!(file instanceof Blob)) throw new Error("the form has no file");
  const wav = Buffer.from(await file.arrayBuffer());
  if (wav.toString("latin1", 0, 4) !== "RIFF" || wav.readUInt32LE(24) !== RATE_HZ)
    throw new Error("the file is no WAV file of 16 kHz");
  return Int16Array.from({ length: (wav.length - WAV_HEADER_BYTES) >> 1 }, (_, i) =>
    wav.readInt16LE(WAV_HEADER_BYTES + 2 * i),
  );
}

/** @returns the answer in OpenAI's format `verbose_json`, with words as faster-whisper-server writes them */
function transcriptionOf(samples: Int16Array, known: Known): object {
  const words: { word: string; start: number; end: number }[] = [];
  let language = "english";
  const from = new Map<KnownRecording, number>();
  for (const stretch of stretchesOf(levelsOf(samples))) {
    const place = find(stretch, known, from);
    if (place === undefined) continue;
    const { recording, step } = place;
    from.set(recording, step + stretch.levels.length);
    language = recording.language;
    const shiftMs = (stretch.fromStep - step) * STEP_MS;
    const fromMs = step * STEP_MS;
    const toMs = fromMs + stretch.levels.length * STEP_MS;
    for (const { text, startMs, endMs } of recording.words) {
      const middleMs = (startMs + endMs) / 2;
      if (middleMs < fromMs || middleMs >= toMs) continue;
      words.push({ word: ` ${text}`, start: (startMs + shiftMs) / 1000, end: (endMs + shiftMs) / 1000 });
    }
  }
  const text = words.map(({ word }) => word).join("");
  const segments = words.length === 0 ? [] : [{ id: 0, text, start: words[0].start, end: words.at(-1)?.end }];
  return { task: "transcribe", language, duration: samples.length / RATE_HZ, text, segments, words };
}

/** Loudness in steps: the logarithm of the mean square, 0 for digital silence. */
function levelsOf(samples: Int16Array): Float64Array {
  return Float64Array.from({ length: Math.floor(samples.length / STEP_SAMPLES) }, (_, step) => {
    let sum = 0;
    for (let i = step * STEP_SAMPLES; i < (step + 1) * STEP_SAMPLES; i++) sum += samples[i] ** 2;
    return Math.log(1 + sum / STEP_SAMPLES);
  });
}

function stretchesOf(levels: Float64Array): Stretch[] {
  const stretches: Stretch[] = [];
  let fromStep = 0;
  let silent = 0;
  const add = (toStep: number) => {
    if (toStep > fromStep) stretches.push({ fromStep, levels: levels.subarray(fromStep, toStep) });
  };
  for (let step = 0; step < levels.length; step++) {
    if (levels[step] < 1) {
      silent++;
      continue;
    }
    if (silent >= CUT_STEPS || silent === step) {
      add(step - silent);
      fromStep = step;
    }
    silent = 0;
  }
  add(levels.length - silent);
  return stretches;
}

/** @param from where to look on in a recording: audio comes in its order, but a new request may begin anew */
function find({ levels }: Stretch, known: Known, from: Map<KnownRecording, number>): Place | undefined {
  const compared = levels.subarray(0, COMPARED_STEPS_MAX);
  let best: Place | undefined;
  for (const { recording, levels: all } of known) {
    const first = Math.max(0, (from.get(recording) ?? 0) - 2);
    for (let step = first; step + compared.length <= all.length + CUT_STEPS; step++) {
      const likeness = likenessOf(compared, all, step);
      if (likeness > (best?.likeness ?? FOUND_MIN)) best = { recording, step, likeness };
    }
  }
  return best;
}

/** @returns correlation of the two, -1 to 1 */
function likenessOf(a: Float64Array, all: Float64Array, step: number): number {
  const length = Math.min(a.length, all.length - step);
  let [sumA, sumB, squaresA, squaresB, products] = [0, 0, 0, 0, 0];
  for (let i = 0; i < length; i++) {
    const [x, y] = [a[i], all[step + i]];
    sumA += x;
    sumB += y;
    squaresA += x * x;
    squaresB += y * y;
    products += x * y;
  }
  const spreadA = squaresA - (sumA * sumA) / length;
  const spreadB = squaresB - (sumB * sumB) / length;
  return (products - (sumA * sumB) / length) / Math.sqrt(Math.max(spreadA * spreadB, 1e-9));
}
