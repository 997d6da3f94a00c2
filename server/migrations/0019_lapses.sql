-- Until when the newest snapshot of a customer holds by itself: what ends by time (an override, a stage of dunning, a cleanup
-- window, the read-only time after an end) is resolved again then, also when nobody asks (ENT-3, SUB-8).
alter table customers add column resolved_until timestamptz;
update customers c set resolved_until = s.valid_until from entitlement_snapshots s
  where s.tenant_id = c.tenant_id and s.version = (select max(version) from entitlement_snapshots n where n.tenant_id = c.tenant_id);
create index customers_to_resolve on customers (resolved_until) where resolved_until is not null;
