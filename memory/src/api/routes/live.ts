// GET /v1/live: what happens now, as server-sent events.
import { Type } from "typebox";
import { audit, type Purpose } from "../../privacy/audit";
import type { Session } from "../../store/database";
import type { Me } from "../context";
import { type Api, type ApiContext, purposeOf, whoIs } from "../context";
import { Feed, type Viewer } from "../live/feed";
import { LiveStream } from "../live/stream";
import { Problem } from "../problem";
import type { Verified } from "../tokens";

/** Streams in all, and of one person. */
export const STREAMS_MAX = 500;
export const STREAMS_OF_PERSON_MAX = 10;

const ABOUT = `Server-sent events: \`phrase\` (the badge heard a key phrase), \`conversation\` (it began, ended, has a transcript or tags), \`tag\`. Each has an id; come back with
the last one in \`Last-Event-ID\` and what came in between is sent first. \`gap\`: some of that is not kept any more. \`end\`: the stream is over, with the reason.`;

export function addLiveRoutes(app: Api, context: ApiContext): void {
  const { live, newId } = context.parts;
  const feed = new Feed(live, newId().slice(0, 8));
  const streams = new Set<LiveStream>();
  const persons = new Map<string, number>();
  app.addHook("onClose", async () => feed.close());
  app.addHook("preClose", async () => {
    for (const stream of streams) stream.end("The memory is closing: come back later.");
  });
  app.get(
    "/v1/live",
    {
      config: { content: true },
      schema: {
        tags: ["conversations"],
        operationId: "live",
        summary: "What happens now, as it happens",
        description: ABOUT,
        response: {
          200: {
            description: "The stream.",
            content: { "text/event-stream": { schema: Type.Unsafe<unknown>({ type: "string" }) } },
          },
        },
      },
    },
    async (request, reply) => {
      const { sub, expiresUnixMs } = request.token as Verified;
      const viewer = await context.asPerson(request, async (_session, me) => viewerOf(me));
      const held = persons.get(viewer.personId) ?? 0;
      if (streams.size >= STREAMS_MAX || held >= STREAMS_OF_PERSON_MAX)
        throw new Problem(
          429,
          `Too many streams: ${STREAMS_OF_PERSON_MAX} for each person, ${STREAMS_MAX} in all.`,
        );
      const lastId = request.headers["last-event-id"];
      const stream = new LiveStream({
        feed,
        viewer,
        lastId: typeof lastId === "string" && lastId !== "" ? lastId : undefined,
        expiresUnixMs,
        clock: context.parts.clock,
        log: context.parts.log,
        ...rightsOf(context, sub, viewer, purposeOf(request)),
      });
      streams.add(stream);
      persons.set(viewer.personId, held + 1);
      stream.out.once("close", () => {
        streams.delete(stream);
        const left = (persons.get(viewer.personId) ?? 1) - 1;
        if (left === 0) persons.delete(viewer.personId);
        else persons.set(viewer.personId, left);
      });
      reply.header("x-accel-buffering", "no");
      return reply.type("text/event-stream; charset=utf-8").send(stream.out);
    },
  );
}

function viewerOf({ id, teamId, role }: Me): Viewer {
  return { personId: id, teamId, manager: role === "manager" };
}

/** What a stream asks the database as it goes on. */
function rightsOf({ parts }: ApiContext, sub: string, viewer: Viewer, purpose: Purpose) {
  const same = async (session: Session): Promise<boolean> => {
    const now = viewerOf(await whoIs(session));
    return now.teamId === viewer.teamId && now.personId === viewer.personId && now.manager === viewer.manager;
  };
  return {
    seen: (conversationIds: string[]) =>
      parts.database.as({ sub }, async (session) => {
        if (!(await same(session))) throw new Problem(403, "the viewer's rights have changed");
        await audit(session, { action: "live", purpose, conversationIds, detail: {} });
      }),
    async unchanged(): Promise<boolean> {
      try {
        return await parts.database.as({ sub }, same);
      } catch (cause) {
        if (cause instanceof Problem) return false;
        throw cause;
      }
    },
  };
}
