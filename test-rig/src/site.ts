// A team's whole installation in one folder: identity, vault, registry, spool, the relay's folder, a badge. For a replay that
// brings everything along.
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  createIdentity,
  type ListedPhrase,
  openConversations,
  provisionBadge,
  readIdentities,
  registryFile,
  Vault,
  writeConsent,
  writeTuning,
} from "@salestag/host-tools";
import type { ConsentPolicy, Tuning } from "@salestag/protocol";
import type { Bench } from "./bench";
import { type RelayProcess, startRelayProcess } from "./relay-process";

/** A badge that was just switched on is left alone for as long: no technician is faster. */
const BOOT_MS = 1000;

export class Site {
  readonly identity: string;
  readonly vaultFolder: string;
  readonly registry: string;
  readonly spool: string;
  readonly relayFolder: string;
  readonly opened: string;
  /** Name of the file in the folder with the secret that the relay signs its webhook requests with. */
  readonly hookSecretFile = "hook.key";

  private constructor(
    readonly folder: string,
    private readonly vault: Vault,
  ) {
    this.identity = join(folder, "identity.txt");
    this.vaultFolder = join(folder, "vault");
    this.registry = join(folder, "registry.json");
    this.spool = join(folder, "spool");
    this.relayFolder = join(folder, "relay");
    this.opened = join(folder, "opened");
  }

  /** Makes keys in a folder that holds none yet. */
  static async create(folder: string): Promise<Site> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const recipient = await createIdentity(join(folder, "identity.txt"), Date.now());
    return new Site(folder, Vault.create(join(folder, "vault"), "rig", [recipient]));
  }

  startRelay(listen?: string, args?: string[]): Promise<RelayProcess> {
    const { registry, spool, relayFolder: folder } = this;
    return startRelayProcess({ registry, spool, folder, listen, args });
  }

  /** Makes new keys for the badge on the bench and tells it what to listen for. @returns its id */
  async provision(
    bench: Bench,
    relayUrl: string,
    label: string,
    phrases: ListedPhrase[] = [],
  ): Promise<string> {
    const { client } = bench;
    await bench.time.run(bench.time.nowMs() + BOOT_MS);
    const { vault } = this;
    const registration = registryFile(this.registry, Date.now);
    const plan = { relayUrl, label, phrases: phrases.length > 0 ? phrases : undefined };
    const options = { client, plan, vault, registration, random: randomBytes, nowMs: Date.now };
    return (await bench.drive(provisionBadge(options))).badge;
  }

  /** Tells the badge on the bench what the team decided about consent. */
  async setConsent(bench: Bench, policy: Partial<ConsentPolicy>): Promise<void> {
    await bench.time.run(bench.time.nowMs() + BOOT_MS);
    await bench.drive(writeConsent(bench.client, policy));
  }

  /** Tells the badge on the bench how it is tuned. */
  async setTuning(bench: Bench, tuning: Partial<Tuning>): Promise<void> {
    await bench.time.run(bench.time.nowMs() + BOOT_MS);
    await bench.drive(writeTuning(bench.client, tuning));
  }

  /** Opens all that the relay delivered. */
  async open() {
    const { relayFolder: folder, vault, opened: out } = this;
    return await openConversations({ folder, vault, identities: await readIdentities(this.identity), out });
  }
}
