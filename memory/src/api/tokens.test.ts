// Tokens: which count, which do not.
import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, type KeyObject } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "@salestag/protocol/service";
import { SignJWT } from "jose";
import { Problem } from "./problem";
import { signToken, type TokenSettings, tokenVerifier } from "./tokens";

const NOW_MS = Date.UTC(2026, 0, 1);
const NOW_S = NOW_MS / 1000;
const clock: Clock = { unixMs: () => NOW_MS, steadyMs: () => 0, after: () => () => {} };
const SECRET = Buffer.alloc(32, 7);
const OWN = { secret: SECRET, issuer: "us", audience: "authenticated" };
const CLAIMS = { sub: "kim", iss: "us", aud: "authenticated", role: "authenticated", exp: NOW_S + 60 };

function encoded(value: object | string): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}

/** Signs whatever is given. */
function hs256(header: object, claims: object | string, secret: Buffer | string = SECRET): string {
  const body = `${encoded(header)}.${encoded(claims)}`;
  return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`;
}

function refuses(status: number, words: RegExp) {
  return (error: unknown) =>
    error instanceof Problem &&
    error.status === status &&
    words.test(error.message) &&
    !/eyJ/.test(error.message);
}

describe("memory: tokens of the team's own secret", () => {
  const verify = tokenVerifier(OWN, clock);
  const good = { alg: "HS256", typ: "JWT" };

  it("tokens: what signToken signs counts until it expires", async () => {
    const token = await signToken(OWN, "kim", 60, NOW_MS);
    assert.deepEqual(await verify(token), { sub: "kim", expiresUnixMs: NOW_MS + 60_000 });
    const later = tokenVerifier(OWN, { ...clock, unixMs: () => NOW_MS + 60_000 });
    await assert.rejects(later(token), refuses(401, /expired/));
  });

  const refused: [string, string, RegExp][] = [
    ["another secret", hs256(good, CLAIMS, Buffer.alloc(32, 8)), /signature/],
    ["no signature", `${encoded({ alg: "none" })}.${encoded(CLAIMS)}.`, /./],
    ["alg none, signed", hs256({ alg: "none" }, CLAIMS), /./],
    ["alg HS512", hs256({ alg: "HS512" }, CLAIMS), /signed in a way/],
    ["alg RS256", hs256({ alg: "RS256" }, CLAIMS), /signed in a way/],
    ["a critical header that nobody knows", hs256({ ...good, crit: ["x"], x: 1 }, CLAIMS), /./],
    ["no exp", hs256(good, { ...CLAIMS, exp: undefined }), /'exp'/],
    ["exp a text", hs256(good, { ...CLAIMS, exp: "never" }), /'exp'/],
    ["expired", hs256(good, { ...CLAIMS, exp: NOW_S - 1 }), /expired/],
    ["not yet", hs256(good, { ...CLAIMS, nbf: NOW_S + 10 }), /'nbf'/],
    ["another audience", hs256(good, { ...CLAIMS, aud: "anon" }), /'aud'/],
    ["another issuer", hs256(good, { ...CLAIMS, iss: "them" }), /'iss'/],
    ["no issuer", hs256(good, { ...CLAIMS, iss: undefined }), /'iss'/],
    ["role anon", hs256(good, { ...CLAIMS, role: "anon" }), /role/],
    ["role service_role", hs256(good, { ...CLAIMS, role: "service_role" }), /role/],
    ["no role", hs256(good, { ...CLAIMS, role: undefined }), /role/],
    ["no subject", hs256(good, { ...CLAIMS, sub: undefined }), /'sub'/],
    ["an empty subject", hs256(good, { ...CLAIMS, sub: "" }), /subject/],
    ["a subject that is no text", hs256(good, { ...CLAIMS, sub: { $ne: 1 } }), /subject/],
    ["a long subject", hs256(good, { ...CLAIMS, sub: "k".repeat(201) }), /subject/],
    ["claims that are no JSON", hs256(good, "{"), /./],
    ["claims that are a list", hs256(good, [CLAIMS]), /./],
    ["no token at all", "a.b.c", /./],
  ];
  for (const [what, token, words] of refused)
    it(`tokens: refused (${what})`, () => assert.rejects(verify(token), refuses(401, words)));

  it("tokens: a secret that is too short is refused at once", () => {
    assert.throws(() => tokenVerifier({ ...OWN, secret: Buffer.alloc(31) }, clock), /31 bytes/);
  });
});

describe("memory: tokens of a JWKS URL", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const curve = generateKeyPairSync("ec", { namedCurve: "P-256" });
  let server: Server;
  let answer: string;
  let settings: TokenSettings;

  before((done) => {
    server = createServer((_request, response) => response.end(answer)).listen(0, "127.0.0.1", done);
  });
  beforeEach(() => {
    const { port } = server.address() as AddressInfo;
    settings = { jwksUrl: `http://127.0.0.1:${port}/jwks`, issuer: "us", audience: "authenticated" };
    answer = JSON.stringify({ keys: [jwk(rsa.publicKey, "r"), jwk(curve.publicKey, "e")] });
  });
  after(() => server.close());

  function jwk(key: KeyObject, kid: string) {
    return { ...key.export({ format: "jwk" }), kid };
  }

  function signed(alg: string, kid: string, key: KeyObject): Promise<string> {
    return new SignJWT({ ...CLAIMS }).setProtectedHeader({ alg, kid }).sign(key);
  }

  it("tokens: RS256 and ES256 count", async () => {
    const verify = tokenVerifier(settings, clock);
    for (const token of [
      await signed("RS256", "r", rsa.privateKey),
      await signed("ES256", "e", curve.privateKey),
    ])
      assert.equal((await verify(token)).sub, "kim");
  });

  it("tokens: a public key is no secret (HS256 with the PEM or the JWK)", async () => {
    const verify = tokenVerifier(settings, clock);
    const pem = rsa.publicKey.export({ format: "pem", type: "spki" }) as string;
    for (const secret of [pem, pem.trim(), answer])
      await assert.rejects(
        verify(hs256({ alg: "HS256", kid: "r" }, CLAIMS, secret)),
        refuses(401, /signed in a way/),
      );
  });

  it("tokens: another key's signature, and an unknown key, are refused", async () => {
    const verify = tokenVerifier(settings, clock);
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
    await assert.rejects(verify(await signed("ES256", "e", other.privateKey)), refuses(401, /signature/));
    await assert.rejects(verify(await signed("ES256", "x", other.privateKey)), refuses(401, /nobody knows/));
  });

  for (const [what, text] of [
    ["garbage", "<html>"],
    ["endless", " ".repeat(300_000)],
    ["no keys", "{}"],
  ])
    it(`tokens: keys that cannot be had are our trouble, not the asker's (${what})`, async () => {
      answer = text;
      const verify = tokenVerifier(settings, clock);
      await assert.rejects(verify(await signed("RS256", "r", rsa.privateKey)), refuses(503, /keys/));
    });

  for (const jwksUrl of ["http://keys.example/jwks", "ftp://127.0.0.1/jwks"])
    it(`tokens: keys are not fetched in the clear (${jwksUrl})`, () => {
      assert.throws(() => tokenVerifier({ ...settings, jwksUrl }, clock), /https/);
    });
});
