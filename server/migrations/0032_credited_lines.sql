-- What a later correction gives back may go on a credit note of the invoice that the period was billed on (USE-5): by policy.
-- A line is on its way to one invoice or to one credit note, never to both; null again when the credit note came to nothing.
alter table charge_lines add column credit_note_id text,
  add constraint charge_lines_one_way check (credit_note_id is null or (placing_id is null and provider_invoice_id is null));
create index charge_lines_by_credit_note on charge_lines (tenant_id, credit_note_id) where credit_note_id is not null;
