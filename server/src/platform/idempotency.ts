import { type Db, query, queryOne, sql } from './db.ts'

export type KeptAnswer = { status: number; answer: string }
export type Begun =
  | { kind: 'first' }
  | { kind: 'answered'; kept: KeptAnswer }
  | { kind: 'under_way' }
  | { kind: 'reused' }

/** A request that died without an answer may be repeated after this long. */
const abandonedAfterSeconds = 60

/**
 * Claims an Idempotency-Key of one holder (API-3). `first`: do the work, then keep or drop; `answered`: give the first
 * answer again; `under_way`: somebody else is at it; `reused`: the key was for another request.
 */
export const beginRequest = async (
  db: Db,
  request: { holder: string; key: string; route: string; hash: Buffer; at: Temporal.Instant },
): Promise<Begun> => {
  const at = request.at.toString()
  const claimed = await queryOne(
    db,
    sql`insert into idempotency_keys as k (holder, idempotency_key, route, request_hash, started_at) values (${request.holder}, ${request.key}, ${request.route}, ${request.hash}, ${at})
        on conflict (holder, idempotency_key) do update set started_at = excluded.started_at
          where k.answer is null and k.request_hash = excluded.request_hash and k.route = excluded.route and k.started_at < excluded.started_at - make_interval(secs => ${abandonedAfterSeconds})
        returning holder`,
  )
  if (claimed) return { kind: 'first' }
  const known = await queryOne<{ route: string; request_hash: Buffer; status: number | null; answer: string | null }>(
    db,
    sql`select route, request_hash, status, answer from idempotency_keys where holder = ${request.holder} and idempotency_key = ${request.key}`,
  )
  if (!known) return { kind: 'under_way' }
  if (known.route !== request.route || !known.request_hash.equals(request.hash)) return { kind: 'reused' }
  return known.answer !== null && known.status !== null
    ? { kind: 'answered', kept: { status: known.status, answer: known.answer } }
    : { kind: 'under_way' }
}

export const keepAnswer = async (db: Db, holder: string, key: string, kept: KeptAnswer): Promise<void> => {
  await query(
    db,
    sql`update idempotency_keys set status = ${kept.status}, answer = ${kept.answer} where holder = ${holder} and idempotency_key = ${key}`,
  )
}

/** Frees a key whose request failed in a way that a repeat may mend. */
export const dropRequest = async (db: Db, holder: string, key: string): Promise<void> => {
  await query(
    db,
    sql`delete from idempotency_keys where holder = ${holder} and idempotency_key = ${key} and answer is null`,
  )
}

/** Keys are kept for a day at least. */
export const forgetOldRequests = async (db: Db, before: Temporal.Instant): Promise<void> => {
  await query(db, sql`delete from idempotency_keys where started_at < ${before.toString()}`)
}
