// When each badge's boots began, learned from any epoch that tells it: dates conversations that ended before their badge had reached a relay.
import type { BadgeEvent } from "@salestag/protocol/host";
import { EventKind } from "@salestag/protocol/host";
import { BootClock, openEvents, ToolError } from "@salestag/protocol/team";
import { type Archive, nameOf, type Place } from "../ingest/archive";
import type { Keyring } from "../ingest/keyring";

/** A boot is dated within so many epochs, or not at all. */
export const EPOCHS_LOOKED_AT = 64;

export class BootClocks {
  private readonly clocks = new Map<string, BootClock>();
  /** Epochs that told what they can. */
  private readonly heard = new Set<string>();

  constructor(
    private readonly archive: Archive,
    private readonly keyring: Keyring,
  ) {}

  /** @returns true when the events date a boot that was not dated before */
  learn({ badge }: Place, events: readonly BadgeEvent[]): boolean {
    const clock = this.clockOf(badge);
    const boot = events.find(({ kind }) => kind === EventKind.Boot)?.values[0];
    if (boot === undefined) return false;
    const before = clock.unixMsOf(boot);
    clock.learn(events);
    return before === undefined && clock.unixMsOf(boot) !== undefined;
  }

  /** @returns Unix time in ms at which a boot began, as far as it is known now */
  known(badge: string, boot: number): number | undefined {
    return this.clockOf(badge).unixMsOf(boot);
  }

  /** Looks in the epochs around, too, for one of the same boot that tells the time. */
  async find(place: Place, boot: number): Promise<number | undefined> {
    const near = this.archive
      .placesOf(place.badge)
      .filter(({ epoch }) => Math.abs(epoch - place.epoch) <= EPOCHS_LOOKED_AT)
      .sort((a, b) => Math.abs(a.epoch - place.epoch) - Math.abs(b.epoch - place.epoch));
    for (const other of near) {
      const unixMs = this.known(place.badge, boot);
      if (unixMs !== undefined) return unixMs;
      await this.hear(other);
    }
    return this.known(place.badge, boot);
  }

  /** Learns from an epoch in the archive, once. */
  private async hear(place: Place): Promise<void> {
    if (this.heard.has(nameOf(place))) return;
    try {
      const key = await this.keyring.epochKey(place);
      const opened = openEvents(this.archive.read(place), key);
      this.learn(
        place,
        opened.flatMap(({ events }) => events),
      );
      this.heard.add(nameOf(place));
    } catch (cause) {
      if (!(cause instanceof ToolError)) throw cause; // its key is not here: it tells nothing now
    }
  }

  private clockOf(badge: string): BootClock {
    const clock = this.clocks.get(badge) ?? new BootClock();
    this.clocks.set(badge, clock);
    return clock;
  }
}
