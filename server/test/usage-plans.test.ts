import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  archivedUntil,
  findCorrections,
  findLineage,
  findUsageDecision,
  firstHour,
  listArchives,
  listRecords,
  listUsageDecisions,
  readGroupedHours,
  readHours,
  readPaces,
  usedAsOf,
  windowsToArchive,
} from '../src/modules/usage/index.ts'
import { type Db, query, sql } from '../src/platform/db.ts'
import { type Service, startService } from './support/service.ts'

/** What is read of usage goes by an index, however many records there are (PRF-1): the plans of PostgreSQL themselves. */

let service: Service
const end = Date.parse('2026-06-30T00:00:00Z')
const month = 30 * 86_400_000
beforeAll(async () => {
  service = await startService()
  const { db } = service.app.deps
  for (const tenant of ['one', 'two', 'three'])
    await query(
      db,
      sql`insert into usage_records (tenant_id, idempotency_key, meter, quantity, at, window_start, used_after, recorded_at, properties, reserved)
          select ${tenant}, md5(n::text), case when n % 4 = 0 then 'tokens' else 'api_calls' end, 1, t.at, date_trunc('month', t.at), 0, t.at, '{"region":"r' || n % 3 || '"}', 0
          from generate_series(1, 15000) as n cross join lateral (select to_timestamp(${end}::float8 / 1000) - make_interval(mins => n * 2) as at) t`,
    )
  await query(
    db,
    sql`insert into usage_counters (tenant_id, meter, span, window_start, window_end, aggregation, used, records, version)
        select tenant_id, meter, 'hour', date_bin('1 hour', at, timestamptz 'epoch'), date_bin('1 hour', at, timestamptz 'epoch') + interval '1 hour', 'sum', sum(quantity), count(*), 1 from usage_records group by 1, 2, 4
        union all select tenant_id, meter, 'period', window_start, window_start + interval '1 month', 'sum', sum(quantity), count(*), 1 from usage_records group by 1, 2, 4`,
  )
  // The application may not; who owns the tables can.
  const { default: pg } = await import('pg')
  const owner = new pg.Client(service.database.url)
  await owner.connect()
  await owner.query('analyze usage_records, usage_counters')
  await owner.end()
})
afterAll(() => service?.stop())

/** Runs reads with each statement explained before. */
const plansOf = async (read: (db: Db) => Promise<unknown>): Promise<string> => {
  const { pool } = service.app.deps.db
  const plans: string[] = []
  const explaining = {
    pool: {
      query: async (text: string, values: unknown[]) => {
        const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values)
        plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
        return pool.query(text, values)
      },
    },
  } as unknown as Db
  await read(explaining)
  return plans.join('\n')
}

const anyDecision = { from: null, to: null, outcome: null, before: null }
const ofJune = {
  span: 'period',
  window: { start: Temporal.Instant.from('2026-06-01T00:00:00Z'), end: Temporal.Instant.from('2026-06-15T00:00:00Z') },
  counted: 'sum',
}

const reads: [name: string, read: (db: Db) => Promise<unknown>, by: RegExp][] = [
  [
    'the first page of records',
    (db) => listRecords(db, 'one', 'api_calls', { from: null, to: null }, null, 50),
    /meter_at_idx/,
  ],
  [
    'a page from the middle',
    (db) =>
      listRecords(
        db,
        'one',
        'api_calls',
        { from: '2026-06-10T00:00:00Z', to: '2026-06-20T00:00:00Z' },
        { at: '2026-06-15 10:00:00+00', key: 'x' },
        50,
      ),
    /meter_at_idx/,
  ],
  ['one record with its corrections', (db) => findLineage(db, 'one', 'no-such-key'), /_pkey/],
  ['the corrections of a page', (db) => findCorrections(db, 'one', ['a', 'b']), /usage_corrections/],
  ['hours', (db) => readHours(db, 'one', 'api_calls', end - month / 30, end), /usage_counters_pkey/],
  ['the first hour', (db) => firstHour(db, 'one', 'api_calls'), /usage_counters_pkey/],
  ['paces', (db) => readPaces(db, 'one', ['api_calls', 'tokens'], end - month / 5, end), /usage_counters_pkey/],
  ['groups of a day', (db) => readGroupedHours(db, 'one', 'tokens', 'region', end - month / 30, end), /meter_at_idx/],
  [
    'what may be archived',
    (db) => windowsToArchive(db, ['one'], Temporal.Instant.fromEpochMilliseconds(end)),
    /meter_at_idx[\s\S]*usage_counters|usage_counters[\s\S]*meter_at_idx/,
  ],
  [
    'decisions',
    (db) =>
      listUsageDecisions(db, 'one', { meters: ['api_calls', 'tokens'], features: ['api_calls'] }, anyDecision, 50),
    /meter_at_idx[\s\S]*usage_refusals_by_time|usage_refusals_by_time[\s\S]*meter_at_idx/,
  ],
  ['one decision', (db) => findUsageDecision(db, 'one', 'accepted', 'no-such-key'), /_pkey/],
  ['a counter at a past time', (db) => usedAsOf(db, 'one', 'api_calls', ofJune, ofJune.window.end), /meter_at_idx/],
  ['what is archived', (db) => listArchives(db, 'one', null, 50), /usage_archives/],
  ['until when', (db) => archivedUntil(db, ['one']), /usage_archives/],
]

test.each(reads)('%s', async (_, read, by) => {
  const plan = await plansOf(read)
  expect(plan).toMatch(by)
  // But for the parts that are empty.
  expect(plan.replaceAll(/Seq Scan on usage_records_\d+.*cost=0\.00\.\.0\.00/g, '')).not.toMatch(
    /Seq Scan on usage_(records|counters)/,
  )
})
