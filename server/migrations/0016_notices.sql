-- Messages to customers (DUN-2): made once per event and kind, kept as they were written, so that billing pages show what
-- was mailed. `skipped`: nobody to write to; `not_configured`: made while no mail server was named, and never mailed by itself.
create table notices (
  tenant_id text not null references customers (tenant_id),
  notice_id text not null unique,
  event_id text not null,
  kind text not null,
  topic text not null,
  recipients text[] not null,
  data jsonb not null,
  subject text not null,
  body_text text,
  body_html text,
  link text,
  state text not null check (state in ('waiting', 'sending', 'sent', 'retrying', 'failed', 'skipped', 'not_configured')),
  attempts int not null default 0,
  -- How often somebody had it sent again: each copy has a Message-ID of its own.
  copies int not null default 0,
  created_at timestamptz not null,
  show_until timestamptz not null,
  due_at timestamptz not null,
  holder bigint,
  leased_until timestamptz,
  sent_at timestamptz,
  last_error text,
  primary key (tenant_id, event_id, kind)
);
create index notices_to_send on notices (due_at) where state in ('waiting', 'sending', 'retrying');
create index notices_by_age on notices (created_at desc, notice_id desc);
create index notices_by_tenant on notices (tenant_id, created_at desc, notice_id desc);

-- How far the feed was read. Who begins with notices tells nobody of what happened before.
create table notice_cursor (
  only_one boolean primary key default true check (only_one),
  position bigint not null
);
insert into notice_cursor (position) select coalesce(max(position), 0) from outbox;

-- An override may wait for a second person (ENT-2): until then, and when rejected or too late, it is not in force.
alter table overrides
  add column state text not null default 'approved' check (state in ('waiting_for_approval', 'approved', 'rejected', 'expired')),
  add column request_expires_at timestamptz,
  add column decided_by text,
  add column decided_at timestamptz,
  add column decision_reason text;
create index overrides_waiting on overrides (request_expires_at) where state = 'waiting_for_approval';
