-- Comparisons with the provider (REC-1). A run keeps its place after every page, so that whoever takes it over goes on there.
create table reconciliation_runs (
  run_id text primary key,
  scope text not null check (scope in ('all', 'light', 'tenant')),
  tenant_id text,
  state text not null check (state in ('running', 'done', 'failed', 'stopped')),
  phase text,
  cursor jsonb,
  progress jsonb not null default '[]',
  found int not null default 0,
  repaired int not null default 0,
  waits_for text,
  started_by text not null,
  started_at timestamptz not null,
  finished_at timestamptz,
  failure text,
  fence bigint not null default 0,
  leased_until timestamptz not null default '-infinity',
  holder bigint not null default 0,
  check ((scope = 'tenant') = (tenant_id is not null))
);
create index reconciliation_runs_running on reconciliation_runs (started_at) where state = 'running';
-- One run of a scope at a time: who asks for another gets this one.
create unique index reconciliation_runs_one on reconciliation_runs (scope, coalesce(tenant_id, '')) where state = 'running';
create index reconciliation_runs_tenant on reconciliation_runs (tenant_id, run_id);

-- What a run has met at the provider, so that what is only here can be told. Emptied when the run ends.
create table reconciliation_seen (
  run_id text not null references reconciliation_runs (run_id) on delete cascade,
  kind text not null check (kind in ('subscription', 'invoice', 'customer')),
  object text not null,
  primary key (run_id, kind, object)
);
-- Whom a run has to look at a second time, alone. `tenant_id` is empty for customers of the provider that nobody here owns.
create table reconciliation_suspects (
  run_id text not null references reconciliation_runs (run_id) on delete cascade,
  tenant_id text not null,
  provider_customer_id text not null,
  primary key (run_id, tenant_id, provider_customer_id)
);

-- Differences that were still there on a second look. `tenant_id` is null for what belongs to nobody, such as the catalog.
create table findings (
  tenant_id text,
  finding_id text primary key,
  kind text not null,
  object text not null,
  here jsonb,
  there jsonb,
  repair text not null,
  state text not null check (state in ('open', 'repaired', 'accepted', 'dismissed', 'gone')),
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  closed_at timestamptz,
  closed_by text,
  reason text,
  first_run_id text,
  last_run_id text,
  check ((state = 'open') = (closed_at is null))
);
create unique index findings_one_open on findings (coalesce(tenant_id, ''), kind, object) where state in ('open', 'accepted');
create index findings_of_tenant on findings (tenant_id, finding_id);
create index findings_open on findings (first_seen_at) where state = 'open';
