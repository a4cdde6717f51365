// Which badge a command means: the one of --badge, or the only one that is plugged in.
import { ExitCode, ToolError } from "@salestag/protocol/team";
import { listPorts, type PortPlaces, placesHere } from "./port-list";

/**
 * @param flag what --badge says
 * @returns the port to open
 * @throws ToolError without the flag, when no badge is plugged in, or several are
 */
export async function resolveBadge(flag: string | undefined, places?: PortPlaces): Promise<string> {
  if (flag !== undefined) return flag;
  const at = places ?? placesHere();
  const badges = (await listPorts(at)).filter(({ kind }) => kind === "badge").map(({ path }) => path);
  if (badges.length === 1) return badges[0];
  if (badges.length > 1)
    throw new ToolError(
      ExitCode.Usage,
      `${badges.length} badges are plugged in (${badges.join(", ")}); say which one with --badge.`,
    );
  const looked = at.linkFolders.length === 0 ? "" : ` and none is in ${at.linkFolders.join(", ")}`;
  throw new ToolError(
    ExitCode.Badge,
    `no badge is plugged in${looked}; plug one in, or name its port with --badge ('salestag ports --all' lists them).`,
  );
}
