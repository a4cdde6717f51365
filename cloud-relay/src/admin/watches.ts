// Who watches which badge at the operator's door: each watch is told every chunk of its badge that becomes durable, and when the badge comes or goes.
import type { StoredChunk } from "../spool/chunk-store";

/** Most watches at a time, of all badges together. */
export const WATCHES_MAX = 8;

/** Where a watch's lines go. Neither may throw. */
export interface WatchEnd {
  /** @param line JSON, without a line break */
  tell(line: string): void;
  /** The relay fails: the watch ends now. */
  cut(): void;
}

interface Watch extends WatchEnd {
  badge: string;
  /** As was told last. */
  connected: boolean;
}

/** See the top of the file. */
export class Watches {
  private readonly open = new Set<Watch>();

  constructor(private readonly isConnected: (badge: string) => boolean) {}

  /** True while no further watch may begin. */
  get full(): boolean {
    return this.open.size >= WATCHES_MAX;
  }

  /** Begins a watch and tells its first line: from then on everything is told. @returns a function that ends it */
  begin(badge: string, end: WatchEnd): () => void {
    const connected = this.isConnected(badge);
    const watch = { ...end, badge, connected };
    this.open.add(watch);
    watch.tell(JSON.stringify({ watching: badge, connected }));
    return () => void this.open.delete(watch);
  }

  /** Chunks have become durable. Costs nothing while nobody watches. */
  stored(chunks: readonly StoredChunk[]): void {
    if (this.open.size === 0) return;
    for (const { badge, payload } of chunks) {
      const watches = [...this.open].filter((watch) => watch.badge === badge);
      if (watches.length === 0) continue;
      const line = JSON.stringify({ record: payload.toString("base64") });
      for (const watch of watches) watch.tell(line);
    }
  }

  /** A badge may have come or gone; one whose new connection took the place of an older one did neither. */
  presenceChanged(badge: string): void {
    for (const watch of this.open) {
      const connected = this.isConnected(badge);
      if (watch.badge !== badge || watch.connected === connected) continue;
      watch.connected = connected;
      watch.tell(JSON.stringify({ connected }));
    }
  }

  /** Ends all watches. */
  cut(): void {
    for (const watch of this.open) watch.cut();
  }
}
