-- What else the provider says of a subscription: payment method, pauses; and what was recorded of it and not applied (SUB-1).
alter table subscriptions
  add column standing jsonb not null default '{"paymentMethodOnFile": false, "paused": null, "collectionPaused": null}',
  add column noted text;

-- Each reminder of a trial's end or a renewal once: the key is what it is about (SUB-3).
create table reminders (
  tenant_id text not null references customers (tenant_id),
  subscription_id text not null,
  kind text not null check (kind in ('trial_ending', 'renewal_upcoming')),
  about timestamptz not null,
  at timestamptz not null,
  primary key (tenant_id, subscription_id, kind, about),
  foreign key (tenant_id, subscription_id) references subscriptions (tenant_id, subscription_id)
);
create index subscriptions_trial_end on subscriptions (trial_ends_at) where status = 'trialing';
create index subscriptions_renewal on subscriptions (interval_unit, period_end) where status = 'active' and ends_at is null;
