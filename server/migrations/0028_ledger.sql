-- Prepaid credit (INV-3, INV-4). What was granted and why; what is left of it stands in the ledger and nowhere else.
create table credit_grants (
  tenant_id text not null references customers (tenant_id),
  grant_id text not null unique,
  state text not null check (state in ('waiting_for_approval', 'active', 'rejected', 'lapsed')),
  category text not null check (category in ('paid', 'promotional')),
  currency text not null,
  amount_minor bigint not null check (amount_minor > 0),
  -- What was paid for it: what goes back of an unused rest is this share of it, and nothing of what was given.
  paid_minor bigint not null check (paid_minor >= 0 and (category = 'paid' or paid_minor = 0)),
  priority int not null,
  -- The charges that it may pay; null: everything.
  charges text[],
  granted_at timestamptz not null,
  expires_at timestamptz,
  reason text not null,
  granted_by text not null,
  checkout_id text unique,
  request_expires_at timestamptz,
  decided_by text,
  decided_at timestamptz,
  decision_reason text,
  voided_at timestamptz,
  told_expiring_at timestamptz,
  primary key (tenant_id, grant_id)
);
create index credit_grants_ending on credit_grants (expires_at) where state = 'active';
create index credit_grants_waiting on credit_grants (request_expires_at) where state = 'waiting_for_approval';

-- The accounts of a customer: one for each grant (what the customer still has of it), and per currency where credit came
-- from and where it went. The balance follows from the entries: only the trigger below ever moves it.
create table ledger_accounts (
  tenant_id text not null references customers (tenant_id),
  account text not null,
  currency text not null,
  kind text not null check (kind in ('credit', 'funding_paid', 'funding_promotional', 'revenue', 'breakage', 'refunded')),
  grant_id text references credit_grants (grant_id),
  balance_minor bigint not null default 0,
  primary key (tenant_id, account, currency),
  check ((kind = 'credit') = (grant_id is not null)),
  -- Nobody spends credit that is not there, whatever runs at the same time.
  constraint credit_never_below_zero check (kind <> 'credit' or balance_minor >= 0)
);
create unique index ledger_accounts_by_grant on ledger_accounts (grant_id) where grant_id is not null;

-- One movement of credit. Its id follows from what caused it, so that a repeat finds it and moves nothing again.
create table ledger_postings (
  tenant_id text not null references customers (tenant_id),
  posting_id text not null,
  kind text not null check (kind in ('grant', 'burn', 'give_back', 'expire', 'void', 'refund')),
  currency text not null,
  -- When it counts, and when it was written down.
  at timestamptz not null,
  recorded_at timestamptz not null,
  -- What it was for: the grant, or the usage period whose lines were paid.
  reference text not null,
  reason text,
  actor text not null,
  entries int not null check (entries >= 2),
  primary key (tenant_id, posting_id)
);
create index ledger_postings_by_reference on ledger_postings (tenant_id, reference);

create table ledger_entries (
  tenant_id text not null,
  posting_id text not null,
  line int not null,
  number bigint generated always as identity,
  account text not null,
  currency text not null,
  amount_minor bigint not null check (amount_minor <> 0),
  primary key (tenant_id, posting_id, line),
  foreign key (tenant_id, posting_id) references ledger_postings (tenant_id, posting_id),
  foreign key (tenant_id, account, currency) references ledger_accounts (tenant_id, account, currency)
);
create index ledger_entries_by_number on ledger_entries (tenant_id, number desc);
create index ledger_entries_by_account on ledger_entries (tenant_id, account);

-- The ledger is append-only for the application, and it cannot set a balance.
revoke update, delete on ledger_postings, ledger_entries from turnpike_app;
revoke insert, update, delete on ledger_accounts from turnpike_app;
grant insert (tenant_id, account, currency, kind, grant_id) on ledger_accounts to turnpike_app;

-- Each posting is whole when its transaction ends: all of its entries, in one currency, with the sum of zero. Entries that
-- are added to it later make it another number of them, and fail too.
create function ledger_posting_is_whole() returns trigger
language plpgsql as $$
declare
  posting public.ledger_postings;
  found int;
  strange int;
  total numeric;
begin
  select * into posting from public.ledger_postings where tenant_id = new.tenant_id and posting_id = new.posting_id;
  select count(*), count(*) filter (where currency <> posting.currency), coalesce(sum(amount_minor), 0) into found, strange, total
    from public.ledger_entries where tenant_id = new.tenant_id and posting_id = new.posting_id;
  if found <> posting.entries or strange <> 0 or total <> 0 then
    raise exception 'posting % of % is not whole: % of % entries, % in another currency, sum %',
      new.posting_id, new.tenant_id, found, posting.entries, strange, total using errcode = 'check_violation';
  end if;
  return null;
end $$;
create constraint trigger ledger_posting_is_whole after insert on ledger_postings
  deferrable initially deferred for each row execute function ledger_posting_is_whole();
create constraint trigger ledger_entry_fits after insert on ledger_entries
  deferrable initially deferred for each row execute function ledger_posting_is_whole();

-- Balances move with the entries, in the same statement and by nothing else.
create function ledger_move_balances() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  update public.ledger_accounts a set balance_minor = a.balance_minor + moved.amount
    from (select tenant_id, account, currency, sum(amount_minor)::bigint as amount from added group by 1, 2, 3) moved
    where a.tenant_id = moved.tenant_id and a.account = moved.account and a.currency = moved.currency;
  return null;
end $$;
create trigger ledger_move_balances after insert on ledger_entries
  referencing new table as added for each statement execute function ledger_move_balances();

-- What was bought once (INV-3): made when the provider's own word of the payment was fetched, never by a redirect.
create table purchases (
  tenant_id text not null references customers (tenant_id),
  purchase_id text not null unique,
  checkout_id text not null unique references checkouts (checkout_id),
  product text not null,
  name text not null,
  currency text not null,
  -- As the provider charged it, with discount and tax.
  amount_minor bigint not null check (amount_minor >= 0),
  provider_payment_id text,
  purchased_at timestamptz not null,
  credit_grant_id text,
  primary key (tenant_id, purchase_id)
);
-- The credit that comes with a product is what was offered when its page was opened, whatever the catalog says later.
alter table checkouts add column gives jsonb;
create index purchases_by_age on purchases (tenant_id, purchased_at desc);
