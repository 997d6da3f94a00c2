-- Append-only: every change and every denied attempt (AUD-1). Rights and a trigger both refuse changes and deletions.
create table audit_log (
  audit_id bigint generated always as identity primary key,
  at timestamptz not null,
  tenant_id text,
  actor text not null,
  actor_kind text not null check (actor_kind in ('key', 'person', 'provider', 'system', 'anonymous')),
  action text not null,
  object text,
  result text not null check (result in ('allowed', 'denied')),
  before jsonb,
  after jsonb,
  reason text,
  request_id text
);
create index audit_log_by_tenant on audit_log (tenant_id, audit_id desc);

revoke update, delete, truncate on audit_log from turnpike_app;

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger audit_log_is_append_only before update or delete on audit_log for each row execute function refuse_change();
create trigger audit_log_is_never_emptied before truncate on audit_log for each statement execute function refuse_change();
