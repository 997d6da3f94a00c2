-- Comparing goes by the provider's invoices, a page of all tenants at a time.
drop index charge_lines_by_invoice;
create index charge_lines_by_invoice on charge_lines (provider_invoice_id) where provider_invoice_id is not null;
