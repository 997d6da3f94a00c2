-- Refunds and credit notes (INV-2, INV-4): asked for here, or made at the provider and mirrored. The intent is saved before the
-- provider is asked, its id is the idempotency key there and stands in the metadata of what is made.
create table money_back (
  tenant_id text not null references customers (tenant_id),
  money_back_id text not null,
  kind text not null check (kind in ('refund', 'credit_note')),
  provider text not null,
  -- Null for a refund of what was paid without an invoice.
  provider_invoice_id text,
  -- Null until it is known to be at the provider.
  provider_id text,
  -- The payment that a refund takes back.
  provider_intent_id text,
  state text not null check (state in ('waiting_for_approval', 'rejected', 'expired', 'asking', 'pending', 'requires_action', 'succeeded', 'failed', 'canceled', 'issued', 'void')),
  amount numeric(38, 0) not null check (amount > 0),
  currency text not null,
  -- Off what was owed, and off what had been paid; how much of the latter the refunds of a credit note take, which count for themselves.
  before_payment numeric(38, 0) not null default 0,
  after_payment numeric(38, 0) not null default 0,
  refunded numeric(38, 0) not null default 0,
  -- Where a credit note after payment goes; null for refunds and for credit notes before payment.
  target text check (target in ('balance', 'payment', 'outside')),
  lines jsonb not null default '[]',
  number text,
  pdf_url text,
  -- False for what was made at the provider.
  asked_here boolean not null,
  reason text,
  reason_text text,
  actor text,
  actor_kind text,
  requested_at timestamptz not null,
  request_expires_at timestamptz,
  decided_by text,
  decided_at timestamptz,
  decision_reason text,
  attempts int not null default 0,
  asked_at timestamptz,
  settled_at timestamptz,
  failure text,
  updated_at timestamptz not null,
  primary key (tenant_id, money_back_id),
  unique (money_back_id),
  check (before_payment + after_payment = amount),
  check (refunded between 0 and after_payment)
);
create unique index money_back_at_provider on money_back (provider, provider_id) where provider_id is not null;
create index money_back_of_invoice on money_back (tenant_id, provider_invoice_id);
create index money_back_newest on money_back (kind, requested_at desc, money_back_id desc);
create index money_back_waiting on money_back (request_expires_at) where state = 'waiting_for_approval';
-- For the sweep: what was asked and has no answer, and refunds that are on their way.
create index money_back_asking on money_back (money_back_id) where state in ('asking', 'pending', 'requires_action');

-- What takes money away from us, or will.
create function money_back_counts(state text) returns boolean language sql immutable as
  $$ select state in ('waiting_for_approval', 'asking', 'pending', 'requires_action', 'succeeded', 'issued') $$;

-- Never above what was paid (INV-4), nor off more than is owed: whatever any process believes, and however many ask at once.
-- Only what is asked here is held back: what was done at the provider is a fact.
create function money_back_within_paid() returns trigger language plpgsql as $$
declare
  invoice record;
  back numeric;
  off numeric;
begin
  if not new.asked_here or not money_back_counts(new.state) then return new; end if;
  if tg_op = 'UPDATE' then
    if money_back_counts(old.state) and old.amount = new.amount and old.after_payment = new.after_payment then return new; end if;
    -- What the provider says of it is a fact too.
    if new.provider_id is not null then return new; end if;
  end if;
  select amount_paid, amount_remaining into invoice from invoices
    where tenant_id = new.tenant_id and provider_invoice_id = new.provider_invoice_id for update;
  if not found then raise exception 'nothing was paid' using errcode = 'check_violation', constraint = 'money_back_within_paid'; end if;
  select coalesce(sum(after_payment - refunded), 0) into back from money_back
    where tenant_id = new.tenant_id and provider_invoice_id = new.provider_invoice_id and money_back_counts(state) and money_back_id <> new.money_back_id;
  -- What is issued has lowered what remains already.
  select coalesce(sum(before_payment), 0) into off from money_back
    where tenant_id = new.tenant_id and provider_invoice_id = new.provider_invoice_id and state in ('waiting_for_approval', 'asking') and provider_id is null and money_back_id <> new.money_back_id;
  if back + new.after_payment - new.refunded > invoice.amount_paid and new.after_payment > 0 then
    raise exception 'more than was paid' using errcode = 'check_violation', constraint = 'money_back_within_paid';
  end if;
  if off + new.before_payment > invoice.amount_remaining and new.before_payment > 0 then
    raise exception 'more than is owed' using errcode = 'check_violation', constraint = 'money_back_within_owed';
  end if;
  return new;
end $$;
create trigger money_back_within_paid before insert or update on money_back for each row execute function money_back_within_paid();
