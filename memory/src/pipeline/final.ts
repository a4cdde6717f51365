// Makes a conversation final: all its chunks are opened, put in their places in time, and written in one transaction.

import { type Conversation, openConversation, type Timeline } from "@salestag/protocol/team";
import type { Archive, Place } from "../ingest/archive";
import type { Keyring } from "../ingest/keyring";
import { conversationId } from "../model/conversation-id";
import { BADGE_SOURCE, type Transcript } from "../model/transcript";
import type { Database, Session } from "../store/database";
import { badgeTranscript, type Heard, transcriptOf } from "../transcribe";
import type { BootClocks } from "./boot-clocks";
import { isErased, redate, standingOf, type Whose, whoseIs, writeFinal } from "./rows";

export interface FinalParts {
  archive: Archive;
  keyring: Keyring;
  clocks: BootClocks;
  database: Database;
  /** Badges whose team is not told belong to it. */
  teamId: string;
  /** BCP 47, of the team's key phrases. */
  language: string;
}

/** What became of it. */
export type Outcome =
  /** Nobody consented, or it was erased: nothing is written. */
  | { kind: "not stored" }
  /** It stands as it was, for these very chunks. */
  | { kind: "stood" }
  | { kind: "written"; id: string; whose: Whose; transcribedBy: string };

/** A transcriber's work as it is kept: what was heard, and for how many chunks it is. */
export interface KeptTranscript extends Heard {
  chunks: number;
}

const CHECK = "check";

/** @returns a conversation opened, dated as well as anything in the archive can. @throws ToolError when the vault has not its key */
export async function openPlace(
  { archive, keyring, clocks }: Pick<FinalParts, "archive" | "keyring" | "clocks">,
  place: Place,
): Promise<Conversation & { chunks: number }> {
  const { badge, epoch } = place;
  const key = await keyring.epochKey(place);
  const { records, problems } = archive.read(place);
  const open = (begunMs?: number) =>
    openConversation(badge, epoch, key, [...records], problems, () => begunMs);
  const first = open();
  const chunks = records.length + problems.length;
  const { startUnixSource, boot } = first.timeline;
  if (startUnixSource === "badge clock" || boot === null) return { ...first, chunks };
  const begunMs = await clocks.find(place, boot);
  return { ...(begunMs === undefined ? first : open(begunMs)), chunks };
}

/** Writes a conversation, or leaves it where it stands for the same chunks. @throws ToolError when the vault has not its key */
export async function makeFinal(parts: FinalParts, place: Place): Promise<Outcome> {
  const { timeline, chunks } = await openPlace(parts, place);
  const { consent, badge, epoch } = timeline;
  if (consent === null || consent.means === CHECK) return { kind: "not stored" };
  const label = await parts.keyring.labelOf(badge);
  const id = conversationId(badge, epoch);
  return parts.database.system(async (session): Promise<Outcome> => {
    if (await isErased(session, id)) return { kind: "not stored" };
    const whose = await whoseIs(session, badge, timeline.startUnixMs, { teamId: parts.teamId, label });
    const standing = await standingOf(session, id);
    if (standing?.state === "final" && standing.chunks === chunks) {
      await redate(session, timeline, whose);
      return { kind: "stood" };
    }
    const transcript = await transcriptFor(session, timeline, chunks, parts.language);
    await writeFinal(session, timeline, chunks, transcript, whose);
    return { kind: "written", id, whose, transcribedBy: transcript.source };
  });
}

/** @returns what a transcriber made of these very chunks, else what the badge heard */
async function transcriptFor(
  session: Session,
  timeline: Timeline,
  chunks: number,
  language: string,
): Promise<Transcript> {
  const { turns, phrases, durationMs, badge, epoch } = timeline;
  const kept = await keptTranscript(session, conversationId(badge, epoch));
  if (kept?.chunks === chunks) return transcriptOf(kept, turns, kept.source, durationMs);
  return badgeTranscript(turns, phrases, durationMs, language);
}

/** @returns a transcriber's work that was kept, and its name */
export async function keptTranscript(
  session: Session,
  id: string,
): Promise<(KeptTranscript & { source: string }) | undefined> {
  const [row] = await session.query<{ source: string; body: KeptTranscript }>(
    "select source, body from salestag.transcript where conversation_id = $1 and source <> $2",
    [id, BADGE_SOURCE],
  );
  return row === undefined ? undefined : { source: row.source, ...row.body };
}
