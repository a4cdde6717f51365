// The last stage: makes conversations findable, by their words and by what they mean.
import type { Embedder } from "../embed";
import type { Live } from "../live";
import { indexConversation } from "../search";
import type { Database } from "../store/database";
import type { Whose } from "./rows";
import type { Stage } from "./stage";

export interface SearchParts {
  database: Database;
  embedder: Embedder;
  live: Live;
  nowUnixMs: () => number;
}

export function searchStage({ database, embedder, live, nowUnixMs }: SearchParts): Stage {
  return {
    name: "search",
    async due() {
      const rows = await database.system((session) =>
        session.query<{ id: string }>(
          `select id from salestag.conversation
            where state = 'final' and structured_by is not null and embedded_by is distinct from $1 order by started_at desc`,
          [embedder.name],
        ),
      );
      return rows.map(({ id }) => id);
    },
    async work(id, signal) {
      // False: it is gone, or was changed meanwhile, and whoever changed it has this done anew.
      if (!(await indexConversation(database, embedder, id, signal))) return;
      const [whose] = await database.system((session) =>
        session.query<Whose>(
          'select team_id as "teamId", person_id as "personId" from salestag.conversation where id = $1',
          [id],
        ),
      );
      if (whose === undefined) return;
      live.publish({
        type: "conversation",
        state: "findable",
        conversationId: id,
        ...whose,
        atUnixMs: nowUnixMs(),
      });
    },
  };
}
