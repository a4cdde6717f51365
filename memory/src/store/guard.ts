// A second fence around transactions of persons: in them only statements that read or change rows are run. The first fence is row-level security; on a connection whose login is the tables' owner, `reset role` would climb over it.
import { DatabaseTrouble, type Transaction } from "./engine";

/** How statements that a person's transaction may run begin. */
const ROWS = /^\s*(?:--[^\n]*\n\s*)*(?:explain|select|insert|update|delete|with|values)\b/i;
/** Settings of searches. */
const TUNING =
  /^\s*set\s+local\s+(?:hnsw\.|ivfflat\.|pg_trgm\.|enable_|work_mem|jit|plan_cache_mode)\w*\s*(?:=|to)\s*[\w.']+\s*$/i;
/** Functions that change the role or run text as SQL: PostgreSQL 15, sections 9.27.1 and 9.15.3. */
const FORBIDDEN = /\bset_config\b|_to_xml|_to_xmlschema|\bdblink|\bU&"/i;

/**
 * @returns a session that runs rows' statements only
 * @throws DatabaseTrouble from its `query` for any other
 */
export function guarded(transaction: Transaction): Transaction {
  return {
    async query(text, values) {
      if (!(ROWS.test(text) || TUNING.test(text)) || FORBIDDEN.test(text))
        throw new DatabaseTrouble(NOT_ALLOWED);
      return transaction.query(text, values);
    },
    async script() {
      throw new DatabaseTrouble(NOT_ALLOWED);
    },
  };
}

const NOT_ALLOWED =
  "A person's transaction runs only select, insert, update, delete, with, values, explain and settings of searches, and nothing that changes the role; do other work as the service.";

/**
 * What the embedded database takes from everybody but the service, whose login everybody has there: changing settings, SQL from text, code, temporary
 * tables. On PostgreSQL a login of its own for persons does that, without taking anything from other users of the same database.
 */
export const HARDEN_SQL = `
do $$ declare signature regprocedure; begin
  for signature in
    select oid from pg_proc where pronamespace = 'pg_catalog'::regnamespace
      and (proname = 'set_config' or proname ~ '^(query|table|cursor|schema|database)_to_xml')
  loop
    execute format('revoke execute on function %s from public', signature);
  end loop;
  execute format('revoke temporary on database %I from public', current_database());
end $$;
revoke usage on language plpgsql, sql from public;`;
