// How long things are kept, what must not be deleted, what is deleted for good, and who looked at what.
import { messageOf } from "@salestag/protocol/service";
import { type Static, Type } from "typebox";
import { audit } from "../../privacy/audit";
import { ERASURE_REASONS } from "../../privacy/erasure";
import { holds, placeHold, releaseHold } from "../../privacy/hold";
import { type Expired, wouldExpire } from "../../privacy/retention";
import type { Subject } from "../../privacy/subject";
import type { Session } from "../../store/database";
import type { Api, ApiContext } from "../context";
import {
  ById,
  exactly,
  Id,
  IdOrNull,
  Kind,
  oneOf,
  Time,
  TimeOrNull,
  timeText,
  timeTextOrNull,
} from "../schemas";

const SubjectBody = exactly({
  kind: oneOf<Subject["kind"]>(["conversation", "customer", "person"]),
  id: Id,
});
const Reason = Type.String({ minLength: 1, maxLength: 1000 });
const HoldAnswer = exactly({
  id: Id,
  subject: SubjectBody,
  reason: Type.String(),
  since: Time,
  releasedAt: TimeOrNull,
});
const Rule = exactly({
  tag: Type.Union([Kind, Type.Null()], { description: "null: for every conversation." }),
  keepDays: Type.Integer({ minimum: 1, maximum: 36_500 }),
});
const RulesBody = exactly({ rules: Type.Array(Rule, { maxItems: 100 }) });
const ExpiredAnswer = exactly({
  conversationId: Id,
  startedAt: Time,
  keepDays: Type.Integer(),
  heldBy: IdOrNull,
});
const tags = ["privacy"];

export function addPrivacyRoutes(app: Api, context: ApiContext): void {
  addHolds(app, context);
  addRelease(app, context);
  addRetention(app, context);
  addPreview(app, context);
  addErasures(app, context);
  addErasureList(app, context);
  addAudit(app, context);
}

function addHolds(app: Api, context: ApiContext): void {
  const { database, clock, newId } = context.parts;
  app.get(
    "/v1/holds",
    {
      schema: {
        tags,
        operationId: "listHolds",
        summary: "Legal holds, newest first, released ones too (managers)",
        response: { 200: exactly({ holds: Type.Array(HoldAnswer) }) },
      },
    },
    (request) =>
      context.asManager(request, async (session, { teamId }) => ({
        holds: (await holds(session, teamId)).map(({ since, releasedAt, ...rest }) => ({
          ...rest,
          since: timeText(since),
          releasedAt: timeTextOrNull(releasedAt),
        })),
      })),
  );
  app.post(
    "/v1/holds",
    {
      schema: {
        tags,
        operationId: "placeHold",
        summary: "Keeps a conversation, or all of a customer or person, from being deleted (managers)",
        body: exactly({ subject: SubjectBody, reason: Reason }),
        response: {
          201: exactly({
            id: Id,
            tooLate: Type.Array(Id, { description: "Conversations whose erasure had begun before." }),
          }),
        },
      },
    },
    async (request, reply) => {
      const { subject, reason } = request.body;
      const actor = await context.manager(request);
      const when = { id: newId(), nowMs: clock.unixMs() };
      return reply.code(201).send(await placeHold(database, actor, subject, reason, when));
    },
  );
}

function addRelease(app: Api, context: ApiContext): void {
  const { database, clock } = context.parts;
  app.post(
    "/v1/holds/:id/release",
    {
      schema: {
        tags,
        operationId: "releaseHold",
        summary: "Ends a hold (managers)",
        params: ById,
        response: { 204: { description: "It holds no more.", type: "null" } },
      },
    },
    async (request, reply) => {
      const actor = await context.manager(request);
      await releaseHold(database, actor, request.params.id, clock.unixMs());
      return reply.code(204).send(null);
    },
  );
}

function addRetention(app: Api, context: ApiContext): void {
  app.get(
    "/v1/retention",
    {
      schema: {
        tags,
        operationId: "getRetention",
        summary:
          "How long conversations are kept: the shortest rule that applies counts, and without one they stay",
        response: { 200: RulesBody },
      },
    },
    (request) => context.asPerson(request, async (session) => ({ rules: await rules(session) })),
  );
  app.put(
    "/v1/retention",
    {
      schema: {
        tags,
        operationId: "putRetention",
        summary: "Sets all rules of the team (managers)",
        body: RulesBody,
        response: { 200: RulesBody },
      },
    },
    async (request) => {
      const actor = await context.manager(request);
      await context.parts.database.system(async (session) => {
        await session.query("delete from salestag.retention where team_id = $1", [actor.teamId]);
        for (const { tag, keepDays } of request.body.rules)
          await session.query(
            "insert into salestag.retention (id, team_id, tag, keep_days) values ($1, $2, $3, $4)",
            [context.parts.newId(), actor.teamId, tag, keepDays],
          );
        const detail = { rules: request.body.rules.length };
        await audit(session, {
          action: "retention.set",
          purpose: "legal",
          conversationIds: [],
          detail,
          actor,
        });
      });
      return request.body;
    },
  );
}

function addPreview(app: Api, context: ApiContext): void {
  app.get(
    "/v1/retention/preview",
    {
      schema: {
        tags,
        operationId: "previewRetention",
        summary: "What would be deleted now, and what a hold keeps from it (managers)",
        response: {
          200: exactly({ erased: Type.Array(ExpiredAnswer), held: Type.Array(ExpiredAnswer) }),
        },
      },
    },
    async (request) => {
      const { teamId } = await context.manager(request);
      const { erased, held } = await wouldExpire(
        context.parts.database,
        teamId,
        context.parts.clock.unixMs(),
      );
      return { erased: erased.map(expiredAnswer), held: held.map(expiredAnswer) };
    },
  );
}

function rules(session: Session): Promise<Static<typeof Rule>[]> {
  return session.query(
    'select tag, keep_days as "keepDays" from salestag.retention order by tag nulls first',
  );
}

function expiredAnswer({ id, startedAt, keepDays, heldBy }: Expired): Static<typeof ExpiredAnswer> {
  return { conversationId: id, startedAt: timeText(startedAt), keepDays, heldBy };
}

const ErasureAnswer = exactly({
  conversationId: Id,
  reason: Type.String(),
  begunAt: Time,
  doneAt: TimeOrNull,
});

function addErasures(app: Api, context: ApiContext): void {
  const { eraser, log } = context.parts;
  app.post(
    "/v1/erasures",
    {
      schema: {
        tags,
        operationId: "erase",
        summary:
          "Deletes a conversation, or all of a customer or person, for good: rows, audio, keys (managers)",
        body: exactly({ subject: SubjectBody, reason: oneOf(ERASURE_REASONS) }),
        response: {
          200: exactly({
            conversationIds: Type.Array(Id),
            withoutKeys: Type.Array(Id, {
              description: "Nobody knows their badge any more: their keys stay in the vault.",
            }),
            done: Type.Boolean({ description: "false: it was begun, and goes on until it is done." }),
          }),
        },
      },
    },
    async (request) => {
      const { subject, reason } = request.body;
      const begun = await eraser.begin(await context.manager(request), subject, reason);
      try {
        await eraser.finish();
        return { ...begun, done: true };
      } catch (cause) {
        log.error("an erasure is not finished and is tried again", { why: messageOf(cause) });
        return { ...begun, done: false };
      }
    },
  );
}

function addErasureList(app: Api, context: ApiContext): void {
  app.get(
    "/v1/erasures",
    {
      schema: {
        tags,
        operationId: "listErasures",
        summary: "What was deleted for good, newest first (managers)",
        response: { 200: exactly({ erasures: Type.Array(ErasureAnswer) }) },
      },
    },
    (request) =>
      context.asManager(request, async (session) => {
        const rows = await session.query<{ id: string; reason: string; begunAt: Date; doneAt: Date | null }>(
          `select conversation_id as id, reason, begun_at as "begunAt", done_at as "doneAt"
           from salestag.erasure order by begun_at desc, conversation_id limit 1000`,
        );
        return {
          erasures: rows.map(({ id, reason, begunAt, doneAt }) => ({
            conversationId: id,
            reason,
            begunAt: timeText(begunAt),
            doneAt: timeTextOrNull(doneAt),
          })),
        };
      }),
  );
}

const AuditQuery = exactly({
  person: Type.Optional(Id),
  conversation: Type.Optional(Id),
  from: Type.Optional(Time),
  to: Type.Optional(Time),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
});
const AuditAnswer = exactly({
  id: Id,
  at: Time,
  personId: IdOrNull,
  action: Type.String(),
  purpose: Type.String(),
  conversationIds: Type.Array(Id),
  detail: Type.Record(Type.String(), Type.Union([Type.Number(), Type.Boolean(), Type.String(), Type.Null()])),
});
interface AuditRow extends Omit<Static<typeof AuditAnswer>, "at"> {
  at: Date;
}

function addAudit(app: Api, context: ApiContext): void {
  app.get(
    "/v1/audit",
    {
      schema: {
        tags,
        operationId: "listAudit",
        summary: "Who looked at or changed what, and what for, newest first (managers)",
        querystring: AuditQuery,
        response: { 200: exactly({ entries: Type.Array(AuditAnswer) }) },
      },
    },
    (request) =>
      context.asManager(request, async (session) => {
        const { person, conversation, from, to, limit } = request.query;
        const rows = await session.query<AuditRow>(
          `select id, at, person_id as "personId", action, purpose, conversation_ids as "conversationIds", detail from salestag.audit
           where ($1::uuid is null or person_id = $1) and ($2::uuid is null or $2 = any(conversation_ids))
             and ($3::timestamptz is null or at >= $3) and ($4::timestamptz is null or at < $4)
           order by at desc, id limit $5`,
          [person ?? null, conversation ?? null, dateOrNull(from), dateOrNull(to), limit],
        );
        return { entries: rows.map(({ at, ...entry }) => ({ ...entry, at: timeText(at) })) };
      }),
  );
}

function dateOrNull(text: string | undefined): Date | null {
  return text === undefined ? null : new Date(text);
}
