-- The webhook inbox (WEB-2, WEB-3): its own queue, visible to operators. Only the minimum of a payload is kept (WEB-5).
create table webhook_inbox (
  webhook_id bigint generated always as identity primary key,
  provider text not null,
  event_id text not null,
  type text not null,
  object_id text,
  provider_customer_id text,
  tenant_id text,
  state text not null check (state in ('pending', 'applied', 'ignored', 'retrying', 'dead')),
  outcome text,
  attempts int not null default 0,
  deliveries int not null default 1,
  received_at timestamptz not null,
  due_at timestamptz not null,
  applied_at timestamptz,
  last_error text,
  trace_id text,
  correlation_id text,
  -- A repeated event has one effect.
  unique (provider, event_id)
);
create index webhook_inbox_waiting on webhook_inbox (webhook_id) where state in ('pending', 'retrying');
create index webhook_inbox_by_customer on webhook_inbox (provider, provider_customer_id) where state in ('pending', 'retrying');
create index webhook_inbox_by_tenant on webhook_inbox (tenant_id, webhook_id desc);

-- One hand per customer of the provider: whoever holds the lease asks the provider and applies what it answers. `fence`
-- grows with every lease; facts fetched under an older fence are stale and dropped.
create table provider_leases (
  provider text not null,
  provider_customer_id text not null,
  fence bigint not null,
  leased_until timestamptz not null,
  primary key (provider, provider_customer_id)
);
