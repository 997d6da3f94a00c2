-- What is reserved is held in the counter of its usage period too: a spend cap looks there, whatever window limits the feature
-- (INV-5). Null for what was reserved before.
alter table reservation_items add column period_start timestamptz;
