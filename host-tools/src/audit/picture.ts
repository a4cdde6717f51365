// The account as pictures: a bar of letters for a terminal, and an SVG of the days. Inside an entry the order of what happened is not known, only the sums:
// it is drawn in one fixed order.
import type { Book, Spent, Stretch } from "./book";

/** How each kind of time looks. The order is that in which they are drawn inside an entry. */
export const LOOKS: { spent: Spent; letter: string; word: string; colour: string }[] = [
  { spent: "sent", letter: "#", word: "recorded and sent", colour: "#2a7f62" },
  { spent: "silence", letter: ".", word: "silence", colour: "#d9d9d9" },
  { spent: "paused", letter: "p", word: "paused", colour: "#e0a030" },
  { spent: "muted", letter: "m", word: "muted", colour: "#c05050" },
  { spent: "refused", letter: "r", word: "not consented, destroyed", colour: "#7a4fa3" },
  { spent: "unheard", letter: "!", word: "not heard or not stored", colour: "#303030" },
  { spent: "off", letter: " ", word: "switched off, or not recorded", colour: "#ffffff" },
];

/** A piece of the day, of one kind. */
export interface Piece {
  spent: Spent;
  startUnixMs: number;
  endUnixMs: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** @returns the pieces of all entries whose time is known, in order */
export function piecesOf({ stretches, off }: Book): Piece[] {
  const pieces: Piece[] = [];
  for (const stretch of stretches) {
    if (stretch.startUnixMs === undefined) continue;
    let at = stretch.startUnixMs;
    for (const { spent } of LOOKS) {
      const ms = msOf(stretch, spent);
      if (ms > 0) pieces.push({ spent, startUnixMs: at, endUnixMs: at + ms });
      at += ms;
    }
  }
  for (const { startUnixMs, durationMs } of off)
    if (startUnixMs !== undefined && durationMs !== undefined && durationMs > 0)
      pieces.push({ spent: "off", startUnixMs, endUnixMs: startUnixMs + durationMs });
  return pieces.sort((a, b) => a.startUnixMs - b.startUnixMs);
}

function msOf({ entry }: Stretch, spent: Spent): number {
  if (spent === "sent") return entry.sentMs;
  if (spent === "silence") return entry.silenceMs;
  if (spent === "muted") return entry.mutedMs;
  if (spent === "paused") return entry.pausedMs;
  if (spent === "refused") return entry.refusedMs;
  return spent === "unheard" ? entry.unheardMs : 0;
}

/** @returns for each hour with something in it its start and sixty kinds of time, one for each minute; undefined where nothing is known */
export function hoursOf(pieces: Piece[]): { startUnixMs: number; minutes: (Spent | undefined)[] }[] {
  const hours: { startUnixMs: number; minutes: (Spent | undefined)[] }[] = [];
  if (pieces.length === 0) return hours;
  const first = Math.floor(pieces[0].startUnixMs / (60 * MINUTE_MS)) * 60 * MINUTE_MS;
  const last = Math.max(...pieces.map(({ endUnixMs }) => endUnixMs));
  for (let startUnixMs = first; startUnixMs < last; startUnixMs += 60 * MINUTE_MS) {
    const minutes = Array.from({ length: 60 }, (_, minute) =>
      mostOf(pieces, startUnixMs + minute * MINUTE_MS),
    );
    if (minutes.some((spent) => spent !== undefined && spent !== "off")) hours.push({ startUnixMs, minutes });
  }
  return hours;
}

/** @returns the kind that takes most of a minute */
function mostOf(pieces: Piece[], fromMs: number): Spent | undefined {
  const sums = new Map<Spent, number>();
  for (const { spent, startUnixMs, endUnixMs } of pieces) {
    const ms = Math.min(endUnixMs, fromMs + MINUTE_MS) - Math.max(startUnixMs, fromMs);
    if (ms > 0) sums.set(spent, (sums.get(spent) ?? 0) + ms);
  }
  return [...sums].sort((a, b) => b[1] - a[1])[0]?.[0];
}

const WIDTH = 1040;
const LEFT = 110;
const ROW = 46;
const TOP = 70;

/** @returns an SVG with a row for each day, hours along the x axis */
export function svgOf(badge: string, pieces: Piece[], problems: string[]): string {
  const days = [...new Set(pieces.map(({ startUnixMs }) => Math.floor(startUnixMs / DAY_MS)))];
  const scale = (WIDTH - LEFT - 20) / DAY_MS;
  const height = TOP + days.length * ROW + 70;
  const rows = days.map((day, row) => {
    const y = TOP + row * ROW;
    const bars = pieces
      .filter(({ startUnixMs, endUnixMs }) => startUnixMs < (day + 1) * DAY_MS && endUnixMs > day * DAY_MS)
      .map(({ spent, startUnixMs, endUnixMs }) => {
        const from = Math.max(startUnixMs, day * DAY_MS);
        const to = Math.min(endUnixMs, (day + 1) * DAY_MS);
        const x = LEFT + (from - day * DAY_MS) * scale;
        const width = Math.max(0.4, (to - from) * scale);
        const { colour, word } = lookOf(spent);
        const title = `${word}, ${clockOf(from)} to ${clockOf(to)}`;
        return `<rect x="${x.toFixed(2)}" y="${y}" width="${width.toFixed(2)}" height="26" fill="${colour}"><title>${title}</title></rect>`;
      });
    const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
    return [
      `<text x="${LEFT - 10}" y="${y + 18}" text-anchor="end">${date}</text>`,
      `<rect x="${LEFT}" y="${y}" width="${(DAY_MS * scale).toFixed(0)}" height="26" fill="none" stroke="#bbb"/>`,
      ...bars,
    ].join("\n");
  });
  const hours = Array.from({ length: 25 }, (_, hour) => {
    const x = (LEFT + hour * 60 * MINUTE_MS * scale).toFixed(1);
    return `<text x="${x}" y="${TOP - 10}" text-anchor="middle">${hour % 3 === 0 ? hour : ""}</text><line x1="${x}" x2="${x}" y1="${TOP - 5}" y2="${TOP}" stroke="#999"/>`;
  });
  const legend = LOOKS.map(({ word, colour }, place) => {
    const x = LEFT + (place % 4) * 230;
    const y = height - 44 + Math.floor(place / 4) * 20;
    return `<rect x="${x}" y="${y - 11}" width="14" height="14" fill="${colour}" stroke="#999"/><text x="${x + 20}" y="${y}">${word}</text>`;
  });
  const verdict = problems.length === 0 ? "nothing is missing" : `${problems.length} things are wrong`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="sans-serif" font-size="12">
<title>Account of badge ${badge}</title>
<desc>Where every minute went, by day, in UTC: ${verdict}.</desc>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="${LEFT}" y="28" font-size="16">Badge ${badge}: ${verdict}</text>
${hours.join("\n")}
${rows.join("\n")}
${legend.join("\n")}
</svg>
`;
}

export function lookOf(spent: Spent): (typeof LOOKS)[number] {
  return LOOKS.find((look) => look.spent === spent) as (typeof LOOKS)[number];
}

function clockOf(unixMs: number): string {
  return new Date(unixMs).toISOString().slice(11, 19);
}
