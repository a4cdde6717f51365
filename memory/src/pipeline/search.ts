// The last stage: makes conversations findable, by their words and by what they mean.
import type { Embedder } from "../embed";
import { indexConversation } from "../search";
import type { Database } from "../store/database";
import type { Stage } from "./stage";

export function searchStage(database: Database, embedder: Embedder): Stage {
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
      await indexConversation(database, embedder, id, signal);
    },
  };
}
