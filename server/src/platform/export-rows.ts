import { query, sql, type Tx } from './db.ts'

type ExportTable = { table: string; file: string; columns: string[]; exact: string[]; order: string[] }

/** How files are called that are not called like their tables. */
const files: Record<string, string> = {
  customers: 'customer',
  outbox: 'events',
  audit_log: 'audit',
  webhook_inbox: 'webhooks',
  billing_owners: 'owners',
}

/** Rows about a tenant that are not for it: messages to those who run the house, with their addresses. */
const notForTenants: Record<string, string> = {
  notices: `kind not in ('override_requested', 'credit_requested', 'refund_requested')`,
}

/**
 * Every table that carries tenants' rows, with the columns that leave the house: what a later migration adds is in the
 * archive by itself. Secrets and their hashes, tokens, and our own bookkeeping never are.
 */
export const exportTables = async (tx: Tx): Promise<ExportTable[]> => {
  const rows = await query<{ table: string; columns: string[]; exact: string[]; order: string[] }>(
    tx,
    sql`select c.relname::text as table,
          array_agg(a.attname::text order by a.attnum) filter (where a.attname !~ '(secret|token|password|hash)') as columns,
          coalesce(array_agg(a.attname::text order by a.attnum) filter (where a.atttypid = 'numeric'::regtype), '{}') as exact,
          coalesce((select array_agg(k.attname::text order by k.attnum) from pg_index i join pg_attribute k on k.attrelid = c.oid and k.attnum = any (i.indkey)
                    where i.indrelid = c.oid and i.indisprimary), '{}') as order
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
          and exists (select from pg_attribute t where t.attrelid = c.oid and t.attname = 'tenant_id' and not t.attisdropped)
        group by c.oid, c.relname order by c.relname`,
  )
  return rows.map((row) => ({ ...row, file: files[row.table] ?? row.table }))
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
const pageRows = 500

/**
 * A tenant's rows of one table as lines of JSON, page by page from a cursor, so that memory does not grow with the table.
 * Decimals are text, so that no reader loses digits. Ends early when `stopped` says so.
 */
export async function* exportLines(
  tx: Tx,
  { table, columns, exact, order }: ExportTable,
  tenantId: string,
  stopped: () => boolean,
): AsyncGenerator<{ text: string; rows: number }> {
  const list = columns.map((name) => (exact.includes(name) ? `${quoted(name)}::text` : quoted(name))).join(', ')
  const kept = notForTenants[table] === undefined ? '' : ` and ${notForTenants[table]}`
  const sorted = order.length > 0 ? ` order by ${order.map(quoted).join(', ')}` : ''
  await tx.client.query(
    `declare export_rows no scroll cursor for select row_to_json(r)::text as line from (select ${list} from ${quoted(table)} where tenant_id = $1${kept}${sorted}) r`,
    [tenantId],
  )
  for (;;) {
    if (stopped()) return
    const rows = await query<{ line: string }>(tx, sql`fetch ${sql([String(pageRows)])} from export_rows`)
    if (rows.length > 0) yield { text: rows.map(({ line }) => `${line}\n`).join(''), rows: rows.length }
    if (rows.length < pageRows) break
  }
  await query(tx, sql`close export_rows`)
}

/** How long whoever fetches may stand still before the database takes the view away. */
export const allowPauses = async (tx: Tx): Promise<void> => {
  await query(tx, sql`set local idle_in_transaction_session_timeout = '60s'`)
}

/** Which migration the tables are at: the version of the archive's form. */
export const schemaVersion = async (tx: Tx): Promise<string> =>
  (await query<{ name: string }>(tx, sql`select name from schema_migrations order by id desc limit 1`))[0]?.name ??
  'none'
