-- One row per customer counts its events without gaps (EVT-1). It is locked last in every transaction, after the customer
-- and the counters, so that flows never wait for each other in a circle.
create table event_streams (
  tenant_id text primary key,
  sequence bigint not null
);

-- Domain events, written in the transaction of the change. `position` is given by the relay after the commit, in one
-- unbroken order, so that a reader who has seen a position never misses an earlier one.
create table outbox (
  event_id text not null,
  tenant_id text not null,
  customer_id text not null,
  sequence bigint not null,
  written bigint generated always as identity,
  position bigint,
  type text not null,
  schema_version int not null,
  at timestamptz not null,
  correlation_id text,
  data jsonb not null,
  primary key (tenant_id, sequence)
);
create index outbox_unplaced on outbox (written) where position is null;
create unique index outbox_by_position on outbox (position) where position is not null;
create index outbox_by_tenant on outbox (tenant_id, position);
create index outbox_by_age on outbox (tenant_id, at desc);

create sequence outbox_position;
grant usage, select, update on sequence outbox_position to turnpike_app;
