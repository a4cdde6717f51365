// How an objection was answered: moments where it fell, with what the rep said, those first that went well.
import { ANSWER_WITHIN_TURNS, answerIn, isObjection } from "../embed/parts";
import type { TagKind } from "../model/taxonomy";
import type { Session } from "../store/database";
import { type Card, cardsOf } from "./card";
import { findByVector, findNewest } from "./found";
import type { SaidTurn } from "./passages";
import { BadQuery, type Filter, filterJson, HITS_DEFAULT, HITS_MAX, limitOf, type ReadyText } from "./query";

/** What is asked about: a kind of objection, one in the customer's words, or both. */
export interface Objection {
  kind?: TagKind;
  /** By `readyText`. */
  text?: ReadyText;
}

/** An objection that fell, and its answer. */
export interface AnsweredMoment extends Card {
  objection: { kind: TagKind; quote: string; turn: number; startMs: number };
  /** Turns of the rep. */
  answer: SaidTurn[];
  /** What came of it, as far as known. */
  after: { won: boolean; lost: boolean; commitment: boolean; nextStep: boolean };
  /** How near the objection is to the text that was asked with; null where none was. */
  similarity: number | null;
}

/** Answers, and how all such moments went. */
export interface Answers {
  moments: AnsweredMoment[];
  /** Of the moments that were looked at, answered or not. */
  counts: {
    moments: number;
    won: number;
    lost: number;
    commitment: number;
    nextStep: number;
  };
  /** Why the text could not be used; null where all went well. */
  trouble: string | null;
}

/** Newest conversations with an objection that are looked at. */
const CONVERSATIONS_MAX = 300;
/** Nearest moments that are looked at. */
const MOMENTS_MAX = 100;
/** Less alike is another objection: success is what they are sorted by, and must not bring those up. */
const SIMILARITY_MIN = 0.4;
/** So many times as many moments as asked for are looked at for an answer: some have none. */
const SPARE = 3;

/**
 * @param limit 1 to HITS_MAX
 * @throws BadQuery
 */
export async function answersTo(
  session: Session,
  { kind, text }: Objection,
  filter: Filter = {},
  limit?: number,
): Promise<Answers> {
  if (kind !== undefined && !isObjection(kind))
    throw new BadQuery(`The tag ${kind} is no objection; write one that begins with "objection.".`);
  if (kind === undefined && (text === undefined || text.text === ""))
    throw new BadQuery("Neither a kind of objection nor a text is given; give one of them.");
  const most = limitOf(limit, HITS_DEFAULT, HITS_MAX);
  const narrowed = kind === undefined ? filter : { ...filter, tags: [...(filter.tags ?? []), kind] };
  const moments = await momentsOf(session, kind, text, filterJson(narrowed));
  const counted = await judged(session, moments, kind);
  const answered = await withAnswers(session, counted.toSorted(bySuccess).slice(0, most * SPARE), most);
  return {
    moments: await withCards(session, answered),
    counts: { moments: counted.length, ...countsOf(counted) },
    trouble: text?.trouble ?? null,
  };
}

/** A moment by its tag. */
interface Moment {
  id: string;
  n: number;
  similarity: number | null;
}

interface JudgedMoment extends Moment {
  startedAt: Date;
  objection: AnsweredMoment["objection"];
  after: AnsweredMoment["after"];
}

async function momentsOf(
  session: Session,
  kind: TagKind | undefined,
  text: ReadyText | undefined,
  filter: string,
): Promise<Moment[]> {
  if (text?.vector !== undefined)
    return findByVector(session, "moment", text, filter, MOMENTS_MAX, SIMILARITY_MIN);
  if (kind === undefined) return [];
  const newest = await findNewest(session, filter, CONVERSATIONS_MAX);
  const rows = await session.query<{ id: string; n: number }>(
    "select conversation_id as id, n from salestag.tag where conversation_id = any($1::uuid[]) and kind = $2",
    [newest.map(({ id }) => id), kind],
  );
  return rows.map((row) => ({ ...row, similarity: null }));
}

interface Row {
  id: string;
  n: number;
  kind: TagKind;
  quote: string;
  turn: number;
  startMs: number;
  startedAt: Date;
  outcome: string;
  commitment: boolean;
  nextStep: boolean;
}

const JUDGED = `select t.conversation_id as id, t.n, t.kind, t.quote, t.turn, t.start_ms as "startMs", c.started_at as "startedAt",
    coalesce(f.outcome, 'open') as outcome, coalesce(good.commitment, false) as commitment, coalesce(good.next_step, false) as "nextStep"
  from unnest($1::uuid[], $2::int[]) as wanted (id, n)
    join salestag.tag t on t.conversation_id = wanted.id and t.n = wanted.n
    join salestag.conversation c on c.id = t.conversation_id
    left join salestag.filing f on f.conversation_id = t.conversation_id
    left join lateral (
      select bool_or(o.kind = 'outcome.commitment') as commitment, bool_or(o.kind = 'outcome.next-step') as next_step
      from salestag.tag o where o.conversation_id = t.conversation_id and o.turn > t.turn
    ) good on true
  where $3::text is null or t.kind = $3`;

async function judged(
  session: Session,
  moments: Moment[],
  kind: TagKind | undefined,
): Promise<JudgedMoment[]> {
  if (moments.length === 0) return [];
  const ids = moments.map(({ id }) => id);
  const places = moments.map(({ n }) => n);
  const rows = await session.query<Row>(JUDGED, [ids, places, kind ?? null]);
  const similarities = new Map(moments.map(({ id, n, similarity }) => [`${id} ${n}`, similarity]));
  return rows.map(({ id, n, startedAt, outcome, commitment, nextStep, ...objection }) => ({
    id,
    n,
    startedAt,
    similarity: similarities.get(`${id} ${n}`) ?? null,
    objection,
    after: { won: outcome === "won", lost: outcome === "lost", commitment, nextStep },
  }));
}

const SAID = `select wanted.place::int - 1 as place, s.turn, s.speaker, s.start_ms as "startMs", s.end_ms as "endMs", s.text
  from unnest($1::uuid[], $2::int[]) with ordinality as wanted (id, turn, place)
    join salestag.turn s on s.conversation_id = wanted.id and s.turn > wanted.turn and s.turn <= wanted.turn + $3
  order by 1, 2`;

type AnsweredByRep = JudgedMoment & { answer: SaidTurn[] };

/** @returns the first `most` that have an answer */
async function withAnswers(
  session: Session,
  moments: JudgedMoment[],
  most: number,
): Promise<AnsweredByRep[]> {
  if (moments.length === 0) return [];
  const ids = moments.map(({ id }) => id);
  const turns = moments.map(({ objection }) => objection.turn);
  const rows = await session.query<SaidTurn & { place: number }>(SAID, [ids, turns, ANSWER_WITHIN_TURNS]);
  const said: SaidTurn[][] = moments.map(() => []);
  for (const { place, ...turn } of rows) said[place].push(turn);
  return moments
    .map((moment, at) => ({ ...moment, answer: answerIn(said[at]) }))
    .filter(({ answer }) => answer.length > 0)
    .slice(0, most);
}

/** Won before bound, bound before a next step, that before nothing, lost last; then the more alike, then the newer. */
function bySuccess(a: JudgedMoment, b: JudgedMoment): number {
  return (
    success(b.after) - success(a.after) ||
    (b.similarity ?? 0) - (a.similarity ?? 0) ||
    b.startedAt.getTime() - a.startedAt.getTime() ||
    (a.id < b.id ? -1 : 1)
  );
}

function success({ won, lost, commitment, nextStep }: AnsweredMoment["after"]): number {
  if (won) return 3;
  if (lost) return -1;
  if (commitment) return 2;
  return nextStep ? 1 : 0;
}

function countsOf(moments: readonly JudgedMoment[]) {
  const count = (name: keyof AnsweredMoment["after"]) => moments.filter(({ after }) => after[name]).length;
  return {
    won: count("won"),
    lost: count("lost"),
    commitment: count("commitment"),
    nextStep: count("nextStep"),
  };
}

async function withCards(session: Session, moments: AnsweredByRep[]): Promise<AnsweredMoment[]> {
  const cards = await cardsOf(session, [...new Set(moments.map(({ id }) => id))]);
  const byId = new Map(cards.map((card) => [card.conversationId, card]));
  return moments.flatMap(({ id, objection, answer, after, similarity }) => {
    const card = byId.get(id);
    return card === undefined ? [] : [{ ...card, objection, answer, after, similarity }];
  });
}
