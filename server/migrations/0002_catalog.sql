-- The catalog belongs to the deployment, not to a tenant: every tenant is offered the same plans, so these tables have no
-- tenant_id and are copied to every node when the others are distributed.

-- Every catalog that was ever applied, newest last (CAT-2). `content` is json and not jsonb, because the order of the file
-- is the order in which people see plans and features.
create table catalog_versions (
  version int primary key,
  hash text not null,
  content json not null,
  source text not null,
  plans json not null,
  summary text not null,
  applied_at timestamptz not null,
  applied_by text not null,
  reason text
);

-- What a plan was at each of its versions. Subscriptions are pinned to one of them, so it can never change (CAT-3).
create table plan_versions (
  plan_key text not null,
  version int not null,
  content json not null,
  content_hash text not null,
  catalog_version int not null references catalog_versions (version),
  primary key (plan_key, version)
);

revoke update, delete, truncate on catalog_versions, plan_versions from turnpike_app;

create function refuse_catalog_change() returns trigger language plpgsql as $$
begin
  raise exception '% is immutable: apply a new catalog instead', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger catalog_versions_are_immutable before update or delete on catalog_versions
  for each row execute function refuse_catalog_change();
create trigger catalog_versions_are_never_emptied before truncate on catalog_versions
  for each statement execute function refuse_catalog_change();
create trigger plan_versions_are_immutable before update or delete on plan_versions
  for each row execute function refuse_catalog_change();
create trigger plan_versions_are_never_emptied before truncate on plan_versions
  for each statement execute function refuse_catalog_change();
