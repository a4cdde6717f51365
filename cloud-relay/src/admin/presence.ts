// Which badges are here, since when, and when each was last heard. Remembers those that went until the relay ends.

/** A badge's connection that has proved itself. */
export interface BadgeConnection {
  readonly badge: string;
  /** Unix time in ms of the last frame. */
  readonly heardUnixMs: number;
}

/** A badge that is here, or was. */
export interface Seen {
  online: boolean;
  /** Unix time in ms at which it came or went. */
  sinceUnixMs: number;
  /** Unix time in ms. */
  heardUnixMs: number;
}

/** See the top of the file. */
export class Presence {
  private readonly here = new Map<string, { connection: BadgeConnection; sinceUnixMs: number }>();
  /** In the order in which they went. */
  private readonly gone = new Map<string, Seen>();

  /** How many are here. */
  get online(): number {
    return this.here.size;
  }

  /** A badge has proved itself; an older connection of it counts no more. */
  came(connection: BadgeConnection, nowUnixMs: number): void {
    this.here.set(connection.badge, { connection, sinceUnixMs: nowUnixMs });
    this.gone.delete(connection.badge);
  }

  /** A connection has ended; nothing changes when a newer one took its place, or when it never proved itself. */
  went(connection: BadgeConnection, nowUnixMs: number): void {
    const { badge, heardUnixMs } = connection;
    if (this.here.get(badge)?.connection !== connection) return;
    this.here.delete(badge);
    this.gone.set(badge, { online: false, sinceUnixMs: nowUnixMs, heardUnixMs });
  }

  /** @returns undefined for a badge that was never here */
  of(badge: string): Seen | undefined {
    const here = this.here.get(badge);
    if (here === undefined) return this.gone.get(badge);
    return { online: true, sinceUnixMs: here.sinceUnixMs, heardUnixMs: here.connection.heardUnixMs };
  }

  /** @returns ids of those that are here, then of those that were, the last to go first */
  ids(): string[] {
    return [...this.here.keys(), ...[...this.gone.keys()].reverse()];
  }
}
