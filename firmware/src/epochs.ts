// The badge's place in its key chain. The next epoch is prepared ahead: its key is held in RAM only, and the chain has moved past it in flash
// before it is used. So a crash never uses an epoch twice, and flash never holds what opens a conversation that has begun.
import { type Crypto, epochKeyOf, nextChainKey } from "@salestag/protocol";
import type { Epoch } from "./sealer";
import type { StateStore } from "./state";

/** Gives out epochs, each once. */
export class Epochs {
  private prepared: Epoch | undefined = undefined;

  constructor(
    private readonly crypto: Crypto,
    private readonly store: StateStore,
  ) {}

  /**
   * Takes the next epoch out of flash, unless one is at hand.
   * @throws Error when the flash fails
   */
  async prepare(): Promise<void> {
    if (this.prepared !== undefined) return;
    const { state } = this.store;
    const number = state.epoch;
    const key = epochKeyOf(this.crypto, state.chainKey);
    state.chainKey = nextChainKey(this.crypto, state.chainKey);
    state.epoch = number + 1;
    await this.store.save();
    this.prepared = { number, key };
  }

  /** @returns the epoch of a new conversation, or undefined until the next one is prepared */
  take(): Epoch | undefined {
    const epoch = this.prepared;
    this.prepared = undefined;
    return epoch;
  }
}
