-- What is still to be told of counters stands beside them (EVT-4). It stood in their rows: then usage waited for whoever told
-- it, and an index over both versions made every raise of a counter a new entry in all of its indexes.

-- Usage periods that moved, as whoever moved them wrote them down in the same transaction; they go with the event that tells
-- it. Of one commit all are in one row.
create table usage_moves (
  move_id bigint generated always as identity primary key,
  tenant_ids text[] not null,
  meters text[] not null,
  window_starts timestamptz[] not null
);
grant select, insert, delete on usage_moves to turnpike_app;
insert into usage_moves (tenant_ids, meters, window_starts)
  select array_agg(tenant_id), array_agg(meter), array_agg(window_start) from usage_counters where span = 'period' and announced <> version
  having count(*) > 0;

drop index usage_counters_unannounced;
alter table usage_counters drop column announced;

-- As before, without that column.
create or replace function erase_usage(tenant text, batch int) returns int
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  erased int;
begin
  if not exists (select from public.retentions where tenant_id = tenant and state = 'deleting') then
    raise exception 'the usage of % may not be erased', tenant using errcode = 'insufficient_privilege';
  end if;
  with gone as (
    delete from public.usage_records where tenant_id = tenant and idempotency_key in (
      select idempotency_key from public.usage_records where tenant_id = tenant order by idempotency_key limit batch)
    returning meter, also, at, window_start, quantity, corrects, correction
  ), effects as (
    select g.meter, g.at, g.window_start, g.quantity, g.corrects, g.correction from gone g
    union all
    select d.meter, g.at, g.window_start, g.quantity, g.corrects, g.correction from gone g cross join lateral unnest(g.also) as d (meter)
  ), sums as (
    select c.meter, c.span, c.window_start, count(*) as records,
      sum(case when c.aggregation = 'sum' then e.quantity when e.corrects is null then 1 when e.correction = 'void' then -1 else 0 end) as used
    from public.usage_counters c join effects e on e.meter = c.meter and
      case when c.span = 'period' then e.window_start = c.window_start else e.at >= c.window_start and e.at < c.window_end end
    where c.tenant_id = tenant and c.aggregation in ('sum', 'count') and c.span not like 'sliding:%'
    group by 1, 2, 3
  ), lowered as (
    update public.usage_counters c set used = c.used - s.used, records = c.records - s.records, version = c.version + 1
    from sums s where c.tenant_id = tenant and c.meter = s.meter and c.span = s.span and c.window_start = s.window_start
  )
  select count(*) into erased from gone;
  update public.usage_counters c set (used, records, version) =
      (select n.used, n.records, c.version + 1 from public.usage_counted(c.tenant_id, c.meter, c.span, c.window_start, c.window_end, c.aggregation) n)
    where c.tenant_id = tenant and c.aggregation not in ('sum', 'count');
  return erased;
end $$;
create or replace function erase_usage_archives(tenant text, batch int) returns int
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
    update public.usage_counters c set (used, records, version) =
        (select n.used, n.records, c.version + 1 from public.usage_counted(c.tenant_id, c.meter, c.span, c.window_start, c.window_end, c.aggregation) n)
      where c.tenant_id = tenant and c.span not like 'sliding:%';
  end if;
  return erased;
end $$;
