-- Raw usage of long ago, packed (PRV-1): records of one tenant, meter and window of a usage period, some thousand to a row, as
-- JSON that the database compresses, with the hash of its text. `also`: the derived meters that the records raised.
create table usage_archives (
  tenant_id text not null,
  meter text not null,
  window_start timestamptz not null,
  part int not null,
  records int not null,
  quantity numeric(38, 6) not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  also text[] not null,
  sha256 text not null,
  content text not null,
  archived_at timestamptz not null,
  primary key (tenant_id, meter, window_start, part)
);
revoke insert, update, delete, truncate on usage_archives from turnpike_app;

-- The archived records that may lie between two times, as they were.
create function usage_archived(of_tenant text, of_meter text, starts timestamptz, ends timestamptz)
returns setof usage_records
language sql stable as $$
  select p.* from usage_archives a cross join lateral jsonb_populate_recordset(null::usage_records, a.content::jsonb) p
  where a.tenant_id = of_tenant and (a.meter = of_meter or of_meter = any (a.also)) and a.last_at >= starts and (ends is null or a.first_at < ends)
    and p.at >= starts and (ends is null or p.at < ends) and (p.meter = of_meter or of_meter = any (p.also))
$$;

-- Everything that was ever counted, archived or not, for comparisons.
create view usage_facts with (security_invoker = true) as
  select tenant_id, idempotency_key, meter, quantity, at, window_start, also from usage_records
  union all
  select a.tenant_id, p.idempotency_key, p.meter, p.quantity, p.at, p.window_start, p.also
  from usage_archives a cross join lateral jsonb_populate_recordset(null::usage_records, a.content::jsonb) p;

-- Moves records of one window that is over into an archive, the oldest first, and answers how many. What is deleted is what
-- was written, in one statement: nothing can be lost, and a repeat goes on.
create function archive_usage(tenant text, of_meter text, starts timestamptz, archived timestamptz, batch int) returns int
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  moved int;
begin
  if not exists (select from public.usage_counters c where c.tenant_id = tenant and c.meter = of_meter and c.span = 'period' and c.window_start = starts and c.window_end < archived) then
    raise exception 'the window of % from % is not over', of_meter, starts using errcode = 'insufficient_privilege';
  end if;
  with gone as (
    delete from public.usage_records where tenant_id = tenant and idempotency_key in (
      select idempotency_key from public.usage_records where tenant_id = tenant and meter = of_meter and at >= starts and window_start = starts
      order by at, idempotency_key limit batch)
    returning *
  ), packed as (
    select count(*)::int as records, sum(quantity) as quantity, min(at) as first_at, max(at) as last_at,
      jsonb_agg(to_jsonb(g) - 'tenant_id' order by at, idempotency_key)::text as content from gone g
  ), kept as (
    insert into public.usage_archives (tenant_id, meter, window_start, part, records, quantity, first_at, last_at, also, sha256, content, archived_at)
    select tenant, of_meter, starts,
      coalesce((select max(part) from public.usage_archives a where a.tenant_id = tenant and a.meter = of_meter and a.window_start = starts), 0) + 1,
      p.records, p.quantity, p.first_at, p.last_at,
      coalesce((select array_agg(distinct d) from gone g cross join lateral unnest(g.also) as d), '{}'), encode(sha256(convert_to(p.content, 'UTF8')), 'hex'), p.content, archived
    from packed p where p.records > 0 returning records
  )
  select coalesce((select records from kept), 0) into moved;
  return moved;
end $$;
revoke execute on function archive_usage(text, text, timestamptz, timestamptz, int) from public;
grant execute on function archive_usage(text, text, timestamptz, timestamptz, int) to turnpike_app;

-- As `erase_usage`, for what is archived; counters go down with it.
create function erase_usage_archives(tenant text, batch int) returns int
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  erased int;
begin
  if not exists (select from public.retentions where tenant_id = tenant and state = 'deleting') then
    raise exception 'the usage of % may not be erased', tenant using errcode = 'insufficient_privilege';
  end if;
  with gone as (
    delete from public.usage_archives where tenant_id = tenant and (meter, window_start, part) in (
      select meter, window_start, part from public.usage_archives where tenant_id = tenant order by 1, 2, 3 limit batch)
    returning 1
  ) select count(*) into erased from gone;
  if erased > 0 then
    update public.usage_counters c set (used, records, version, announced) =
        (select n.used, n.records, c.version + 1, c.version + 1 from public.usage_counted(c.tenant_id, c.meter, c.span, c.window_start, c.window_end, c.aggregation) n)
      where c.tenant_id = tenant and c.span not like 'sliding:%';
  end if;
  return erased;
end $$;
revoke execute on function erase_usage_archives(text, int) from public;
grant execute on function erase_usage_archives(text, int) to turnpike_app;
