-- Tables of the memory. `told` tables hold what people or transcribers said and nothing else can give again; all others follow from the sealed chunks,
-- the vault and the told ones, and `salestag-memory rebuild` makes them anew.
create schema salestag;

-- Migrations that this database has had.
create table salestag.migration (
  name text primary key,
  -- SHA-256 of the file.
  checksum text not null,
  done_at timestamptz not null
);
alter table salestag.migration enable row level security;

-- Supabase keeps extensions in a schema of their own.
do $$ begin
  if to_regnamespace('extensions') is null then
    create extension if not exists vector schema public;
  else
    create extension if not exists vector schema extensions;
  end if;
end $$;

do $$ begin
  if not exists (select from pg_roles where rolname = 'authenticated') then
    create role authenticated nologin noinherit;
  end if;
end $$;
do $$ begin
  if not pg_has_role('authenticated', 'member') then
    grant authenticated to current_user;
  end if;
end $$;
grant usage on schema salestag to authenticated;
do $$ begin
  if to_regnamespace('extensions') is not null then
    grant usage on schema extensions to authenticated;
  end if;
end $$;

-- Where a row names another of its team, the key that it names holds the team too: what is another team's is, to it, not there.

-- People and places (told) ------------------------------------------------------------------------------------------------------------------------------

create table salestag.team (
  id uuid primary key,
  name text not null check (length(name) between 1 and 200),
  created_at timestamptz not null
);

create table salestag.person (
  id uuid primary key,
  team_id uuid not null references salestag.team,
  name text not null check (length(name) between 1 and 200),
  role text not null check (role in ('rep', 'manager')),
  -- `sub` of the person's tokens; null for one who never signs in.
  subject text unique check (length(subject) between 1 and 200),
  unique (team_id, id)
);

-- A badge belongs to a team; who wears it changes.
create table salestag.badge (
  id text primary key check (id ~ '^[0-9a-f]{16}$'),
  team_id uuid not null references salestag.team,
  label text not null check (length(label) <= 200),
  unique (team_id, id)
);

create table salestag.wearer (
  badge_id text not null references salestag.badge,
  since timestamptz not null,
  -- null: nobody from then on.
  person_id uuid references salestag.person,
  primary key (badge_id, since)
);

create table salestag.territory (
  id uuid primary key,
  team_id uuid not null references salestag.team,
  name text not null check (length(name) between 1 and 200),
  unique (team_id, id)
);

create table salestag.customer (
  id uuid primary key,
  team_id uuid not null references salestag.team,
  name text not null check (length(name) between 1 and 200),
  territory_id uuid,
  note text not null default '' check (length(note) <= 10000),
  unique (team_id, id),
  foreign key (team_id, territory_id) references salestag.territory (team_id, id)
);
create index on salestag.customer (territory_id);

create table salestag.site (
  id uuid primary key,
  team_id uuid not null references salestag.team,
  customer_id uuid,
  territory_id uuid,
  address text not null check (length(address) between 1 and 500),
  unique (team_id, id),
  foreign key (team_id, customer_id) references salestag.customer (team_id, id) on delete cascade,
  foreign key (team_id, territory_id) references salestag.territory (team_id, id)
);
create index on salestag.site (customer_id);
create index on salestag.site (territory_id);

-- Conversations (they follow from the chunks) --------------------------------------------------------------------------------------------------------------

create table salestag.conversation (
  -- Follows from badge and epoch.
  id uuid primary key,
  team_id uuid not null references salestag.team,
  badge_id text not null,
  epoch bigint not null,
  -- Who wore the badge; null where nobody said.
  person_id uuid,
  started_at timestamptz not null,
  -- 'badge clock', 'estimated from receive time' or 'unknown'.
  started_source text not null,
  duration_ms integer not null,
  -- 'open': more may come. 'final': its end is here, or nothing came for long.
  state text not null check (state in ('open', 'final')),
  -- The end was recorded, nothing is missing, everything opened.
  complete boolean not null,
  problems text[] not null default '{}',
  -- As the badge heard it.
  rep_talk_ms integer,
  other_talk_ms integer,
  marks_ms integer[] not null default '{}',
  -- Chunks that this row follows from: another number of them means that it is made anew.
  chunks integer not null,
  -- Who made the transcript, tags and embeddings; null: not made yet.
  transcribed_by text,
  structured_by text,
  embedded_by text,
  -- Why the last try of one of these failed, and when to try again.
  trouble text,
  try_again_at timestamptz,
  document tsvector,
  unique (badge_id, epoch),
  foreign key (team_id, badge_id) references salestag.badge (team_id, id),
  foreign key (team_id, person_id) references salestag.person (team_id, id)
);
create index on salestag.conversation (team_id, started_at desc);
create index on salestag.conversation (person_id, started_at desc);
create index on salestag.conversation using gin (document);

-- No row, no conversation: what nobody consented to is never stored.
create table salestag.consent (
  conversation_id uuid primary key references salestag.conversation on delete cascade deferrable initially deferred,
  at_ms integer not null,
  -- 'announced', 'phrase' or 'button'.
  means text not null
);
-- Both come in one transaction.
alter table salestag.conversation add foreign key (id) references salestag.consent deferrable initially deferred;

-- Key phrases that the badge heard.
create table salestag.phrase (
  conversation_id uuid not null references salestag.conversation on delete cascade,
  n integer not null,
  start_ms integer not null,
  end_ms integer not null,
  text text not null,
  primary key (conversation_id, n)
);

create table salestag.turn (
  conversation_id uuid not null references salestag.conversation on delete cascade,
  turn integer not null,
  speaker text not null check (speaker in ('rep', 'other', 'unsure')),
  start_ms integer not null,
  end_ms integer not null,
  text text not null,
  primary key (conversation_id, turn)
);

create table salestag.word (
  conversation_id uuid not null,
  turn integer not null,
  word integer not null,
  text text not null,
  start_ms integer not null,
  end_ms integer not null,
  primary key (conversation_id, turn, word),
  foreign key (conversation_id, turn) references salestag.turn on delete cascade
);

create table salestag.tag (
  conversation_id uuid not null references salestag.conversation on delete cascade,
  n integer not null,
  kind text not null,
  turn integer not null,
  first_word integer not null,
  last_word integer not null,
  start_ms integer not null,
  end_ms integer not null,
  quote text not null,
  rule text not null,
  reason text not null,
  confidence real not null,
  primary key (conversation_id, n)
);
create index on salestag.tag (kind, conversation_id);

create table salestag.insight (
  conversation_id uuid not null references salestag.conversation on delete cascade,
  kind text not null check (kind in ('summary', 'sentiment', 'engagement')),
  body jsonb not null,
  primary key (conversation_id, kind)
);

create table salestag.embedding (
  conversation_id uuid not null references salestag.conversation on delete cascade,
  -- 'passage': some turns, n the first of them. 'moment': an objection, n of the tag. 'conversation': the mean of its passages, n 0.
  part text not null check (part in ('conversation', 'passage', 'moment')),
  n integer not null,
  model text not null,
  -- Of as many dimensions as the model has; the index for a model is made when it is first used.
  vector halfvec not null,
  primary key (conversation_id, part, n, model)
);
-- Beside the row, not behind it: many are compared for one question.
alter table salestag.embedding alter vector set storage main;

-- What was said about conversations (told) ---------------------------------------------------------------------------------------------------------------

-- A transcriber's work, as it was given.
create table salestag.transcript (
  conversation_id uuid primary key,
  source text not null,
  body jsonb not null,
  made_at timestamptz not null
);

-- Where a conversation belongs and how it ended, as people say.
create table salestag.filing (
  conversation_id uuid primary key,
  team_id uuid not null references salestag.team,
  customer_id uuid,
  site_id uuid,
  outcome text not null default 'open' check (outcome in ('open', 'won', 'lost')),
  note text not null default '' check (length(note) <= 10000),
  foreign key (team_id, customer_id) references salestag.customer (team_id, id),
  foreign key (team_id, site_id) references salestag.site (team_id, id)
);
create index on salestag.filing (customer_id);
create index on salestag.filing (site_id);

-- How long conversations are kept; the shortest that applies counts.
create table salestag.retention (
  id uuid primary key,
  team_id uuid not null references salestag.team,
  -- Kind of tag that it is for; null: every conversation.
  tag text,
  keep_days integer not null check (keep_days between 1 and 36500),
  unique nulls not distinct (team_id, tag)
);

-- Legal hold: what it covers is not deleted, by nobody.
create table salestag.hold (
  id uuid primary key,
  team_id uuid not null references salestag.team,
  conversation_id uuid,
  customer_id uuid,
  person_id uuid,
  reason text not null check (length(reason) between 1 and 1000),
  since timestamptz not null,
  released_at timestamptz,
  check (num_nonnulls(conversation_id, customer_id, person_id) = 1),
  foreign key (team_id, customer_id) references salestag.customer (team_id, id),
  foreign key (team_id, person_id) references salestag.person (team_id, id)
);

-- What was deleted for good, so that it is not taken in again; and what is being deleted, so that an interruption ends it.
create table salestag.erasure (
  conversation_id uuid primary key,
  team_id uuid not null references salestag.team,
  badge_id text not null,
  epoch bigint not null,
  reason text not null,
  begun_at timestamptz not null,
  done_at timestamptz
);

-- Who looked at or changed what, and for which purpose. Never changed, only added to.
create table salestag.audit (
  id uuid primary key,
  team_id uuid not null references salestag.team,
  at timestamptz not null,
  -- null: the memory itself.
  person_id uuid,
  action text not null,
  purpose text not null,
  conversation_ids uuid[] not null default '{}',
  detail jsonb not null default '{}'
);
create index on salestag.audit (team_id, at desc);

create function salestag.refuse() returns trigger language plpgsql as $$
begin
  raise exception 'rows of %.% are only added, never changed or removed', tg_table_schema, tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger never before update or delete or truncate on salestag.audit execute function salestag.refuse();
