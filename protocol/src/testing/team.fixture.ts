// Teams for tests of the vault: identities, a vault, badges whose keys follow from their number.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { armor, Encrypter } from "age-encryption";
import { nextChainKey, nodeCrypto } from "../host";
import { type BadgeKeys, epochKeyFor } from "../team/vault/badge-keys";
import { createIdentity, readIdentities } from "../team/vault/identity";
import { Vault } from "../team/vault/vault";
import { bytesOf } from "./tools";

export const CREATED_MS = Date.UTC(2025, 5, 1, 12, 0, 0);

/** One who has an identity. */
export interface Person {
  file: string;
  identities: string[];
  recipient: string;
}

export async function person(folder: string, name: string): Promise<Person> {
  const file = join(folder, `${name}.txt`);
  const recipient = await createIdentity(file, CREATED_MS);
  return { file, identities: await readIdentities(file), recipient };
}

/** Writes what `age -p` would write, but with a weak work factor, which the file names: enough here and quick. */
export async function protectFile(
  path: string,
  content: Buffer | string,
  passphrase: string,
  armored = true,
): Promise<void> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(10);
  const sealed = await encrypter.encrypt(content);
  writeFileSync(path, armored ? armor.encode(sealed) : sealed, { mode: 0o600 });
}

/** @param number 0 to 15 */
export function badgeKeys(number: number): BadgeKeys {
  return {
    version: 1,
    badge: `0123456789abcde${number.toString(16)}`,
    deviceId: `fedcba987654321${number.toString(16)}`,
    label: `Kim ${number}`,
    createdMs: CREATED_MS + number,
    authKey: bytesOf(100 + number, 32).toString("hex"),
    chain: { epoch: 0, key: bytesOf(200 + number, 32).toString("hex") },
    epochKeys: {},
  };
}

/** A vault that the people open, with some badges. */
export async function makeVault(folder: string, people: Person[], badges: number): Promise<Vault> {
  const recipients = people.map(({ recipient }) => recipient);
  const vault = Vault.create(folder, "Sunny Roofs", recipients);
  for (let number = 0; number < badges; number++) await vault.add(badgeKeys(number));
  return vault;
}

/** Every key that a badge's first chain key yields. */
export interface AllKeys {
  /** By epoch. */
  chain: string[];
  /** By epoch. */
  epoch: string[];
}

/** @param keys with chain(0) */
export function allKeysOf(keys: BadgeKeys, count: number): AllKeys {
  const chain: string[] = [];
  let chainKey: Buffer = Buffer.from(keys.chain.key, "hex");
  for (let epoch = 0; epoch < count; epoch++) {
    chain.push(chainKey.toString("hex"));
    chainKey = nextChainKey(nodeCrypto(), chainKey);
  }
  return { chain, epoch: chain.map((_, epoch) => epochKeyFor(keys, epoch).toString("hex")) };
}
