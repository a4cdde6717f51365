// The stage that makes tags and insights of transcripts, and tells those who watch of them.
import type { Live } from "../live";
import type { Structurer } from "../model/structure";
import { BADGE_SOURCE } from "../model/transcript";
import type { Database } from "../store/database";
import { readTranscript, replaceStructure, type Whose } from "./rows";
import type { Stage } from "./stage";

export interface StructuringParts {
  database: Database;
  structurer: Structurer;
  live: Live;
  nowUnixMs: () => number;
  /** BCP 47, of what the badge itself heard. */
  language: string;
  /** Conversations that only the badge heard wait for the transcriber first, unless it failed. */
  transcribes: boolean;
  onDone: (id: string) => void;
}

export function structuringStage(parts: StructuringParts): Stage {
  const { database, structurer, onDone } = parts;
  return {
    name: "structuring",
    async due() {
      const rows = await database.system((session) =>
        session.query<{ id: string }>(
          `select id from salestag.conversation
            where state = 'final' and structured_by is distinct from $1
              and (transcribed_by <> $2 or not $3 or starts_with(trouble, 'transcription: '))
            order by started_at desc`,
          [structurer.name, BADGE_SOURCE, parts.transcribes],
        ),
      );
      return rows.map(({ id }) => id);
    },
    async work(id, signal) {
      const read = await database.system((session) => readTranscript(session, id, parts.language));
      if (read === undefined) return;
      const { transcript, chunks } = read;
      const structure = await structurer.structure(transcript, signal);
      const whose = await database.system(async (session) => {
        const [row] = await session.query<Whose>(
          `select team_id as "teamId", person_id as "personId" from salestag.conversation
            where id = $1 and chunks = $2 and transcribed_by = $3 for update`,
          [id, chunks, transcript.source],
        );
        // It changed meanwhile, or is gone: whoever changed it has this done anew.
        if (row === undefined) return undefined;
        await replaceStructure(session, id, structure, structurer.name);
        return row;
      });
      if (whose === undefined) return;
      const about = { ...whose, conversationId: id, atUnixMs: parts.nowUnixMs() };
      for (const { kind, quote, reason, startMs } of structure.tags)
        parts.live.publish({ type: "tag", kind, quote, reason, startMs, ...about });
      parts.live.publish({ type: "conversation", state: "structured", ...about });
      onDone(id);
    },
  };
}
