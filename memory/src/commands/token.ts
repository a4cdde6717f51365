// `salestag-memory token`: signs a token with the team's own secret, for people and programs that have no other way to sign in.
import { signToken, type TokenSettings } from "../api/tokens";
import { ExitCode, MemoryError } from "../errors";

const HOURS_MAX = 24 * 366;
const HOUR_S = 3600;

/**
 * @param subject of a person, `person add --subject`
 * @param hours from now for which it counts
 * @throws MemoryError where tokens are somebody else's to sign, or the hours are none
 */
export async function tokenFor(
  settings: TokenSettings | undefined,
  subject: string,
  hours: string,
  nowUnixMs: number,
): Promise<string> {
  if (settings === undefined || !("secret" in settings))
    throw new MemoryError(
      ExitCode.Usage,
      "the configuration names no api.jwt.secretFile: whoever has the keys behind its jwksUrl signs the tokens",
    );
  const lifetimeH = Number(hours);
  if (!Number.isFinite(lifetimeH) || lifetimeH <= 0 || lifetimeH > HOURS_MAX)
    throw new MemoryError(ExitCode.Usage, `--hours must be above 0 and at most ${HOURS_MAX}, got '${hours}'`);
  if (subject === "") throw new MemoryError(ExitCode.Usage, "a subject has at least one character");
  return await signToken(settings, subject, Math.ceil(lifetimeH * HOUR_S), nowUnixMs);
}
