// Everything that is kept about one customer, or about one of the team's people, as a ZIP file that its reader needs nothing but a browser for.
import type { Database } from "../../store/database";
import type { Actor } from "../actor";
import { audit } from "../audit";
import { PrivacyError } from "../error";
import { conversationsOf, type Subject } from "../subject";
import { conversationPage, type Listed, listPage } from "./page";
import { type ExportedEntry, readConversation, readEntries, readSubject } from "./records";
import { type Entry, writeZip, type ZipWriter } from "./zip-file";

/** What an export is made from. */
export interface ExportParts {
  database: Database;
  /** @returns Ogg Opus; undefined where no audio of it is here, or its key is gone */
  audioOf(badge: string, epoch: number): Promise<Buffer | undefined>;
}

/** What an export has. */
export interface Exported {
  conversations: number;
  files: Entry[];
}

/**
 * Writes a customer's or a person's data to a file; one conversation at a time is held in memory.
 * @param path of a file that must not be there yet; it appears whole, mode 0600, or not at all
 * @throws PrivacyError when the team has no such customer or person, or the file is there
 */
export async function exportSubject(
  { database, audioOf }: ExportParts,
  actor: Actor,
  subject: Subject,
  path: string,
  nowMs: number,
): Promise<Exported> {
  if (subject.kind === "conversation")
    throw new PrivacyError("invalid", "an export is for a customer or a person; name one of them.");
  const { ids, about } = await begin(database, actor, subject, nowMs);
  const listed: Listed[] = [];
  const files = await writeZip(path, nowMs, async (zip) => {
    await zip.add("subject.json", [json(about)]);
    for (const id of ids) {
      const one = await addConversation(zip, { database, audioOf }, subject, id);
      if (one !== undefined) listed.push(one);
    }
    await zip.add("audit.jsonl", entryLines(database, subject, ids));
    await zip.add("index.html", [listPage((about as { name: string }).name, new Date(nowMs), listed)]);
  });
  return { conversations: listed.length, files };
}

/** That data was handed out is itself in the log, and in the export. */
function begin(
  database: Database,
  actor: Actor,
  subject: Subject,
  nowMs: number,
): Promise<{ ids: string[]; about: object }> {
  return database.system(async (session) => {
    const ids = (await conversationsOf(session, actor.teamId, subject)).map(({ id }) => id);
    await audit(session, {
      ...{ action: "export", purpose: "legal", conversationIds: ids },
      ...{ detail: { [subject.kind]: subject.id }, actor, atMs: nowMs },
    });
    return { ids, about: await readSubject(session, subject) };
  });
}

async function addConversation(
  zip: ZipWriter,
  { database, audioOf }: ExportParts,
  subject: Subject,
  id: string,
): Promise<Listed | undefined> {
  const row = await database.system((session) => readConversation(session, id, subject));
  if (row === undefined) return undefined; // erased meanwhile, or not made from its chunks yet
  const { conversation, badge, epoch } = row;
  const { startedAt, durationMs, consent } = conversation;
  const folder = `conversations/${startedAt.toISOString().slice(0, 10)}-${id}`;
  const audio = await audioOf(badge, epoch);
  await zip.add(`${folder}/conversation.json`, [json(conversation)]);
  if (audio !== undefined) await zip.add(`${folder}/audio.ogg`, [audio]);
  await zip.add(`${folder}/index.html`, [conversationPage(conversation, audio !== undefined)]);
  return { folder, startedAt, durationMs, consent: consent.means, hasAudio: audio !== undefined };
}

async function* entryLines(database: Database, subject: Subject, ids: string[]): AsyncGenerator<string> {
  let last: ExportedEntry | undefined;
  for (;;) {
    const after = last;
    const entries = await database.system((session) => readEntries(session, subject, ids, after));
    if (entries.length === 0) return;
    yield entries.map(({ id, ...entry }) => `${JSON.stringify(entry)}\n`).join("");
    last = entries.at(-1);
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
