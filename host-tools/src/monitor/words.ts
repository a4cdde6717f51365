// How the screen puts what the monitor knows: times, bars, meanings. Text only, no drawing.
import { EndReason } from "@salestag/protocol";
import type { Conversation, EndedConversation, Link, MonitorState } from "./model";

/** How a pattern of the light looks; firmware/src/indicators.ts and the README have the table. */
export interface LightWords {
  color: string;
  means: string;
}

const LIGHTS: Record<string, LightWords> = {
  ready: { color: "green", means: "listens; the relay is reached" },
  "no-network": { color: "cyan", means: "listens; what it records waits on the badge" },
  recording: { color: "green", means: "a conversation is kept" },
  asking: { color: "blue", means: "heard and held: nobody has consented yet" },
  "not-recording": { color: "magenta", means: "refused, or not answered in time: it was destroyed" },
  paused: { color: "yellow", means: "paused by its wearer" },
  muted: { color: "red", means: "the microphone is switched off" },
  "storage-full": { color: "yellow", means: "takes no more: bring it to a network" },
  "storage-failed": { color: "red", means: "the flash fails: have it repaired" },
  "battery-low": { color: "yellow", means: "charge it" },
  off: { color: "gray", means: "the team's policy is to record nothing" },
};

const REASONS: Record<number, string> = {
  0: "refused and destroyed",
  [EndReason.Silence]: "ended by silence",
  [EndReason.TooLong]: "ended as too long",
  [EndReason.MicrophoneLost]: "ended, microphone lost",
  [EndReason.Paused]: "ended by the wearer",
};

/** @returns how a pattern looks and what it means; one of a newer badge has no meaning here */
export function lightWords(pattern: string): LightWords {
  return LIGHTS[pattern] ?? { color: "white", means: "" };
}

/** @returns `0:42`, `1:02:03` or `2 d 1:02:03` */
export function span(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const hours = Math.floor(s / 3600) % 24;
  const clock =
    s < 3600
      ? `${Math.floor(s / 60)}:${two(s % 60)}`
      : `${hours}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return s < 86_400 ? clock : `${Math.floor(s / 86_400)} d ${clock}`;
}

/** @returns time of day, hours to seconds, here */
export function timeOfDay(unixMs: number): string {
  return new Date(unixMs).toTimeString().slice(0, 8);
}

/** @returns a bar of so many characters. @param share 0 to 1; more or less is cut */
export function bar(share: number, columns: number): { full: string; empty: string } {
  const whole = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
  const full = Math.round(whole * columns);
  return { full: "█".repeat(full), empty: "░".repeat(columns - full) };
}

/** @returns a level's place on the meter, 0 to 1: -90 dB is its left end */
export function meterShare(levelDb: number): number {
  return 1 + levelDb / 90;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

export function kilobytes(bytes: number): string {
  return (bytes / 1024).toFixed(1);
}

/** @returns the conversation that goes on, or the last one */
export function conversationWords({ conversation, last }: MonitorState, nowMs: number): string {
  if (conversation !== undefined) {
    const { epoch, consent } = conversation;
    return `number ${epoch}, ${lasted(conversation, nowMs)} so far, consent ${consent}`;
  }
  return last === undefined ? "none yet" : `none; the last was ${lastWords(last)}`;
}

function lastWords(last: EndedConversation): string {
  const { epoch, endedMs, reason } = last;
  return `number ${epoch}, ${lasted(last, endedMs)}, ${REASONS[reason] ?? `ended (${reason})`}`;
}

function lasted({ sinceMs, seenBegin }: Conversation, untilMs: number): string {
  return `${seenBegin ? "" : "at least "}${span(untilMs - sinceMs)}`;
}

/** @returns how the connection to the relay stands */
export function linkWords(link: Link | undefined, nowMs: number): string {
  if (link === undefined) return "not yet known";
  const since = span(nowMs - link.sinceMs);
  if (link.rests) return `all sent ${since} ago, comes back in ${span(Math.max(0, link.retryMs - nowMs))}`;
  if (link.up) return `reached for ${since}${link.held ? ", but it has no room and takes nothing" : ""}`;
  const retryS = Math.max(0, Math.ceil((link.retryMs - nowMs) / 1000));
  return `not reached for ${since}, tries again in ${retryS} s: ${link.why}`;
}
