import type { LoadResult } from './support/load.ts'
import type { Answer, Figure } from './support/report.ts'
import { inTurns, median, ratioOf } from './support/rounds.ts'
import type { Scale } from './support/scale.ts'
import { seedCustomers, type World } from './support/world.ts'

const connections = 32
const prefix = 'check_'

/** How many entitlement checks a second, beside a Fastify route that does nothing, for few and for many customers? */
export const measureChecks = async (world: World, scale: Scale): Promise<Answer> => {
  const most = scale.customersMax
  await seedCustomers(world, prefix, most)
  const check = (
    tenants: number,
    order: { durationMs: number; warmupMs: number; requestsMax?: number; connections?: number },
  ) =>
    world.load.run({
      port: world.apiPort,
      path: '/api/v1/entitlements/check',
      headers: { authorization: `Bearer ${world.serviceKey}` },
      connections,
      traffic: { kind: 'checks', prefix, tenants, feature: 'api_calls' },
      ...order,
    })
  // Everybody is loaded once before: what is asked is the rate of answers from memory.
  const memoryBefore = world.serviceMemory()
  const loading = await check(most, { durationMs: 240_000, warmupMs: 0, requestsMax: most, connections: 400 })
  const memory = world.serviceMemory()
  const empty = (warmupMs: number) =>
    world.load.run({
      port: world.baselinePort,
      path: `/empty/${loading.answerBytes}`,
      headers: { authorization: `Bearer ${world.serviceKey}` },
      connections,
      traffic: { kind: 'checks', prefix, tenants: 1_000, feature: 'api_calls' },
      warmupMs,
      durationMs: scale.roundMs,
    })
  await empty(1_000)
  const round = { durationMs: scale.roundMs, warmupMs: 100 }
  const results = await inTurns(scale.rounds, {
    empty: () => empty(100),
    one: () => check(1, round),
    thousand: () => check(1_000, round),
    many: () => check(most, round),
  })
  const rates = (of: LoadResult[]) => of.map((result) => result.perSecond)
  const figure = (name: string, of: LoadResult[], more: Partial<Figure> = {}): Figure => ({
    name,
    value: median(rates(of)),
    unit: 'checks/s',
    ratio: ratioOf(rates(of), rates(results.empty)),
    against: 'the empty route',
    p50Ms: median(of.map((result) => result.p50Ms)),
    p99Ms: median(of.map((result) => result.p99Ms)),
    ...more,
  })
  return {
    question: 'Entitlement check over HTTP',
    measured: `POST /api/v1/entitlements/check of a metered feature at ${connections} connections, in turns with an empty Fastify route that reads the same body and answers ${loading.answerBytes} bytes`,
    limitedBy:
      'one core of the service process: nearly all of it is the HTTP work that the empty route does too. Proof of the credential, checking the body, deciding and writing the answer as JSON cost about as much as is saved by writing answers that are ready together in a row, which wakes the receiver once',
    figures: [
      { ...figure('empty Fastify route', results.empty), ratio: undefined, against: undefined, unit: 'requests/s' },
      figure('1 customer', results.one, { aim: 'ratio ≥ 0.8, p99 < 2 ms' }),
      figure('1,000 customers in rotation', results.thousand, { aim: 'ratio ≥ 0.8' }),
      figure(`${most.toLocaleString('en-US')} customers in rotation`, results.many, { aim: 'within 1.2 of 1,000' }),
      {
        name: 'the same, first look at each (loads from the database)',
        value: loading.perSecond,
        unit: 'checks/s',
        p50Ms: loading.p50Ms,
        p99Ms: loading.p99Ms,
      },
      ...(memory === null || memoryBefore === null
        ? []
        : [
            {
              name: `memory of the service with all of them (before: ${memoryBefore} MiB)`,
              value: memory,
              unit: 'MiB',
            },
          ]),
    ],
  }
}
