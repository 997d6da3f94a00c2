-- A reservation is decided as usage is, so its items say what each was decided with (ENT-5): the counter before it, and the
-- answer about the feature alone; `because` names the feature that took it down with itself. What was reserved before has no
-- decision record.
alter table reservation_items
  add column used numeric(38, 6),
  add column reserved numeric(38, 6),
  add column decided_in timestamptz,
  add column reason text,
  add column because text;
-- Decisions are read by their time, newest first.
create index reservations_by_time on reservations (tenant_id, reserved_at);
