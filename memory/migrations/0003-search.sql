-- Search. Under row-level security `@@` and `<=>` cannot use their indexes, as they are not leakproof: these functions therefore run as the tables' owner,
-- and apply the rights of 0002-rights.sql themselves, first and in one place (search_condition). They give ids and scores; what these conversations hold is
-- read under row-level security as ever.

-- Documents lie beside the rows, so that a walk over many rows stays cheap.
alter table salestag.conversation set (toast_tuple_target = 128);

-- What a conversation's text is indexed by. Weights: A summary, B words of tags, C what the other one said and key phrases, D what the rep said. Kinds of
-- tags are in it as words that no text gives: `TAG objection.pricing`.
create function salestag.search_document(conversation uuid, language regconfig) returns tsvector
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  with parts (weight, text) as (
    select 'A', string_agg(body ->> 'text', ' ') from salestag.insight where conversation_id = conversation and kind = 'summary'
    union all
    select 'B', string_agg(quote, ' ') from salestag.tag where conversation_id = conversation
    union all
    select 'C', string_agg(text, ' ' order by turn) from salestag.turn where conversation_id = conversation and speaker <> 'rep'
    union all
    select 'C', string_agg(text, ' ' order by n) from salestag.phrase where conversation_id = conversation
    union all
    select 'D', string_agg(text, ' ' order by turn) from salestag.turn where conversation_id = conversation and speaker = 'rep'
  ), vectors (weight, words) as (
    -- A tsvector holds 1 MB at most; a talk of a whole day has half a million characters.
    select weight, to_tsvector(language, left(coalesce(text, ''), 500000)) from parts
  )
  select coalesce((select setweight(words, 'A') from vectors where weight = 'A'), '')
    || coalesce((select setweight(words, 'B') from vectors where weight = 'B'), '')
    || coalesce((select setweight(words, 'C') from vectors where weight = 'C' limit 1), '')
    || coalesce((select setweight(words, 'C') from vectors where weight = 'C' offset 1), '')
    || coalesce((select setweight(words, 'D') from vectors where weight = 'D'), '')
    || coalesce((select array_to_tsvector(array_agg(distinct 'TAG ' || kind)) from salestag.tag where conversation_id = conversation), '');
end;

-- A word as it is written in a tsquery.
create function salestag.search_lexeme(word text) returns text language sql immutable
  return '''' || replace(replace(word, '\', '\\'), '''', '''''') || '''';

-- Condition on `salestag.conversation c` that holds for what the signed-in person may see and the filter lets through; every value in it is quoted.
-- Filter: person, customer, site, territory (ids), tags (all of these kinds), outcome, since, until (before).
create function salestag.search_condition(filter jsonb) returns text
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  team uuid := salestag.my_team();
  found text := format('c.team_id = %L::uuid', team);
begin
  if team is null then
    return 'false';
  end if;
  if not salestag.is_manager() then
    found := found || format(' and c.person_id = %L::uuid', salestag.me());
  end if;
  if filter ? 'person' then
    found := found || format(' and c.person_id = %L::uuid', filter ->> 'person');
  end if;
  if filter ? 'since' then
    found := found || format(' and c.started_at >= %L::timestamptz', filter ->> 'since');
  end if;
  if filter ? 'until' then
    found := found || format(' and c.started_at < %L::timestamptz', filter ->> 'until');
  end if;
  if filter ? 'customer' then
    found := found || format(' and c.id in (select f.conversation_id from salestag.filing f where f.customer_id = %L::uuid)', filter ->> 'customer');
  end if;
  if filter ? 'site' then
    found := found || format(' and c.id in (select f.conversation_id from salestag.filing f where f.site_id = %L::uuid)', filter ->> 'site');
  end if;
  if filter ? 'territory' then
    found := found || format(' and c.id in (select f.conversation_id from salestag.filing f
      left join salestag.customer u on u.id = f.customer_id left join salestag.site s on s.id = f.site_id
      where %L::uuid in (u.territory_id, s.territory_id))', filter ->> 'territory');
  end if;
  if filter ->> 'outcome' in ('won', 'lost') then
    found := found || format(' and c.id in (select f.conversation_id from salestag.filing f where f.outcome = %L and f.team_id = %L::uuid)',
      filter ->> 'outcome', team);
  elsif filter ? 'outcome' then
    found := found || ' and not exists (select from salestag.filing f where f.conversation_id = c.id and f.outcome <> ''open'')';
  end if;
  if filter ? 'tags' then
    found := found || format(' and c.document @@ %L::tsquery',
      (select string_agg(salestag.search_lexeme('TAG ' || kind), ' & ') from jsonb_array_elements_text(filter -> 'tags') kind));
  end if;
  return found;
end
$$;

-- Words in at least this part of all conversations, as `analyze` found them: alone they find too much.
create function salestag.search_common_words(in_part real) returns text[]
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(array_agg(word), '{}')
  from pg_stats, unnest(most_common_elems::text::text[], most_common_elem_freqs) as common (word, part)
  where schemaname = 'salestag' and tablename = 'conversation' and attname = 'document' and part >= in_part;
end;

-- The newest conversations that have the words.
create function salestag.search_candidates(condition text, wanted tsquery, most integer) returns uuid[]
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  -- The index answers for words, not for their places: phrases are looked for in what has the words.
  words text := format('c.document @@ %L::tsquery', regexp_replace(wanted::text, '<(-|\d+)>', '&', 'g'));
  plan jsonb;
  ids uuid[];
begin
  execute format('explain (format json) select from salestag.conversation c where %s and %s', condition, words) into plan;
  -- What many have, the newest have too: no need to sort them all.
  if (plan #>> '{0,Plan,Plan Rows}')::numeric > 3000 then
    execute format('select array(select id from (select * from salestag.conversation c where %s order by started_at desc limit 5000) c
      where %s order by started_at desc limit %s)', condition, words, most) into ids;
  end if;
  if coalesce(cardinality(ids), 0) < most then
    execute format('with found as materialized (select c.id, c.started_at from salestag.conversation c where %s and %s)
      select array(select id from found order by started_at desc, id limit %s)', condition, words, most) into ids;
  end if;
  return ids;
end
$$;

-- Full text: conversations with all words of the query, read as search engines do: "a phrase", or, -without. Of more than `most` only the newest are ranked.
create function salestag.search_text(query text, filter jsonb, most integer)
  returns table (conversation_id uuid, score real)
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  said text := left(query, 1000);
  -- A document has the stems of its own language, or whole words.
  wanted tsquery := websearch_to_tsquery('english', said) || websearch_to_tsquery('simple', said);
  ids uuid[];
begin
  if querytree(wanted) in ('', 'T') then
    return;
  end if;
  ids := salestag.search_candidates(salestag.search_condition(filter), wanted, least(most, 1000));
  return query
    select c.id, ts_rank_cd(c.document, wanted, 1) from salestag.conversation c
    where c.id = any(ids) and c.document @@ wanted order by 2 desc, c.started_at desc, c.id;
end
$$;

-- Full text: conversations with some words of the query; words that are common count where there are no others. Those with two words before those with one,
-- of either at most the newest `most`; ranked by how rare their words are among these.
create function salestag.search_text_some(query text, filter jsonb, most integer)
  returns table (conversation_id uuid, score real)
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  condition text := salestag.search_condition(filter);
  common text[] := salestag.search_common_words(0.05);
  stems text[] := salestag.search_telling_words('english', left(query, 1000), common);
  forms text[] := salestag.search_telling_words('simple', left(query, 1000), common);
  words text[] := array(select distinct unnest(stems || forms));
  pairs text := (select string_agg(format('%s & %s', a, b), ' | ') from unnest(stems) a, unnest(stems) b where a < b);
  ids uuid[] := '{}';
begin
  if cardinality(words) = 0 then
    return;
  end if;
  if cardinality(stems) > 2 then
    ids := salestag.search_candidates(condition, pairs::tsquery, least(most, 1000));
  end if;
  if cardinality(ids) < most then
    ids := ids || salestag.search_candidates(condition, array_to_string(words, ' | ')::tsquery, least(most, 1000));
  end if;
  return query
    -- Documents lie apart from their rows: each is fetched once, not once for a word.
    with documents as materialized (
      select c.id, strip(c.document) as document from salestag.conversation c where c.id = any(ids)
    ), matches as materialized (
      select d.id, word from documents d, unnest(words::tsquery[]) word where d.document @@ word
    ), worth (word, value) as (
      select m.word, ln(1 + cardinality(ids)::float8 / count(*)) from matches m group by m.word
    )
    select m.id, sum(w.value)::real from matches m join worth w using (word) group by m.id order by 2 desc, m.id limit most;
end
$$;

-- At most the 6 longest words of a text as they are written in a tsquery: those that are not common, or all where there are no others.
create function salestag.search_telling_words(language regconfig, said text, common text[]) returns text[]
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  with words as (
    select word, word = any (common) as known from unnest(tsvector_to_array(to_tsvector(language, said))) word
  )
  select array(select salestag.search_lexeme(word) from words where not known or (select bool_and(known) from words) order by length(word) desc, word limit 6);
end;

-- Vectors: the nearest parts of conversations. Up to `exact` conversations that the filter lets through are compared one by one; among more, the index of their
-- signs (vector-index.ts) finds some, which are then compared. It looks at a thousand at most, so that a filter that lets little through finds less, not later.
create function salestag.search_vectors(part text, model text, query halfvec, filter jsonb, most integer, exact integer)
  returns table (conversation_id uuid, n integer, distance real)
  language plpgsql security definer set search_path = pg_catalog, pg_temp set random_page_cost = 1.1
as $$
declare
  condition text := salestag.search_condition(filter);
  home text := (select quote_ident(extnamespace::regnamespace::text) from pg_extension where extname = 'vector');
  dims integer := array_length(query::real[], 1);
  parts text := format('e.part = %L and e.model = %L', part, model);
  compared text := format('(e.vector operator(%s.<=>) $1)::real', home);
  signs text := format('%1$s.binary_quantize(e.vector)::bit(%2$s) operator(%1$s.<~>) %1$s.binary_quantize($1)::bit(%2$s)', home, dims);
  fitting integer;
begin
  execute format('select count(*) from (select from salestag.conversation c where %s limit %s) fitting', condition, exact + 1) into fitting;
  if fitting <= least(exact, 10000) then
    return query execute format(
      'with fit as materialized (select c.id from salestag.conversation c where %s)
      select e.conversation_id, e.n, %s from fit join salestag.embedding e on e.conversation_id = fit.id and %s order by 3, 1, 2 limit %s',
      condition, compared, parts, least(most, 1000)) using query;
    return;
  end if;
  perform set_config('hnsw.ef_search', least(greatest(most, 40), 1000)::text, true);
  perform set_config('hnsw.iterative_scan', 'relaxed_order', true);
  perform set_config('hnsw.max_scan_tuples', '1000', true);
  return query execute format(
    'with e as materialized (
      select e.conversation_id, e.n, e.vector from salestag.embedding e join salestag.conversation c on c.id = e.conversation_id
      where %s and %s order by %s limit %s
    ) select e.conversation_id, e.n, %s from e order by 3, 1, 2',
    parts, condition, signs, least(most, 1000), compared) using query;
end
$$;

-- Conversations by the nearest of their passages, `n` the passage: half of the distance is that of the passage, half that of the whole conversation.
create function salestag.search_passages(model text, query halfvec, filter jsonb, most integer, exact integer)
  returns table (conversation_id uuid, n integer, distance real)
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  home text := (select quote_ident(extnamespace::regnamespace::text) from pg_extension where extname = 'vector');
begin
  return query execute format(
    'with nearest as materialized (
      select distinct on (p.conversation_id) p.* from salestag.search_vectors(''passage'', $1, $2, $3, $4, $5) p order by p.conversation_id, p.distance, p.n
    )
    select p.conversation_id, p.n, ((p.distance + (e.vector operator(%s.<=>) $2)) / 2)::real
    from nearest p join salestag.embedding e on e.conversation_id = p.conversation_id and e.part = ''conversation'' and e.n = 0 and e.model = $1
    order by 3, 1', home)
    using model, query, filter, most, exact;
end
$$;

-- The newest conversations that the filter lets through, after (that is, before in time) a place in the list.
create function salestag.search_newest(filter jsonb, before timestamptz, before_id uuid, most integer)
  returns table (conversation_id uuid, started_at timestamptz)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query execute format(
    'select c.id, c.started_at from salestag.conversation c where %s and (%L::timestamptz is null or (c.started_at, c.id) < (%L::timestamptz, %L::uuid))
    order by c.started_at desc, c.id desc limit %s',
    salestag.search_condition(filter), before, before, before_id, least(most, 1000));
end
$$;

-- What is shown of conversations, in short. Under row-level security, as the next one; functions so that their plans are kept, which take longer to make than to run.
create function salestag.search_cards(ids uuid[])
  returns table (id uuid, started_at timestamptz, duration_ms integer, transcribed_by text, person_id uuid, person text, customer_id uuid, customer text,
    outcome text, means text, at_ms integer, summary text, tags text[])
  language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
    select c.id, c.started_at, c.duration_ms, c.transcribed_by, p.id, p.name, u.id, u.name, coalesce(f.outcome, 'open'), k.means, k.at_ms, s.body ->> 'text',
      array(select distinct t.kind from salestag.tag t where t.conversation_id = c.id order by 1)
    from salestag.conversation c
      left join salestag.person p on p.id = c.person_id
      left join salestag.filing f on f.conversation_id = c.id
      left join salestag.customer u on u.id = f.customer_id
      left join salestag.consent k on k.conversation_id = c.id
      left join salestag.insight s on s.conversation_id = c.id and s.kind = 'summary'
    where c.id = any(ids);
end
$$;

-- The first turns of conversations, those without words left out: of each a list of [turn, speaker, start, end, text], in ms.
create function salestag.search_turns(ids uuid[], most integer) returns table (id uuid, turns json)
  language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
    select wanted.id, (
      select json_agg(json_build_array(s.turn, s.speaker, s.start_ms, s.end_ms, s.text) order by s.turn)
      from (select * from salestag.turn t where t.conversation_id = wanted.id and t.text <> '' order by t.turn limit most) s
    ) from unnest(ids) as wanted (id);
end
$$;

do $$
declare name text;
begin
  foreach name in array array['search_document(uuid, regconfig)', 'search_lexeme(text)', 'search_condition(jsonb)', 'search_common_words(real)',
    'search_telling_words(regconfig, text, text[])', 'search_candidates(text, tsquery, integer)', 'search_text(text, jsonb, integer)', 'search_text_some(text, jsonb, integer)',
    'search_vectors(text, text, halfvec, jsonb, integer, integer)', 'search_passages(text, halfvec, jsonb, integer, integer)', 'search_newest(jsonb, timestamptz, uuid, integer)',
    'search_cards(uuid[])', 'search_turns(uuid[], integer)']
  loop
    execute format('revoke all on function salestag.%s from public', name);
  end loop;
end $$;
grant execute on function salestag.search_text(text, jsonb, integer) to authenticated;
grant execute on function salestag.search_text_some(text, jsonb, integer) to authenticated;
grant execute on function salestag.search_vectors(text, text, halfvec, jsonb, integer, integer) to authenticated;
grant execute on function salestag.search_passages(text, halfvec, jsonb, integer, integer) to authenticated;
grant execute on function salestag.search_newest(jsonb, timestamptz, uuid, integer) to authenticated;
grant execute on function salestag.search_cards(uuid[]) to authenticated;
grant execute on function salestag.search_turns(uuid[], integer) to authenticated;
