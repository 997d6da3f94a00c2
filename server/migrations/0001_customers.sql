-- The application connects with the rights of turnpike_app, whoever logs in: it may work with rows, never change tables,
-- and it cannot rewrite the audit (AUD-1). Roles belong to the whole cluster, so another database may have made it already.
do $$
begin
  if not exists (select from pg_roles where rolname = 'turnpike_app') then
    create role turnpike_app nologin;
  end if;
  if not pg_has_role(current_user, 'turnpike_app', 'member') then
    execute format('grant turnpike_app to %I', current_user);
  end if;
exception
  when duplicate_object or unique_violation then null;
  when insufficient_privilege then
    raise exception 'the login % may not make the role turnpike_app: let an administrator run CREATE ROLE turnpike_app NOLOGIN; GRANT turnpike_app TO %;',
      current_user, quote_ident(current_user);
end $$;
grant usage on schema public to turnpike_app;
alter default privileges in schema public grant select, insert, update, delete on tables to turnpike_app;
alter default privileges in schema public grant usage, select on sequences to turnpike_app;

-- Every table of a tenant begins its keys with tenant_id, so that it can be distributed by tenant.
-- One tenant, at most one customer (CUS-1): the tenant is the key.
create table customers (
  tenant_id text primary key,
  customer_id text not null unique,
  name text not null,
  email text,
  currency text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- The catalog that the entitlements were last resolved with: an older one means that a new look is due.
  resolved_catalog int not null default 0
);
create index customers_by_catalog on customers (resolved_catalog);
create index customers_by_age on customers (created_at desc, tenant_id);

-- API keys: only a hash is kept; the prefix helps people to tell keys apart (SEC-1).
create table api_keys (
  key_id text primary key,
  secret_hash bytea not null unique,
  prefix text not null,
  name text not null,
  role text not null,
  tenant_id text,
  permissions text[],
  created_at timestamptz not null,
  created_by text not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);

-- Answers of finished requests, so that a repeat with the same Idempotency-Key gets the first answer (API-3).
-- `holder` is the credential; `answer` is null while the request is being worked on.
create table idempotency_keys (
  holder text not null,
  idempotency_key text not null,
  route text not null,
  request_hash bytea not null,
  started_at timestamptz not null,
  status int,
  answer text,
  primary key (holder, idempotency_key)
);
create index idempotency_keys_by_age on idempotency_keys (started_at);
