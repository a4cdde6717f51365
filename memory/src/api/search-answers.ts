// How the API tells of what was found.
import { type Static, Type } from "typebox";
import type { Card } from "../search";
import { TRANSCRIPT_STATES, transcriptState } from "./conversation-answers";
import {
  exactly,
  Id,
  Kind,
  Ms,
  NamedOrNull,
  Outcome,
  oneOf,
  SpeakerName,
  TextOrNull,
  Time,
  timeText,
} from "./schemas";

const card = {
  conversationId: Id,
  startedAt: Time,
  durationMs: Type.Integer(),
  person: NamedOrNull,
  customer: NamedOrNull,
  outcome: Outcome,
  consent: Type.Union([exactly({ means: Type.String(), atMs: Ms }), Type.Null()]),
  transcript: oneOf(TRANSCRIPT_STATES, { description: "`badge only`: no more than key phrases is known." }),
  transcribedBy: TextOrNull,
  summary: TextOrNull,
  tags: Type.Array(Kind),
};
const said = {
  turn: Type.Integer({ minimum: 0 }),
  speaker: SpeakerName,
  startMs: Ms,
  endMs: Ms,
  text: Type.String(),
};
const SaidTurn = exactly(said);
const mark = Type.Array(Type.Integer({ minimum: 0 }), { minItems: 2, maxItems: 2 });
const ranked = (name: string) =>
  Type.Union([
    Type.Object(
      { rank: Type.Integer({ minimum: 1 }), [name]: Type.Number() },
      { additionalProperties: false },
    ),
    Type.Null(),
  ]);

export const HitsAnswer = exactly({
  hits: Type.Array(
    exactly({
      ...card,
      score: exactly({ fused: Type.Number(), text: ranked("score"), vector: ranked("similarity") }),
      passages: Type.Array(
        exactly({
          ...said,
          turn: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
            description: "null: a key phrase that the badge heard, in no turn.",
          }),
          marks: Type.Array(mark, {
            description: "What was looked for: first character in the text, and the one after the last.",
          }),
        }),
      ),
    }),
  ),
  next: Type.Union([Type.String(), Type.Null()], { description: "`cursor` of the next page." }),
  trouble: Type.Union([Type.String(), Type.Null()], { description: "Why only words were looked for." }),
});

export const BeforeAnswer = exactly({
  conversations: Type.Array(
    exactly({
      ...card,
      said: Type.Array(
        exactly({
          ...said,
          tags: Type.Array(exactly({ kind: Kind, quote: Type.String(), reason: Type.String() })),
        }),
      ),
    }),
  ),
});

export const AnswersAnswer = exactly({
  moments: Type.Array(
    exactly({
      ...card,
      objection: exactly({ kind: Kind, quote: Type.String(), turn: Type.Integer(), startMs: Ms }),
      answer: Type.Array(SaidTurn),
      after: exactly({
        won: Type.Boolean(),
        lost: Type.Boolean(),
        commitment: Type.Boolean(),
        nextStep: Type.Boolean(),
      }),
      similarity: Type.Union([Type.Number(), Type.Null()]),
    }),
  ),
  counts: exactly({
    moments: Type.Integer(),
    won: Type.Integer(),
    lost: Type.Integer(),
    commitment: Type.Integer(),
    nextStep: Type.Integer(),
  }),
  trouble: TextOrNull,
});

export const SimilarAnswer = exactly({
  similar: Type.Array(exactly({ ...card, similarity: Type.Number() })),
  ready: Type.Boolean({ description: "false: this conversation was not made comparable yet." }),
});

const Mood = exactly({ mean: Type.Number(), atStart: Type.Number(), atEnd: Type.Number() });
export const TimelineAnswer = exactly({
  encounters: Type.Array(exactly({ ...card, mood: Type.Union([Mood, Type.Null()]) })),
  earlier: Type.Union([Type.String(), Type.Null()], { description: "`cursor` of those before." }),
});

type Told<Found extends Card> = Omit<Found, "startedAt"> & {
  startedAt: string;
  transcript: Static<typeof card.transcript>;
};

/** @returns what was found, as the API tells it */
export function told<Found extends Card>(found: Found): Told<Found> {
  const { startedAt, transcribedBy } = found;
  return { ...found, startedAt: timeText(startedAt), transcript: transcriptState(transcribedBy) };
}
