// PocketSphinx's keyword mode as a yardstick: compiled against Debian's library where that is installed.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MODEL = "/usr/share/pocketsphinx/model/en-us/";
const SOURCE = fileURLToPath(new URL("pocketsphinx-scores.c", import.meta.url));
/** Detection threshold: so low that every path that ends gets a score. */
const THRESHOLD = "1e-300";

export interface Utterance {
  firstSample: number;
  samples: number;
}

export class PocketSphinx {
  private constructor(
    private readonly program: string,
    private readonly folder: string,
  ) {}

  /** Compiles the scorer. @returns undefined with a word to the user when something that it needs is not installed */
  static prepare(folder: string, say: (text: string) => void): PocketSphinx | undefined {
    mkdirSync(folder, { recursive: true });
    const program = join(folder, "pocketsphinx_scores");
    const flags = spawnSync("pkg-config", ["--cflags", "--libs", "pocketsphinx", "sphinxbase"], {
      encoding: "utf8",
    });
    if (!existsSync(`${MODEL}en-us/mdef`) || flags.status !== 0) {
      say(
        "PocketSphinx is left out: install libpocketsphinx-dev, libsphinxbase-dev and pocketsphinx-en-us to see it beside ours.",
      );
      return undefined;
    }
    execFileSync("gcc", ["-O2", "-o", program, SOURCE, ...flags.stdout.trim().split(/\s+/)]);
    return new PocketSphinx(program, folder);
  }

  /**
   * @param pcm the whole recording
   * @param sounds words beyond PocketSphinx's dictionary, and their phones
   * @returns for each utterance the best score of each phrase that was detected
   */
  detect(
    pcm: Int16Array,
    utterances: Utterance[],
    phrases: string[],
    sounds: Map<string, string>,
  ): Map<string, number>[] {
    const [dictionary, keywords, samples] = ["dictionary", "keywords", "samples"].map((name) =>
      join(this.folder, name),
    );
    const known = readFileSync(`${MODEL}cmudict-en-us.dict`, "utf8");
    const extra = [...sounds].filter(([word]) => !known.includes(`\n${word} `));
    writeFileSync(
      dictionary,
      known + extra.map(([word, phones]) => `${word} ${phones.toUpperCase()}\n`).join(""),
    );
    writeFileSync(keywords, phrases.map((phrase) => `${phrase} /${THRESHOLD}/\n`).join(""));
    writeFileSync(samples, new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength));
    const input = utterances.map(({ firstSample, samples: count }) => `${firstSample} ${count}\n`).join("");
    const args = [`${MODEL}en-us`, dictionary, keywords, samples];
    const output = execFileSync(this.program, args, { input, encoding: "utf8", maxBuffer: 1 << 28 });
    const found = utterances.map(() => new Map<string, number>());
    for (const line of output.split("\n")) {
      const parts = /^(\d+) (.*?)\s*\t(-?\d+)$/.exec(line);
      if (parts === null) continue;
      const best = found[Number(parts[1])];
      best.set(parts[2], Math.max(best.get(parts[2]) ?? Number.NEGATIVE_INFINITY, Number(parts[3])));
    }
    return found;
  }
}
