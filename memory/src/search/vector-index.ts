// The index of one embedder's vectors: HNSW over the signs of their numbers, one for each part, made when the embedder is first used. A sign is a bit where a number
// has 16: the index is small, walks through it are short, and what it finds is then compared by the numbers themselves.
import { createHash } from "node:crypto";
import { DIMS_MAX, type Embedder, EmbeddingError } from "../embed/embedder";
import type { Database } from "../store/database";

/** With very many vectors there already, it takes its time. */
const INDEX_LIMITS = { statementMsMax: 4 * 3600 * 1000, openMsMax: 4 * 3600 * 1000 };

/**
 * Makes the indexes that are missing; with many vectors there already, that takes a while (docs/memory-search.md has figures).
 * @throws EmbeddingError where vectors of so many dimensions cannot be indexed
 */
export async function ensureVectorIndex(
  database: Database,
  { name, dims }: Pick<Embedder, "name" | "dims">,
): Promise<void> {
  if (!Number.isInteger(dims) || dims < 1 || dims > DIMS_MAX)
    throw new EmbeddingError(`The embedder ${name} has ${dims} dimensions; 1 to ${DIMS_MAX} can be indexed.`);
  await database.system(async (session) => {
    // A graph that does not fit into memory takes many times as long.
    await session.query("set local maintenance_work_mem = '256MB'");
    for (const part of ["conversation", "passage", "moment"]) {
      const index = `embedding_${part}_${createHash("sha256").update(`${name} ${dims}`).digest("hex").slice(0, 12)}`;
      const [{ statement }] = await session.query<{ statement: string }>(
        `select format('create index if not exists %I on salestag.embedding using hnsw ((binary_quantize(vector)::bit(%s)) bit_hamming_ops) with (m = 8) where part = %L and model = %L',
          $1::text, $2::int, $3::text, $4::text) as statement`,
        [index, dims, part, name],
      );
      await session.query(statement);
    }
  }, INDEX_LIMITS);
}
