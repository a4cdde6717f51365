// One stage of what is done with a final conversation: so many at once, tried again with growing waits when it fails, never in the way of other conversations
// or stages.
import type { Clock, Log } from "@salestag/protocol/service";
import { messageOf } from "@salestag/protocol/service";
import type { Database } from "../store/database";
import { Turns } from "./turns";

export interface Stage {
  /** In the log, and before the reason in `conversation.trouble`. */
  readonly name: "transcription" | "structuring" | "search";
  /** @returns ids of the conversations that wait for this stage */
  due(): Promise<string[]>;
  /** Does it for one conversation, and leaves it alone where it is not due any more. @throws when it cannot be done now */
  work(id: string, signal: AbortSignal): Promise<void>;
  /** Told when it could not be done, before it is tried again. */
  onFailure?(id: string): void;
}

/** An error that says whether to try again, and when at the earliest. */
interface Retriable {
  retry?: "later" | "never";
  retryAfterMs?: number;
}

export interface StageOptions {
  database: Database;
  clock: Clock;
  log: Log;
  /** 0 to below 1. */
  random: () => number;
  atOnce: number;
}

const WAIT_MS_MIN = 5000;
const WAIT_MS_MAX = 3_600_000;

export class StageRunner {
  private readonly turns: Turns;
  private readonly failures = new Map<string, { tries: number; cancel: () => void }>();
  private readonly stop = new AbortController();

  constructor(
    private readonly stage: Stage,
    private readonly options: StageOptions,
  ) {
    this.turns = new Turns(options.atOnce, (id) => this.work(id));
  }

  get name(): string {
    return this.stage.name;
  }

  /** Takes up what waits in the database. */
  async start(): Promise<void> {
    for (const id of await this.stage.due()) this.add(id);
  }

  /** Has it done for a conversation. */
  add(id: string): void {
    this.turns.add(id);
  }

  /** How many conversations wait, those that failed not counted. */
  get waiting(): number {
    return this.turns.size;
  }

  /** How many wait for another try. */
  get failing(): number {
    return this.failures.size;
  }

  /** Waits until all is done, but for what failed and waits for its time. */
  idle(): Promise<void> {
    return this.turns.idle();
  }

  /** Ends what runs; it is taken up again at the next start. */
  async close(): Promise<void> {
    this.stop.abort(new Error("the memory ends"));
    for (const { cancel } of this.failures.values()) cancel();
    await this.turns.close();
  }

  /** Forgets a conversation; nothing is done with it any more when it resolves. */
  async forget(id: string): Promise<void> {
    await this.turns.leave(id);
    this.failures.get(id)?.cancel();
    this.failures.delete(id);
  }

  private async work(id: string): Promise<void> {
    try {
      await this.stage.work(id, this.stop.signal);
      if (this.failures.delete(id)) await this.noteTrouble(id, null, null);
    } catch (cause) {
      if (!this.stop.signal.aborted) await this.failed(id, cause);
    }
  }

  private async failed(id: string, cause: unknown): Promise<void> {
    const { clock, log, random } = this.options;
    const { retry, retryAfterMs = 0 } = cause as Retriable;
    const tries = (this.failures.get(id)?.tries ?? 0) + 1;
    const rise = Math.min(WAIT_MS_MAX, WAIT_MS_MIN * 2 ** (tries - 1)) * (0.5 + random() / 2);
    const waitMs = Math.max(retryAfterMs, rise);
    const again = retry !== "never";
    const why = messageOf(cause);
    log.warn(`${this.stage.name} failed`, {
      conversation: id,
      why,
      tries,
      againInMs: again ? waitMs : undefined,
    });
    this.failures.get(id)?.cancel();
    const cancel = again ? clock.after(waitMs, () => this.add(id)) : () => undefined;
    this.failures.set(id, { tries, cancel });
    try {
      await this.noteTrouble(id, why, again ? new Date(clock.unixMs() + waitMs) : null);
    } catch (worse) {
      log.error("the database does not take why a stage failed", { conversation: id, why: messageOf(worse) });
    }
    this.stage.onFailure?.(id);
  }

  /** Shown with the conversation; trouble of another stage stays until that one is over it. */
  private async noteTrouble(id: string, why: string | null, again: Date | null): Promise<void> {
    const own = `${this.stage.name}: `;
    await this.options.database.system((session) =>
      session.query(
        `update salestag.conversation set trouble = $2, try_again_at = $3
          where id = $1 and ($2::text is not null or starts_with(trouble, $4))`,
        [id, why === null ? null : own + why, again, own],
      ),
    );
  }
}
