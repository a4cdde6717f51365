// The badge program in its virtual machine: what hearing costs while somebody speaks, and how late a phrase becomes an event.
import { fileURLToPath } from "node:url";
import { phrasesOfSet } from "@salestag/host-tools";
import { prepareRecording } from "../../src/recording";
import { type ReplayResult, replay } from "../../src/replay";
import { percent, say, table } from "./report";

const SAMPLE = fileURLToPath(new URL("../../samples/solar-sale.flac", import.meta.url));
const PHRASE_COUNTS = [0, 12, 18];
const RUNS = 3;

/** @returns the section */
export async function measureBadge(): Promise<string> {
  const { frames } = await prepareRecording(SAMPLE, undefined);
  const rows: string[][] = [];
  const delaysMs: number[] = [];
  for (const count of PHRASE_COUNTS) {
    let best: ReplayResult | undefined;
    for (let run = 0; run < RUNS; run++) {
      const result = await replay({
        frames,
        phrases: phrasesOfSet("solar", 1).slice(0, count),
        onTrace: (event) => {
          if (event.word === "phrase") delaysMs.push((event.atSeq + 1 - event.toSeq) * 20);
        },
      });
      if (best === undefined || result.load < best.load) best = result;
    }
    const { load, report } = best as ReplayResult;
    rows.push([String(count), percent(load), `${(report.heapPeakBytes / 1024).toFixed(1)} KB`]);
    say(`  badge with ${count} phrases: ${percent(load)} of an ESP32-S3`);
  }
  return [
    "## The badge program",
    "",
    `The bundled sample through the program in its virtual machine, best of ${RUNS} runs; load is VM time x 36, an estimate for an ESP32-S3 at 240 MHz, over the whole replay: recording, sealing and uploading are in it.`,
    "",
    table(["phrases", "load", "heap peak of 64 KB"], rows),
    "",
    `A phrase became an event ${Math.min(...delaysMs)} to ${Math.max(...delaysMs)} ms after its last frame.`,
  ].join("\n");
}
