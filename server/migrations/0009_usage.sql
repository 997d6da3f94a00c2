-- Usage records: append-only; the key makes a repeat harmless (USE-2). `window_start` names the counter that took it in,
-- `used_after` is part of the first answer, which a repeat gets again. `properties` is canonical JSON text.
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
  primary key (tenant_id, idempotency_key)
);
revoke update, delete, truncate on usage_records from turnpike_app;

-- One row per tenant, meter and window (USE-4); `version` orders what replicas and other processes hear about it.
-- `announced` is the version that the last usage.updated event carried.
create table usage_counters (
  tenant_id text not null,
  meter text not null,
  window_start timestamptz not null,
  window_end timestamptz not null,
  used numeric(38, 6) not null,
  records bigint not null,
  version bigint not null,
  announced bigint not null default 0,
  primary key (tenant_id, meter, window_start)
) with (fillfactor = 70);
create index usage_counters_unannounced on usage_counters (tenant_id) where announced <> version;

-- Usage that a hard limit refused: kept for support and analytics, and so that a repeat gets the same answer (ENT-7).
create table usage_refusals (
  tenant_id text not null,
  idempotency_key text not null,
  feature text not null,
  meter text not null,
  quantity numeric(38, 6) not null,
  at timestamptz not null,
  window_start timestamptz not null,
  used numeric(38, 6) not null,
  usage_limit numeric(38, 6),
  code text not null,
  snapshot_version bigint not null,
  recorded_at timestamptz not null,
  service text,
  correlation_id text,
  properties text,
  primary key (tenant_id, idempotency_key)
);
create index usage_refusals_by_window on usage_refusals (tenant_id, meter, window_start);

-- Checks that answered no, counted per hour (ENT-7): they carry no key and may come many times a second.
create table check_refusals (
  tenant_id text not null,
  feature text not null,
  reason text not null,
  hour timestamptz not null,
  attempts bigint not null,
  primary key (tenant_id, feature, reason, hour)
);
