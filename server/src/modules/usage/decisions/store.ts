import { instantOfRow, type Period } from '../../../core/period.ts'
import { type Micro, microOfText } from '../../../core/quantity.ts'
import { type Db, query, queryOne, sql } from '../../../platform/db.ts'

/** Where a page of decisions goes on: times and, among equal ones, hashes, both falling. */
export type DecisionPlace = { at: string; tie: string }
export type DecisionFilter = {
  from: string | null
  to: string | null
  outcome: 'allowed' | 'refused' | null
  before: DecisionPlace | null
}

/** A decision that used something up or refused to. `used`: of a refusal before it, of what was allowed after it. */
export type UsageDecision = {
  source: 'accepted' | 'refused'
  key: string
  tie: string
  at: Temporal.Instant
  meter: string
  /** Which feature refused; null where all allowed. */
  feature: string | null
  quantity: Micro
  used: Micro
  reserved: Micro
  windowStart: Temporal.Instant
  code: string | null
  snapshotVersion: number
  service: string | null
  correlationId: string | null
}

type Row = {
  source: 'accepted' | 'refused'
  key: string
  tie: string
  at: string
  meter: string
  feature: string | null
  quantity: string
  used: string
  reserved: string
  window_start: string
  code: string | null
  snapshot_version: bigint
  service: string | null
  correlation_id: string | null
}

const refused = sql`'refused' as source, idempotency_key as key, md5('r' || idempotency_key) as tie, at, meter, feature, quantity, used, reserved, window_start, code, snapshot_version, service, correlation_id`
const accepted = sql`'accepted' as source, idempotency_key as key, md5('a' || idempotency_key) as tie, at, meter, null as feature, quantity, used_after as used, reserved, window_start, null as code, snapshot_version, service, correlation_id`
/** Facts and corrections were counted without a decision. */
const decided = sql`reserved is not null`

/** The newest first. `meters` are those of the features asked for: a limit looks at its own meter. */
export const listUsageDecisions = async (
  db: Db,
  tenantId: string,
  { meters, features }: { meters: readonly string[]; features: readonly string[] },
  { from, to, outcome, before }: DecisionFilter,
  limit: number,
): Promise<UsageDecision[]> => {
  const page = (tie: ReturnType<typeof sql>) =>
    sql`tenant_id = ${tenantId} and at >= ${from ?? '-infinity'} and at < ${to ?? 'infinity'} and at <= ${before?.at ?? 'infinity'}
        and (${before === null} or (at, ${tie}) < (${before?.at ?? 'infinity'}::timestamptz, ${before?.tie ?? ''}))`
  const rows = await query<Row>(
    db,
    sql`select * from (
          (select ${refused} from usage_refusals where ${outcome !== 'allowed'} and feature = any (${[...features]}::text[]) and ${page(sql`md5('r' || idempotency_key)`)}
           order by at desc, tie desc limit ${limit})
          union all
          select a.* from unnest(${[...meters]}::text[]) as asked (meter) cross join lateral
            (select ${accepted} from usage_records where ${outcome !== 'refused'} and meter = asked.meter and ${decided} and ${page(sql`md5('a' || idempotency_key)`)}
             order by at desc, tie desc limit ${limit}) a
        ) decisions order by at desc, tie desc limit ${limit}`,
  )
  return rows.map(fromRow)
}

export const findUsageDecision = async (
  db: Db,
  tenantId: string,
  source: UsageDecision['source'],
  key: string,
): Promise<UsageDecision | null> => {
  const [row] = await query<Row>(
    db,
    source === 'refused'
      ? sql`select ${refused} from usage_refusals where tenant_id = ${tenantId} and idempotency_key = ${key}`
      : sql`select ${accepted} from usage_records where tenant_id = ${tenantId} and idempotency_key = ${key} and ${decided}`,
  )
  return row ? fromRow(row) : null
}

/** What was decided about one feature of a reservation. `used` and `reserved`: before it. */
export type ReservedDecision = {
  source: 'reserved'
  key: string
  tie: string
  at: Temporal.Instant
  feature: string
  quantity: Micro
  used: Micro
  reserved: Micro
  windowStart: Temporal.Instant
  allowed: boolean
  reason: string
  because: string | null
  snapshotVersion: number
  idempotencyKey: string
  service: string | null
  correlationId: string | null
}
type ReservedRow = {
  key: string
  tie: string
  at: string
  feature: string
  quantity: string
  used: string
  reserved: string
  decided_in: string
  state: string
  reason: string
  because: string | null
  snapshot_version: bigint
  idempotency_key: string
  service: string | null
  correlation_id: string | null
}

const reservedTie = sql`md5('h' || r.reservation_id || ':' || i.feature)`
const reserved = sql`select r.reservation_id || ':' || i.feature as key, ${reservedTie} as tie, r.reserved_at as at, i.feature, i.quantity, i.used, i.reserved, i.decided_in, r.state,
    i.reason, i.because, r.snapshot_version, r.idempotency_key, r.service, r.correlation_id
  from reservations r join reservation_items i on i.tenant_id = r.tenant_id and i.reservation_id = r.reservation_id`

/** What was decided when room was reserved, newest first. Reservations from before there were records of it are left out. */
export const listReservedDecisions = async (
  db: Db,
  tenantId: string,
  features: readonly string[],
  { from, to, outcome, before }: DecisionFilter,
  limit: number,
): Promise<ReservedDecision[]> =>
  (
    await query<ReservedRow>(
      db,
      sql`${reserved} where r.tenant_id = ${tenantId} and i.reason is not null and i.feature = any (${[...features]}::text[])
            and (${outcome}::text is null or (r.state = 'refused') = (${outcome} = 'refused'))
            and r.reserved_at >= ${from ?? '-infinity'} and r.reserved_at < ${to ?? 'infinity'} and r.reserved_at <= ${before?.at ?? 'infinity'}
            and (${before === null} or (r.reserved_at, ${reservedTie}) < (${before?.at ?? 'infinity'}::timestamptz, ${before?.tie ?? ''}))
          order by r.reserved_at desc, tie desc limit ${limit}`,
    )
  ).map(reservedOf)

/** `key`: the reservation and the feature, with a colon between them. */
export const findReservedDecision = async (db: Db, tenantId: string, key: string): Promise<ReservedDecision | null> => {
  const [reservationId, feature] = key.split(':')
  const row = await queryOne<ReservedRow>(
    db,
    sql`${reserved} where r.tenant_id = ${tenantId} and r.reservation_id = ${reservationId} and i.feature = ${feature ?? ''} and i.reason is not null`,
  )
  return row && reservedOf(row)
}

const reservedOf = (row: ReservedRow): ReservedDecision => ({
  source: 'reserved',
  key: row.key,
  tie: row.tie,
  at: instantOfRow(row.at),
  feature: row.feature,
  quantity: microOfText(row.quantity)!,
  used: microOfText(row.used)!,
  reserved: microOfText(row.reserved)!,
  windowStart: instantOfRow(row.decided_in),
  allowed: row.state !== 'refused',
  reason: row.reason,
  because: row.because,
  snapshotVersion: Number(row.snapshot_version),
  idempotencyKey: row.idempotency_key,
  service: row.service,
  correlationId: row.correlation_id,
})

const fromRow = (row: Row): UsageDecision => ({
  source: row.source,
  key: row.key,
  tie: row.tie,
  at: instantOfRow(row.at),
  meter: row.meter,
  feature: row.feature,
  quantity: microOfText(row.quantity)!,
  used: microOfText(row.used)!,
  reserved: microOfText(row.reserved)!,
  windowStart: instantOfRow(row.window_start),
  code: row.code,
  snapshotVersion: Number(row.snapshot_version),
  service: row.service,
  correlationId: row.correlation_id,
})

/**
 * What a counter said at a past time: from the records that were there by then, also of those that were archived since.
 * `counted` is how counters of the meter call their aggregation. Of levels, highest values and the like it is what their
 * records up to then make now, with corrections that came later.
 */
export const usedAsOf = async (
  db: Db,
  tenantId: string,
  meter: string,
  { span, window, counted }: { span: string; window: Period; counted: string },
  at: Temporal.Instant,
): Promise<Micro> => {
  const [start, end] = [window.start.toString(), window.end.toString()]
  const columns = sql`quantity, corrects, correction, window_start, recorded_at`
  const inWindow = sql`tenant_id = ${tenantId} and at >= ${start} and at < ${end}`
  const row = await queryOne<{ used: string }>(
    db,
    counted === 'sum' || counted === 'count'
      ? sql`select coalesce(sum(case when ${counted} = 'sum' then quantity when corrects is null then 1 when correction = 'void' then -1 else 0 end), 0) as used
            from (select ${columns} from usage_records where ${inWindow} and meter = ${meter}
                  union all select ${columns} from usage_records where ${inWindow} and also is not null and ${meter} = any (also)
                  union all select ${columns} from usage_archived(${tenantId}, ${meter}, ${start}, ${end})) known
            where recorded_at <= ${at.toString()} and (${span} <> 'period' or window_start = ${start}::timestamptz)`
      : sql`select used from usage_counted(${tenantId}, ${meter}, 'time', ${start}, ${at.toString()}, ${counted})`,
  )
  return microOfText(row!.used)!
}
