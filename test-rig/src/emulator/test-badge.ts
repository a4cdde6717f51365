// An emulated badge for tests of the emulator and of small programs: no relay, no sound, everything it logs is kept.
import { EmulatedBadge } from "./badge";
import type { Network } from "./network";
import { Random } from "./random";
import { VirtualTime } from "./virtual-time";

/** No network: every connection is refused after 1 ms. */
const noNetwork = (time: VirtualTime): Network => ({
  open(_host, _port, _tls, events) {
    time.at(time.nowMs() + 1, () => events.error("connect ECONNREFUSED"));
    return { write: () => undefined, abort: () => undefined };
  },
});

export interface TestBadge {
  time: VirtualTime;
  badge: EmulatedBadge;
  /** Every line, as `time line`. */
  log: string[];
  /** Every frame that the badge sent, as hexadecimal digits. */
  frames: string[];
}

export async function bootTestBadge(
  program: Buffer | undefined,
  options: {
    seed?: number;
    flash?: Buffer;
    network?: (time: VirtualTime) => Network;
    time?: VirtualTime;
    deviceId?: string;
    onFrame?: (frame: Buffer) => void;
    onLog?: (line: string) => void;
  } = {},
): Promise<TestBadge> {
  const { seed = 1, flash = Buffer.alloc(0), network = noNetwork, deviceId = "0102030405060708" } = options;
  const time = options.time ?? new VirtualTime(() => performance.now());
  const log: string[] = [];
  const frames: string[] = [];
  const badge = await EmulatedBadge.boot({
    time,
    random: new Random(seed),
    network: network(time),
    deviceId,
    flash,
    program,
    realMs: () => performance.now(),
    onLog: (line) => {
      log.push(`${time.nowMs()} ${line}`);
      options.onLog?.(line);
    },
    onFrame: (frame) => {
      frames.push(frame.toString("hex"));
      options.onFrame?.(frame);
    },
  });
  return { time, badge, log, frames };
}
