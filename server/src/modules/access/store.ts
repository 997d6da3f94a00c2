import type { Role } from '@turnpike/contract'
import { instantOfRow, instantOfRowOrNull } from '../../core/period.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../platform/db.ts'

export type ApiKeyRecord = {
  keyId: string
  name: string
  role: Role
  tenantId: string | null
  permissions: string[] | null
  prefix: string
  createdAt: Temporal.Instant
  createdBy: string
  expiresAt: Temporal.Instant | null
  revokedAt: Temporal.Instant | null
  lastUsedAt: Temporal.Instant | null
}

type Row = {
  key_id: string
  name: string
  role: Role
  tenant_id: string | null
  permissions: string[] | null
  prefix: string
  created_at: string
  created_by: string
  expires_at: string | null
  revoked_at: string | null
  last_used_at: string | null
}

const fromRow = (row: Row): ApiKeyRecord => ({
  keyId: row.key_id,
  name: row.name,
  role: row.role,
  tenantId: row.tenant_id,
  permissions: row.permissions,
  prefix: row.prefix,
  createdAt: instantOfRow(row.created_at),
  createdBy: row.created_by,
  expiresAt: instantOfRowOrNull(row.expires_at),
  revokedAt: instantOfRowOrNull(row.revoked_at),
  lastUsedAt: instantOfRowOrNull(row.last_used_at),
})

export const insertApiKey = async (tx: Tx, key: ApiKeyRecord, secretHash: Buffer): Promise<void> => {
  await query(
    tx,
    sql`insert into api_keys (key_id, secret_hash, prefix, name, role, tenant_id, permissions, created_at, created_by, expires_at)
        values (${key.keyId}, ${secretHash}, ${key.prefix}, ${key.name}, ${key.role}, ${key.tenantId}, ${key.permissions}, ${key.createdAt.toString()}, ${key.createdBy}, ${key.expiresAt?.toString() ?? null})`,
  )
}

/** Gives a key another secret; the one before is worth nothing from then on. */
export const replaceSecret = async (tx: Tx, keyId: string, prefix: string, secretHash: Buffer): Promise<void> => {
  await query(tx, sql`update api_keys set secret_hash = ${secretHash}, prefix = ${prefix} where key_id = ${keyId}`)
}

/** Makes sure that a key given by the environment exists; false when it was known. */
export const upsertBootstrapKey = async (tx: Tx, key: ApiKeyRecord, secretHash: Buffer): Promise<boolean> => {
  const known = await queryOne(tx, sql`select from api_keys where secret_hash = ${secretHash}`)
  if (known) return false
  await insertApiKey(tx, key, secretHash)
  return true
}

export const findKeyByHash = async (on: Db | Tx, secretHash: Buffer): Promise<ApiKeyRecord | null> => {
  const row = await queryOne<Row>(on, sql`select * from api_keys where secret_hash = ${secretHash}`)
  return row && fromRow(row)
}

export const findApiKey = async (tx: Tx, keyId: string): Promise<ApiKeyRecord | null> => {
  const row = await queryOne<Row>(tx, sql`select * from api_keys where key_id = ${keyId} for update`)
  return row && fromRow(row)
}

export const listApiKeys = async (db: Db): Promise<ApiKeyRecord[]> =>
  (await query<Row>(db, sql`select * from api_keys order by created_at desc limit 500`)).map(fromRow)

export const revokeApiKey = async (tx: Tx, keyId: string, at: Temporal.Instant): Promise<void> => {
  await query(tx, sql`update api_keys set revoked_at = coalesce(revoked_at, ${at.toString()}) where key_id = ${keyId}`)
}

/** Written now and then, not with each request: it tells operators which keys are still in use. */
export const markKeysUsed = async (db: Db, keyIds: string[], at: Temporal.Instant): Promise<void> => {
  await query(db, sql`update api_keys set last_used_at = ${at.toString()} where key_id = any(${keyIds})`)
}
