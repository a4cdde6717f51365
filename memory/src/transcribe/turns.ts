// Who the badge heard, and when; and, knowing the whole conversation, who those were that it was unsure of while it went on.
import type { Speaker } from "../model/transcript";

/** A turn as the badge tells it: ms after the conversation's start. `near` is the wearer. */
export interface BadgeTurn {
  startMs: number;
  endMs: number;
  talker: "near" | "far" | "unsure";
  /** Loudness, decibels below full scale, so negative. */
  levelDbfs: number;
}

/** Whom the badge's word for a talker stands for. */
export const SPEAKER_OF: Record<BadgeTurn["talker"], Speaker> = {
  near: "rep",
  far: "other",
  unsure: "unsure",
};

/** Near and far turns must be apart by as much to say anything about a third, dB. */
const APART_DB = 6;

/**
 * The badge judges by what it heard so far: the first turns it must leave open. In the end there are near and far turns to compare with: an unsure turn
 * that is clearly as loud as one of the two groups belongs to it.
 * @returns the turns in order of their start
 */
export function settled(turns: readonly BadgeTurn[]): BadgeTurn[] {
  const sorted = turns.toSorted((a, b) => a.startMs - b.startMs);
  const levelOf = (talker: BadgeTurn["talker"]) =>
    median(turns.filter((turn) => turn.talker === talker).map(({ levelDbfs }) => levelDbfs));
  const [near, far] = [levelOf("near"), levelOf("far")];
  if (near === undefined || far === undefined || near - far < APART_DB) return sorted;
  return sorted.map((turn) => {
    if (turn.talker !== "unsure") return turn;
    const share = (turn.levelDbfs - far) / (near - far);
    return { ...turn, talker: share >= 2 / 3 ? "near" : share <= 1 / 3 ? "far" : "unsure" };
  });
}

function median(values: number[]): number | undefined {
  return values.sort((a, b) => a - b)[values.length >> 1];
}
