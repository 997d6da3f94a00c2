-- Webhooks under disorder (WEB-3, WEB-4): when the provider made an event, how often it waited for a silent provider
-- (which costs no attempt), and what went wrong at each try.
alter table webhook_inbox
  add column event_at timestamptz,
  add column holds int not null default 0,
  add column errors jsonb not null default '[]';
-- Replay and the order of events by object; by time the table is in order anyway.
create index webhook_inbox_by_object on webhook_inbox (object_id, webhook_id);
create index webhook_inbox_by_time on webhook_inbox using brin (received_at);
create index webhook_inbox_strangers on webhook_inbox (provider, provider_customer_id) where outcome = 'unknown_customer';

-- A customer that was deleted at the provider stays known, so that its late webhooks find their tenant; the next purchase
-- makes another one. At most one of a tenant is alive.
alter table provider_customers
  add column deleted_at timestamptz,
  drop constraint provider_customers_pkey,
  add primary key (tenant_id, provider, provider_customer_id);
create unique index provider_customers_one_alive on provider_customers (tenant_id, provider) where deleted_at is null;
