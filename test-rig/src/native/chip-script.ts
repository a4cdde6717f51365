// Runs the badge's C inside host/chip.c, which plays the chip around it: writes its script, reads what went onto the bus.
import { execFileSync } from "node:child_process";

/** Service indices on the runtime's device, in host/chip.c. */
export const VOICE = 1;
export const VITALS = 2;
const OUTPUT_BYTES_MAX = 1 << 26;

/** A report that the badge's C sent, or a line that it logged. */
export interface Sent {
  service: number;
  command: number;
  data: Buffer;
}

/** What a run did. */
export interface ChipRun {
  sent: Sent[];
  /** Lines that are no reports: "listening", and what is logged. */
  other: string[];
}

/**
 * Runs a script.
 * @param program what compileChip made
 * @param recording path of i16 samples at 16 kHz, which the microphone hears
 * @param lines the script's, as host/chip.c lists them
 */
export function runChip(program: string, recording: string, lines: string[]): ChipRun {
  const input = `${lines.join("\n")}\n`;
  const output = execFileSync(program, [recording], {
    input,
    encoding: "latin1",
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  const run: ChipRun = { sent: [], other: [] };
  for (const line of output.split("\n").filter((text) => text !== "")) {
    const report = /^sent (\d+) ([0-9a-f]{4}) ([0-9a-f]*)$/.exec(line);
    if (report === null) run.other.push(line);
    else
      run.sent.push({
        service: Number(report[1]),
        command: Number.parseInt(report[2], 16),
        data: Buffer.from(report[3], "hex"),
      });
  }
  return run;
}

/** A line of the script: a packet for a service. */
export function packet(service: number, command: number, data: number[] = []): string {
  return `packet ${service} ${command.toString(16)} ${Buffer.from(data).toString("hex")}`;
}
