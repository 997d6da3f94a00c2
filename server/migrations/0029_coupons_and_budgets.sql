-- The coupon that a hosted page was opened with, by its name in the catalog (INV-3).
alter table checkouts add column coupon text;

-- What a customer wants to spend in a usage period, when to be told, and whether usage is refused there (INV-5).
create table budgets (
  tenant_id text primary key references customers (tenant_id),
  amount_minor bigint not null check (amount_minor >= 0),
  currency text not null,
  alert_at_percent int[] not null,
  cap boolean not null,
  set_by text not null,
  set_at timestamptz not null
);
create index budgets_capped on budgets (tenant_id) where cap;

-- What was told: each threshold once in a usage period and for one amount, so that a higher budget warns again.
create table budget_alerts (
  tenant_id text not null references customers (tenant_id),
  window_start timestamptz not null,
  percent int not null,
  amount_minor bigint not null,
  currency text not null,
  cost_minor bigint not null,
  told_at timestamptz not null,
  primary key (tenant_id, window_start, percent, amount_minor, currency)
);
