-- Corrections of usage records in their order (USE-2): a correction is a usage record with the difference; here stands what it
-- was about, why, and what the record counts from then on.
create table usage_corrections (
  tenant_id text not null,
  corrects text not null,
  number int not null,
  idempotency_key text not null,
  action text not null check (action in ('void', 'amend')),
  quantity_before numeric(38, 6) not null,
  quantity_after numeric(38, 6) not null,
  reason text not null,
  corrected_by text not null,
  recorded_at timestamptz not null,
  primary key (tenant_id, corrects, number),
  unique (tenant_id, idempotency_key)
);
revoke update, truncate on usage_corrections from turnpike_app;

-- What the records of one counter make together, as before, but that the last correction of a record says whether it is
-- void: what was voided may be amended again.
create or replace function usage_counted(of_tenant text, of_meter text, of_span text, starts timestamptz, ends timestamptz, how text)
returns table (used numeric, records bigint, level_at bigint)
language plpgsql stable as $$
begin
  if how = 'sum' then
    return query select coalesce(sum(r.quantity), 0), count(*), null::bigint
      from (select m.quantity, m.at, m.window_start from usage_records m where m.tenant_id = of_tenant and m.meter = of_meter and m.at >= starts and (of_span = 'period' or m.at < ends)
            union all
            select d.quantity, d.at, d.window_start from usage_records d where d.tenant_id = of_tenant and d.also is not null and of_meter = any (d.also) and d.at >= starts and (of_span = 'period' or d.at < ends)) r
      where of_span <> 'period' or r.window_start = starts;
    return;
  end if;
  return query
    with counted as (
      select m.* from usage_records m where m.tenant_id = of_tenant and m.meter = of_meter and m.at >= starts and (of_span = 'period' or m.at < ends)
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
