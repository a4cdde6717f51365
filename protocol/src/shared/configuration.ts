// A configuration that the team sends to one badge through the relay: the settings `tuning` and `consent`, as docs/provisioning.md has them. Frame body of type
// 129 (docs/wire-format.md, "Configuration").
import { equalBytes } from "./bytes";
import { CborReader, CborWriter } from "./cbor";
import type { Crypto } from "./crypto";
import { configurationKeyOf } from "./keys";
import { type LetterHeader, letterHeader, readLetter, sealLetter } from "./letter";

/** Longest text of a setting in a configuration, in bytes of UTF-8: what a badge can keep. */
export const CONFIGURATION_TEXT_BYTES_MAX = 200;
const CONTENT_BYTES_MAX = 2 * CONFIGURATION_TEXT_BYTES_MAX + 8;
const SEALED_BYTES_MAX = CONTENT_BYTES_MAX + 16;

/** One configuration. */
export interface Configuration {
  /** Rises from configuration to configuration of a badge, from 1: an earlier one is not used any more. */
  version: number;
  /** Value of the setting `tuning`, JSON; empty to leave it as it is. */
  tuning: string;
  /** Value of the setting `consent`, JSON; empty to leave it as it is. */
  consent: string;
}

/** @returns the body of a configuration frame */
export function sealConfiguration(
  crypto: Crypto,
  inboxKey: Buffer,
  badgeId: Buffer,
  configuration: Configuration,
): Buffer {
  const header = letterHeader(badgeId, configuration.version);
  const plaintext = new CborWriter(CONTENT_BYTES_MAX)
    .array(2)
    .text(configuration.tuning)
    .text(configuration.consent)
    .done();
  return sealLetter(crypto, configurationKeyOf(crypto, inboxKey, header), header, plaintext);
}

/**
 * Reads what a relay may know of a configuration; its number is the version.
 * @throws FormatError when the body has not the form of a configuration
 */
export function readConfigurationHeader(body: Buffer): LetterHeader {
  return readLetter("configuration", body, SEALED_BYTES_MAX);
}

/**
 * @returns the configuration; undefined when the team did not make it, for this badge
 * @throws FormatError when the body has not the form of a configuration
 */
export function openConfiguration(
  crypto: Crypto,
  inboxKey: Buffer,
  badgeId: Buffer,
  body: Buffer,
): Configuration | undefined {
  const letter = readLetter("configuration", body, SEALED_BYTES_MAX);
  if (!equalBytes(letter.badgeId, badgeId)) return undefined;
  const plaintext = crypto.open(configurationKeyOf(crypto, inboxKey, letter.header), letter.sealed);
  if (plaintext === undefined) return undefined;
  const inner = new CborReader(plaintext);
  inner.array("configuration content", 2, 2);
  const tuning = inner.text("tuning of a configuration", CONFIGURATION_TEXT_BYTES_MAX);
  const consent = inner.text("consent of a configuration", CONFIGURATION_TEXT_BYTES_MAX);
  inner.end("configuration content");
  return { version: letter.id, tuning, consent };
}
