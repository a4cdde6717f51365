// The script of the sample conversation: a rep at a homeowner's door, selling solar. Written for this project.

export type Speaker = "rep" | "homeowner";

/** One turn: who, after which pause, what, and the phrases in it that a sales team would mark. */
export interface ScriptTurn {
  speaker: Speaker;
  /** Silence before the turn, ms. */
  pauseMs: number;
  text: string;
  marks?: { kind: "consent" | "objection" | "buying-signal" | "competitor" | "next-step"; text: string }[];
}

export const SCRIPT: ScriptTurn[] = [
  { speaker: "rep", pauseMs: 2200, text: "Hi there, I am Dan with Bright Roof Solar." },
  {
    speaker: "rep",
    pauseMs: 350,
    text: "Is it okay if my badge records our talk?",
    marks: [{ kind: "consent", text: "Is it okay if my badge records our talk" }],
  },
  {
    speaker: "homeowner",
    pauseMs: 700,
    text: "Yes, that is fine with me.",
    marks: [{ kind: "consent", text: "Yes that is fine with me" }],
  },
  {
    speaker: "rep",
    pauseMs: 500,
    text: "Thank you. Your roof faces south, so it could pay your whole power bill.",
  },
  {
    speaker: "homeowner",
    pauseMs: 900,
    text: "Maybe, but solar is too expensive for us.",
    marks: [{ kind: "objection", text: "solar is too expensive" }],
  },
  { speaker: "rep", pauseMs: 600, text: "I hear that a lot. What do you pay for power each month?" },
  { speaker: "homeowner", pauseMs: 800, text: "Let me get the bill from the kitchen." },
  { speaker: "homeowner", pauseMs: 6300, text: "Here it is. One hundred and eighty dollars last month." },
  {
    speaker: "homeowner",
    pauseMs: 450,
    text: "What would the monthly payment be?",
    marks: [{ kind: "buying-signal", text: "What would the monthly payment be" }],
  },
  { speaker: "rep", pauseMs: 700, text: "About one hundred and twenty, with no money down." },
  {
    speaker: "homeowner",
    pauseMs: 1200,
    text: "A man from Sun Power offered us less than that.",
    marks: [{ kind: "competitor", text: "Sun Power" }],
  },
  { speaker: "rep", pauseMs: 800, text: "Did that price include the battery and the warranty?" },
  {
    speaker: "homeowner",
    pauseMs: 1500,
    text: "I am not sure. I need to talk to my husband first.",
    marks: [{ kind: "objection", text: "I need to talk to my husband" }],
  },
  {
    speaker: "rep",
    pauseMs: 700,
    text: "Of course. Can I come back on Thursday at six and show you both the numbers?",
    marks: [{ kind: "next-step", text: "come back on Thursday at six" }],
  },
  {
    speaker: "homeowner",
    pauseMs: 900,
    text: "Thursday at six works for us.",
    marks: [{ kind: "next-step", text: "Thursday at six works" }],
  },
];

/** Silence after the last turn, ms. */
export const TAIL_MS = 1500;
