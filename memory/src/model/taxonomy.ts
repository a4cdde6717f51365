// What is tagged in a conversation: every kind of tag with its meaning. The rules, the labelled dialogues, the schema for a chat endpoint and the API's
// documentation all take it from here.

/** One kind of tag. */
export interface TagMeaning {
  title: string;
  /** When a turn gets this tag, precise enough for two people to agree on. */
  means: string;
}

export const TAXONOMY = {
  "objection.pricing": {
    title: "Objection: price",
    means: "The customer gives price, cost, payment, debt or a bad deal as a reason against.",
  },
  "objection.timing": {
    title: "Objection: timing",
    means:
      "The customer gives the moment as a reason against: not now, later, busy, after something else, a contract that still runs.",
  },
  "objection.authority": {
    title: "Objection: authority",
    means: "The customer cannot or will not decide without somebody else: spouse, landlord, board, boss.",
  },
  "objection.need": {
    title: "Objection: need",
    means:
      "The customer sees no need or no benefit: has it already, is content, does not want it, does not believe that it helps.",
  },
  "signal.urgency": {
    title: "Buying signal: urgency",
    means: "The customer wants it soon, or tells of a deadline, an event or a trouble that presses.",
  },
  "signal.interest": {
    title: "Buying signal: interest",
    means:
      "The customer asks how it would be for themselves (what it does, how long it lasts, what the payment would be), or says that they like it.",
  },
  "signal.decision-readiness": {
    title: "Buying signal: ready to decide",
    means:
      "The customer asks how to go on (what to sign, when you could start, how to pay), or speaks as if it were decided.",
  },
  competitor: {
    title: "Competitor",
    means: "Anybody names another company, its offer, or an offer from somebody else for the same thing.",
  },
  "role.decision-maker": {
    title: "Decision maker",
    means: "It is said who decides: 'it is my call', 'my wife makes these decisions', 'we decide together'.",
  },
  "role.influencer": {
    title: "Influencer",
    means:
      "It is said whose opinion counts without deciding: 'my brother-in-law is an electrician, I will ask him'.",
  },
  "role.gatekeeper": {
    title: "Gatekeeper",
    means:
      "The one who talks only guards the way to whoever decides: 'the owner is not in', 'leave a card, I will pass it on'.",
  },
  "outcome.next-step": {
    title: "Outcome: next step",
    means:
      "A concrete next contact or action is proposed or agreed on: a visit, a call, a survey, papers to be sent.",
  },
  "outcome.commitment": {
    title: "Outcome: commitment",
    means:
      "The customer binds themselves: agrees to the deal, signs, pays a deposit, promises an action of their own.",
  },
  "outcome.result": {
    title: "Outcome: result",
    means: "How the talk ends is said outright: sold, refused for good, sent away.",
  },
  "coaching.unanswered-objection": {
    title: "Coaching: objection passed over",
    means:
      "The customer objected, and the rep's next turn does not take it up at all. Tagged on that turn of the rep.",
  },
  "coaching.missed-signal": {
    title: "Coaching: buying signal missed",
    means:
      "The customer gave a buying signal, and the rep's next turn passes it over. Tagged on that turn of the rep.",
  },
  "coaching.monologue": {
    title: "Coaching: monologue",
    means: "One turn of the rep of 70 words or more, or of more than 40 s.",
  },
  "coaching.pressure": {
    title: "Coaching: pressure",
    means: "The rep presses: today only, last chance, an answer now, shame or fear.",
  },
  "coaching.no-next-step": {
    title: "Coaching: no next step",
    means:
      "The customer was not against it for good, nothing was sold, and the talk ends without a next step. Tagged on the rep's last turn.",
  },
  "mood.turn-up": {
    title: "Mood turns up",
    means:
      "The customer's feeling changes clearly for the better within the talk. Tagged on the turn of theirs where one hears it first.",
  },
  "mood.turn-down": {
    title: "Mood turns down",
    means:
      "The customer's feeling changes clearly for the worse within the talk. Tagged on the turn of theirs where one hears it first.",
  },
} as const satisfies Record<string, TagMeaning>;

/** Name of a kind of tag, such as `objection.pricing`. */
export type TagKind = keyof typeof TAXONOMY;

export const TAG_KINDS = Object.keys(TAXONOMY) as TagKind[];

/** @returns true for a kind that is in the taxonomy */
export function isTagKind(text: string): text is TagKind {
  return Object.hasOwn(TAXONOMY, text);
}
