-- When an invoice became due, as the provider states it: dunning counts from it, however late we hear of it (DUN-1).
alter table invoices add column finalized_at timestamptz;

-- One row per subscription and unpaid invoice that is followed up (DUN-1). Everything in it follows from facts of the
-- provider and the policy; `announced_until` is how far stages and reminders were told, `due_at` when the next thing happens.
create table dunning_cases (
  tenant_id text not null references customers (tenant_id),
  case_id text not null unique,
  subscription_id text not null,
  provider_invoice_id text not null,
  started_at timestamptz not null,
  announced_until timestamptz,
  due_at timestamptz,
  cancel_asked_at timestamptz,
  closed_at timestamptz,
  outcome text check (outcome in ('recovered', 'canceled', 'written_off')),
  check ((closed_at is null) = (outcome is null)),
  primary key (tenant_id, case_id)
);
create unique index dunning_one_open on dunning_cases (tenant_id, subscription_id) where closed_at is null;
create index dunning_due on dunning_cases (due_at) where closed_at is null and due_at is not null;

-- What is in use above the limits of a smaller plan that has begun (SUB-5). `items` hold the old limits too: they stay until
-- the deadline.
create table remediations (
  tenant_id text not null references customers (tenant_id),
  remediation_id text not null unique,
  subscription_id text not null,
  kind text not null check (kind in ('cleanup_window', 'soft_lock')),
  plan text not null,
  plan_version int not null,
  items jsonb not null,
  started_at timestamptz not null,
  deadline timestamptz,
  reminders jsonb not null,
  reminded_until timestamptz not null,
  enforced_at timestamptz,
  closed_at timestamptz,
  outcome text check (outcome in ('met', 'replaced', 'ended')),
  check ((closed_at is null) = (outcome is null)),
  check ((kind = 'cleanup_window') = (deadline is not null)),
  primary key (tenant_id, remediation_id)
);
create unique index remediations_one_open on remediations (tenant_id, subscription_id) where closed_at is null;

-- Levels (USE-3): a counter that is set, not added to. `level_at` (epoch ms) is when the level was so, `ordinal` the place of a record
-- among those of its counter: of two with one time the later counts. Both are null where records add up.
alter table usage_counters add column level_at bigint;
alter table usage_records add column ordinal bigint;
