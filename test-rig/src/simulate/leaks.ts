// What must not be seen outside of a badge: sound in the open, and keys. Looks for both in everything that passed on the wire and that a relay keeps.
import { epochKeyOf, inboxKeyOf, nextChainKey } from "@salestag/protocol";
import { nodeCrypto } from "@salestag/protocol/host";
import type { SimulatedBadge } from "./badge";
import type { Packets } from "./scene";

/** Bytes, and where they were seen: "on the wire". */
export interface Place {
  where: string;
  bytes: Buffer;
}

/** The keys of one badge. */
export type KeyHolder = Pick<SimulatedBadge, "authKey" | "chainKey"> & { parts: { number: number } };

/** A key, and what it is called. */
export interface Secret {
  name: string;
  bytes: Buffer;
}

const crypto = nodeCrypto();

/** @returns every key of a badge that nobody may see: chain and epoch keys up to an epoch, the inbox key, the authentication key */
export function secretsOf({ authKey, chainKey: first, parts }: KeyHolder, lastEpoch: number): Secret[] {
  const of = `of badge ${parts.number}`;
  const secrets = [
    { name: `the authentication key ${of}`, bytes: authKey },
    { name: `the inbox key ${of}`, bytes: inboxKeyOf(crypto, first) },
  ];
  let chainKey = first;
  for (let epoch = 0; epoch <= lastEpoch; epoch++) {
    secrets.push({ name: `chain key ${epoch} ${of}`, bytes: chainKey });
    secrets.push({ name: `epoch key ${epoch} ${of}`, bytes: epochKeyOf(crypto, chainKey) });
    chainKey = nextChainKey(crypto, chainKey);
  }
  return secrets;
}

/** @returns sentences, one for each place where a key or a packet of sound lies, and which */
export function leaksIn(places: Place[], packets: Packets, secrets: Secret[]): string[] {
  const found: string[] = [];
  const finder = new SecretFinder(secrets);
  for (const { where, bytes } of places) {
    const plain = packets.foundIn(bytes);
    if (plain !== undefined)
      found.push(`frame ${plain.seq} of boot ${plain.boot} of badge ${plain.badge} is in the open ${where}`);
    for (const name of finder.namesIn(bytes)) found.push(`${name} is ${where}`);
  }
  return found;
}

/** Finds many secrets in one pass: by their first two bytes, then their first four, then all. */
class SecretFinder {
  private readonly mayStart = new Uint8Array(65_536);
  private readonly byStart = new Map<number, Secret[]>();

  constructor(secrets: Secret[]) {
    for (const { name, bytes } of secrets) {
      this.add({ name, bytes });
      this.add({ name: `${name}, in hexadecimal digits,`, bytes: Buffer.from(bytes.toString("hex")) });
    }
  }

  namesIn(bytes: Buffer): Set<string> {
    const names = new Set<string>();
    for (let at = 0; at + 4 <= bytes.length; at++) {
      if (this.mayStart[bytes[at] | (bytes[at + 1] << 8)] === 0) continue;
      for (const secret of this.byStart.get(bytes.readUInt32LE(at)) ?? [])
        if (secret.bytes.equals(bytes.subarray(at, at + secret.bytes.length))) names.add(secret.name);
    }
    return names;
  }

  private add(secret: Secret): void {
    const start = secret.bytes.readUInt32LE(0);
    this.mayStart[start & 0xffff] = 1;
    this.byStart.set(start, [...(this.byStart.get(start) ?? []), secret]);
  }
}
