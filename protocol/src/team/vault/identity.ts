// The team's identity: an age key file (https://age-encryption.org/v1), as `age-keygen` writes it, plain or protected by a
// passphrase, as `age -p` does it.
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { armor, Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { ExitCode, messageOf, ToolError } from "../errors";
import { createFile, readSecretFile } from "../files";

/** Gives a passphrase. @throws ToolError when there is nobody to ask */
export type PassphraseSource = () => Promise<string>;

const IDENTITY_BYTES_MAX = 1 << 16;
const PASSPHRASE_CHARACTERS_MIN = 8;
const ARMOR_HEADER = "-----BEGIN AGE ENCRYPTED FILE-----";
const AGE_HEADER = "age-encryption.org/v1";

/** Where the identity lies when nothing else is said. */
export function defaultIdentityPath(environment: NodeJS.ProcessEnv): string {
  return join(environment.XDG_CONFIG_HOME || join(homedir(), ".config"), "salestag", "identity.txt");
}

/**
 * Makes a new identity file, mode 0600. Never overwrites one.
 * @param nowMs Unix time for the comment in it
 * @param passphrase to protect it with
 * @returns the public recipient, `age1...`
 * @throws ToolError when there is a file already, or the passphrase is too short
 */
export async function createIdentity(path: string, nowMs: number, passphrase?: string): Promise<string> {
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const created = new Date(nowMs).toISOString().replace(/\.\d+Z$/, "Z");
  const plain = `# created: ${created}\n# public key: ${recipient}\n${identity}\n`;
  const content = passphrase === undefined ? plain : await protect(plain, passphrase);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  createFile(path, content, 0o600);
  return recipient;
}

/** @throws ToolError unless it is long enough to protect something */
export function checkPassphrase(passphrase: string): void {
  if ([...passphrase].length < PASSPHRASE_CHARACTERS_MIN)
    throw new ToolError(
      ExitCode.Usage,
      `the passphrase is shorter than ${PASSPHRASE_CHARACTERS_MIN} characters; take four or five words that do not belong together.`,
    );
}

async function protect(plain: string, passphrase: string): Promise<string> {
  checkPassphrase(passphrase);
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  return armor.encode(await encrypter.encrypt(plain));
}

/**
 * Reads an identity file. Every command does it here.
 * @param passphrase asked when the file is protected
 * @returns the secret keys in it
 * @throws ToolError when there is none in it, others may read it, or the passphrase is wrong
 */
export async function readIdentities(
  path: string,
  passphrase: PassphraseSource = nobodyToAsk,
): Promise<string[]> {
  const content = readSecretFile(path, IDENTITY_BYTES_MAX);
  const sealed = sealedContent(path, content);
  const text = sealed === undefined ? content.toString("utf8") : await unprotect(path, sealed, passphrase);
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const identities = lines.filter((line) => line.startsWith("AGE-SECRET-KEY-"));
  if (identities.length === 0)
    throw new ToolError(
      ExitCode.Usage,
      `'${path}' holds no age identity (a line that starts with AGE-SECRET-KEY-); name another with --identity.`,
    );
  return identities;
}

/** @returns the bytes of an age file, or undefined when it is none */
function sealedContent(path: string, content: Buffer): Buffer | undefined {
  const text = content.toString("latin1");
  if (text.startsWith(`${AGE_HEADER}\n`)) return content;
  if (!text.trimStart().startsWith(ARMOR_HEADER)) return undefined;
  try {
    return Buffer.from(armor.decode(text));
  } catch (cause) {
    throw new ToolError(
      ExitCode.Usage,
      `the protected identity '${path}' is damaged (${messageOf(cause)}); restore it from its copy.`,
    );
  }
}

async function unprotect(path: string, sealed: Buffer, passphrase: PassphraseSource): Promise<string> {
  if (!sealed.toString("latin1", AGE_HEADER.length, AGE_HEADER.length + 11).startsWith("\n-> scrypt "))
    throw new ToolError(
      ExitCode.Usage,
      `'${path}' is encrypted, but not with a passphrase; decrypt it with 'age -d' first, or name another with --identity.`,
    );
  const decrypter = new Decrypter();
  decrypter.addPassphrase(await passphrase());
  try {
    return await decrypter.decrypt(sealed, "text");
  } catch (cause) {
    const wrong = messageOf(cause).startsWith("no identity matched");
    throw new ToolError(
      ExitCode.Keys,
      wrong
        ? `the passphrase does not open '${path}'; try again.`
        : `the protected identity '${path}' is damaged (${messageOf(cause)}); restore it from its copy.`,
    );
  }
}

function nobodyToAsk(): Promise<string> {
  throw new ToolError(ExitCode.Usage, "the identity is protected by a passphrase, and nobody can be asked.");
}
