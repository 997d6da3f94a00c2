-- From when on which terms held for a subscription: usage is rated at the terms of its own time. Written from validated
-- facts, in the transaction that changes the subscription; never changed afterwards.
create table usage_terms (
  tenant_id text not null references customers (tenant_id),
  subscription_id text not null,
  effective_from timestamptz not null,
  plan text not null,
  plan_version int not null,
  price text not null,
  currency text not null,
  seats int not null,
  add_ons jsonb not null,
  trial_ends_at timestamptz,
  primary key (tenant_id, subscription_id, effective_from)
);

-- A stretch of time whose usage is rated together (INV-6). `regular` is the window that it is a part of: the two differ
-- where a change cut it short. `input` is what rating was given, so that the same lines can be made again (RAT-2).
create table usage_periods (
  tenant_id text not null references customers (tenant_id),
  period_id text not null unique,
  customer_id text not null,
  subscription_id text not null,
  period_start timestamptz not null,
  period_end timestamptz not null,
  regular_start timestamptz not null,
  regular_end timestamptz not null,
  -- No counter is of exactly this stretch of time: a change cut it off, so its records are added up.
  by_records boolean not null default false,
  state text not null check (state in ('open', 'rated', 'nothing_due', 'placed', 'settled')),
  opened_at timestamptz not null,
  rated_at timestamptz,
  -- Until when later usage is accepted: then it is compared for the last time.
  late_until timestamptz,
  -- json, not jsonb: the same input gives the same text, to the byte (RAT-2).
  input json,
  input_hash text,
  check (period_start < period_end),
  check ((state = 'open') = (rated_at is null)),
  primary key (tenant_id, period_id),
  unique (tenant_id, subscription_id, period_start)
);
create index usage_periods_due on usage_periods (period_end) where state = 'open';
create index usage_periods_late on usage_periods (late_until) where state in ('rated', 'nothing_due', 'placed');
create index usage_periods_by_end on usage_periods (tenant_id, period_end desc);

-- Where lines go: one invoice of the provider. The row is the intent, saved before anybody is asked.
create table placings (
  tenant_id text not null references customers (tenant_id),
  placing_id text not null unique,
  customer_id text not null,
  subscription_id text not null,
  provider_subscription_id text not null,
  -- The renewal on whose draft invoice the lines belong; null: an invoice of their own.
  renewal_at timestamptz,
  currency text not null,
  state text not null check (state in ('waiting', 'placed', 'carried')),
  -- The invoice that was chosen; `own`: made by us.
  provider_invoice_id text,
  own boolean not null default false,
  attempts int not null default 0,
  due_at timestamptz not null,
  failure text,
  created_at timestamptz not null,
  settled_at timestamptz,
  check ((state = 'waiting') = (settled_at is null)),
  primary key (tenant_id, placing_id)
);
create index placings_due on placings (due_at) where state = 'waiting';

-- What is charged for usage (INV-1): append-only but for where it was placed. The sum of a period's lines is what it costs;
-- later usage and corrections add lines that make up the difference.
create table charge_lines (
  tenant_id text not null references customers (tenant_id),
  line_id text not null unique,
  period_id text not null,
  subscription_id text not null,
  -- Null while a line waits for the next invoice, and for lines of 0.
  placing_id text,
  ordinal int not null,
  charge text not null,
  name text not null,
  kind text not null,
  quantity text not null,
  amount_minor numeric(38, 0) not null,
  currency text not null,
  exact_amount text not null,
  line_start timestamptz not null,
  line_end timestamptz not null,
  calculation json not null,
  -- Which usage records it was made of; null where it was made of none.
  source json,
  provider_invoice_id text,
  provider_item_id text,
  created_at timestamptz not null,
  placed_at timestamptz,
  primary key (tenant_id, line_id)
);
create index charge_lines_by_period on charge_lines (tenant_id, period_id);
create index charge_lines_by_placing on charge_lines (tenant_id, placing_id) where placing_id is not null;
create index charge_lines_by_invoice on charge_lines (tenant_id, provider_invoice_id) where provider_invoice_id is not null;
create index charge_lines_waiting on charge_lines (tenant_id, subscription_id) where placing_id is null and amount_minor <> 0;

revoke delete, truncate on charge_lines, usage_terms from turnpike_app;

-- Subscriptions that are there already: their terms as they stand, and the period that they are in.
insert into usage_terms (tenant_id, subscription_id, effective_from, plan, plan_version, price, currency, seats, add_ons, trial_ends_at)
select tenant_id, subscription_id, started_at, plan, plan_version, price, currency, seats, add_ons, trial_ends_at from subscriptions where status not in ('incomplete', 'incomplete_expired');
insert into usage_periods (tenant_id, period_id, customer_id, subscription_id, period_start, period_end, regular_start, regular_end, state, opened_at)
select distinct on (tenant_id) tenant_id, 'period_' || substr(subscription_id, 14), customer_id, subscription_id, period_start, period_end, period_start, period_end, 'open', updated_at
from subscriptions where status in ('trialing', 'active', 'past_due', 'unpaid', 'paused') order by tenant_id, started_at desc;
