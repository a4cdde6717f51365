// What every route works with: transactions as the person who asks, and the audit of whoever reads what was said.
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  FastifyTypeProvider,
  RawServerBase,
} from "fastify";
import type { Static, TSchema } from "typebox";
import type { Actor } from "../privacy/actor";
import { type AuditDetail, audit, PURPOSES, type Purpose } from "../privacy/audit";
import type { Session } from "../store/database";
import type { ApiParts } from "./parts";
import { Problem } from "./problem";
import { exactly, oneOf } from "./schemas";
import type { Verified } from "./tokens";

/** Takes the types of requests and answers from their schemas. */
export interface SchemaTypes extends FastifyTypeProvider {
  validator: this["schema"] extends TSchema ? Static<this["schema"]> : unknown;
  serializer: this["schema"] extends TSchema ? Static<this["schema"]> : unknown;
}

export type Api = FastifyInstance<
  RawServerBase,
  // biome-ignore lint/suspicious/noExplicitAny: what Fastify's own types have for any server
  any,
  // biome-ignore lint/suspicious/noExplicitAny: as above
  any,
  FastifyBaseLogger,
  SchemaTypes
>;

declare module "fastify" {
  interface FastifyRequest {
    /** Null where a route needs none. */
    token: Verified | null;
  }
  interface FastifyContextConfig {
    /** The route shows or hears what was said: it needs a purpose, and is written down. */
    content?: boolean;
    /** Anybody may ask: no token. */
    open?: boolean;
  }
}

export const PURPOSE_HEADER = "salestag-purpose";
export const PurposeHeaders = exactly({
  [PURPOSE_HEADER]: oneOf(Object.keys(PURPOSES) as Purpose[], {
    description: "What the answer is for; it is kept in the audit log.",
  }),
});

/** The person who asks. */
export interface Me {
  id: string;
  name: string;
  role: "rep" | "manager";
  teamId: string;
  teamName: string;
}

/** What a route on content found, and whose conversations it is from. */
export interface Found<T> {
  answer: T;
  conversationIds: string[];
  /** Ids and numbers only: no content, no words that were searched for. */
  detail?: AuditDetail;
}

const ME = `select p.id, p.name, p.role, t.id as "teamId", t.name as "teamName"
  from salestag.person p join salestag.team t on t.id = p.team_id where p.id = (select salestag.me())`;

/** @returns who works in this transaction @throws Problem 403 for somebody who is in no team */
export async function whoIs(session: Session): Promise<Me> {
  const [me] = await session.query<Me>(ME);
  if (me === undefined)
    throw new Problem(403, "Nobody in any team signs in with this subject: ask a manager to add you.");
  return me;
}

export class ApiContext {
  constructor(readonly parts: ApiParts) {}

  /** One transaction as whoever asks. */
  asPerson<T>(request: FastifyRequest, work: (session: Session, me: Me) => Promise<T>): Promise<T> {
    const { sub } = request.token as Verified;
    return this.parts.database.as({ sub }, async (session) => work(session, await whoIs(session)));
  }

  /** As asPerson, for managers only. @throws Problem 403 for others */
  asManager<T>(request: FastifyRequest, work: (session: Session, me: Me) => Promise<T>): Promise<T> {
    return this.asPerson(request, (session, me) => {
      if (me.role !== "manager") throw new Problem(403, "Only a manager of the team may do this.");
      return work(session, me);
    });
  }

  /** @returns the manager who asks @throws Problem 403 for others */
  manager(request: FastifyRequest): Promise<Actor> {
    return this.asManager(request, async (_session, { id, teamId }) => ({ teamId, personId: id }));
  }

  /** As asPerson; what was found is written to the audit log in the same transaction, or not given. */
  content<T>(
    request: FastifyRequest,
    action: string,
    work: (session: Session, me: Me) => Promise<Found<T>>,
  ): Promise<T> {
    return this.asPerson(request, async (session, me) => {
      const { answer, conversationIds, detail = {} } = await work(session, me);
      await audit(session, { action, purpose: purposeOf(request), conversationIds, detail });
      return answer;
    });
  }
}

/** @returns the purpose that a request states; its schema has checked it */
export function purposeOf(request: FastifyRequest): Purpose {
  return request.headers[PURPOSE_HEADER] as Purpose;
}
