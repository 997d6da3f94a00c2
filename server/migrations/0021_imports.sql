-- Files of past usage (USE-1, OPS-3). Each piece is counted in one transaction with the place that it moves, so that an import
-- can be broken off anywhere and gone on with. `tenant_id` is null when each row names its own.
create table usage_imports (
  import_id text primary key,
  tenant_id text,
  name text not null,
  format text not null check (format in ('csv', 'ndjson')),
  size bigint not null,
  sha256 text not null,
  reading jsonb not null,
  -- Of `reading`, so that the same file read in another way is another import.
  reading_sum text not null,
  -- Of CSV: the names of the columns, once the first piece has come.
  heading text[],
  state text not null default 'receiving' check (state in ('receiving', 'done')),
  place bigint not null default 0,
  -- Where the last piece began and what it was: its repeat is answered, not refused.
  last_place bigint,
  last_sum text,
  lines bigint not null default 0,
  accepted bigint not null default 0,
  duplicates bigint not null default 0,
  invalid bigint not null default 0,
  mistakes jsonb not null default '[]',
  created_by text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  finished_at timestamptz
);
-- The same file, read in the same way under the same name, is the same import.
create unique index usage_imports_one on usage_imports (coalesce(tenant_id, ''), sha256, name, reading_sum);
create index usage_imports_of_tenant on usage_imports (tenant_id, import_id);
