// The pages of an export, which a person reads in a browser without any network: a list of conversations, and one page for each.
import type { ExportedConversation } from "./records";

/** A conversation in the list. */
export interface Listed {
  /** Folder of the conversation in the export. */
  folder: string;
  startedAt: Date;
  durationMs: number;
  consent: string;
  hasAudio: boolean;
}

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; media-src 'self' file:";
const STYLE = `body{font:16px/1.5 sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #ccc;vertical-align:top}.at{color:#666;white-space:nowrap}`;

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** @returns the text for HTML */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign]);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${escaped(title)}</title><style>${STYLE}</style></head>
<body><h1>${escaped(title)}</h1>
${body}
</body></html>
`;
}

function timeText(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function spanText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

const table = (heads: string[], rows: string[][]) =>
  `<table><tr>${heads.map((head) => `<th>${head}</th>`).join("")}</tr>
${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("\n")}</table>`;

/** @returns `index.html` of the export */
export function listPage(name: string, madeAt: Date, listed: Listed[]): string {
  const rows = listed.map(({ folder, startedAt, durationMs, consent, hasAudio }) => [
    `<a href="${escaped(folder)}/index.html">${timeText(startedAt)}</a>`,
    spanText(durationMs),
    escaped(consent),
    hasAudio ? "yes" : "no",
  ]);
  const intro = `<p>What is kept about you, as of ${timeText(madeAt)}. Beside this page: <a href="subject.json">who you are here</a>,
<a href="audit.jsonl">who looked at or changed it, and what for</a>, and <a href="manifest.json">a list of all files</a>.</p>`;
  return page(`Data on ${name}`, `${intro}\n${table(["Conversation", "Length", "Consent", "Audio"], rows)}`);
}

/** @returns the page of one conversation */
export function conversationPage(conversation: ExportedConversation, hasAudio: boolean): string {
  const { startedAt, durationMs, consent, transcribedBy, turns, tags, insights } = conversation;
  const at = (ms: number) => `<span class="at">${spanText(ms)}</span>`;
  const summary = insights.find(({ kind }) => kind === "summary")?.body as { text?: unknown } | undefined;
  const heard =
    transcribedBy === null || transcribedBy === "badge" ? "by the badge alone" : `by ${transcribedBy}`;
  const parts = [
    `<p>${spanText(durationMs)} long. Consent: ${escaped(consent.means)}, at ${spanText(consent.atMs)}. Written down ${escaped(heard)}.</p>`,
    hasAudio ? '<p><audio controls src="audio.ogg"></audio></p>' : "<p>There is no audio of it any more.</p>",
    typeof summary?.text === "string" ? `<p>${escaped(summary.text)}</p>` : "",
    "<h2>What was said</h2>",
    table(
      ["At", "Who", "What"],
      turns.map(({ startMs, speaker, text }) => [at(startMs), escaped(speaker), escaped(text)]),
    ),
    "<h2>What was made of it</h2>",
    table(
      ["At", "Tag", "Words", "Why"],
      tags.map(({ startMs, kind, quote, reason }) => [
        at(startMs),
        ...[kind, quote, reason].map((text) => escaped(text)),
      ]),
    ),
  ];
  return page(`Conversation of ${timeText(startedAt)}`, parts.join("\n"));
}
