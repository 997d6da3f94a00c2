-- Which customer of the provider is which tenant's (CUS-1): a reference, no copy.
create table provider_customers (
  tenant_id text primary key references customers (tenant_id),
  provider text not null,
  provider_customer_id text not null,
  unique (provider, provider_customer_id)
);

-- Intents to pay: saved before the provider is asked, with the id as its idempotency key (PAY-1).
create table checkouts (
  tenant_id text not null references customers (tenant_id),
  checkout_id text not null unique,
  kind text not null check (kind in ('checkout', 'plan_change', 'purchase')),
  state text not null check (state in ('opening', 'open', 'pending_sync', 'completed', 'failed', 'canceled', 'expired')),
  plan text,
  plan_version int,
  price text,
  product text,
  currency text not null,
  seats int,
  add_ons jsonb not null default '[]',
  selection_hash text not null,
  return_url text not null,
  cancel_url text not null,
  provider text not null,
  provider_session_id text unique,
  session_url text,
  opened_by text not null,
  opened_at timestamptz not null,
  returned_at timestamptz,
  completed_at timestamptz,
  expires_at timestamptz,
  failure text,
  primary key (tenant_id, checkout_id)
);
-- At most one intent of a tenant is under way, so that two open pages cannot both be paid.
create unique index checkouts_one_under_way on checkouts (tenant_id) where state in ('opening', 'open', 'pending_sync');
create index checkouts_unfinished on checkouts (opened_at) where state in ('opening', 'open', 'pending_sync', 'canceled');

-- Settings made at the provider for us, such as the portal configuration for one catalog.
create table provider_settings (
  provider text not null,
  setting text not null,
  value text not null,
  primary key (provider, setting)
);
