// How well questions with known answers find them: by words alone, by vectors alone, by both. On the labelled dialogues, whose labels are the tags.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localEmbedder } from "../src/embed/local";
import { type LabelledDialogue, readLabelled } from "../src/labelled/read";
import { findByPassage, findByText } from "../src/search/found";
import { indexConversation } from "../src/search/index-conversation";
import { readyText } from "../src/search/query";
import { search } from "../src/search/search";
import type { Database, Session } from "../src/store/database";
import { openDatabase } from "../src/store/open";
import { type Question, TEST, TUNING } from "./search-queries";
import { idOf } from "./search-store";

const NEVER = new AbortController().signal;
const FOUND_MAX = 50;
const TEAM = idOf("quality team", 0);

/** Prints recall among the first five and the mean reciprocal rank of each way to find. */
export async function measureQuality(say: (line: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "salestag-quality-"));
  const database = await openDatabase({ folder });
  try {
    const dialogues = ["tuning.txt", "held-out.txt"].flatMap((name) => {
      const path = join(import.meta.dirname, "../labelled", name);
      return readLabelled(readFileSync(path, "utf8"), path);
    });
    await fill(database, dialogues);
    for (const [set, questions] of Object.entries({ "to tune on": TUNING, "to test": TEST })) {
      say(`${questions.length} questions ${set}, each about one of ${dialogues.length} dialogues`);
      for (const [name, ranks] of Object.entries(await ranksOf(database, questions)))
        say(`  ${name.padEnd(16)}${judged(ranks)}`);
    }
  } finally {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function judged(ranks: readonly number[]): string {
  const recall = ranks.filter((rank) => rank > 0 && rank <= 5).length / ranks.length;
  const mrr = ranks.reduce((sum, rank) => sum + (rank > 0 ? 1 / rank : 0), 0) / ranks.length;
  return `recall@5 ${recall.toFixed(2)}  MRR ${mrr.toFixed(2)}`;
}

async function fill(database: Database, dialogues: LabelledDialogue[]): Promise<void> {
  await database.system(async (session) => {
    await session.query("insert into salestag.team values ($1, 'Team', now())", [TEAM]);
    await session.query("insert into salestag.person values ($1, $2, 'Manager', 'manager', 'manager')", [
      idOf("quality", 0),
      TEAM,
    ]);
    await session.query("insert into salestag.badge values ('0000000000000000', $1, 'badge')", [TEAM]);
    for (const [epoch, dialogue] of dialogues.entries()) await add(session, epoch, dialogue);
  });
  for (const { id } of dialogues) await indexConversation(database, localEmbedder(), idFor(id), NEVER);
}

function idFor(dialogue: string): string {
  return idOf(dialogue, 0);
}

async function add(
  session: Session,
  epoch: number,
  { id, transcript, labels }: LabelledDialogue,
): Promise<void> {
  const conversation = idFor(id);
  await session.query(
    `insert into salestag.conversation (id, team_id, badge_id, epoch, started_at, started_source, duration_ms, state, complete, chunks)
    values ($1, $2, '0000000000000000', $3, now(), 'badge clock', 1, 'final', true, 1)`,
    [conversation, TEAM, epoch],
  );
  await session.query("insert into salestag.consent values ($1, 0, 'announced')", [conversation]);
  for (const [turn, { speaker, text }] of transcript.turns.entries())
    await session.query("insert into salestag.turn values ($1, $2, $3, 0, 0, $4)", [
      conversation,
      turn,
      speaker,
      text,
    ]);
  for (const [n, { kind, turn, firstWord, lastWord }] of labels.entries()) {
    const words = transcript.turns[turn].words.slice(firstWord, lastWord + 1);
    const quote = words.map(({ text }) => text).join(" ");
    await session.query(
      "insert into salestag.tag values ($1, $2, $3, $4, $5, $6, 0, 0, $7, 'label', 'label', 1)",
      [conversation, n, kind, turn, firstWord, lastWord, quote],
    );
  }
}

/** @returns for each way the place of the answer to each question, from 1; 0 where it was not found */
async function ranksOf(database: Database, questions: Question[]): Promise<Record<string, number[]>> {
  const ranks: Record<string, number[]> = { words: [], vectors: [], hybrid: [] };
  for (const [question, answer] of questions) {
    const ready = await readyText(question, localEmbedder(), NEVER);
    const lists = await database.as({ sub: "manager" }, async (session) => ({
      words: (await findByText(session, question, "{}", FOUND_MAX, true)).map(({ id }) => id),
      vectors: (await findByPassage(session, ready, "{}", 1000, -1)).map(({ id }) => id),
      hybrid: (await search(session, ready, { limit: FOUND_MAX })).hits.map(
        ({ conversationId }) => conversationId,
      ),
    }));
    for (const [name, ids] of Object.entries(lists)) ranks[name].push(ids.indexOf(idFor(answer)) + 1);
  }
  return ranks;
}
