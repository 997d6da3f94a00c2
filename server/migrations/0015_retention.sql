-- What follows the end of a customer's last subscription (SUB-6): one row per tenant, of the last time that it left.
create table retentions (
  tenant_id text primary key references customers (tenant_id),
  ended_at timestamptz not null,
  read_only_until timestamptz,
  delete_after timestamptz not null,
  -- Days before the deletion of the reminders that were sent.
  reminded int[] not null default '{}',
  read_only_over boolean not null default false,
  state text not null check (state in ('waiting', 'deleting', 'reactivated', 'deleted')),
  updated_at timestamptz not null
);
create index retentions_due on retentions (delete_after) where state in ('waiting', 'deleting');

-- Archives that were asked for. The archive itself is made while it is fetched and kept nowhere (PRV-1).
create table exports (
  tenant_id text not null references customers (tenant_id),
  export_id text not null unique,
  requested_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  downloads int not null default 0,
  last_downloaded_at timestamptz,
  primary key (tenant_id, export_id)
);

-- Who is asked and informed about a customer's billing (CUS-3).
create table billing_owners (
  tenant_id text not null references customers (tenant_id),
  person_id text not null,
  email text not null,
  name text not null,
  since timestamptz not null,
  primary key (tenant_id, person_id)
);

create table owner_transfers (
  tenant_id text not null references customers (tenant_id),
  transfer_id text not null unique,
  state text not null check (state in ('requested', 'confirmed', 'declined', 'canceled', 'expired')),
  from_person_id text,
  to_email text not null,
  to_name text not null,
  to_person_id text,
  requested_by text not null,
  requested_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  primary key (tenant_id, transfer_id)
);
-- Two letters that both ask for an answer would make the second answer a surprise.
create unique index owner_transfers_one_open on owner_transfers (tenant_id) where state = 'requested';
create index owner_transfers_ending on owner_transfers (expires_at) where state = 'requested';

-- The provider still has to be told who is to be written to; the row goes once it has been told.
create table contact_updates (
  tenant_id text primary key references customers (tenant_id),
  version bigint generated always as identity,
  since timestamptz not null
);

-- Usage records are append-only for the application, with this one exception: those of a customer whose retention has
-- ended, some at a time. Counters go down with their records, so that they agree at every moment (USE-4).
create function erase_usage(tenant text, batch int) returns int
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  erased int;
begin
  if not exists (select from public.retentions where tenant_id = tenant and state = 'deleting') then
    raise exception 'the usage of % may not be erased', tenant using errcode = 'insufficient_privilege';
  end if;
  with gone as (
    delete from public.usage_records where tenant_id = tenant and idempotency_key in (
      select idempotency_key from public.usage_records where tenant_id = tenant order by idempotency_key limit batch)
    returning meter, window_start, quantity
  ), sums as (
    select meter, window_start, sum(quantity) as quantity, count(*) as records from gone group by 1, 2
  ), lowered as (
    update public.usage_counters c set used = c.used - s.quantity, records = c.records - s.records, version = c.version + 1, announced = c.version + 1
    from sums s where c.tenant_id = tenant and c.meter = s.meter and c.window_start = s.window_start
  )
  select count(*) into erased from gone;
  return erased;
end $$;
revoke execute on function erase_usage(text, int) from public;
grant execute on function erase_usage(text, int) to turnpike_app;

-- An archive names the schema that it was made from.
grant select on schema_migrations to turnpike_app;
