import { randomUUID } from 'node:crypto'
import type { LoadResult, Traffic } from './support/load.ts'
import type { Answer, Figure } from './support/report.ts'
import { inTurns, median, ratioOf } from './support/rounds.ts'
import type { Scale } from './support/scale.ts'
import { createCustomer, seedCustomers, type World } from './support/world.ts'

const prefix = 'usage_'
const meter = 'api_calls'
const batchSize = 1_000
const batchConnections = 12

/** How many usage records a second are counted durably and once, in batches, one by one, and against a hard limit? */
export const measureUsage = async (world: World, scale: Scale): Promise<Answer> => {
  await seedCustomers(world, prefix, 100)
  const send = (path: string, connections: number, traffic: Traffic, port = world.apiPort) =>
    world.load.run({
      port,
      path,
      headers: { authorization: `Bearer ${world.serviceKey}` },
      connections,
      traffic,
      warmupMs: 150,
      durationMs: scale.roundMs,
    })
  const run = () => randomUUID().slice(0, 8)
  const batches = (tenants: number) => () =>
    send('/api/v1/usage-records', batchConnections, {
      kind: 'batches',
      prefix,
      tenants,
      meter,
      run: run(),
      size: batchSize,
    }).then((result) => result.perSecond * batchSize)
  const singles = (tenants: number, connections: number) => () =>
    send('/api/v1/usage-records', connections, { kind: 'records', prefix, tenants, meter, run: run() })
  const bare = (tenants: number) => () =>
    world.insertBare({ size: batchSize, tenants, atATime: batchConnections, durationMs: scale.roundMs })

  const batched = await inTurns(scale.rounds, {
    bareOne: bare(1),
    one: batches(1),
    bareHundred: bare(100),
    hundred: batches(100),
  })
  const probe = await send('/api/v1/usage-records', 1, { kind: 'records', prefix, tenants: 1, meter, run: run() })
  const empty = (connections: number) => () =>
    send(
      `/empty/${probe.answerBytes}`,
      connections,
      { kind: 'records', prefix, tenants: 100, meter, run: run() },
      world.baselinePort,
    )
  const single = await inTurns(scale.rounds, {
    empty64: empty(64),
    one64: singles(1, 64),
    hundred64: singles(100, 64),
    empty256: empty(256),
    one256: singles(1, 256),
    hundred256: singles(100, 256),
  })
  const limited = await measureLimit(world, scale)
  await checkCounters(world)

  const batchFigure = (name: string, of: number[], against: number[]): Figure => ({
    name,
    value: median(of),
    unit: 'records/s',
    ratio: ratioOf(of, against),
    against: 'a bare insert of the rows',
    aim: '100,000/s',
  })
  const rates = (of: LoadResult[]) => of.map((result) => result.perSecond)
  const singleFigure = (name: string, of: LoadResult[], against: LoadResult[]): Figure => ({
    name,
    value: median(rates(of)),
    unit: 'records/s',
    ratio: ratioOf(rates(of), rates(against)),
    against: 'an empty Fastify route',
    aim: '20,000/s',
    p50Ms: median(of.map((result) => result.p50Ms)),
    p99Ms: median(of.map((result) => result.p99Ms)),
  })
  return {
    question: 'Usage: counted once, durable before it is answered',
    measured: `batches of ${batchSize.toLocaleString('en-US')} at ${batchConnections} connections in turns with bare inserts of as many rows by the same driver, ${batchConnections} at a time, into a table with the same key; single records in turns with an empty Fastify route; afterwards every counter is compared with the sum of its records`,
    limitedBy:
      'the processor, which the load, the service and PostgreSQL share. Batches: PostgreSQL, most of whose time for a row are its two indexes, while the service reads and decides what comes next. Single records: HTTP and waking each other; with few connections a commit serves few records, and its way to the database and the flush weigh most; with many customers each record raises two counters of its own and goes to another partition. The disk is waited for by whoever is to be answered, not by the next commit',
    figures: [
      { name: 'bare insert, one tenant', value: median(batched.bareOne), unit: 'rows/s' },
      batchFigure('batches, one tenant', batched.one, batched.bareOne),
      batchFigure('batches, 100 tenants', batched.hundred, batched.bareHundred),
      { name: 'empty Fastify route, 64 connections', value: median(rates(single.empty64)), unit: 'requests/s' },
      singleFigure('single, one tenant, 64 connections', single.one64, single.empty64),
      singleFigure('single, 100 tenants, 64 connections', single.hundred64, single.empty64),
      singleFigure('single, one tenant, 256 connections', single.one256, single.empty256),
      singleFigure('single, 100 tenants, 256 connections', single.hundred256, single.empty256),
      limited,
    ],
  }
}

/** Many connections take from one limited allowance; all of it may be taken, and not one more. Each round has a customer of its own. */
const measureLimit = async (world: World, scale: Scale): Promise<Figure> => {
  const limit = scale.customersMax >= 100_000 ? 20_000 : 2_000
  const headers = { authorization: `Bearer ${world.serviceKey}` }
  let round = 0
  const consume = async (): Promise<LoadResult> => {
    const tenantId = `limited_${++round}`
    await createCustomer(world.operator, tenantId)
    await world.operator.createOverride({
      body: { tenantId, feature: 'api_calls', set: { limit }, reason: 'benchmark' },
    })
    const result = await world.load.run({
      port: world.apiPort,
      path: '/api/v1/entitlements/check',
      headers,
      connections: 64,
      traffic: { kind: 'consumption', tenantId, feature: 'api_calls', run: randomUUID().slice(0, 8) },
      warmupMs: 0,
      durationMs: 20_000,
      requestsMax: limit + 1_000,
    })
    const [counter] = (
      await world.sql.query(`select used from usage_counters where tenant_id = $1 and span = 'period'`, [tenantId])
    ).rows as [{ used: string }]
    if (result.consumed !== limit || Number(counter.used) !== limit)
      throw new Error(`of a limit of ${limit}, ${result.consumed} were let through and ${counter.used} counted`)
    return result
  }
  const empty = () =>
    world.load.run({
      port: world.baselinePort,
      path: '/empty/500',
      headers,
      connections: 64,
      traffic: { kind: 'consumption', tenantId: 'limited', feature: 'api_calls', run: 'empty' },
      warmupMs: 150,
      durationMs: scale.roundMs,
    })
  const rounds = await inTurns(scale.rounds, { empty, consumed: consume })
  const rates = rounds.consumed.map((result) => result.perSecond)
  return {
    name: `consume ${limit.toLocaleString('en-US')} of a hard limit, 64 connections: not one more`,
    value: median(rates),
    unit: 'requests/s',
    ratio: ratioOf(
      rates,
      rounds.empty.map((result) => result.perSecond),
    ),
    against: 'an empty Fastify route',
    aim: '10,000/s',
    p50Ms: median(rounds.consumed.map((result) => result.p50Ms)),
    p99Ms: median(rounds.consumed.map((result) => result.p99Ms)),
  }
}

/** A rate of wrong counts is worth nothing. */
const checkCounters = async (world: World): Promise<void> => {
  const { rows } = await world.sql.query(
    `select c.tenant_id from usage_counters c
     full join (select tenant_id, meter, 'period' as span, window_start, sum(quantity) as used, count(*) as records from usage_records group by 1, 2, 4
                union all select tenant_id, meter, 'hour', date_bin('1 hour', at, timestamptz 'epoch'), sum(quantity), count(*) from usage_records group by 1, 2, 4) r
       using (tenant_id, meter, span, window_start)
     where coalesce(c.used, 0) <> coalesce(r.used, 0) or coalesce(c.records, 0) <> coalesce(r.records, 0)`,
  )
  if (rows.length > 0) throw new Error(`${rows.length} counters differ from their records`)
}
