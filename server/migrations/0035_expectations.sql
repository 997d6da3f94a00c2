-- A statement may be decided outside the database on what was true a moment ago, if it says what that was: where it is not so any
-- more the statement fails as a whole with a code of its own, and nothing of it happens.
create function expectations_met(met boolean) returns void
language plpgsql set search_path = pg_catalog as $$
begin
  if met is not true then
    raise exception 'what was expected is not so any more' using errcode = 'TP001';
  end if;
end $$;
