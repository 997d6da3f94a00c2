import { randomUUID } from 'node:crypto'
import type { Answer, Figure } from './support/report.ts'
import { median } from './support/rounds.ts'
import type { Scale } from './support/scale.ts'
import { seedCustomers, type World } from './support/world.ts'

const prefix = 'storage_'
const tenants = 50
const meter = 'api_calls'
const requests = 200

/** What is still fast when there is much: records in, a counter, a page of records, a month of history, and how large it is. */
export const measureStorage = async (world: World, scale: Scale): Promise<Answer> => {
  const records = scale.recordsMax
  await seedCustomers(world, prefix, tenants)
  const before = await insertRate(world, scale)
  const seconds = await seed(world, records)
  const after = await insertRate(world, scale)
  const get = (path: string) => () =>
    fetch(`${world.apiUrl}/api/v1${path}`, { headers: { authorization: `Bearer ${world.serviceKey}` } })
  const someone = () => `tenantId=${prefix}${Math.floor(Math.random() * tenants)}`
  const somewhere = () => new Date(Date.now() - Math.random() * 29 * 86_400_000).toISOString()
  const reads = [
    await latency('used and projected of all meters', () => get(`/usage?${someone()}`)()),
    await latency('a page of 200 records from anywhere', () =>
      get(`/usage-records?${someone()}&meter=${meter}&from=${somewhere()}&limit=200`)(),
    ),
    await latency('history of a month by day', () => get(`/usage/history?${someone()}&meter=${meter}`)()),
    await latency('history of 48 hours', () => get(`/usage/history?${someone()}&meter=${meter}&step=hour`)()),
  ]
  return {
    question: `Storage at ${records.toLocaleString('en-US')} usage records`,
    measured: `${records.toLocaleString('en-US')} records of ${tenants} customers over 30 days, written by SQL in ${seconds.toFixed(0)} s with their counters; then batches of 1,000 over the API, and ${requests} requests of each kind, one after another`,
    limitedBy:
      'records in: the primary key of each part, which is on random keys and no longer in memory when there are many; reads: one range of an index each, so that they do not grow with the number of records',
    figures: [
      { name: 'batches before', value: before, unit: 'records/s' },
      {
        name: 'batches with all of them there',
        value: after,
        unit: 'records/s',
        ratio: after / before,
        against: 'before',
      },
      ...reads,
      ...(await sizes(world, records)),
    ],
  }
}

const insertRate = async (world: World, scale: Scale): Promise<number> => {
  const rates: number[] = []
  for (let round = 0; round < scale.rounds; round++) {
    const { perSecond } = await world.load.run({
      port: world.apiPort,
      path: '/api/v1/usage-records',
      headers: { authorization: `Bearer ${world.serviceKey}` },
      connections: 12,
      traffic: { kind: 'batches', prefix, tenants, meter, run: randomUUID().slice(0, 8), size: 1_000 },
      warmupMs: 150,
      durationMs: scale.roundMs,
    })
    rates.push(perSecond * 1_000)
  }
  return median(rates)
}

/** Records spread over 30 days, and what they make of the counters of periods and hours. */
const seed = async (world: World, records: number): Promise<number> => {
  const begin = performance.now()
  const atOnce = 500_000
  for (let done = 0; done < records; done += atOnce)
    await world.sql.query(
      `insert into usage_records (tenant_id, idempotency_key, meter, quantity, at, window_start, used_after, recorded_at, service, snapshot_version)
       select $1 || (n % $2), md5(n::text), $3, 1 + n % 5, t.at, date_trunc('month', t.at), 0, t.at, 'gateway', 1
       from generate_series($4::bigint, $5::bigint) as n cross join lateral (select now() - make_interval(secs => (n * 7919 % 2592000)::float8) as at) t`,
      [prefix, tenants, meter, done + 1, Math.min(done + atOnce, records)],
    )
  // What the batches before have counted is counted again with the rest.
  await world.sql.query(`delete from usage_counters where tenant_id like $1 || '%'`, [prefix])
  for (const [span, start, end] of [
    ['period', 'window_start', `window_start + interval '1 month'`],
    [
      'hour',
      `date_bin('1 hour', at, timestamptz 'epoch')`,
      `date_bin('1 hour', at, timestamptz 'epoch') + interval '1 hour'`,
    ],
  ])
    await world.sql.query(
      `insert into usage_counters (tenant_id, meter, span, window_start, window_end, aggregation, used, records, version, peak)
       select tenant_id, meter, '${span}', ${start}, ${end}, 'sum', sum(quantity), count(*), 1, sum(quantity)
       from usage_records where tenant_id like $1 || '%' group by tenant_id, meter, ${start}, ${end}`,
      [prefix],
    )
  await world.sql.query('vacuum (analyze) usage_records, usage_counters')
  return (performance.now() - begin) / 1_000
}

const latency = async (name: string, ask: () => Promise<Response>): Promise<Figure> => {
  const times: number[] = []
  for (let n = 0; n < requests; n++) {
    const begin = performance.now()
    const response = await ask()
    await response.arrayBuffer()
    if (response.status !== 200) throw new Error(`${name}: ${response.status}`)
    times.push(performance.now() - begin)
  }
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(times.length * share)]!
  return { name, value: 1_000 / at(0.5), unit: 'requests/s', p50Ms: at(0.5), p99Ms: at(0.99) }
}

const sizes = async (world: World, records: number): Promise<Figure[]> => {
  const { rows } = await world.sql.query<{ name: string; bytes: string }>(
    `with parts as (select c.oid from pg_class c where c.relname ~ '^usage_records_[0-9]+$')
     select 'records, rows' as name, sum(pg_table_size(oid)) as bytes from parts
     union all
     select 'records, index ' || regexp_replace(i.relname, '_[0-9]+_', '_', 'g'), sum(pg_relation_size(i.oid))
     from parts join pg_index x on x.indrelid = parts.oid join pg_class i on i.oid = x.indexrelid
     group by regexp_replace(i.relname, '_[0-9]+_', '_', 'g')
     union all
     select 'counters with their indexes', pg_total_relation_size('usage_counters')`,
  )
  return rows.map(({ name, bytes }) => ({
    name: `${name}, for each record`,
    value: Number(bytes) / records,
    unit: 'bytes',
  }))
}
