// How well questions with known answers find them: by words alone, by vectors alone, by both. On the labelled dialogues, whose labels are the tags.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localEmbedder } from "../src/embed/local";
import { type LabelledDialogue, readLabelled } from "../src/labelled/read";
import { findByText, findByVector } from "../src/search/found";
import { fuse } from "../src/search/fuse";
import { indexConversation } from "../src/search/index-conversation";
import { readyText } from "../src/search/query";
import type { Database, Session } from "../src/store/database";
import { openDatabase } from "../src/store/open";
import { TUNING } from "./search-queries";
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
    say(`${TUNING.length} questions, each about one of ${dialogues.length} dialogues`);
    const ranks = await ranksOf(database);
    for (const [name, list] of Object.entries(ranks)) {
      const recall = list.filter((rank) => rank > 0 && rank <= 5).length / list.length;
      const mrr = list.reduce((sum, rank) => sum + (rank > 0 ? 1 / rank : 0), 0) / list.length;
      say(`${name.padEnd(16)}recall@5 ${recall.toFixed(2)}  MRR ${mrr.toFixed(2)}`);
    }
  } finally {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  }
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
async function ranksOf(database: Database): Promise<Record<string, number[]>> {
  const ranks: Record<string, number[]> = { words: [], vectors: [], hybrid: [] };
  for (const [question, answer] of TUNING) {
    const ready = await readyText(question, localEmbedder(), NEVER);
    const lists = await database.as({ sub: "manager" }, async (session) => {
      const words = (await findByText(session, question, "{}", FOUND_MAX, true)).map(({ id }) => id);
      const vectors = (await findByVector(session, "conversation", ready, "{}", FOUND_MAX, -1)).map(
        ({ id }) => id,
      );
      return { words, vectors, hybrid: fuse([words, vectors], [1, ready.weight]).map(({ id }) => id) };
    });
    for (const [name, ids] of Object.entries(lists)) ranks[name].push(ids.indexOf(idFor(answer)) + 1);
  }
  return ranks;
}
