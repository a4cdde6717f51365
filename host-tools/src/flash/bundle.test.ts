// Bundles: the document's test vector, each byte damaged, signers, and the command that makes them.
import assert from "node:assert/strict";
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ExitCode } from "@salestag/protocol/team";
import { modeOf, runProgram, toolError, useFolder } from "@salestag/protocol/testing";
import { type Bundle, makeBundle, openBundle, readBundle } from "./bundle";
import { smallImages } from "./images.fixture";
import {
  createSigningKey,
  defaultTrustPath,
  publicBytes,
  readSigningKey,
  readTrust,
  readTrustedKeys,
} from "./signing";

/** The key of RFC 8032, section 7.1, test 1. */
const VECTOR_KEY = createPrivateKey({
  key: Buffer.concat([
    Buffer.from("302e020100300506032b657004220420", "hex"),
    Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex"),
  ]),
  format: "der",
  type: "pkcs8",
});

describe("bundle", () => {
  const folder = useFolder();
  const file = () => join(folder(), "badge.stb");
  const images = smallImages();
  const write = (bytes: Buffer): string => {
    writeFileSync(file(), bytes);
    return file();
  };
  const trust = (...keys: KeyObject[]) => ({ keys, allowUnsigned: false });

  it("bundle: the document's vector", () => {
    const bytes = makeBundle("1.4.0", images, VECTOR_KEY);
    assert.equal(bytes.subarray(0, 18).toString("hex"), "53616c657354616742756e646c650d0a" + "00f9");
    const end = 18 + 0xf9;
    assert.equal(bytes.subarray(18, 39).toString("hex"), "825891830165312e342e3083836772756e74696d65");
    assert.ok(bytes.subarray(end).equals(Buffer.concat([images.runtime, images.program, images.board])));
    assert.equal(
      createHash("sha256").update(bytes).digest("hex"),
      "e3886bf53f47eb292f2cb3d851ecebb9557a59ea496b124c5fc989a136f4ec66",
    );
  });

  it("bundle: what was put in comes out, signed and not signed", () => {
    const signed = readBundle(write(makeBundle("1.4.0", images, VECTOR_KEY)), trust(VECTOR_KEY));
    const expected: Bundle = { version: "1.4.0", images, signer: publicBytes(VECTOR_KEY).toString("hex") };
    assert.deepEqual(signed, expected);
    const bare = readBundle(write(makeBundle("1.4.0", images)), { keys: [], allowUnsigned: true });
    assert.deepEqual(bare, { ...expected, signer: undefined });
  });

  it("bundle: a stranger's and an unsigned one are refused, whatever is allowed", () => {
    const stranger = generateKeyPairSync("ed25519").publicKey;
    const signed = write(makeBundle("1.4.0", images, VECTOR_KEY));
    assert.throws(
      () => readBundle(signed, trust(stranger)),
      toolError(ExitCode.Keys, /signed by key d75a980182b10ab7, which you do not trust/),
    );
    assert.throws(
      () => readBundle(signed, { keys: [], allowUnsigned: true }),
      toolError(ExitCode.Keys, /do not trust/),
    );
    assert.equal(readBundle(signed, trust(stranger, VECTOR_KEY)).version, "1.4.0");
    assert.throws(
      () => readBundle(write(makeBundle("1", images)), trust(VECTOR_KEY)),
      toolError(ExitCode.Keys, /is not signed; .* --allow-unsigned/),
    );
  });

  it("bundle: a bit flipped anywhere is noticed (head: every byte; parts: first, middle and last)", () => {
    const whole = makeBundle("1.4.0", images, VECTOR_KEY);
    const partsAt = whole.length - images.runtime.length - images.program.length - images.board.length;
    const places = Array.from({ length: partsAt }, (_, at) => at);
    let at = partsAt;
    for (const { length } of [images.runtime, images.program, images.board]) {
      places.push(at, at + (length >> 1), at + length - 1);
      at += length;
    }
    for (const place of places) {
      const bytes = Buffer.from(whole);
      bytes[place] ^= 0x10;
      assert.throws(() => readBundle(write(bytes), trust(VECTOR_KEY)), toolErrorOfAny, `byte ${place}`);
    }
  });

  it("bundle: cut off anywhere, or with something behind it, it is refused", () => {
    const whole = makeBundle("1.4.0", images, VECTOR_KEY);
    for (const length of [0, 5, 16, 17, 18, 100, 266, 267, 300, whole.length - 1])
      assert.throws(
        () => openBundle(write(whole.subarray(0, length))),
        toolError(ExitCode.Damaged, /no whole bundle/),
        `${length}`,
      );
    assert.throws(
      () => openBundle(write(Buffer.concat([whole, Buffer.alloc(1)]))),
      toolError(ExitCode.Damaged, /1 bytes too many/),
    );
  });

  it("bundle: versions and images that cannot be used are refused when it is made", () => {
    for (const version of ["", "a b", "x".repeat(65), "1\n", "é"])
      assert.throws(() => makeBundle(version, images), toolError(ExitCode.Usage, /version must be/));
    assert.throws(
      () => makeBundle("1", { ...images, program: images.board }),
      toolError(ExitCode.Usage, /program cannot be used/),
    );
  });

  it("bundle: too long for any is refused before it is read", () => {
    assert.throws(
      () => openBundle(write(Buffer.alloc(3_000_000))),
      toolError(ExitCode.Usage, /3000000 bytes, more than/),
    );
    assert.throws(() => openBundle(join(folder(), "none")), toolError(ExitCode.Usage, /there is no file/));
  });
});

function toolErrorOfAny(error: unknown): true {
  const { name, message } = error as Error;
  assert.equal(name, "ToolError", message);
  return true;
}

describe("signing keys", () => {
  const folder = useFolder();
  const path = () => join(folder(), "team.key");

  it("signing: a new key is for its owner alone, openssl reads it, neither file is overwritten", () => {
    const { publicPath, signer } = createSigningKey(path());
    assert.deepEqual([modeOf(path()), modeOf(publicPath)], [0o600, 0o644]);
    assert.equal(publicBytes(readSigningKey(path())).toString("hex"), signer);
    assert.deepEqual(
      readTrustedKeys(publicPath).map((key) => publicBytes(key).toString("hex")),
      [signer],
    );
    const derived = runProgram("openssl", ["pkey", "-in", path(), "-pubout"]);
    assert.equal(derived.toString(), readFileSync(publicPath, "utf8"));
    const before = readFileSync(path(), "utf8");
    assert.throws(() => createSigningKey(path()), toolError(ExitCode.Usage, /is there already/));
    assert.equal(readFileSync(path(), "utf8"), before);
  });

  it("signing: a key that others may read, or that is none, is refused without being quoted", () => {
    createSigningKey(path());
    chmodSync(path(), 0o640);
    assert.throws(() => readSigningKey(path()), toolError(ExitCode.Usage, /other users may use it/));
    const other = join(folder(), "rsa.key");
    writeFileSync(
      other,
      generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }),
      { mode: 0o600 },
    );
    assert.throws(() => readSigningKey(other), toolError(ExitCode.Usage, /no Ed25519 private key/));
    assert.throws(() => readTrustedKeys(other), toolError(ExitCode.Usage, /no Ed25519 public key/));
  });

  it("signing: trusted keys, several in a file, from the usual place when none is named", () => {
    const environment = { XDG_CONFIG_HOME: folder() };
    assert.throws(
      () => readTrust(undefined, false, environment),
      toolError(ExitCode.Keys, /no public key to check a bundle with/),
    );
    assert.deepEqual(readTrust(undefined, true, environment), { keys: [], allowUnsigned: true });
    const [one, two] = ["one", "two"].map((name) => createSigningKey(join(folder(), name)));
    const both = readFileSync(one.publicPath, "utf8") + readFileSync(two.publicPath, "utf8");
    const usual = defaultTrustPath(environment);
    assert.equal(usual, join(folder(), "salestag", "bundle-trust.pem"));
    assert.equal(existsSync(usual), false);
    const named = join(folder(), "both.pem");
    writeFileSync(named, both);
    assert.equal(readTrust(named, false, environment).keys.length, 2);
    mkdirSync(join(folder(), "salestag"));
    copyFileSync(two.publicPath, usual);
    const keys = readTrust(undefined, false, environment).keys;
    assert.deepEqual(
      keys.map((key) => publicBytes(key).toString("hex")),
      [two.signer],
    );
  });
});
