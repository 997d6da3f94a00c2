-- Decision records (ENT-5). Consuming decisions stand in the records and refusals themselves: `reserved` is what was held for
-- others on the counter that decided, and is null where nothing was decided, because what was counted is a fact.
alter table usage_records add column reserved numeric(38, 6);
alter table usage_refusals add column reserved numeric(38, 6) not null default 0;
-- Refusals are read by their time, for support and by the timeline.
create index usage_refusals_by_time on usage_refusals (tenant_id, at);
create index usage_refusals_by_recording on usage_refusals (tenant_id, recorded_at);

-- Checks that answered no without consuming. Equal ones of an hour share a row: same question, same snapshot, same counter,
-- same answer. `decision_key` follows from all of that, so a write that is repeated finds its row. `because`: the other
-- feature of an all-or-nothing question that was refused.
create table check_decisions (
  tenant_id text not null,
  decision_key text not null,
  feature text not null,
  reason text not null,
  quantity numeric(38, 6) not null,
  snapshot_version bigint not null,
  used numeric(38, 6),
  reserved numeric(38, 6) not null,
  window_start timestamptz,
  because text,
  first_at timestamptz not null,
  at timestamptz not null,
  attempts bigint not null,
  primary key (tenant_id, decision_key)
);
create index check_decisions_by_time on check_decisions (tenant_id, at);
create index check_decisions_old on check_decisions (at);

-- A decision is made again with the snapshot that it names: what was resolved stays as it was.
revoke update on entitlement_snapshots from turnpike_app;
