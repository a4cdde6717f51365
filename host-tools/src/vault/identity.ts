// The team's identity: an age key file (https://age-encryption.org/v1), as `age-keygen` writes it.
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { ExitCode, ToolError } from "../errors";
import { createFile, readSecretFile } from "../files";

/** Where the identity lies when nothing else is said. */
export function defaultIdentityPath(environment: NodeJS.ProcessEnv): string {
  return join(environment.XDG_CONFIG_HOME || join(homedir(), ".config"), "salestag", "identity.txt");
}

/**
 * Makes a new identity file, mode 0600. Never overwrites one.
 * @param nowMs Unix time for the comment in it
 * @returns the public recipient, `age1...`
 * @throws ToolError when there is a file already
 */
export async function createIdentity(path: string, nowMs: number): Promise<string> {
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const created = new Date(nowMs).toISOString().replace(/\.\d+Z$/, "Z");
  createFile(path, `# created: ${created}\n# public key: ${recipient}\n${identity}\n`, 0o600);
  return recipient;
}

/** @returns the secret keys in an identity file. @throws ToolError when there is none in it, or others may read it */
export function readIdentities(path: string): string[] {
  const lines = readSecretFile(path).split(/\r?\n/);
  const identities = lines.map((line) => line.trim()).filter((line) => line.startsWith("AGE-SECRET-KEY-"));
  if (identities.length === 0)
    throw new ToolError(
      ExitCode.Usage,
      `'${path}' holds no age identity (a line that starts with AGE-SECRET-KEY-); name another with --identity.`,
    );
  return identities;
}
