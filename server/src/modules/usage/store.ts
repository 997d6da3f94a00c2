import { type Micro, microOfText, textOfMicro } from '../../core/quantity.ts'
import { type Db, empty, query, queryOne, queryPrepared, sql, type Tx, unflushed } from '../../platform/db.ts'
import { type Notice, notifying } from '../../platform/notify.ts'
import type { EarlierRecord } from './decide-batch.ts'

/** A counter's name: tenant, meter, span and window. Times are epoch milliseconds. */
export type CounterRef = {
  tenantId: string
  meter: string
  span: string
  windowStart: number
  windowEnd: number
  aggregation: string
}
export type CounterRow = CounterRef & {
  used: Micro
  reserved: Micro
  peak: Micro
  records: bigint
  version: number
  levelAt: number | null
}

const micro = (text: string): Micro => microOfText(text)!

/** PostgreSQL array literals made in one go: the driver's own way costs more than the insert itself. */
const arrayOf = (values: (string | number | bigint | null)[]): string =>
  `{${values.map((value) => (value === null ? 'NULL' : typeof value === 'string' ? quoted(value) : value)).join(',')}}`
const quoted = (text: string): string => (/["\\]/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`)

type CounterDbRow = {
  tenant_id: string
  meter: string
  span: string
  aggregation: string
  start_ms: string
  end_ms: string
  used: string
  reserved: string
  peak: string
  records: bigint
  version: bigint
  level_at: bigint | null
}
const counterFromRow = (row: CounterDbRow): CounterRow => ({
  tenantId: row.tenant_id,
  meter: row.meter,
  span: row.span,
  aggregation: row.aggregation,
  windowStart: Number(row.start_ms),
  windowEnd: Number(row.end_ms),
  used: micro(row.used),
  reserved: micro(row.reserved),
  peak: micro(row.peak),
  records: row.records,
  version: Number(row.version),
  levelAt: row.level_at === null ? null : Number(row.level_at),
})

const counterColumns = sql`u.tenant_id, u.meter, u.span, u.aggregation, extract(epoch from u.window_start) * 1000 as start_ms, extract(epoch from u.window_end) * 1000 as end_ms,
  u.used, u.reserved, u.peak, u.records, u.version, u.level_at`

/** The order in which counters are locked and raised, by everybody: byte by byte, so that it is the same here and there. */
export const counterOrder = sql`u.tenant_id collate "C", u.meter collate "C", u.span collate "C", u.window_start`
const inCounterOrder = (a: CounterRef, b: CounterRef): number =>
  order(a.tenantId, b.tenantId) ||
  order(a.meter, b.meter) ||
  order(a.span, b.span) ||
  order(a.windowStart, b.windowStart)
const order = <V extends string | number>(a: V, b: V): number => (a < b ? -1 : a > b ? 1 : 0)

/**
 * Locks counters in the order of their keys, so that two batches never wait for each other in a circle, and makes the ones
 * that do not exist yet. Answers them in the order in which they were asked for.
 */
export const lockCounters = async (tx: Tx, refs: readonly CounterRef[]): Promise<CounterRow[]> => {
  let locked = await selectCounters(tx, refs)
  if (locked.length < refs.length) {
    const begins = refs.filter(({ span }) => beginsAtZero(span))
    await insertCounters(tx, begins)
    // A window that a grant asks for only now may have begun long ago. It is made from the records when the counters of
    // their usage periods are held, so that none is on its way meanwhile.
    const others = refs.filter(({ span }) => !beginsAtZero(span))
    if (others.length > 0) {
      await selectCounters(tx, begins)
      await insertFromRecords(tx, others)
    }
    locked = await selectCounters(tx, refs)
  }
  if (refs.length === 1) return locked
  const byName = new Map(locked.map((counter) => [nameOf(counter), counter]))
  return refs.map((ref) => byName.get(nameOf(ref))!)
}

/** Usage periods and hours are raised by every record from the first one on. */
const beginsAtZero = (span: string): boolean => span === 'period' || span === 'hour' || span.startsWith('sliding:')

/** What tells counters apart. */
export const nameOf = (ref: Pick<CounterRef, 'tenantId' | 'meter' | 'span' | 'windowStart'>): string =>
  `${ref.tenantId}\n${ref.meter}\n${ref.span}\n${ref.windowStart}`

const insertCounters = async (tx: Tx, refs: readonly CounterRef[]): Promise<void> => {
  await query(
    tx,
    sql`insert into usage_counters (tenant_id, meter, span, window_start, window_end, aggregation, used, records, version)
        select t, m, p, to_timestamp(s / 1000.0), to_timestamp(e / 1000.0), a, 0, 0, 0
        from unnest(${arrayOf(refs.map((ref) => ref.tenantId))}::text[], ${arrayOf(refs.map((ref) => ref.meter))}::text[], ${arrayOf(refs.map((ref) => ref.span))}::text[],
          ${arrayOf(refs.map((ref) => ref.windowStart))}::float8[], ${arrayOf(refs.map((ref) => ref.windowEnd))}::float8[], ${arrayOf(refs.map((ref) => ref.aggregation))}::text[]) as c (t, m, p, s, e, a)
        order by t, m, p, s on conflict do nothing`,
  )
}

const insertFromRecords = async (tx: Tx, refs: readonly CounterRef[]): Promise<void> => {
  const made = await query<{ tenant_id: string; meter: string; span: string; window_start: string }>(
    tx,
    sql`insert into usage_counters (tenant_id, meter, span, window_start, window_end, aggregation, used, peak, records, level_at, version)
        select t, m, p, to_timestamp(s / 1000.0), to_timestamp(e / 1000.0), a, n.used, n.used, n.records, n.level_at, 0
        from unnest(${arrayOf(refs.map((ref) => ref.tenantId))}::text[], ${arrayOf(refs.map((ref) => ref.meter))}::text[], ${arrayOf(refs.map((ref) => ref.span))}::text[],
          ${arrayOf(refs.map((ref) => ref.windowStart))}::float8[], ${arrayOf(refs.map((ref) => ref.windowEnd))}::float8[], ${arrayOf(refs.map((ref) => ref.aggregation))}::text[]) as c (t, m, p, s, e, a)
        cross join lateral usage_counted(t, m, p, to_timestamp(s / 1000.0), to_timestamp(e / 1000.0), a) n
        order by t, m, p, s on conflict do nothing returning tenant_id, meter, span, window_start`,
  )
  for (const { tenant_id, meter, span, window_start } of made) await seeAgain(tx, tenant_id, meter, span, window_start)
}

/** The values that the records of a counter of unique ones have; nothing for any other counter. */
export const seeAgain = async (
  tx: Tx,
  tenantId: string,
  meter: string,
  span: string,
  windowStart: string,
): Promise<void> => {
  const here = sql`tenant_id = ${tenantId} and meter = ${meter} and span = ${span} and window_start = ${windowStart}`
  const counter = await queryOne<{ property: string; window_end: string }>(
    tx,
    sql`select substr(aggregation, 8) as property, window_end from usage_counters where ${here} and aggregation like 'unique:%'`,
  )
  if (!counter) return
  await query(tx, sql`delete from usage_seen where ${here}`)
  const inWindow =
    span === 'period'
      ? sql`r.window_start = ${windowStart}`
      : sql`r.at >= ${windowStart}::timestamptz and r.at < ${counter.window_end}::timestamptz`
  await query(
    tx,
    sql`insert into usage_seen (tenant_id, meter, span, window_start, value_hash)
        select distinct ${tenantId}, ${meter}, ${span}, ${windowStart}::timestamptz, encode(substr(sha256(convert_to(r.properties::jsonb ->> ${counter.property}, 'UTF8')), 1, 16), 'hex')::uuid
        from usage_records r
        where r.tenant_id = ${tenantId} and (r.meter = ${meter} or (r.also is not null and ${meter} = any (r.also))) and ${inWindow} and r.corrects is null
          and coalesce((select c.correction from usage_records c where c.tenant_id = r.tenant_id and c.corrects = r.idempotency_key order by c.recorded_at desc limit 1), 'amend') <> 'void'`,
  )
}

const selectCounters = async (tx: Tx, refs: readonly CounterRef[]): Promise<CounterRow[]> => {
  const rows = await queryPrepared<CounterDbRow>(
    tx,
    'lock_counters',
    sql`select ${counterColumns}
        from unnest(${arrayOf(refs.map((ref) => ref.tenantId))}::text[], ${arrayOf(refs.map((ref) => ref.meter))}::text[], ${arrayOf(refs.map((ref) => ref.span))}::text[], ${arrayOf(refs.map((ref) => ref.windowStart))}::float8[]) as c (t, m, p, s)
        join usage_counters u on u.tenant_id = c.t and u.meter = c.m and u.span = c.p and u.window_start = to_timestamp(c.s / 1000.0)
        order by ${counterOrder} for update of u`,
  )
  return rows.map(counterFromRow)
}

/** Those of the tenants that were ever refused something. */
export const tenantsRefused = async (tx: Tx, tenantIds: readonly string[]): Promise<Set<string>> =>
  new Set(
    (
      await queryPrepared<{ t: string }>(
        tx,
        'tenants_refused',
        sql`select t from unnest(${arrayOf([...tenantIds])}::text[]) as t where exists (select from usage_refusals r where r.tenant_id = t)`,
      )
    ).map((row) => row.t),
  )

/** What was answered to these keys before: accepted records and refusals. */
export const findEarlier = async (
  tx: Tx,
  keys: readonly { tenantId: string; idempotencyKey: string }[],
): Promise<Map<string, EarlierRecord>> => {
  if (keys.length === 0) return new Map()
  const tenants = arrayOf(keys.map((key) => key.tenantId))
  const names = arrayOf(keys.map((key) => key.idempotencyKey))
  type Row = {
    tenant_id: string
    idempotency_key: string
    meter: string
    quantity: string
    at_ms: string
    service: string | null
    properties: string | null
    used: string
    reserved: string | null
    usage_limit: string | null
    code: string | null
  }
  const rows = await queryPrepared<Row>(
    tx,
    'find_earlier_usage',
    sql`with asked as (select * from unnest(${tenants}::text[], ${names}::text[]) as k (t, n))
        select r.tenant_id, r.idempotency_key, r.meter, r.quantity, extract(epoch from r.at) * 1000 as at_ms, r.service, r.properties::text as properties, r.used_after as used, r.reserved, null::numeric as usage_limit, null as code
        from asked join usage_records r on r.tenant_id = asked.t and r.idempotency_key = asked.n
        union all
        select r.tenant_id, r.idempotency_key, r.meter, r.quantity, extract(epoch from r.at) * 1000, r.service, r.properties::text, r.used, r.reserved, r.usage_limit, r.code
        from asked join usage_refusals r on r.tenant_id = asked.t and r.idempotency_key = asked.n`,
  )
  const earlier = new Map<string, EarlierRecord>()
  for (const row of rows) {
    const key = `${row.tenant_id}\n${row.idempotency_key}`
    // Sent for two meters at the same moment, a key may have both; what was counted is what counts.
    if (row.code !== null && earlier.has(key)) continue
    earlier.set(key, {
      meter: row.meter,
      quantity: micro(row.quantity),
      at: Number(row.at_ms),
      service: row.service,
      properties: row.properties,
      outcome: row.code === null ? 'accepted' : 'refused',
      used: micro(row.used),
      reserved: row.reserved === null ? 0n : micro(row.reserved),
      limit: row.usage_limit === null ? null : Number(row.usage_limit),
      code: row.code,
    })
  }
  return earlier
}

export type NewRecord = {
  tenantId: string
  idempotencyKey: string
  meter: string
  quantity: Micro
  at: number
  windowStart: number
  usedAfter: Micro
  service: string | null
  correlationId: string | null
  properties: string | null
  /** The place among the records of its counter, for levels only. */
  ordinal: bigint | null
  /** What it was decided with. */
  snapshotVersion: number
  /** What was held for others when it was decided; null where nothing was. */
  reserved: Micro | null
  /** The derived meters that it raised too, as an array literal. */
  also: string | null
}

/** A counter as a batch found it and as it leaves it. */
export type RaisedCounter = CounterRow & { was: CounterRow }

/**
 * Appends accepted records, raises their counters, writes down that they moved and notifies, in one statement. It fails as a
 * whole, and nothing of it happens, where a key is there already (a violation of `usage_records_pkey`), where a counter is not
 * as it was found (`isUnexpected`), and where one of the tenants `neverRefused` was refused something: what came later might
 * repeat that. In a transaction
 * that holds the counters, or as one of its own (`transactAtOnceUnflushed`).
 */
export const insertRecords = async (
  on: Db | Tx,
  records: readonly NewRecord[],
  raised: readonly RaisedCounter[],
  neverRefused: readonly string[],
  notices: readonly Notice[],
  recordedAt: number,
): Promise<void> => {
  const counters = raised.toSorted(inCounterOrder)
  const tenant = columnOf(records.map((r) => r.tenantId))
  const meter = columnOf(records.map((r) => r.meter))
  const quantity = columnOf(records.map((r) => textOfMicro(r.quantity)))
  const at = columnOf(records.map((r) => r.at))
  const windowStart = columnOf(records.map((r) => r.windowStart))
  const service = columnOf(records.map((r) => r.service))
  const correlation = columnOf(records.map((r) => r.correlationId))
  const properties = columnOf(records.map((r) => r.properties))
  const ordinal = columnOf(records.map((r) => r.ordinal))
  const version = columnOf(records.map((r) => r.snapshotVersion))
  const also = columnOf(records.map((r) => r.also))
  const reserved = columnOf(records.map((r) => (r.reserved === null ? null : textOfMicro(r.reserved))))
  await queryPrepared(
    on,
    'pool' in on ? 'insert_usage_at_once' : 'insert_usage',
    sql`with raised as (
          update usage_counters u set used = c.used, peak = greatest(u.peak, c.used), records = c.records, version = c.version, level_at = c.level_at
          from unnest(${arrayOf(counters.map((c) => c.tenantId))}::text[], ${arrayOf(counters.map((c) => c.meter))}::text[], ${arrayOf(counters.map((c) => c.span))}::text[], ${arrayOf(counters.map((c) => c.windowStart))}::float8[],
            ${arrayOf(counters.map((c) => textOfMicro(c.used)))}::numeric[], ${arrayOf(counters.map((c) => c.records))}::bigint[], ${arrayOf(counters.map((c) => c.version))}::bigint[],
            ${arrayOf(counters.map((c) => c.levelAt))}::bigint[], ${arrayOf(counters.map(({ was }) => was.version))}::bigint[], ${arrayOf(counters.map(({ was }) => textOfMicro(was.used)))}::numeric[],
            ${arrayOf(counters.map(({ was }) => was.records))}::bigint[]) as c (t, m, p, s, used, records, version, level_at, was_version, was_used, was_records)
          where u.tenant_id = c.t and u.meter = c.m and u.span = c.p and u.window_start = to_timestamp(c.s / 1000.0)
            and u.version = c.was_version and u.used = c.was_used and u.records = c.was_records
          returning 1),
        noted as (${insertMoves(movesOf(counters))}),
        inserted as (insert into usage_records (tenant_id, idempotency_key, meter, quantity, at, window_start, used_after, recorded_at, service, correlation_id, properties, ordinal, snapshot_version, also, reserved)
        select coalesce(t, ${tenant.all}), k, coalesce(m, ${meter.all}), coalesce(q, ${quantity.all}::numeric), to_timestamp(coalesce(a, ${at.all}::float8) / 1000.0),
          to_timestamp(coalesce(w, ${windowStart.all}::float8) / 1000.0), ua, to_timestamp(${recordedAt}::float8 / 1000.0),
          coalesce(s, ${service.all}), coalesce(c, ${correlation.all}), coalesce(p, ${properties.all}), coalesce(o, ${ordinal.all}::bigint),
          coalesce(v, ${version.all}::bigint), coalesce(d, ${also.all})::text[], coalesce(h, ${reserved.all}::numeric)
        from unnest(${tenant.each}::text[], ${arrayOf(records.map((r) => r.idempotencyKey))}::text[], ${meter.each}::text[],
          ${quantity.each}::numeric[], ${at.each}::float8[], ${windowStart.each}::float8[],
          ${arrayOf(records.map((r) => textOfMicro(r.usedAfter)))}::numeric[], ${service.each}::text[], ${correlation.each}::text[],
          ${properties.each}::text[], ${ordinal.each}::bigint[], ${version.each}::bigint[], ${also.each}::text[], ${reserved.each}::numeric[]) as r (t, k, m, q, a, w, ua, s, c, p, o, v, d, h))
        select ${notifying(notices)}${'pool' in on ? sql`, ${unflushed}` : empty}, expectations_met(
          (select count(*) from raised) = ${counters.length}::int
          and not exists (select from unnest(${arrayOf([...neverRefused])}::text[]) as t join usage_refusals r on r.tenant_id = t))`,
  )
}

/**
 * A column of many rows as parameters. Mostly all rows have the same value: then it is sent once, and `unnest` fills the
 * missing elements with null.
 */
const columnOf = <V extends string | number | bigint>(values: (V | null)[]): { each: string; all: V | null } => {
  const [first] = values
  return values.every((value) => value === first)
    ? { each: '{}', all: first ?? null }
    : { each: arrayOf(values), all: null }
}

export type NewRefusal = Omit<NewRecord, 'usedAfter' | 'ordinal' | 'also' | 'reserved'> & {
  reserved: Micro
  feature: string
  used: Micro
  limit: number | null
  code: string
}

export const insertRefusals = async (tx: Tx, refusals: readonly NewRefusal[], recordedAt: number): Promise<void> => {
  const rows = refusals.map((r) => ({
    t: r.tenantId,
    k: r.idempotencyKey,
    f: r.feature,
    m: r.meter,
    q: textOfMicro(r.quantity),
    a: r.at,
    w: r.windowStart,
    u: textOfMicro(r.used),
    h: textOfMicro(r.reserved),
    l: r.limit,
    c: r.code,
    v: r.snapshotVersion,
    s: r.service,
    i: r.correlationId,
    p: r.properties,
  }))
  await query(
    tx,
    sql`insert into usage_refusals (tenant_id, idempotency_key, feature, meter, quantity, at, window_start, used, reserved, usage_limit, code, snapshot_version, recorded_at, service, correlation_id, properties)
        select t, k, f, m, q, to_timestamp(a / 1000.0), to_timestamp(w / 1000.0), u, h, l, c, v, to_timestamp(${recordedAt}::float8 / 1000.0), s, i, p
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (t text, k text, f text, m text, q numeric, a float8, w float8, u numeric, h numeric, l numeric, c text, v bigint, s text, i text, p text)`,
  )
}

/** Counters of tenants whose window is not over; without the hours, which only history reads. */
export const currentCounters = async (on: Db | Tx, tenantIds: readonly string[], atMs: number): Promise<CounterRow[]> =>
  (
    await queryPrepared<CounterDbRow>(
      on,
      'current_counters',
      sql`select ${counterColumns} from usage_counters u
          where u.tenant_id = any(${arrayOf([...tenantIds])}::text[]) and u.window_end > to_timestamp(${atMs}::float8 / 1000.0) and u.span <> 'hour'`,
    )
  ).map(counterFromRow)

/** The hours of meters from a time on, for sliding windows. */
export const hourCounters = async (
  on: Db | Tx,
  asked: readonly { tenantId: string; meter: string; fromMs: number; untilMs?: number }[],
): Promise<CounterRow[]> => {
  if (asked.length === 0) return []
  const rows = await queryPrepared<CounterDbRow>(
    on,
    'hour_counters',
    sql`select ${counterColumns} from unnest(${arrayOf(asked.map((ask) => ask.tenantId))}::text[], ${arrayOf(asked.map((ask) => ask.meter))}::text[],
          ${arrayOf(asked.map((ask) => ask.fromMs))}::float8[], ${arrayOf(asked.map((ask) => ask.untilMs ?? null))}::float8[]) as a (t, m, s, e)
        join usage_counters u on u.tenant_id = a.t and u.meter = a.m and u.span = 'hour' and u.window_start >= to_timestamp(a.s / 1000.0)
          and u.window_start <= coalesce(to_timestamp(a.e / 1000.0), 'infinity')`,
  )
  return rows.map(counterFromRow)
}

/** Which of the values counters of unique ones have seen, in the order of the counters. */
export const findSeen = async (
  tx: Tx,
  asked: readonly { counter: CounterRef; values: readonly string[] }[],
): Promise<Set<string>[]> => {
  const flat = asked.flatMap(({ counter, values }, index) => values.map((value) => ({ counter, value, index })))
  const rows = await queryPrepared<{ i: number; v: string }>(
    tx,
    'find_seen',
    sql`select a.i, a.v from unnest(${arrayOf(flat.map(({ index }) => index))}::int[], ${arrayOf(flat.map(({ counter }) => counter.tenantId))}::text[], ${arrayOf(flat.map(({ counter }) => counter.meter))}::text[],
          ${arrayOf(flat.map(({ counter }) => counter.span))}::text[], ${arrayOf(flat.map(({ counter }) => counter.windowStart))}::float8[], ${arrayOf(flat.map(({ value }) => value))}::text[]) as a (i, t, m, p, s, v)
        join usage_seen u on u.tenant_id = a.t and u.meter = a.m and u.span = a.p and u.window_start = to_timestamp(a.s / 1000.0) and u.value_hash = a.v::uuid`,
  )
  const seen = asked.map(() => new Set<string>())
  for (const { i, v } of rows) seen[i]!.add(v)
  return seen
}

/** Remembers values that were not seen before. */
export const insertSeen = async (
  tx: Tx,
  added: readonly { counter: CounterRef; values: Iterable<string> }[],
): Promise<void> => {
  const flat = added.flatMap(({ counter, values }) => [...values].map((value) => ({ counter, value })))
  await query(
    tx,
    sql`insert into usage_seen (tenant_id, meter, span, window_start, value_hash)
        select t, m, p, to_timestamp(s / 1000.0), v::uuid from unnest(${arrayOf(flat.map(({ counter }) => counter.tenantId))}::text[], ${arrayOf(flat.map(({ counter }) => counter.meter))}::text[],
          ${arrayOf(flat.map(({ counter }) => counter.span))}::text[], ${arrayOf(flat.map(({ counter }) => counter.windowStart))}::float8[], ${arrayOf(flat.map(({ value }) => value))}::text[]) as a (t, m, p, s, v)`,
  )
}

/** How many records of meters were refused, each in a window of its own. */
export const countRefusals = async (
  db: Db,
  tenantId: string,
  windows: readonly { meter: string; start: string; end: string }[],
): Promise<Map<string, number>> =>
  new Map(
    (
      await query<{ meter: string; n: bigint }>(
        db,
        sql`select w.meter, count(*) as n
            from unnest(${windows.map(({ meter }) => meter)}::text[], ${windows.map(({ start }) => start)}::timestamptz[], ${windows.map(({ end }) => end)}::timestamptz[]) as w (meter, starts, ends)
            join usage_refusals r on r.tenant_id = ${tenantId} and r.meter = w.meter and r.at >= w.starts and r.at < w.ends group by w.meter`,
      )
    ).map((row) => [row.meter, Number(row.n)]),
  )

/** Writes down that counters moved, for whoever tells it. Only usage periods are told. */
export const noteMoves = async (
  tx: Tx,
  counters: readonly Pick<CounterRef, 'tenantId' | 'meter' | 'span' | 'windowStart'>[],
): Promise<void> => {
  const moves = movesOf(counters)
  if (moves.count > 0) await query(tx, insertMoves(moves))
}

/** One row for all, as array literals; nothing when there is nothing to tell. */
const movesOf = (counters: readonly Pick<CounterRef, 'tenantId' | 'meter' | 'span' | 'windowStart'>[]) => {
  const told = counters.filter(({ span }) => span === 'period')
  return {
    count: told.length,
    tenants: arrayOf(told.map(({ tenantId }) => tenantId)),
    meters: arrayOf(told.map(({ meter }) => meter)),
    starts: arrayOf(told.map(({ windowStart }) => windowStart)),
  }
}
const insertMoves = ({ count, tenants, meters, starts }: ReturnType<typeof movesOf>) =>
  sql`insert into usage_moves (tenant_ids, meters, window_starts)
      select ${tenants}::text[], ${meters}::text[], array(select to_timestamp(s / 1000.0) from unnest(${starts}::float8[]) with ordinality as m (s, n) order by n) where ${count}::int > 0`

/** Whether something is still to be told. */
export const hasMoves = async (db: Db): Promise<boolean> =>
  (await query(db, sql`select from usage_moves order by move_id limit 1`)).length > 0

/** Takes what is to be told, the oldest first, as much as some commits wrote down. What was erased since is told no more. */
export const takeMoves = async (
  tx: Tx,
  commits: number,
): Promise<{ tenantId: string; meter: string; windowStart: string }[]> =>
  (
    await query<{ t: string; m: string; s: string }>(
      tx,
      sql`with taken as (
            delete from usage_moves where move_id = any (array(select move_id from usage_moves order by move_id limit ${commits} for update skip locked))
            returning tenant_ids, meters, window_starts)
          select distinct t, m, s from taken cross join lateral unnest(tenant_ids, meters, window_starts) as moved (t, m, s)
          where exists (select from usage_counters u where u.tenant_id = t and u.meter = m and u.span = 'period' and u.window_start = s)`,
    )
  ).map(({ t, m, s }) => ({ tenantId: t, meter: m, windowStart: s }))

/** Usage periods as they stand now. */
export const readPeriods = async (
  tx: Tx,
  periods: readonly { tenantId: string; meter: string; windowStart: string }[],
): Promise<CounterRow[]> =>
  (
    await query<CounterDbRow>(
      tx,
      sql`select ${counterColumns} from unnest(${arrayOf(periods.map(({ tenantId }) => tenantId))}::text[], ${arrayOf(periods.map(({ meter }) => meter))}::text[], ${arrayOf(periods.map(({ windowStart }) => windowStart))}::timestamptz[]) as a (t, m, s)
          join usage_counters u on u.tenant_id = a.t and u.meter = a.m and u.span = 'period' and u.window_start = a.s
          order by u.tenant_id, u.meter, u.window_start`,
    )
  ).map(counterFromRow)

/** What one counter says; 0 when nothing was counted yet. */
export const readCounter = async (
  on: Db | Tx,
  tenantId: string,
  meter: string,
  windowStart: Temporal.Instant,
  span = 'period',
): Promise<Micro> => {
  const row = await queryOne<{ used: string }>(
    on,
    sql`select used from usage_counters where tenant_id = ${tenantId} and meter = ${meter} and span = ${span} and window_start = ${windowStart.toString()}`,
  )
  return row ? micro(row.used) : 0n
}

/** What the counters of one span say from a window on, by the start of each. */
export const readWindows = async (
  on: Db | Tx,
  tenantId: string,
  meter: string,
  span: string,
  from: Temporal.Instant,
): Promise<Map<number, Micro>> => {
  const rows = await query<{ start_ms: string; used: string }>(
    on,
    sql`select extract(epoch from window_start) * 1000 as start_ms, used from usage_counters
        where tenant_id = ${tenantId} and meter = ${meter} and span = ${span} and window_start >= ${from.toString()}`,
  )
  return new Map(rows.map((row) => [Number(row.start_ms), micro(row.used)]))
}
