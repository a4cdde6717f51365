// Sinks as they are named on the command line.
import type { Disk } from "../disk";
import { ExitCode, RelayError } from "../errors";
import { folderSink } from "./folder";
import type { Sink } from "./sink";

/**
 * @param name `folder:DIR`
 * @throws RelayError for anything else
 */
export function parseSink(name: string, disk: Disk): Sink {
  const colon = name.indexOf(":");
  const place = name.slice(colon + 1);
  if (colon > 0 && place !== "" && name.slice(0, colon) === "folder") return folderSink(place, disk);
  throw new RelayError(ExitCode.Usage, `sink must be folder:DIR, got ${JSON.stringify(name)}`);
}
