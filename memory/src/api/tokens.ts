// Who asks: JSON Web Tokens (RFC 7519), signed with the team's own secret (HS256, as Supabase does) or with a key that a JWKS URL names (RS256, ES256).
import type { Clock } from "@salestag/protocol/service";
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
  SignJWT,
} from "jose";
import { Problem } from "./problem";

/** Whose tokens count. */
export type TokenSettings = {
  /** `iss` of every token. */
  issuer: string;
  /** One of `aud`. */
  audience: string;
} & (
  | { /** At least 32 bytes, shared with who signs. */ secret: Buffer }
  | { /** Where the public keys lie; https, or http on loopback. */ jwksUrl: string }
);

/** `aud` and `role` of tokens of people who signed in, as Supabase names them. */
export const AUDIENCE_DEFAULT = "authenticated";
export const ROLE = "authenticated";
/** `iss` of tokens that the team signs itself. */
export const ISSUER_DEFAULT = "salestag-memory";
/** RFC 7518, section 3.2: as long as the hash. */
export const SECRET_BYTES_MIN = 32;
const SUBJECT_LENGTH_MAX = 200;
const JWKS_TIMEOUT_MS = 5_000;
const JWKS_BYTES_MAX = 256 * 1024;
const LOOPBACK_HOSTS = ["127.0.0.1", "[::1]", "localhost"];

/** What a token that was checked says. */
export interface Verified {
  sub: string;
  /** Unix time in ms from which on it counts no more. */
  expiresUnixMs: number;
}

export type TokenVerifier = (token: string) => Promise<Verified>;

/**
 * @returns checks tokens; it throws Problem 401 for one that does not count, 503 where the keys cannot be had now
 * @throws RangeError for settings that cannot be used
 */
export function tokenVerifier(settings: TokenSettings, clock: Clock): TokenVerifier {
  const { issuer, audience } = settings;
  const own = "secret" in settings;
  const key = own ? secretKey(settings.secret) : remoteKeys(settings.jwksUrl);
  const algorithms = own ? ["HS256"] : ["RS256", "ES256"];
  return async (token) => {
    const currentDate = new Date(clock.unixMs());
    const options = { algorithms, issuer, audience, currentDate, requiredClaims: ["exp", "sub"] };
    try {
      const { payload } = await (typeof key === "function"
        ? jwtVerify(token, key, options)
        : jwtVerify(token, key, options));
      return verifiedOf(payload);
    } catch (cause) {
      throw problemOf(cause);
    }
  };
}

function secretKey(secret: Buffer): Uint8Array {
  if (secret.length < SECRET_BYTES_MIN)
    throw new RangeError(
      `the secret for tokens has ${secret.length} bytes: it must have at least ${SECRET_BYTES_MIN}`,
    );
  return new Uint8Array(secret);
}

function remoteKeys(address: string): JWTVerifyGetKey {
  const url = new URL(address);
  const safe =
    url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK_HOSTS.includes(url.hostname));
  if (!safe)
    throw new RangeError(`keys for tokens must come over https, or from loopback: not from ${url.origin}`);
  return createRemoteJWKSet(url, { timeoutDuration: JWKS_TIMEOUT_MS, [customFetch]: fetchBounded });
}

/** Fetches a document of bounded size, without following it elsewhere. */
async function fetchBounded(address: string, options: RequestInit): Promise<Response> {
  const response = await fetch(address, { ...options, redirect: "manual" });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > JWKS_BYTES_MAX) throw new Error(`the keys at ${address} are over ${JWKS_BYTES_MAX} bytes`);
    parts.push(part);
  }
  return new Response(Buffer.concat(parts), { status: response.status, headers: response.headers });
}

function verifiedOf({ sub, exp, role }: JWTPayload): Verified {
  if (typeof sub !== "string" || sub.length === 0 || sub.length > SUBJECT_LENGTH_MAX || sub.includes("\0"))
    throw refused("its subject is no text of 1 to 200 characters");
  if (role !== ROLE) throw refused(`its role is not '${ROLE}'`);
  return { sub, expiresUnixMs: (exp as number) * 1000 };
}

function refused(why: string): Problem {
  return new Problem(401, `The token does not count: ${why}. Sign in again.`);
}

/** Nothing of the token itself goes into an answer. */
function problemOf(cause: unknown): unknown {
  if (cause instanceof Problem) return cause;
  if (cause instanceof errors.JWTExpired) return refused("it has expired");
  if (cause instanceof errors.JWTClaimValidationFailed)
    return refused(`its claim '${cause.claim}' is not as it must be`);
  if (cause instanceof errors.JOSEAlgNotAllowed)
    return refused("it is signed in a way that is not taken here");
  if (cause instanceof errors.JWKSNoMatchingKey) return refused("nobody knows the key that signed it");
  if (cause instanceof errors.JWSSignatureVerificationFailed) return refused("its signature is wrong");
  if (cause instanceof errors.JWSInvalid || cause instanceof errors.JWTInvalid)
    return refused("it is no signed token");
  if (cause instanceof errors.JOSENotSupported) return refused("it asks for what is not known here");
  if (cause instanceof errors.JWKSMultipleMatchingKeys) return refused("it does not name its key");
  return new Problem(503, "The keys that tokens are checked with cannot be had now: try again later.");
}

/**
 * Signs a token with the team's own secret.
 * @param lifetimeS seconds from now for which it counts
 */
export function signToken(
  settings: { secret: Buffer; issuer: string; audience: string },
  subject: string,
  lifetimeS: number,
  nowMs: number,
): Promise<string> {
  const nowS = Math.floor(nowMs / 1000);
  return new SignJWT({ role: ROLE })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(subject)
    .setIssuer(settings.issuer)
    .setAudience(settings.audience)
    .setIssuedAt(nowS)
    .setExpirationTime(nowS + lifetimeS)
    .sign(secretKey(settings.secret));
}
