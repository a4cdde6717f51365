// The team's key for signing bundles: Ed25519, in PEM files as openssl reads and writes them.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  createFile,
  defaultIdentityPath,
  ExitCode,
  readSecretFile,
  ToolError,
} from "@salestag/protocol/team";
import { readImage } from "./images";

/** Whose bundles are taken. */
export interface Trust {
  /** Ed25519 public keys. */
  keys: KeyObject[];
  /** Take one that nobody signed. One with a signature that does not fit is never taken. */
  allowUnsigned: boolean;
}

/** A key in PEM takes some 120 bytes. */
const KEY_FILE_BYTES_MAX = 16 * 1024;
const PRIVATE_MODE = 0o600;
const PUBLIC_MODE = 0o644;
const TRUST_BYTES_MAX = 16384;
const RAW_KEY_BYTES = 32;

/** Where the trusted public keys lie when nothing else is said: beside the identity. */
export function defaultTrustPath(environment: NodeJS.ProcessEnv): string {
  return join(dirname(defaultIdentityPath(environment)), "bundle-trust.pem");
}

/** Makes a key: the private half in `path` (mode 0600), the public one in `path`.pub. @throws ToolError when one of them is there already */
export function createSigningKey(path: string): { publicPath: string; signer: string } {
  const publicPath = `${path}.pub`;
  if (existsSync(publicPath))
    throw new ToolError(
      ExitCode.Usage,
      `'${publicPath}' is there already and is not overwritten; choose another name.`,
    );
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  createFile(path, privateKey.export({ type: "pkcs8", format: "pem" }) as string, PRIVATE_MODE);
  createFile(publicPath, publicKey.export({ type: "spki", format: "pem" }) as string, PUBLIC_MODE);
  return { publicPath, signer: publicBytes(publicKey).toString("hex") };
}

/** @throws ToolError when others may read the file, or it is no Ed25519 private key */
export function readSigningKey(path: string): KeyObject {
  const text = readSecretFile(path, KEY_FILE_BYTES_MAX);
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(text);
  } catch {
    // what openssl says of a damaged key could quote it
  }
  if (key?.asymmetricKeyType !== "ed25519")
    throw new ToolError(
      ExitCode.Usage,
      `'${path}' holds no Ed25519 private key; make one with 'salestag bundle keygen'.`,
    );
  return key;
}

/** Reads public keys, one PEM block after the other. @throws ToolError when there is none in the file */
export function readTrustedKeys(path: string): KeyObject[] {
  const text = readImage(path, "trusted public key", TRUST_BYTES_MAX).toString("utf8");
  const blocks = text.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  try {
    const keys = blocks.map((block) => createPublicKey(block));
    if (keys.length > 0 && keys.every(({ asymmetricKeyType }) => asymmetricKeyType === "ed25519"))
      return keys;
  } catch {
    // said below
  }
  throw new ToolError(
    ExitCode.Usage,
    `'${path}' holds no Ed25519 public key; take the .pub file that 'salestag bundle keygen' made.`,
  );
}

/**
 * @param path named by the user; without one the default is taken if it is there
 * @throws ToolError when there is no key at all and unsigned bundles are not allowed
 */
export function readTrust(
  path: string | undefined,
  allowUnsigned: boolean,
  environment: NodeJS.ProcessEnv,
): Trust {
  if (path !== undefined) return { keys: readTrustedKeys(path), allowUnsigned };
  const usual = defaultTrustPath(environment);
  if (existsSync(usual)) return { keys: readTrustedKeys(usual), allowUnsigned };
  if (!allowUnsigned)
    throw new ToolError(
      ExitCode.Keys,
      `there is no public key to check a bundle with; name the team's with --trust, or put it into '${usual}'.`,
    );
  return { keys: [], allowUnsigned };
}

/** What comes before the 32 bytes of an Ed25519 key in DER (RFC 8410). */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** @param hex 64 hexadecimal digits @returns the Ed25519 public key with these bytes */
export function publicKeyOf(hex: string): KeyObject {
  const key = Buffer.concat([SPKI_PREFIX, Buffer.from(hex, "hex")]);
  return createPublicKey({ key, format: "der", type: "spki" });
}

/** @returns the 32 bytes of an Ed25519 public key, also of a private key's */
export function publicBytes(key: KeyObject): Buffer {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return publicKey.export({ type: "spki", format: "der" }).subarray(-RAW_KEY_BYTES);
}
