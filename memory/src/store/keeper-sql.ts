// Triggers of the embedded database: what changes in told tables lies in the table `change` too, from the same transaction until it is in files.
import { TOLD } from "./told";

/** Puts what changed in told tables into the table `change`, in the same transaction. */
export function keeperSql(): string {
  const triggers = Object.entries(TOLD).map(
    ([table, keys]) =>
      `create or replace trigger keep after insert or update or delete on salestag.${table} for each row
        execute function salestag.keep(${keys.map((key) => `'${key}'`).join(", ")});`,
  );
  return `
create table if not exists salestag.change (
  n bigint generated always as identity primary key,
  place text not null,
  key text not null,
  body jsonb
);
alter table salestag.change enable row level security;

create or replace function salestag.key_of(line jsonb, columns text[]) returns text language sql immutable
  return (select string_agg(regexp_replace(line ->> name, '[^0-9A-Za-z-]', '_', 'g'), '-' order by at)
    from unnest(columns) with ordinality as part (name, at));

create or replace function salestag.keep() returns trigger language plpgsql security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  before text := case when tg_op <> 'INSERT' then salestag.key_of(to_jsonb(old), tg_argv) end;
  after text := case when tg_op <> 'DELETE' then salestag.key_of(to_jsonb(new), tg_argv) end;
begin
  if before is distinct from after and before is not null then
    insert into salestag.change (place, key) values (tg_table_name, before);
  end if;
  if after is not null then
    insert into salestag.change (place, key, body) values (tg_table_name, after, to_jsonb(new));
  end if;
  return null;
end $$;
revoke all on function salestag.key_of(jsonb, text[]), salestag.keep() from public;
${triggers.join("\n")}`;
}

/** Next changes that are not yet in files. */
export const CHANGES_SQL =
  "select n, place, key, body::text as body from salestag.change order by n limit 500";
export const KEPT_SQL = "delete from salestag.change where n <= $1";
