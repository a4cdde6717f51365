// Sealing and opening in the age format (https://age-encryption.org/v1): texts for recipients, opened with identities.
import { Decrypter, Encrypter, identityToRecipient } from "age-encryption";
import { ExitCode, messageOf, ToolError } from "../errors";

const RECIPIENT = /^age1[02-9ac-hj-np-z]{58}$/;

/** @returns true for an age X25519 recipient, `age1...`, whose checksum fits */
export function isRecipient(text: string): boolean {
  if (!RECIPIENT.test(text)) return false;
  try {
    new Encrypter().addRecipient(text);
    return true;
  } catch {
    return false; // the checksum
  }
}

/** @returns an age file in binary form that each of the recipients opens */
export async function sealTo(recipients: string[], text: string): Promise<Buffer> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return Buffer.from(await encrypter.encrypt(text));
}

/**
 * Opens an age file.
 * @param what names it in the error: a path in quotes
 * @param identities age secret keys
 * @throws ToolError when no identity fits or the file is damaged
 */
export async function openSealed(what: string, sealed: Buffer, identities: string[]): Promise<string> {
  const decrypter = new Decrypter();
  for (const identity of identities)
    try {
      decrypter.addIdentity(identity);
    } catch {
      throw damagedIdentity();
    }
  try {
    return await decrypter.decrypt(sealed, "text");
  } catch (cause) {
    throw new ToolError(
      ExitCode.Keys,
      `${what} does not open with this identity (${messageOf(cause)}); name the team's with --identity.`,
    );
  }
}

/** @returns the recipient of each identity. @throws ToolError when a secret key is damaged */
export async function recipientsOf(identities: string[]): Promise<string[]> {
  const derived = identities.map((identity) => identityToRecipient(identity));
  return await Promise.all(derived).catch(() => Promise.reject(damagedIdentity()));
}

/** The library's own words would quote the secret key. */
function damagedIdentity(): ToolError {
  return new ToolError(
    ExitCode.Keys,
    "a secret key in the identity file is damaged; restore the file from its copy, or name another with --identity.",
  );
}
