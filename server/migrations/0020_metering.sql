-- Metering in full (USE-1, USE-4, ENT-6, ENT-8): one record raises a counter in each span that is asked about.

-- Calendar windows of a customer begin when a day, week, month or year begins there.
alter table customers add column time_zone text not null default 'UTC';

-- `span` says what a counter's window is: `period` is the usage period, which is limited and rated by; `hour` is an hour in
-- UTC, always kept, for history and sliding windows; the others are there where a grant of the customer asks for them:
-- `clock_hour`, `day`, `week`, `month`, `year` (with `:` and the time zone where that is not UTC), `lifetime`, and
-- `sliding:<hours>`, whose one row is only the lock and what was last decided on. `aggregation` is how records make the
-- number, with the property whose values are counted: `unique:user`. `reserved` is held for work under way.
-- `peak` is the highest that was seen: what warned once does not warn again when usage was corrected in between.
alter table usage_counters
  add column span text not null default 'period',
  add column aggregation text not null default 'sum',
  add column reserved numeric(38, 6) not null default 0,
  add column peak numeric(38, 6) not null default 0;
update usage_counters set aggregation = 'latest' where window_end >= '9999-01-01';
update usage_counters set peak = used;
alter table usage_counters alter column span drop default, alter column aggregation drop default;
alter table usage_counters drop constraint usage_counters_pkey, add primary key (tenant_id, meter, span, window_start);
-- Hours are many, and are read by their place; whoever asks what counts now does not step over them.
create index usage_counters_current on usage_counters (tenant_id, window_end) where span <> 'hour';

-- The records again, in sixteen parts by tenant, so that no index grows with all tenants together. `snapshot_version` is
-- what was decided with; a correction names the key of the record that it corrects and carries what it adds or takes away,
-- so that sums stay sums; `also` names the meters that are derived from this one and were raised too.
alter table usage_records rename to usage_records_before;
alter table usage_records_before rename constraint usage_records_pkey to usage_records_before_pkey;
create table usage_records (
  tenant_id text not null,
  idempotency_key text not null,
  meter text not null,
  quantity numeric(38, 6) not null,
  at timestamptz not null,
  window_start timestamptz not null,
  used_after numeric(38, 6) not null,
  recorded_at timestamptz not null,
  service text,
  correlation_id text,
  properties text,
  ordinal bigint,
  snapshot_version bigint,
  corrects text,
  correction text check (correction in ('void', 'amend')),
  also text[],
  primary key (tenant_id, idempotency_key)
) partition by hash (tenant_id);
do $$
begin
  for part in 0..15 loop
    execute format('create table usage_records_%s partition of usage_records for values with (modulus 16, remainder %s)', part, part);
    -- Everybody goes through the whole table, which says what may be done.
    execute format('revoke all on usage_records_%s from turnpike_app', part);
  end loop;
end $$;
insert into usage_records (tenant_id, idempotency_key, meter, quantity, at, window_start, used_after, recorded_at, service, correlation_id, properties, ordinal)
  select tenant_id, idempotency_key, meter, quantity, at, window_start, used_after, recorded_at, service, correlation_id, properties, ordinal
  from usage_records_before;
drop table usage_records_before;
create index usage_records_by_time on usage_records (tenant_id, meter, at);
create index usage_records_derived on usage_records (tenant_id, at) where also is not null;
create index usage_records_corrections on usage_records (tenant_id, corrects) where corrects is not null;
revoke update, delete, truncate on usage_records from turnpike_app;

-- The hours of what was counted before.
insert into usage_counters (tenant_id, meter, span, window_start, window_end, used, records, version, announced, aggregation, level_at, peak)
  select h.tenant_id, h.meter, 'hour', h.hour, h.hour + interval '1 hour', h.used, h.records, 1, 1, h.aggregation, h.level_at, h.used
  from (
    select r.tenant_id, r.meter, date_bin('1 hour', r.at, timestamptz 'epoch') as hour, count(*) as records,
      case when max(r.ordinal) is null then sum(r.quantity) else (array_agg(r.quantity order by r.at desc, r.ordinal desc))[1] end as used,
      case when max(r.ordinal) is null then 'sum' else 'latest' end as aggregation,
      case when max(r.ordinal) is null then null else (extract(epoch from max(r.at)) * 1000)::bigint end as level_at
    from usage_records r group by 1, 2, 3) h;

-- Which values a counter of unique ones has seen: their hashes, so that a name is nowhere twice.
create table usage_seen (
  tenant_id text not null,
  meter text not null,
  span text not null,
  window_start timestamptz not null,
  value_hash uuid not null,
  primary key (tenant_id, meter, span, window_start, value_hash)
);

-- Room that is held for work under way (ENT-6). `answer` is what was said first, which a repeat of the key gets again.
create table reservations (
  tenant_id text not null references customers (tenant_id),
  reservation_id text not null unique,
  idempotency_key text not null,
  request_hash bytea not null,
  state text not null check (state in ('held', 'committed', 'released', 'expired', 'refused')),
  reserved_at timestamptz not null,
  expires_at timestamptz not null,
  settled_at timestamptz,
  snapshot_version bigint not null,
  service text,
  correlation_id text,
  answer jsonb not null,
  primary key (tenant_id, reservation_id),
  unique (tenant_id, idempotency_key)
);
create index reservations_expiring on reservations (expires_at) where state = 'held';
create table reservation_items (
  tenant_id text not null,
  reservation_id text not null,
  feature text not null,
  meter text not null,
  span text not null,
  window_start timestamptz not null,
  quantity numeric(38, 6) not null,
  committed numeric(38, 6),
  primary key (tenant_id, reservation_id, feature),
  foreign key (tenant_id, reservation_id) references reservations (tenant_id, reservation_id) on delete cascade
);

-- What the records of one counter make together: what every counter must say (USE-4). Records of the usage period are those
-- that were put there; all other spans are told by time. A record and its corrections count as one with what they sum to.
-- The last correction says whether a record is void. Archived records count as if they were still there.
create function usage_counted(of_tenant text, of_meter text, of_span text, starts timestamptz, ends timestamptz, how text)
returns table (used numeric, records bigint, level_at bigint)
language plpgsql stable as $$
begin
  if how = 'sum' then
    return query select coalesce(sum(r.quantity), 0), count(*), null::bigint
      from (select m.quantity, m.at, m.window_start from usage_records m where m.tenant_id = of_tenant and m.meter = of_meter and m.at >= starts and (of_span = 'period' or m.at < ends)
            union all
            select k.quantity, k.at, k.window_start from usage_archived(of_tenant, of_meter, starts, case when of_span = 'period' then null else ends end) k
            union all
            select d.quantity, d.at, d.window_start from usage_records d where d.tenant_id = of_tenant and d.also is not null and of_meter = any (d.also) and d.at >= starts and (of_span = 'period' or d.at < ends)) r
      where of_span <> 'period' or r.window_start = starts;
    return;
  end if;
  return query
    with counted as (
      select m.* from usage_records m where m.tenant_id = of_tenant and m.meter = of_meter and m.at >= starts and (of_span = 'period' or m.at < ends)
      union all
      select k.* from usage_archived(of_tenant, of_meter, starts, case when of_span = 'period' then null else ends end) k
      union all
      select d.* from usage_records d where d.tenant_id = of_tenant and d.also is not null and of_meter = any (d.also) and d.at >= starts and (of_span = 'period' or d.at < ends)
    ), effective as (
      select min(c.at) as at, max(c.ordinal) as ordinal, sum(c.quantity) as quantity, count(*) as rows,
        coalesce((array_agg(c.correction order by c.recorded_at desc) filter (where c.corrects is not null))[1] = 'void', false) as voided, max(c.properties) filter (where c.corrects is null) as properties
      from counted c where of_span <> 'period' or c.window_start = starts
      group by coalesce(c.corrects, c.idempotency_key)
    )
    select coalesce(case
        when how = 'count' then count(*) filter (where not e.voided)::numeric
        when how = 'max' then max(e.quantity) filter (where not e.voided)
        when how like 'unique:%' then count(distinct case when how like 'unique:%' then e.properties::jsonb ->> substr(how, 8) end) filter (where not e.voided)::numeric
        else (array_agg(e.quantity order by e.at desc, e.ordinal desc) filter (where not e.voided))[1]
      end, 0), coalesce(sum(e.rows), 0)::bigint,
      case when how in ('latest', 'time_weighted') then (extract(epoch from max(e.at) filter (where not e.voided)) * 1000)::bigint end
    from effective e;
end $$;

-- As before, for counters of every span and aggregation (SUB-6).
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
    update public.usage_counters c set used = c.used - s.used, records = c.records - s.records, version = c.version + 1, announced = c.version + 1
    from sums s where c.tenant_id = tenant and c.meter = s.meter and c.span = s.span and c.window_start = s.window_start
  )
  select count(*) into erased from gone;
  update public.usage_counters c set (used, records, version, announced) =
      (select n.used, n.records, c.version + 1, c.version + 1 from public.usage_counted(c.tenant_id, c.meter, c.span, c.window_start, c.window_end, c.aggregation) n)
    where c.tenant_id = tenant and c.aggregation not in ('sum', 'count');
  return erased;
end $$;
