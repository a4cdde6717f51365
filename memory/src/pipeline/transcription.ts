// The stage that has conversations transcribed: those that so far have only what the badge heard. What a transcriber says is kept as it was given, so that it
// need not be asked again.
import type { Timeline } from "@salestag/protocol/team";
import type { Place } from "../ingest/archive";
import { BADGE_SOURCE } from "../model/transcript";
import type { Database, Session } from "../store/database";
import { type Heard, type Transcriber, transcriptOf } from "../transcribe";
import { type FinalParts, type KeptTranscript, keptTranscript, openPlace } from "./final";
import { replaceTranscript } from "./rows";
import type { Stage } from "./stage";

export interface TranscriptionParts extends Pick<FinalParts, "archive" | "keyring" | "clocks"> {
  database: Database;
  transcriber: Transcriber;
  nowUnixMs: () => number;
  /** Told when a conversation has its words. */
  onDone: (id: string) => void;
  /** Told when it has them not, yet: what the badge heard is good for something, too. */
  onFailure: (id: string) => void;
}

interface Waiting extends Place {
  chunks: number;
}

export function transcriptionStage(parts: TranscriptionParts): Stage {
  const { database, transcriber, onDone, onFailure } = parts;
  return {
    name: "transcription",
    onFailure,
    async due() {
      const rows = await database.system((session) =>
        session.query<{ id: string }>(
          "select id from salestag.conversation where state = 'final' and transcribed_by = $1 order by started_at desc",
          [BADGE_SOURCE],
        ),
      );
      return rows.map(({ id }) => id);
    },
    async work(id, signal) {
      const waiting = await database.system((session) => waitingFor(session, id));
      if (waiting === undefined) return;
      const { timeline, packets, chunks } = await openPlace(parts, waiting);
      if (chunks !== waiting.chunks) return; // more came: it is made final anew, and comes here again
      const heard = await transcriber.transcribe({ packets, durationMs: timeline.durationMs }, signal);
      if (await database.system((session) => keep(session, id, timeline, chunks, heard, parts))) onDone(id);
    },
  };
}

/** @returns where its chunks are, if it still waits for a transcriber */
async function waitingFor(session: Session, id: string): Promise<Waiting | undefined> {
  const [row] = await session.query<Waiting>(
    `select badge_id as badge, epoch, chunks from salestag.conversation
      where id = $1 and state = 'final' and transcribed_by = $2`,
    [id, BADGE_SOURCE],
  );
  return row;
}

/** @returns false when the conversation changed meanwhile, or is gone: then nothing is kept */
async function keep(
  session: Session,
  id: string,
  { turns, durationMs }: Timeline,
  chunks: number,
  heard: Heard,
  { transcriber, nowUnixMs }: TranscriptionParts,
): Promise<boolean> {
  const still = await waitingFor(session, id);
  if (still?.chunks !== chunks) return false;
  await session.query(
    `insert into salestag.transcript (conversation_id, source, body, made_at) values ($1, $2, $3, $4)
      on conflict (conversation_id) do update set source = excluded.source, body = excluded.body, made_at = excluded.made_at`,
    [
      id,
      transcriber.name,
      JSON.stringify({ chunks, ...heard } satisfies KeptTranscript),
      new Date(nowUnixMs()),
    ],
  );
  const kept = await keptTranscript(session, id);
  if (kept === undefined) throw new Error(`the transcript of conversation ${id} was not kept`);
  // From what the database gives back, as a rebuild does it.
  await replaceTranscript(session, id, transcriptOf(kept, turns, kept.source, durationMs));
  return true;
}
