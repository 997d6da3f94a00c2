-- What was asked of a subscription: the intent is saved before the provider is asked, its id is the idempotency key there (SUB-3).
create table subscription_commands (
  tenant_id text not null references customers (tenant_id),
  command_id text not null unique,
  -- Null for a command that is to make one.
  subscription_id text,
  action text not null,
  request jsonb not null,
  -- What the rules made of the request: the order to the provider, the terms afterwards, when they begin to hold.
  decided jsonb not null,
  -- asking: under way in some process. queued: to be asked later. unknown: asked, and no answer came.
  state text not null check (state in ('asking', 'queued', 'unknown', 'done', 'failed')),
  -- Who repeats with this finds this command again while it is under way.
  repeat_key text,
  actor text not null,
  actor_kind text not null,
  attempts int not null default 0,
  requested_at timestamptz not null,
  asked_at timestamptz,
  settled_at timestamptz,
  resumes_at timestamptz,
  failure text,
  invoice_url text,
  primary key (tenant_id, command_id),
  check ((state in ('done', 'failed')) = (settled_at is not null))
);
-- One at a time of each customer.
create unique index subscription_commands_under_way on subscription_commands (tenant_id) where settled_at is null;
-- For the sweep.
create index subscription_commands_waiting on subscription_commands (requested_at) where settled_at is null;
create index subscription_commands_resuming on subscription_commands (resumes_at) where resumes_at is not null;
