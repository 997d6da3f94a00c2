-- What a rated period leaves to the next one of its subscription (RAT-1): included quantities that were not used and roll
-- over, and how far a commitment over several periods has come. Null: nothing, or the period was rated before this was kept.
alter table usage_periods add column leaves json;
