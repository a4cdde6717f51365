// What the options on consent come to, for commands in which a policy may be left out.
import type { ConsentPolicy } from "@salestag/protocol";
import { ExitCode, ToolError } from "@salestag/protocol/team";

export interface ConsentFlags {
  policy?: ConsentPolicy["policy"];
  withinS: number;
  yes: string[];
  no: string[];
}

/** @returns the setting `consent`; undefined where no policy is named @throws ToolError for phrases without the policy that asks for them */
export function consentOf({ policy, withinS, yes, no }: ConsentFlags): Partial<ConsentPolicy> | undefined {
  if (policy !== "verbal" && yes.length + no.length > 0)
    throw new ToolError(ExitCode.Usage, "--yes and --no belong to --policy verbal.");
  if (policy === undefined) return undefined;
  return policy === "verbal" ? { policy, withinMs: withinS * 1000, yes, no } : { policy };
}
