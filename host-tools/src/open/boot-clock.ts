// When a badge's boots began: any chunk of events that tells boot and time dates everything of that boot, conversations too that ended before the
// badge had reached its relay.
import { type BadgeEvent, EventKind } from "@salestag/protocol/host";

/** Boots of one badge, and the Unix time in ms at which their counting began. */
export class BootClock {
  private readonly begunUnixMs = new Map<number, number>();

  /** Takes the events of one epoch. */
  learn(events: BadgeEvent[]): void {
    const boot = events.find(({ kind }) => kind === EventKind.Boot)?.values[0];
    const clock = events.find(({ kind }) => kind === EventKind.Clock);
    if (boot === undefined || clock === undefined || this.begunUnixMs.has(boot)) return;
    this.begunUnixMs.set(boot, clock.values[0] - clock.atMs);
  }

  /** @returns undefined when nothing tells */
  unixMsOf(boot: number): number | undefined {
    return this.begunUnixMs.get(boot);
  }
}
