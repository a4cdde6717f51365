-- Who sees and changes what: row-level security for the role `authenticated`, whose claims lie in `request.jwt.claims` as Supabase puts them there. `sub`
-- names the person; team and role are the person's own row, so that whoever is moved or removed loses rights at once.
-- The service works as the tables' owner, whom none of this binds.
create function salestag.subject() returns text language sql stable
  return coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb ->> 'sub';

-- These read `person` as their owner: the policy on `person` asks for the team, too.
create function salestag.me() returns uuid language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic select id from salestag.person where subject = salestag.subject(); end;

create function salestag.my_team() returns uuid language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic select team_id from salestag.person where subject = salestag.subject(); end;

create function salestag.is_manager() returns boolean language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic select exists (select from salestag.person where subject = salestag.subject() and role = 'manager'); end;

-- A function that is added later needs the same: PostgreSQL lets everybody call one otherwise.
revoke all on all functions in schema salestag from public;
grant execute on function salestag.subject(), salestag.me(), salestag.my_team(), salestag.is_manager() to authenticated;

-- What policies ask of the person stands in a subquery each: it is then asked once for a statement, not once for a row.
do $$
declare name text;
begin
  foreach name in array array['team', 'person', 'badge', 'wearer', 'territory', 'customer', 'site', 'conversation', 'consent', 'phrase', 'turn', 'word',
    'tag', 'insight', 'embedding', 'transcript', 'filing', 'retention', 'hold', 'erasure', 'audit']
  loop
    execute format('alter table salestag.%I enable row level security', name);
    execute format('grant select on salestag.%I to authenticated', name);
  end loop;

  -- Seen by the whole team.
  foreach name in array array['person', 'badge', 'territory', 'customer', 'site', 'retention'] loop
    execute format('create policy seen on salestag.%I for select to authenticated using (team_id = (select salestag.my_team()))', name);
  end loop;
  -- Seen by managers.
  foreach name in array array['hold', 'erasure', 'audit'] loop
    execute format('create policy seen on salestag.%I for select to authenticated
      using (team_id = (select salestag.my_team()) and (select salestag.is_manager()))', name);
  end loop;
  -- Added by managers. Not badges: whose a badge is, whoever holds its keys says, and the first to name one would get its conversations.
  foreach name in array array['person', 'territory', 'retention'] loop
    execute format('grant insert on salestag.%I to authenticated', name);
    execute format('create policy added on salestag.%I for insert to authenticated
      with check (team_id = (select salestag.my_team()) and (select salestag.is_manager()))', name);
  end loop;
  -- Changed by managers.
  foreach name in array array['person', 'badge', 'territory', 'retention', 'hold'] loop
    execute format('create policy changed on salestag.%I for update to authenticated
      using (team_id = (select salestag.my_team()) and (select salestag.is_manager()))
      with check (team_id = (select salestag.my_team()))', name);
  end loop;
  -- Added and changed by everybody in the team.
  foreach name in array array['customer', 'site'] loop
    execute format('grant insert on salestag.%I to authenticated', name);
    execute format('create policy added on salestag.%I for insert to authenticated with check (team_id = (select salestag.my_team()))', name);
    execute format('create policy changed on salestag.%I for update to authenticated
      using (team_id = (select salestag.my_team())) with check (team_id = (select salestag.my_team()))', name);
  end loop;
  -- Parts of a conversation are seen with it.
  foreach name in array array['consent', 'phrase', 'turn', 'word', 'tag', 'insight', 'embedding', 'transcript', 'filing'] loop
    execute format('create policy seen on salestag.%I for select to authenticated
      using (exists (select from salestag.conversation c where c.id = conversation_id))', name);
  end loop;
end $$;

-- Columns that may change: no row moves to another team, and none takes another's place.
grant update (name, role, subject) on salestag.person to authenticated;
grant update (label) on salestag.badge to authenticated;
grant update (name) on salestag.territory to authenticated;
grant update (tag, keep_days) on salestag.retention to authenticated;
grant update (released_at) on salestag.hold to authenticated;
grant update (name, territory_id, note) on salestag.customer to authenticated;
grant update (customer_id, territory_id, address) on salestag.site to authenticated;
grant update (person_id) on salestag.wearer to authenticated;
grant update (customer_id, site_id, outcome, note) on salestag.filing to authenticated;

create policy seen on salestag.team for select to authenticated using (id = (select salestag.my_team()));
create policy seen on salestag.wearer for select to authenticated
  using (exists (select from salestag.badge b where b.id = badge_id));
grant insert on salestag.wearer to authenticated;
create policy added on salestag.wearer for insert to authenticated
  with check ((select salestag.is_manager()) and exists (select from salestag.badge b where b.id = badge_id)
    and (person_id is null or exists (select from salestag.person p where p.id = person_id)));
create policy changed on salestag.wearer for update to authenticated
  using ((select salestag.is_manager()) and exists (select from salestag.badge b where b.id = badge_id))
  with check (person_id is null or exists (select from salestag.person p where p.id = person_id));

-- A rep sees own conversations, a manager the team's.
create policy seen on salestag.conversation for select to authenticated
  using (team_id = (select salestag.my_team()) and ((select salestag.is_manager()) or person_id = (select salestag.me())));

grant insert on salestag.filing, salestag.hold, salestag.audit to authenticated;
create policy added on salestag.filing for insert to authenticated
  with check (team_id = (select salestag.my_team()) and exists (select from salestag.conversation c where c.id = conversation_id));
create policy changed on salestag.filing for update to authenticated
  using (exists (select from salestag.conversation c where c.id = conversation_id))
  with check (team_id = (select salestag.my_team()) and exists (select from salestag.conversation c where c.id = conversation_id));

create policy added on salestag.hold for insert to authenticated
  with check (team_id = (select salestag.my_team()) and (select salestag.is_manager())
    and (conversation_id is null or exists (select from salestag.conversation c where c.id = conversation_id)));

create policy added on salestag.audit for insert to authenticated
  with check (team_id = (select salestag.my_team()) and person_id = (select salestag.me()));
