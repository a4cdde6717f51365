// Who is in the team, which badges it has, and who wears them.
import { type Static, Type } from "typebox";
import type { Session } from "../../store/database";
import type { Api, ApiContext } from "../context";
import { notFound } from "../problem";
import {
  BadgeId,
  ById,
  exactly,
  Id,
  IdOrNull,
  Name,
  Named,
  NamedOrNull,
  named,
  oneOf,
  TextOrNull,
  Time,
  TimeOrNull,
  timeText,
  timeTextOrNull,
} from "../schemas";

const Role = oneOf(["rep", "manager"] as const, {
  description: "A rep sees own conversations, a manager the team's.",
});
const Subject = Type.Union([Type.String({ minLength: 1, maxLength: 200 }), Type.Null()], {
  description: "`sub` of the person's tokens; null for one who never signs in.",
});
const MeAnswer = exactly({ id: Id, name: Type.String(), role: Role, team: Named });
const PersonBody = exactly({ name: Name, role: Role, subject: Subject });
const PersonAnswer = exactly({ id: Id, name: Type.String(), role: Role, subject: TextOrNull });
const BadgeBody = exactly({ label: Type.String({ maxLength: 200 }) });
const BadgeAnswer = exactly({
  id: BadgeId,
  label: Type.String(),
  wornBy: NamedOrNull,
  since: TimeOrNull,
});
const ByBadge = exactly({ id: BadgeId });
const WearerBody = exactly({ since: Time, personId: IdOrNull });
const WearerAnswer = exactly({ since: Time, wornBy: NamedOrNull });

export function addPeopleRoutes(app: Api, context: ApiContext): void {
  addMe(app, context);
  addPeople(app, context);
  addPersonChange(app, context);
  addBadges(app, context);
  addWearers(app, context);
}

function addMe(app: Api, context: ApiContext): void {
  const schema = { tags: ["team"], operationId: "me", summary: "Who you are", response: { 200: MeAnswer } };
  app.get("/v1/me", { schema }, (request) =>
    context.asPerson(request, async (_session, { id, name, role, teamId, teamName }) => ({
      id,
      name,
      role,
      team: { id: teamId, name: teamName },
    })),
  );
}

const PERSON = "id, name, role, subject";

function addPeople(app: Api, context: ApiContext): void {
  const tags = ["team"];
  app.get(
    "/v1/people",
    {
      schema: {
        tags,
        operationId: "listPeople",
        summary: "The team's people, by name",
        response: { 200: exactly({ people: Type.Array(PersonAnswer) }) },
      },
    },
    (request) =>
      context.asPerson(request, async (session) => ({
        people: await session.query<Static<typeof PersonAnswer>>(
          `select ${PERSON} from salestag.person order by name, id`,
        ),
      })),
  );
  app.post(
    "/v1/people",
    {
      schema: {
        tags,
        operationId: "addPerson",
        summary: "Adds a person (managers)",
        body: PersonBody,
        response: { 201: PersonAnswer },
      },
    },
    async (request, reply) => {
      const { name, role, subject } = request.body;
      const [person] = await context.asManager(request, (session) =>
        session.query<Static<typeof PersonAnswer>>(
          `insert into salestag.person (id, team_id, name, role, subject) values ($1, salestag.my_team(), $2, $3, $4) returning ${PERSON}`,
          [context.parts.newId(), name, role, subject],
        ),
      );
      return reply.code(201).send(person);
    },
  );
}

function addPersonChange(app: Api, context: ApiContext): void {
  const tags = ["team"];
  app.put(
    "/v1/people/:id",
    {
      schema: {
        tags,
        operationId: "changePerson",
        summary: "Changes a person (managers)",
        params: ById,
        body: PersonBody,
        response: { 200: PersonAnswer },
      },
    },
    (request) =>
      context.asManager(request, async (session) => {
        const { name, role, subject } = request.body;
        const [person] = await session.query<Static<typeof PersonAnswer>>(
          `update salestag.person set name = $2, role = $3, subject = $4 where id = $1 returning ${PERSON}`,
          [request.params.id, name, role, subject],
        );
        if (person === undefined) throw notFound("person");
        return person;
      }),
  );
}

interface BadgeRow {
  id: string;
  label: string;
  since: Date | null;
  personId: string | null;
  personName: string | null;
}

const BADGES = `select b.id, b.label, w.since, w.person_id as "personId", p.name as "personName"
  from salestag.badge b
  left join lateral (select * from salestag.wearer w where w.badge_id = b.id order by w.since desc limit 1) w on true
  left join salestag.person p on p.id = w.person_id`;

function badgeAnswer({ id, label, since, personId, personName }: BadgeRow): Static<typeof BadgeAnswer> {
  return { id, label, wornBy: named(personId, personName), since: timeTextOrNull(since) };
}

async function badge(session: Session, id: string): Promise<Static<typeof BadgeAnswer>> {
  const [row] = await session.query<BadgeRow>(`${BADGES} where b.id = $1`, [id]);
  if (row === undefined) throw notFound("badge");
  return badgeAnswer(row);
}

function addBadges(app: Api, context: ApiContext): void {
  const tags = ["team"];
  app.get(
    "/v1/badges",
    {
      schema: {
        tags,
        operationId: "listBadges",
        summary: "The team's badges, and who wears them now",
        response: { 200: exactly({ badges: Type.Array(BadgeAnswer) }) },
      },
    },
    (request) =>
      context.asPerson(request, async (session) => ({
        badges: (await session.query<BadgeRow>(`${BADGES} order by b.label, b.id`)).map(badgeAnswer),
      })),
  );
  app.put(
    "/v1/badges/:id",
    {
      schema: {
        tags,
        operationId: "labelBadge",
        summary: "Changes a badge's label (managers); badges come with the vault",
        params: ByBadge,
        body: BadgeBody,
        response: { 200: BadgeAnswer },
      },
    },
    (request) =>
      context.asManager(request, async (session) => {
        const { id } = request.params;
        await session.query("update salestag.badge set label = $2 where id = $1", [id, request.body.label]);
        return badge(session, id);
      }),
  );
}

interface WearerRow {
  since: Date;
  personId: string | null;
  personName: string | null;
}

const WEARERS = `select w.since, w.person_id as "personId", p.name as "personName"
  from salestag.wearer w left join salestag.person p on p.id = w.person_id where w.badge_id = $1 order by w.since desc limit 1000`;

async function wearers(session: Session, id: string) {
  await badge(session, id);
  const rows = await session.query<WearerRow>(WEARERS, [id]);
  return {
    wearers: rows.map(({ since, personId, personName }) => ({
      since: timeText(since),
      wornBy: named(personId, personName),
    })),
  };
}

function addWearers(app: Api, context: ApiContext): void {
  const tags = ["team"];
  const answer = exactly({ wearers: Type.Array(WearerAnswer) });
  app.get(
    "/v1/badges/:id/wearers",
    {
      schema: {
        tags,
        operationId: "listWearers",
        summary: "Who wore a badge from when on, newest first",
        params: ByBadge,
        response: { 200: answer },
      },
    },
    (request) => context.asPerson(request, (session) => wearers(session, request.params.id)),
  );
  app.put(
    "/v1/badges/:id/wearers",
    {
      schema: {
        tags,
        operationId: "putWearer",
        summary: "Says who wears a badge from a moment on; null: nobody (managers)",
        params: ByBadge,
        body: WearerBody,
        response: { 200: answer },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { since, personId } = request.body;
      const answer = await context.asManager(request, async (session) => {
        await badge(session, id);
        await session.query(
          `insert into salestag.wearer (badge_id, since, person_id) values ($1, $2, $3)
           on conflict (badge_id, since) do update set person_id = excluded.person_id`,
          [id, new Date(since), personId],
        );
        return wearers(session, id);
      });
      await context.parts.wearersChanged?.(id);
      return answer;
    },
  );
}
