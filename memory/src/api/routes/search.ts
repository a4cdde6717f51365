// Finding what was said: by words and meaning, of one customer, as answers to an objection, like another conversation.
import type { FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import { EmbeddingError } from "../../embed";
import {
  answersTo,
  before,
  type Card,
  type Filter,
  HITS_DEFAULT,
  HITS_MAX,
  QUERY_CHARACTERS_MAX,
  type ReadyText,
  readyText,
  search,
  similar,
  timeline,
} from "../../search";
import type { Session } from "../../store/database";
import type { Api, ApiContext } from "../context";
import { notFound } from "../problem";
import { ById, exactly, Id, Kind, Outcome, Time } from "../schemas";
import {
  AnswersAnswer,
  BeforeAnswer,
  HitsAnswer,
  SimilarAnswer,
  TimelineAnswer,
  told,
} from "../search-answers";

const filter = {
  person: Type.Optional(Id),
  customer: Type.Optional(Id),
  site: Type.Optional(Id),
  territory: Type.Optional(Id),
  tags: Type.Optional(Type.Array(Kind, { maxItems: 20, description: "Has all of these." })),
  outcome: Type.Optional(Outcome),
  from: Type.Optional(Time),
  to: Type.Optional(Time),
};
const FilterBody = exactly(filter);
const Limit = Type.Integer({ minimum: 1, maximum: HITS_MAX, default: HITS_DEFAULT });
const Cursor = Type.Optional(Type.String({ maxLength: 500 }));
const SearchBody = exactly({
  text: Type.String({
    maxLength: QUERY_CHARACTERS_MAX,
    default: "",
    description: 'As people type: words, "a phrase", -without. Without words, the newest are found.',
  }),
  filter: Type.Optional(FilterBody),
  limit: Limit,
  cursor: Cursor,
});
const AnswersBody = exactly({
  objection: Type.Optional(Kind),
  text: Type.Optional(
    Type.String({ minLength: 1, maxLength: QUERY_CHARACTERS_MAX, description: "The objection in words." }),
  ),
  filter: Type.Optional(FilterBody),
  limit: Limit,
});
/** An endpoint that makes vectors has so long; after that words alone count. */
const EMBED_MS_MAX = 10_000;
const content = true;
const tags = ["search"];

export function addSearchRoutes(app: Api, context: ApiContext): void {
  addSearch(app, context);
  addAnswers(app, context);
  addSimilar(app, context);
  addCustomer(app, context);
}

function addSearch(app: Api, context: ApiContext): void {
  app.post(
    "/v1/search",
    {
      config: { content },
      schema: {
        tags,
        operationId: "search",
        summary:
          "Conversations by words and meaning, best first, each with the passages that it was found by",
        body: SearchBody,
        response: { 200: HitsAnswer },
      },
    },
    async (request) => {
      const { text, limit, cursor, filter } = request.body;
      const ready = await readied(context, request, text);
      return context.content(request, "search", async (session) => {
        const page = await search(session, ready, { filter: filterOf(filter), limit, cursor });
        return { answer: { ...page, hits: page.hits.map(told) }, conversationIds: idsOf(page.hits) };
      });
    },
  );
}

function addAnswers(app: Api, context: ApiContext): void {
  app.post(
    "/v1/answers",
    {
      config: { content },
      schema: {
        tags,
        operationId: "answers",
        summary: "How an objection was answered before: what went well comes first",
        body: AnswersBody,
        response: { 200: AnswersAnswer },
      },
    },
    async (request) => {
      const { objection, text, filter, limit } = request.body;
      const ready = text === undefined ? undefined : await readied(context, request, text);
      return context.content(request, "answers", async (session) => {
        const asked = { kind: objection, text: ready };
        const { moments, ...rest } = await answersTo(session, asked, filterOf(filter), limit);
        return { answer: { ...rest, moments: moments.map(told) }, conversationIds: idsOf(moments) };
      });
    },
  );
}

function addSimilar(app: Api, context: ApiContext): void {
  app.get(
    "/v1/conversations/:id/similar",
    {
      config: { content },
      schema: {
        tags,
        operationId: "similar",
        summary: "Conversations like this one, most alike first",
        params: ById,
        querystring: exactly({ limit: Limit }),
        response: { 200: SimilarAnswer },
      },
    },
    (request) =>
      context.content(request, "similar", async (session) => {
        const { id } = request.params;
        const seen = await session.query("select 1 from salestag.conversation where id = $1", [id]);
        if (seen.length === 0) throw notFound("conversation");
        const found = await similar(session, context.parts.embedder.name, id, {}, request.query.limit);
        const answer = { similar: (found ?? []).map(told), ready: found !== undefined };
        return { answer, conversationIds: idsOf(found ?? []) };
      }),
  );
}

function addCustomer(app: Api, context: ApiContext): void {
  app.get(
    "/v1/customers/:id/before",
    {
      config: { content },
      schema: {
        tags,
        operationId: "before",
        summary: "What this customer said before, the newest conversation first",
        params: ById,
        querystring: exactly({ at: Type.Optional(Time), limit: Limit }),
        response: { 200: BeforeAnswer },
      },
    },
    (request) =>
      context.content(request, "before", async (session) => {
        const { at, limit } = request.query;
        await mustBeCustomer(session, request.params.id);
        const found = await before(session, request.params.id, dateOf(at), limit);
        return { answer: { conversations: found.map(told) }, conversationIds: idsOf(found) };
      }),
  );
  app.get(
    "/v1/customers/:id/timeline",
    {
      config: { content },
      schema: {
        tags,
        operationId: "timeline",
        summary: "The relationship with a customer: its newest conversations in order of time",
        params: ById,
        querystring: exactly({ cursor: Cursor, limit: Limit }),
        response: { 200: TimelineAnswer },
      },
    },
    (request) =>
      context.content(request, "timeline", async (session) => {
        const { cursor, limit } = request.query;
        await mustBeCustomer(session, request.params.id);
        const { encounters, earlier } = await timeline(session, request.params.id, cursor, limit);
        return {
          answer: { encounters: encounters.map(told), earlier },
          conversationIds: idsOf(encounters),
        };
      }),
  );
}

/** Vectors are made before the transaction, and only for those who are in a team. */
async function readied(context: ApiContext, request: FastifyRequest, text: string): Promise<ReadyText> {
  await context.asPerson(request, async () => undefined);
  const { embedder, clock } = context.parts;
  const abort = new AbortController();
  const late = new EmbeddingError(`The embedder did not answer within ${EMBED_MS_MAX / 1000} s.`);
  const stop = clock.after(EMBED_MS_MAX, () => abort.abort(late));
  try {
    return await readyText(text, embedder, abort.signal);
  } finally {
    stop();
  }
}

function filterOf({ from, to, ...rest }: Static<typeof FilterBody> = {}): Filter {
  return { ...rest, from: dateOf(from), to: dateOf(to) };
}

function dateOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}

function idsOf(found: readonly Card[]): string[] {
  return [...new Set(found.map(({ conversationId }) => conversationId))];
}

async function mustBeCustomer(session: Session, id: string): Promise<void> {
  const rows = await session.query("select 1 from salestag.customer where id = $1", [id]);
  if (rows.length === 0) throw notFound("customer");
}
