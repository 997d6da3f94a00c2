-- What an invoice consists of and how it was paid, mirrored (INV-2). What was mirrored before gets it with the next look.
alter table invoices
  add column subtotal numeric(38, 0) not null default 0,
  add column discount numeric(38, 0) not null default 0,
  add column tax numeric(38, 0) not null default 0,
  add column total numeric(38, 0) not null default 0,
  add column amount_remaining numeric(38, 0) not null default 0,
  -- By credit notes: off what was owed, and off what had been paid.
  add column credited_before_payment numeric(38, 0) not null default 0,
  add column credited_after_payment numeric(38, 0) not null default 0,
  add column pdf_url text;
-- For the list, newest first.
create index invoices_newest on invoices (created_at desc, provider_invoice_id desc);
create index invoices_newest_of_tenant on invoices (tenant_id, created_at desc, provider_invoice_id desc);

create table invoice_lines (
  tenant_id text not null,
  provider_invoice_id text not null,
  -- As the provider orders them.
  position int not null,
  provider_line_id text not null,
  description text,
  amount numeric(38, 0) not null,
  quantity numeric,
  period_start timestamptz not null,
  period_end timestamptz not null,
  proration boolean not null,
  lookup_key text,
  -- The line of ours that it was made from.
  line_id text,
  primary key (tenant_id, provider_invoice_id, position),
  foreign key (tenant_id, provider_invoice_id) references invoices
);
create index invoice_lines_ours on invoice_lines (line_id) where line_id is not null;

create table invoice_payments (
  tenant_id text not null,
  provider_invoice_id text not null,
  provider_payment_id text not null,
  status text not null check (status in ('open', 'paid', 'canceled')),
  amount numeric(38, 0) not null,
  provider_intent_id text,
  provider_method_id text,
  paid_at timestamptz,
  created_at timestamptz not null,
  primary key (tenant_id, provider_invoice_id, provider_payment_id),
  foreign key (tenant_id, provider_invoice_id) references invoices
);

create index invoice_payments_newest on invoice_payments (created_at desc, provider_payment_id desc);
create index invoice_payments_intent on invoice_payments (provider_intent_id) where provider_intent_id is not null;

-- What a customer may be charged by: brand, last four and expiry, nothing else of it. No column could hold a number.
create table payment_methods (
  tenant_id text not null references customers (tenant_id),
  provider text not null,
  provider_method_id text not null,
  type text not null check (length(type) <= 40),
  brand text check (length(brand) <= 40),
  last4 text check (last4 ~ '^[0-9]{4}$'),
  expiry_month int check (expiry_month between 1 and 12),
  expiry_year int check (expiry_year between 2000 and 2999),
  is_default boolean not null,
  -- False once it was taken off; it stays for what it has paid.
  attached boolean not null,
  updated_at timestamptz not null,
  primary key (tenant_id, provider_method_id)
);
create index payment_methods_default on payment_methods (tenant_id) where is_default;
