// Conversations: lists, one with everything, its audio, and where it is filed.
import { type Static, Type } from "typebox";
import { TAG_KINDS, TAXONOMY } from "../../model/taxonomy";
import { audit } from "../../privacy/audit";
import type { Session } from "../../store/database";
import type { Api, ApiContext } from "../context";
import { purposeOf } from "../context";
import { BriefAnswer, briefAnswer, WholeAnswer } from "../conversation-answers";
import { notFound, Problem } from "../problem";
import { listConversations, readConversation } from "../read-conversation";
import { ById, exactly, Id, IdOrNull, Kind, Note, Outcome, Time } from "../schemas";
import { mustSee } from "./customers";

/** Most conversations on one page. */
export const PAGE_MAX = 100;

const ListQuery = exactly({
  person: Type.Optional(Id),
  customer: Type.Optional(Id),
  site: Type.Optional(Id),
  territory: Type.Optional(Id),
  tag: Type.Array(Kind, { maxItems: 25, default: [], description: "Has all of these." }),
  outcome: Type.Optional(Outcome),
  from: Type.Optional(Time),
  to: Type.Optional(Time),
  after: Type.Optional(
    Type.String({ pattern: "^\\d{1,14}_[0-9a-f-]{36}$", description: "`next` of the page before." }),
  ),
  limit: Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: 50 }),
});
const FilingBody = exactly({
  customerId: IdOrNull,
  siteId: IdOrNull,
  outcome: Outcome,
  note: Note,
});
const tags = ["conversations"];

export function addConversationRoutes(app: Api, context: ApiContext): void {
  addList(app, context);
  addOne(app, context);
  addAudio(app, context);
  addFiling(app, context);
  addTags(app);
}

function addList(app: Api, context: ApiContext): void {
  app.get(
    "/v1/conversations",
    {
      config: { content: true },
      schema: {
        tags,
        operationId: "listConversations",
        summary: "Conversations that you may see, newest first",
        querystring: ListQuery,
        response: {
          200: exactly({ conversations: Type.Array(BriefAnswer), next: Type.Optional(Type.String()) }),
        },
      },
    },
    (request) =>
      context.content(request, "conversations.list", async (session) => {
        const { tag, from, to, after, limit, ...rest } = request.query;
        const rows = await listConversations(session, {
          ...rest,
          tags: tag,
          from: from === undefined ? undefined : new Date(from),
          to: to === undefined ? undefined : new Date(to),
          after: after === undefined ? undefined : placeOf(after),
          limit,
        });
        const shown = rows.slice(0, limit);
        const last = rows.length > limit ? shown[limit - 1] : undefined;
        const next = last && `${last.startedAt.getTime()}_${last.id}`;
        return {
          answer: { conversations: shown.map(briefAnswer), ...(next !== undefined && { next }) },
          conversationIds: shown.map(({ id }) => id),
        };
      }),
  );
}

function placeOf(after: string): { startedAt: Date; id: string } {
  const [ms, id] = after.split("_");
  return { startedAt: new Date(Number(ms)), id };
}

function addOne(app: Api, context: ApiContext): void {
  app.get(
    "/v1/conversations/:id",
    {
      config: { content: true },
      schema: {
        tags,
        operationId: "getConversation",
        summary: "One conversation with turns, tags and their evidence, insights, consent and problems",
        params: ById,
        querystring: exactly({
          words: Type.Boolean({ default: false, description: "Each word with its time." }),
        }),
        response: { 200: WholeAnswer },
      },
    },
    (request) =>
      context.content(request, "conversation.read", async (session) => {
        const { id } = request.params;
        const answer = await readConversation(session, id, request.query.words);
        if (answer === undefined) throw notFound("conversation");
        return { answer, conversationIds: [id] };
      }),
  );
}

function addAudio(app: Api, context: ApiContext): void {
  app.get(
    "/v1/conversations/:id/audio",
    {
      config: { content: true },
      schema: {
        tags,
        operationId: "getAudio",
        summary: "What was recorded, as Ogg Opus, opened for this request",
        params: ById,
        response: {
          200: {
            description: "The recording.",
            content: { "audio/ogg": { schema: Type.Unsafe<Buffer>({ type: "string", format: "binary" }) } },
          },
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { badge, epoch } = await context.content(request, "conversation.audio", async (session) => {
        const [answer] = await session.query<{ badge: string; epoch: number }>(
          "select badge_id as badge, epoch from salestag.conversation where id = $1",
          [id],
        );
        if (answer === undefined) throw notFound("conversation");
        return { answer, conversationIds: [id] };
      });
      const audio = await context.parts.audioOf(badge, epoch);
      if (audio === undefined)
        throw new Problem(404, "Its audio is not here any more: chunks or key were erased.");
      reply.header("content-disposition", `attachment; filename="${id}.ogg"`);
      return reply
        .type("audio/ogg")
        .serializer((body: Buffer) => body as unknown as string)
        .send(audio);
    },
  );
}

const FILING = `insert into salestag.filing (conversation_id, team_id, customer_id, site_id, outcome, note) values ($1, salestag.my_team(), $2, $3, $4, $5)
  on conflict (conversation_id) do update
  set customer_id = excluded.customer_id, site_id = excluded.site_id, outcome = excluded.outcome, note = excluded.note`;

function addFiling(app: Api, context: ApiContext): void {
  app.put(
    "/v1/conversations/:id/filing",
    {
      config: { content: true },
      schema: {
        tags,
        operationId: "fileConversation",
        summary: "Says which customer and site it belongs to and how it ended",
        params: ById,
        body: FilingBody,
        response: { 200: FilingBody },
      },
    },
    (request) =>
      context.asPerson(request, async (session) => {
        const { id } = request.params;
        const { customerId, siteId, outcome, note } = request.body;
        const seen = await session.query("select 1 from salestag.conversation where id = $1", [id]);
        if (seen.length === 0) throw notFound("conversation");
        await mustFit(session, request.body);
        await session.query(FILING, [id, customerId, siteId, outcome, note]);
        const purpose = purposeOf(request);
        await audit(session, { action: "conversation.file", purpose, conversationIds: [id], detail: {} });
        return request.body;
      }),
  );
}

/** @throws Problem 422 for a customer or site that is not there, or a site of another customer */
async function mustFit(session: Session, { customerId, siteId }: Static<typeof FilingBody>): Promise<void> {
  await mustSee(session, "customer", customerId);
  await mustSee(session, "site", siteId);
  if (siteId === null) return;
  const fits = await session.query(
    "select 1 from salestag.site where id = $1 and (customer_id is null or customer_id is not distinct from $2)",
    [siteId, customerId],
  );
  if (fits.length === 0)
    throw new Problem(422, "The site is another customer's: file it under that customer.");
}

const TAGS = TAG_KINDS.map((kind) => ({ kind, ...TAXONOMY[kind] }));

function addTags(app: Api): void {
  app.get(
    "/v1/tags",
    {
      schema: {
        tags,
        operationId: "listTags",
        summary: "Every kind of tag, and when a turn gets it",
        response: {
          200: exactly({
            tags: Type.Array(exactly({ kind: Kind, title: Type.String(), means: Type.String() })),
          }),
        },
      },
    },
    async () => ({ tags: TAGS }),
  );
}
