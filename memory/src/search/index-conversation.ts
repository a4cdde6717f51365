// Makes a conversation findable: its document for full text, and its vectors.
import { type Embedder, EmbeddingError, meanOf, vectorText } from "../embed/embedder";
import { type Part, partsOf } from "../embed/parts";
import type { Insight, Tag } from "../model/structure";
import type { Transcript } from "../model/transcript";
import type { Database, Session } from "../store/database";

/**
 * Makes document and vectors anew from what the tables hold now: turns, phrases, tags, summary. Killed in between, nothing is changed.
 * @returns false where the conversation is not there, or changed while its vectors were made: call again
 * @throws EmbeddingError when the vectors cannot be made now: the document is made all the same
 */
export async function indexConversation(
  database: Database,
  embedder: Embedder,
  conversation: string,
  signal: AbortSignal,
): Promise<boolean> {
  const read = await database.system(async (session) => {
    const version = await versionOf(session, conversation);
    if (version === undefined) return undefined;
    await setDocument(session, conversation);
    return {
      version,
      parts: partsOf(await transcriptOf(session, conversation), await structureOf(session, conversation)),
    };
  });
  if (read === undefined) return false;
  const vectors = await embedParts(embedder, read.parts, signal);
  return database.system(async (session) => {
    if ((await versionOf(session, conversation)) !== read.version) return false;
    await storeEmbeddings(session, conversation, embedder, read.parts, vectors);
    return true;
  });
}

/** @returns one vector for each part */
async function embedParts(
  embedder: Embedder,
  parts: readonly Part[],
  signal: AbortSignal,
): Promise<Float32Array[]> {
  const texts = parts.flatMap((part) => part.texts);
  const made = await embedder.embed(texts, signal);
  if (made.length !== texts.length || made.some(({ length }) => length !== embedder.dims))
    throw new EmbeddingError(
      `The embedder ${embedder.name} gave ${made.length} vectors for ${texts.length} texts, or not of ${embedder.dims} dimensions; check its setting.`,
    );
  let at = 0;
  return parts.map(({ texts: { length } }) => {
    at += length;
    return meanOf(made.slice(at - length, at), embedder.dims);
  });
}

/** Makes the document anew from turns, phrases, tags and summary. To be called whenever these change, in the same transaction. */
export async function setDocument(session: Session, conversation: string): Promise<void> {
  await session.query(
    `update salestag.conversation c set document = salestag.search_document(c.id,
      case when coalesce((select body ->> 'language' from salestag.transcript t where t.conversation_id = c.id), 'en') ~* '^en(-|$)' then 'english' else 'simple' end::regconfig)
    where id = $1`,
    [conversation],
  );
}

/**
 * Puts a conversation's vectors in place of those that it has, of whichever model.
 * @param vectors one for each part; those of zeros say nothing and are left out
 */
async function storeEmbeddings(
  session: Session,
  conversation: string,
  { name, dims }: Pick<Embedder, "name" | "dims">,
  parts: readonly Part[],
  vectors: readonly Float32Array[],
): Promise<void> {
  const passages = vectors.filter((_, at) => parts[at].part === "passage");
  const said = [
    { part: "conversation", n: 0, vector: meanOf(passages, dims) },
    ...parts.map(({ part, n }, at) => ({ part, n, vector: vectors[at] })),
  ].filter(({ vector }) => vector.some((value) => value !== 0));
  await session.query("delete from salestag.embedding where conversation_id = $1", [conversation]);
  await session.query(
    `insert into salestag.embedding (conversation_id, part, n, model, vector)
    select $1, part, n, $2, vector::halfvec from unnest($3::text[], $4::int[], $5::text[]) as made (part, n, vector)`,
    [
      conversation,
      name,
      said.map(({ part }) => part),
      said.map(({ n }) => n),
      said.map(({ vector }) => vectorText(vector)),
    ],
  );
  await session.query("update salestag.conversation set embedded_by = $2 where id = $1", [
    conversation,
    name,
  ]);
}

/** What vectors follow from: when it is the same, so are they. */
async function versionOf(session: Session, conversation: string): Promise<string | undefined> {
  const [row] = await session.query<{ version: string }>(
    "select jsonb_build_array(chunks, state, transcribed_by, structured_by)::text as version from salestag.conversation where id = $1",
    [conversation],
  );
  return row?.version;
}

async function transcriptOf(session: Session, conversation: string): Promise<Transcript> {
  const turns = await session.query<Omit<Transcript["turns"][number], "words">>(
    `select speaker, start_ms as "startMs", end_ms as "endMs", text from salestag.turn where conversation_id = $1 order by turn`,
    [conversation],
  );
  // Words and language have no part in the texts.
  return { source: "", language: "", durationMs: 0, turns: turns.map((turn) => ({ ...turn, words: [] })) };
}

async function structureOf(
  session: Session,
  conversation: string,
): Promise<{ tags: Tag[]; insights: Insight[] }> {
  const tags = await session.query<Tag & { n: number }>(
    `select n, kind, turn, first_word as "firstWord", last_word as "lastWord", start_ms as "startMs", end_ms as "endMs", quote, rule, reason, confidence
    from salestag.tag where conversation_id = $1 order by n`,
    [conversation],
  );
  const insights = await session.query<{ body: Insight }>(
    `select body || jsonb_build_object('kind', kind) as body from salestag.insight where conversation_id = $1 and kind = 'summary'`,
    [conversation],
  );
  return { tags, insights: insights.map(({ body }) => body) };
}
