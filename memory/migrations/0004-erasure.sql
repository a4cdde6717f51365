-- What was erased stays erased: the database itself refuses to take it in again, whoever writes and in whatever order transactions end. Told: customer_erasure.
create table salestag.customer_erasure (
  customer_id uuid primary key,
  team_id uuid not null references salestag.team,
  reason text not null,
  begun_at timestamptz not null,
  done_at timestamptz
);
create index on salestag.customer_erasure (customer_id) where done_at is null;
create index on salestag.erasure (conversation_id) where done_at is null;

-- Deleted rows leave their bytes in the database's files. A row here says that they are to be written over.
create table salestag.scrub_due (asked_at timestamptz not null);

-- A conversation that was filed and is not here any more has an unknown badge and epoch.
alter table salestag.erasure alter column badge_id drop not null, alter column epoch drop not null;
-- A hold stays when the customer that it was for is erased after its release; the trigger below looks after it while it holds.
alter table salestag.hold drop constraint if exists hold_customer_id_fkey, drop constraint if exists hold_team_id_customer_id_fkey;

alter table salestag.customer_erasure enable row level security;
alter table salestag.scrub_due enable row level security;
grant select on salestag.customer_erasure to authenticated;
create policy seen on salestag.customer_erasure for select to authenticated
  using (team_id = (select salestag.my_team()) and (select salestag.is_manager()));

-- Who writes what an erasure looks at shares a lock that the beginning of an erasure has alone: no transaction can have looked before and write after it.
create function salestag.refuse_erased() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  conversation uuid;
  customer uuid;
begin
  perform pg_advisory_xact_lock_shared(8207, 1);
  if tg_table_name = 'conversation' then
    conversation := new.id;
  elsif tg_table_name in ('transcript', 'filing') then
    conversation := new.conversation_id;
  end if;
  if tg_table_name in ('filing', 'site') then
    customer := new.customer_id;
  end if;
  if tg_table_name = 'hold' then
    if new.customer_id is not null and new.released_at is null
      and not exists (select from salestag.customer c where c.id = new.customer_id and c.team_id = new.team_id) then
      raise exception 'the team has no customer %', new.customer_id using errcode = 'foreign_key_violation';
    end if;
  end if;
  if exists (select from salestag.erasure e where e.conversation_id = conversation) then
    raise exception 'conversation % was erased; it is not taken in again', conversation using errcode = 'STER1';
  end if;
  if exists (select from salestag.customer_erasure e where e.customer_id = customer) then
    raise exception 'customer % was erased; nothing is filed there any more', customer using errcode = 'STER1';
  end if;
  return new;
end $$;
revoke all on function salestag.refuse_erased() from public;

create trigger refuse_erased before insert on salestag.conversation for each row execute function salestag.refuse_erased();
create trigger refuse_erased before insert on salestag.transcript for each row execute function salestag.refuse_erased();
create trigger refuse_erased before insert or update of customer_id, site_id on salestag.filing for each row execute function salestag.refuse_erased();
create trigger refuse_erased before insert or update of customer_id on salestag.site for each row execute function salestag.refuse_erased();
create trigger refuse_erased before insert or update on salestag.hold for each row execute function salestag.refuse_erased();
