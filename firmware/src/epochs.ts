// The badge's place in its key chain. The next epoch is prepared ahead: its key is held in RAM only, and the chain has
// moved past it in flash before it is used. So a crash never uses an epoch twice, and flash never holds what opens a
// conversation that has begun.
import { readSetting, writeSetting } from "@devicescript/settings";
import { type Crypto, epochKeyOf, KEY_BYTES, nextChainKey } from "@salestag/protocol";
import type { Epoch } from "./sealer";

interface ChainSetting {
  /** Epoch that the key belongs to. */
  n: number;
  /** chain(n), hexadecimal. */
  k: string;
}

const SETTING = "chain";

/** Gives out epochs, each once. */
export class Epochs {
  private prepared: Epoch | undefined = undefined;

  constructor(private readonly crypto: Crypto) {}

  /**
   * Takes the next epoch out of flash.
   * @throws Error when the badge has no chain
   */
  async prepare(): Promise<void> {
    const chain = await readSetting<ChainSetting>(SETTING);
    if (!chain || chain.k.length !== 2 * KEY_BYTES)
      throw new Error(
        "setting 'chain' is missing or has no key of 64 hexadecimal digits: provision the badge",
      );
    const chainKey = Buffer.from(chain.k, "hex");
    const key = epochKeyOf(this.crypto, chainKey);
    const next = nextChainKey(this.crypto, chainKey).toString("hex");
    await writeSetting(SETTING, { n: chain.n + 1, k: next });
    const stored = await readSetting<ChainSetting>(SETTING);
    if (stored.k !== next)
      throw new Error("setting 'chain' could not be written: the settings flash is full or worn");
    this.prepared = { number: chain.n, key };
  }

  /** @returns the epoch of a new conversation, or undefined until the next one is prepared */
  take(): Epoch | undefined {
    const epoch = this.prepared;
    this.prepared = undefined;
    return epoch;
  }
}
