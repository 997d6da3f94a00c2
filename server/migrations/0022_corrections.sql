-- Corrections of usage records in their order (USE-2): a correction is a usage record with the difference; here stands what it
-- was about, why, and what the record counts from then on.
create table usage_corrections (
  tenant_id text not null,
  corrects text not null,
  number int not null,
  idempotency_key text not null,
  action text not null check (action in ('void', 'amend')),
  quantity_before numeric(38, 6) not null,
  quantity_after numeric(38, 6) not null,
  reason text not null,
  corrected_by text not null,
  recorded_at timestamptz not null,
  primary key (tenant_id, corrects, number),
  unique (tenant_id, idempotency_key)
);
revoke update, truncate on usage_corrections from turnpike_app;
