// When a badge's boots began: any chunk of events that tells boot and time dates everything of that boot, conversations too that ended before the
// badge had reached its relay.
import { type BadgeEvent, EventKind } from "../../host";

/** No badge is older than 2024-01-01, nor does one live beyond 2100. */
const UNIX_MS_MIN = Date.UTC(2024, 0, 1);
const UNIX_MS_MAX = Date.UTC(2100, 0, 1);

/** Boots of one badge, and the Unix time in ms at which their counting began. */
export class BootClock {
  private readonly begunUnixMs = new Map<number, number>();

  /** Takes the events of one epoch. */
  learn(events: readonly BadgeEvent[]): void {
    const boot = events.find(({ kind }) => kind === EventKind.Boot)?.values[0];
    const clock = events.find(({ kind }) => kind === EventKind.Clock);
    if (boot === undefined || clock === undefined || this.begunUnixMs.has(boot)) return;
    const begunUnixMs = clock.values[0] - clock.atMs;
    if (begunUnixMs >= UNIX_MS_MIN && begunUnixMs <= UNIX_MS_MAX) this.begunUnixMs.set(boot, begunUnixMs);
  }

  /** @returns undefined when nothing tells */
  unixMsOf(boot: number): number | undefined {
    return this.begunUnixMs.get(boot);
  }
}
