// What happens now, for those who watch: published when it is stored, handed to each subscriber once, kept nowhere.
import type { TagKind } from "./model/taxonomy";

interface About {
  teamId: string;
  conversationId: string;
  /** Who wears the badge; null where nobody said. */
  personId: string | null;
  /** Unix time in ms when the memory learned of it. */
  atUnixMs: number;
}

export type LiveEvent = About &
  (
    | /** The badge heard a key phrase. Times are ms after the conversation's start. */ {
        type: "phrase";
        text: string;
        startMs: number;
      }
    | /** A conversation began, ended, has tags, is found by searches now, or was deleted for good. */ {
        type: "conversation";
        state: "open" | "final" | "structured" | "findable" | "erased";
      }
    | { type: "tag"; kind: TagKind; quote: string; reason: string; startMs: number }
  );

/** Hands events on to whoever watches. */
export class Live {
  private readonly subscribers = new Set<(event: LiveEvent) => void>();

  publish(event: LiveEvent): void {
    for (const take of this.subscribers) take(event);
  }

  /** @returns ends it */
  subscribe(take: (event: LiveEvent) => void): () => void {
    this.subscribers.add(take);
    return () => this.subscribers.delete(take);
  }
}
