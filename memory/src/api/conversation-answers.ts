// How the API tells of conversations: in lists, and one with everything that is known of it.
import { type Static, Type } from "typebox";
import { BADGE_SOURCE } from "../model/transcript";
import {
  BadgeId,
  exactly,
  Id,
  Kind,
  Ms,
  NamedOrNull,
  Note,
  named,
  Outcome,
  oneOf,
  SpeakerName,
  TextOrNull,
  Time,
  timeText,
} from "./schemas";

export const TRANSCRIPT_STATES = ["none yet", "badge only", "transcribed"] as const;

const brief = {
  id: Id,
  startedAt: Time,
  startedSource: Type.String({ description: "'badge clock', 'estimated from receive time' or 'unknown'." }),
  durationMs: Type.Integer(),
  state: oneOf(["open", "final"] as const, { description: "`open`: more may come." }),
  complete: Type.Boolean({ description: "The end was recorded, nothing is missing, everything opened." }),
  transcript: oneOf(TRANSCRIPT_STATES, {
    description:
      "`badge only`: no transcriber heard it; turns and key phrases are what the badge itself made of it.",
  }),
  transcribedBy: TextOrNull,
  badge: BadgeId,
  person: NamedOrNull,
  customer: NamedOrNull,
  site: NamedOrNull,
  outcome: Outcome,
  consent: exactly({
    means: Type.String({ description: "How the other side agreed: 'announced', 'phrase' or 'button'." }),
    atMs: Ms,
  }),
  summary: TextOrNull,
  tags: Type.Array(Kind, { description: "Kinds of its tags, each once." }),
};

export const BriefAnswer = exactly(brief);
export type BriefAnswer = Static<typeof BriefAnswer>;

const WordAnswer = exactly({ text: Type.String(), startMs: Ms, endMs: Ms });
const TurnAnswer = exactly({
  turn: Type.Integer({ minimum: 0 }),
  speaker: SpeakerName,
  startMs: Ms,
  endMs: Ms,
  text: Type.String(),
  words: Type.Optional(Type.Array(WordAnswer)),
});
const TagAnswer = exactly({
  kind: Kind,
  turn: Type.Integer({ minimum: 0 }),
  firstWord: Type.Integer(),
  lastWord: Type.Integer(),
  startMs: Ms,
  endMs: Ms,
  quote: Type.String({ description: "The words that it rests on." }),
  rule: Type.String({ description: "Who says so." }),
  reason: Type.String(),
  confidence: Type.Number({ minimum: 0, maximum: 1 }),
});
const PhraseAnswer = exactly({ text: Type.String(), startMs: Ms, endMs: Ms });
const points = (more: Record<string, Type.TSchema>) =>
  Type.Array(
    Type.Object({ startMs: Ms, endMs: Ms, value: Type.Number(), ...more }, { additionalProperties: false }),
  );
const WholeAnswerParts = {
  problems: Type.Array(Type.String(), { description: "What is missing or did not open." }),
  trouble: TextOrNull,
  talk: exactly({
    repMs: Type.Union([Type.Integer(), Type.Null()]),
    otherMs: Type.Union([Type.Integer(), Type.Null()]),
  }),
  marksMs: Type.Array(Ms, { description: "Moments that the wearer marked." }),
  filing: exactly({ note: Note, territory: NamedOrNull }),
  phrases: Type.Array(PhraseAnswer, { description: "Key phrases that the badge heard." }),
  turns: Type.Array(TurnAnswer),
  allTags: Type.Array(TagAnswer),
  sentiment: points({ speaker: SpeakerName }),
  engagement: points({}),
};
export const WholeAnswer = exactly({ ...brief, ...WholeAnswerParts });
export type WholeAnswer = Static<typeof WholeAnswer>;

/** A conversation's row with the names that belong to it. */
export interface BriefRow {
  id: string;
  startedAt: Date;
  startedSource: string;
  durationMs: number;
  state: "open" | "final";
  complete: boolean;
  transcribedBy: string | null;
  badge: string;
  personId: string | null;
  personName: string | null;
  customerId: string | null;
  customerName: string | null;
  siteId: string | null;
  siteAddress: string | null;
  outcome: "open" | "won" | "lost" | null;
  consentMeans: string;
  consentAtMs: number;
  summary: string | null;
  tags: BriefAnswer["tags"];
}

/** Columns of a BriefRow, from the tables of BRIEF_FROM. */
export const BRIEF_COLUMNS = `c.id, c.started_at as "startedAt", c.started_source as "startedSource", c.duration_ms as "durationMs", c.state, c.complete,
  c.transcribed_by as "transcribedBy", c.badge_id as badge, c.person_id as "personId", p.name as "personName",
  f.customer_id as "customerId", cu.name as "customerName", f.site_id as "siteId", s.address as "siteAddress", f.outcome,
  co.means as "consentMeans", co.at_ms as "consentAtMs",
  (select i.body ->> 'text' from salestag.insight i where i.conversation_id = c.id and i.kind = 'summary') as summary,
  array(select distinct t.kind from salestag.tag t where t.conversation_id = c.id order by 1) as tags`;

/** Whose consent is missing is not shown: it should not be there. */
export const BRIEF_FROM = `salestag.conversation c join salestag.consent co on co.conversation_id = c.id
  left join salestag.person p on p.id = c.person_id
  left join salestag.filing f on f.conversation_id = c.id
  left join salestag.customer cu on cu.id = f.customer_id
  left join salestag.site s on s.id = f.site_id`;

/** @returns a conversation as lists have it */
export function briefAnswer(row: BriefRow): BriefAnswer {
  const { personId, personName, customerId, customerName, siteId, siteAddress, consentMeans, consentAtMs } =
    row;
  return {
    id: row.id,
    startedAt: timeText(row.startedAt),
    startedSource: row.startedSource,
    durationMs: row.durationMs,
    state: row.state,
    complete: row.complete,
    transcript: transcriptState(row.transcribedBy),
    transcribedBy: row.transcribedBy,
    badge: row.badge,
    person: named(personId, personName),
    customer: named(customerId, customerName),
    site: named(siteId, siteAddress),
    outcome: row.outcome ?? "open",
    consent: { means: consentMeans, atMs: consentAtMs },
    summary: row.summary,
    tags: row.tags,
  };
}

/** @returns whether a transcriber heard it, or the badge alone */
export function transcriptState(by: string | null): (typeof TRANSCRIPT_STATES)[number] {
  if (by === null) return "none yet";
  return by === BADGE_SOURCE ? "badge only" : "transcribed";
}
