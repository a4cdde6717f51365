// How values look on their way from and to the database: the same in PGlite and in PostgreSQL.
import { types } from "pg";

/** Object ids of types: PostgreSQL, src/include/catalog/pg_type.dat. */
const OID = {
  int8: 20,
  text: 25,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  timestamp: 1114,
  int8Array: 1016,
} as const;

/** @throws Error when it is not a whole number that a number can hold */
function wholeOf(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`${text} is too large for a number; read it as text.`);
  return value;
}

const asIs = (text: string) => text;

/** For PGlite, by type. */
export const PARSERS: Record<number, (text: string) => unknown> = {
  [OID.int8]: wholeOf,
  [OID.date]: asIs,
  [OID.timestamp]: asIs,
};

/** For PGlite: text takes any value that has one, as PostgreSQL's driver does. */
export const SERIALIZERS: Record<number, (value: unknown) => string> = {
  [OID.text]: String,
  [OID.bpchar]: String,
  [OID.varchar]: String,
};

const arrayOf = types.getTypeParser(OID.int8Array as never);

/** For PostgreSQL's driver. */
export const PG_TYPES = {
  getTypeParser(oid: number, format?: "text" | "binary"): unknown {
    if (format !== "binary") {
      const own = PARSERS[oid];
      if (own !== undefined) return own;
      if (oid === OID.int8Array)
        return (text: string) =>
          (arrayOf(text) as (string | null)[]).map((item) => (item === null ? null : wholeOf(item)));
    }
    return types.getTypeParser(oid, format);
  },
};
