-- Exceptions for one tenant, with reason, actor and end (ENT-2). Never deleted: withdrawn.
create table overrides (
  tenant_id text not null references customers (tenant_id),
  override_id text not null unique,
  feature text not null,
  setting jsonb not null,
  reason text not null,
  actor text not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  withdrawn_at timestamptz,
  primary key (tenant_id, override_id)
);
create index overrides_ending on overrides (expires_at) where withdrawn_at is null and expires_at is not null;

-- What was resolved, and from when on it was in force (ENT-3). The version of a customer only grows.
create table entitlement_snapshots (
  tenant_id text not null references customers (tenant_id),
  customer_id text not null,
  version bigint not null,
  effective_from timestamptz not null,
  valid_until timestamptz,
  cause text not null,
  correlation_id text,
  content jsonb not null,
  primary key (tenant_id, version)
);
