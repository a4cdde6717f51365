// A conversation's audio as a file that any player plays, opened when somebody asks for it.
import { fillGaps, oggOpus, ToolError } from "@salestag/protocol/team";
import type { Place } from "../ingest/archive";
import { type FinalParts, openPlace } from "./final";

const INPUT_RATE_HZ = 16_000;
const CHECK = "check";

/** @returns Ogg Opus; undefined where no audio of it is here, nobody consented, or its key is gone */
export async function audioAt(
  parts: Pick<FinalParts, "archive" | "keyring" | "clocks">,
  place: Place,
): Promise<Buffer | undefined> {
  if (parts.archive.count(place) === 0) return undefined;
  try {
    const { packets, timeline } = await openPlace(parts, place);
    const { consent } = timeline;
    if (packets.length === 0 || consent === null || consent.means === CHECK) return undefined;
    const serial = Number.parseInt(place.badge.slice(8), 16);
    return oggOpus(fillGaps(packets), { serial, inputRateHz: INPUT_RATE_HZ, comments: [] });
  } catch (cause) {
    if (cause instanceof ToolError) return undefined; // shredded
    throw cause;
  }
}
