// The chat tagger: any OpenAI-compatible chat endpoint tags a transcript. What it says is not believed: an answer keeps to the schema or is thrown away,
// a tag quotes words that were said in its turn, by somebody who can have meant them, or is dropped. Monologues are counted here, and insights are made
// here of what stood, so no free text of a model gets into them.
import type { Structure, Structurer, Tag } from "../model/structure";
import type { TagKind } from "../model/taxonomy";
import type { Speaker, Transcript } from "../model/transcript";
import { findMonologues, insightsFor } from "../tagger/index";
import { askChat, type ChatEndpoint } from "./endpoint";
import { findQuote } from "./evidence";
import { type PlacedTurn, partsOfTalk } from "./parts";
import { messagesFor } from "./prompt";
import { ANSWER_SCHEMA, type ClaimedTag, readClaims } from "./schema";

/** A tag that the model gave and that does not stand. */
export interface DroppedTag {
  kind: TagKind;
  /** Place of the turn that it names. */
  turn: number;
  why: "no such turn" | "quote not said" | "wrong speaker";
}

export interface ChatOptions extends Pick<ChatEndpoint, "url" | "model" | "apiKey"> {
  /** Longest wait for one answer. */
  timeoutMs?: number;
  /** Longest answer that is read. */
  answerBytesMax?: number;
  /** Words of a part of a long talk. */
  partWordsMax?: number;
  /** Turns that two parts share. */
  overlapTurns?: number;
  /** Told of each tag that is dropped. */
  onDropped?: (dropped: DroppedTag) => void;
}

export const CHAT_DEFAULTS = {
  timeoutMs: 120_000,
  answerBytesMax: 1 << 20,
  partWordsMax: 3000,
  overlapTurns: 6,
};

/** Another number means that talks are tagged anew. */
const NAME = "chat/1";

/** @returns a tagger that asks the endpoint; its work fails as a whole where one part does */
export function chatStructurer(options: ChatOptions): Structurer {
  const settings = { ...CHAT_DEFAULTS, onDropped: () => {}, ...options };
  return {
    name: `${NAME}:${options.model}`,
    async structure(transcript, signal) {
      signal.throwIfAborted();
      const found: Tag[] = [...findMonologues(transcript)];
      for (const part of partsOfTalk(transcript, settings.partWordsMax, settings.overlapTurns)) {
        const claims = readClaims(await askChat(settings, messagesFor(part), ANSWER_SCHEMA, signal));
        for (const claim of claims) {
          const tag = checked(claim, part, settings.model);
          if (typeof tag === "string") settings.onDropped({ kind: claim.kind, turn: claim.turn, why: tag });
          else found.push(tag);
        }
      }
      return structureOf(transcript, found);
    },
  };
}

/** @returns the tag, or why it does not stand */
function checked(claim: ClaimedTag, part: readonly PlacedTurn[], model: string): Tag | DroppedTag["why"] {
  const { kind, turn: place, reason, confidence } = claim;
  const turn = part.find((one) => one.place === place)?.turn;
  if (turn === undefined) return "no such turn";
  if (!canSay(kind, turn.speaker)) return "wrong speaker";
  const evidence = findQuote(turn, claim.quote);
  if (evidence === undefined) return "quote not said";
  const words = turn.words.slice(evidence.firstWord, evidence.lastWord + 1);
  return {
    kind,
    turn: place,
    ...evidence,
    startMs: words[0].startMs,
    endMs: words[words.length - 1].endMs,
    quote: words.map(({ text }) => text).join(" "),
    rule: model,
    reason,
    confidence,
  };
}

const OF_THE_OTHER = ["objection.", "signal.", "mood.", "role.gatekeeper", "outcome.commitment"];

function canSay(kind: TagKind, speaker: Speaker): boolean {
  if (speaker === "rep") return !OF_THE_OTHER.some((start) => kind.startsWith(start));
  return speaker === "unsure" || !kind.startsWith("coaching.");
}

/** One of a kind on a turn, the surest: parts overlap. */
function structureOf(transcript: Transcript, found: readonly Tag[]): Structure {
  const best = new Map<string, Tag>();
  for (const tag of found) {
    const key = `${tag.turn} ${tag.kind}`;
    const other = best.get(key);
    if (other === undefined || other.confidence < tag.confidence) best.set(key, tag);
  }
  const tags = [...best.values()].sort((one, other) => one.startMs - other.startMs || one.turn - other.turn);
  return { tags, insights: insightsFor(transcript, tags) };
}
