// A bundle: what goes onto a badge in one signed file. docs/bundle.md has its bytes.
import type { KeyObject } from "node:crypto";
import { sign, verify } from "node:crypto";
import { CborReader, CborWriter, FormatError } from "@salestag/protocol/host";
import { ExitCode, ToolError } from "@salestag/protocol/team";
import { checkImages, IMAGE_BYTES_MAX, type ImageName, type Images, readImage, sha256 } from "./images";
import { publicBytes, publicKeyOf, type Trust } from "./signing";

export interface Bundle {
  /** Of the badge program, for people: 1 to 64 printable ASCII characters. */
  version: string;
  images: Images;
  /** Public key of who signed it, 64 hexadecimal digits; undefined when nobody did. */
  signer?: string;
}

const MAGIC = Buffer.from("SalesTagBundle\r\n"); // the line break tells transfers that take it for text
const FORMAT = 1;
const PARTS: ImageName[] = ["runtime", "program", "board"];
const HEAD_BYTES_MAX = 1024;
const NAME_BYTES_MAX = 16;
const DIGEST_BYTES = 32;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const DOMAIN = Buffer.from("salestag bundle 1\0");
const VERSION = /^[\x21-\x7e]{1,64}$/;

/** Longest bundle. */
export const BUNDLE_BYTES_MAX =
  MAGIC.length + HEAD_BYTES_MAX + PARTS.reduce((sum, name) => sum + IMAGE_BYTES_MAX[name], 0);

/**
 * @param key Ed25519 private key; without one the bundle is not signed
 * @throws ToolError when an image does not belong on a badge or the version cannot be used
 */
export function makeBundle(version: string, images: Images, key?: KeyObject): Buffer {
  if (!VERSION.test(version))
    throw new ToolError(
      ExitCode.Usage,
      "the version must be 1 to 64 printable characters without spaces, such as 1.4.0.",
    );
  checkImages(images);
  const contents = new CborWriter(HEAD_BYTES_MAX).array(3).uint(FORMAT).text(version).array(PARTS.length);
  for (const name of PARTS)
    contents
      .array(3)
      .text(name)
      .uint(images[name].length)
      .bytes(Buffer.from(sha256(images[name]), "hex"));
  const signed = contents.done();
  const head = new CborWriter(HEAD_BYTES_MAX).array(2).bytes(signed);
  if (key === undefined) head.array(0);
  else
    head
      .array(2)
      .bytes(publicBytes(key))
      .bytes(sign(null, Buffer.concat([DOMAIN, signed]), key));
  const headBytes = head.done();
  const length = Buffer.alloc(2);
  length.writeUInt16BE(headBytes.length);
  return Buffer.concat([MAGIC, length, headBytes, ...PARTS.map((name) => images[name])]);
}

/**
 * @param trust whose bundles are taken
 * @throws ToolError when it cannot be read, is damaged, or is not signed by somebody trusted
 */
export function readBundle(path: string, trust: Trust): Bundle {
  const bundle = openBundle(path);
  if (bundle.signer === undefined) {
    if (!trust.allowUnsigned)
      throw new ToolError(
        ExitCode.Keys,
        `'${path}' is not signed; take one that is, or add --allow-unsigned for one that you built yourself.`,
      );
  } else if (!trust.keys.some((key) => publicBytes(key).toString("hex") === bundle.signer))
    throw new ToolError(
      ExitCode.Keys,
      `'${path}' is signed by key ${bundle.signer.slice(0, 16)}, which you do not trust; name the team's public key with --trust, if this is it.`,
    );
  return bundle;
}

/** Reads a bundle and checks everything in it, but not whether its signer is trusted. @throws ToolError when it is damaged */
export function openBundle(path: string): Bundle {
  const bytes = readImage(path, "bundle", BUNDLE_BYTES_MAX);
  try {
    return parseBundle(bytes);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new ToolError(ExitCode.Damaged, `'${path}' is no whole bundle: ${cause.message}; copy it again.`, {
      cause,
    });
  }
}

function parseBundle(bytes: Buffer): Bundle {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new FormatError("it does not begin like one");
  if (bytes.length < MAGIC.length + 2) throw new FormatError("it is cut off");
  const headEnd = MAGIC.length + 2 + bytes.readUInt16BE(MAGIC.length);
  if (headEnd > MAGIC.length + 2 + HEAD_BYTES_MAX || headEnd > bytes.length)
    throw new FormatError("its head is cut off");
  const head = new CborReader(Buffer.from(bytes.subarray(MAGIC.length + 2, headEnd)));
  head.array("head", 2, 2);
  const signed = head.bytes("contents", 1, HEAD_BYTES_MAX);
  const signer = readSigner(head, signed);
  head.end("head");
  const { version, parts } = readContents(signed);
  const images = readParts(bytes.subarray(headEnd), parts);
  return { version, images: checkImages(images), signer };
}

function readSigner(head: CborReader, signed: Buffer): string | undefined {
  if (head.array("signature", 0, 2) === 0) return undefined;
  const key = head.bytes("signer's key", KEY_BYTES, KEY_BYTES);
  const signature = head.bytes("signature", SIGNATURE_BYTES, SIGNATURE_BYTES);
  const signer = key.toString("hex");
  if (!verify(null, Buffer.concat([DOMAIN, signed]), publicKeyOf(signer), signature))
    throw new FormatError("its signature does not fit its contents");
  return signer;
}

interface Part {
  name: ImageName;
  lengthBytes: number;
  digest: string;
}

function readContents(signed: Buffer): { version: string; parts: Part[] } {
  const reader = new CborReader(signed);
  reader.array("contents", 3, 3);
  const format = reader.uint("format");
  if (format !== FORMAT)
    throw new FormatError(`it has format ${format}, this program reads format ${FORMAT}`);
  const version = reader.text("version", 64);
  if (!VERSION.test(version)) throw new FormatError("its version is not printable");
  reader.array("parts", PARTS.length, PARTS.length);
  const parts = PARTS.map((name) => {
    reader.array("part", 3, 3);
    if (reader.text("part's name", NAME_BYTES_MAX) !== name)
      throw new FormatError(`its ${name} is not where it should be`);
    const lengthBytes = reader.uint(`length of ${name}`, IMAGE_BYTES_MAX[name]);
    return {
      name,
      lengthBytes,
      digest: reader.bytes(`digest of ${name}`, DIGEST_BYTES, DIGEST_BYTES).toString("hex"),
    };
  });
  reader.end("contents");
  return { version, parts };
}

function readParts(bytes: Buffer, parts: Part[]): Images {
  const images: Partial<Images> = {};
  let at = 0;
  for (const { name, lengthBytes, digest } of parts) {
    const image = bytes.subarray(at, at + lengthBytes);
    if (image.length !== lengthBytes) throw new FormatError(`its ${name} is cut off`);
    if (sha256(image) !== digest) throw new FormatError(`its ${name} is damaged: the digest does not fit`);
    images[name] = Buffer.from(image);
    at += lengthBytes;
  }
  if (at !== bytes.length) throw new FormatError(`it has ${bytes.length - at} bytes too many`);
  return images as Images;
}
