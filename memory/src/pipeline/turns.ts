// Work on many conversations beside each other, and on each one after the other: what comes for one while its work runs is done in the next go.

/** Runs `work` for a key, never twice at a time for one key, and for so many keys at once. */
export class Turns {
  private readonly waiting = new Set<string>();
  private readonly running = new Map<string, Promise<void>>();
  private closed = false;
  private idleWaiters: (() => void)[] = [];

  /** @param work must not throw */
  constructor(
    private readonly atOnce: number,
    private readonly work: (key: string) => Promise<void>,
  ) {}

  get size(): number {
    return this.waiting.size + this.running.size;
  }

  /** Has the work done once more for a key. */
  add(key: string): void {
    if (this.closed) return;
    this.waiting.add(key);
    this.start();
  }

  /** Waits for the work that runs for a key, and forgets what waits for it. */
  async leave(key: string): Promise<void> {
    this.waiting.delete(key);
    await this.running.get(key);
  }

  /** Waits until there is nothing to do. */
  async idle(): Promise<void> {
    if (this.size > 0) await new Promise<void>((resolve) => this.idleWaiters.push(resolve));
  }

  /** Begins nothing more, and waits for what runs. */
  async close(): Promise<void> {
    this.closed = true;
    this.waiting.clear();
    await Promise.all(this.running.values());
    this.tellIdle();
  }

  private start(): void {
    for (const key of this.waiting) {
      if (this.running.size >= this.atOnce) return;
      if (this.running.has(key)) continue;
      this.waiting.delete(key);
      const done = this.work(key).finally(() => {
        this.running.delete(key);
        this.start();
        this.tellIdle();
      });
      this.running.set(key, done);
    }
  }

  private tellIdle(): void {
    if (this.size > 0) return;
    for (const tell of this.idleWaiters.splice(0)) tell();
  }
}
