import { join } from 'node:path'
import { createClient } from '@turnpike/client'
import { openReplica } from '@turnpike/client/gateway'
import type { Answer, Figure } from './support/report.ts'
import { median, percentile } from './support/rounds.ts'
import type { Scale } from './support/scale.ts'
import { createCustomer, type World } from './support/world.ts'

const tenantId = 'lagging'

/** How long after a change is a gateway's own row of the customer's budget current? */
export const measureReplicaLag = async (world: World, scale: Scale): Promise<Answer> => {
  await createCustomer(world.operator, tenantId)
  const service = createClient({ baseUrl: world.apiUrl, credential: world.serviceKey })
  const replica = await openReplica({
    file: join(world.dataDir, 'replica.sqlite'),
    client: createClient({ baseUrl: world.apiUrl, credential: world.gatewayKey }),
  })
  try {
    const row = () => replica.budget.check(tenantId, 0)
    const granted = await lags(scale.lags, async (n) => {
      const limit = 1_000_000 + n
      await world.operator.createOverride({
        body: { tenantId, feature: 'api_calls', set: { limit }, reason: 'benchmark' },
      })
      return () => row().totalBudget === limit
    })
    const counted = await lags(scale.lags, async (n) => {
      const quantity = 1
      const { data } = await service.reportUsage({
        body: { tenantId, meter: 'api_calls', quantity, idempotencyKey: `lag-${n}` },
      })
      const used = data.outcomes[0]!.used!
      return () => row().currentSpend >= used
    })
    const figure = (name: string, { fromRequest, fromAnswer }: Lags): Figure[] => [
      {
        name: `${name}, from sending the change (more than the lag)`,
        value: median(fromRequest),
        unit: 'ms',
        aim: 'p99 < 100 ms',
        p50Ms: median(fromRequest),
        p99Ms: percentile(fromRequest, 0.99),
      },
      {
        name: `${name}, from the answer (less than the lag)`,
        value: median(fromAnswer),
        unit: 'ms',
        p50Ms: median(fromAnswer),
        p99Ms: percentile(fromAnswer, 0.99),
      },
    ]
    return {
      question: 'Gateway replica: lag from the commit of a change to the row of its budget',
      measured: `${scale.lags} changes of each kind, one after the other, through outbox, relay and event stream; the commit lies between sending the change and its answer`,
      limitedBy:
        'counters are announced at most every 40 ms, which is most of the lag of usage; the rest are four short transactions, each with its flush: the change, its event, its place in the feed, and the row',
      figures: [...figure('override granted', granted), ...figure('usage counted', counted)],
    }
  } finally {
    await replica.close()
  }
}

type Lags = { fromRequest: number[]; fromAnswer: number[] }

const lags = async (count: number, change: (n: number) => Promise<() => boolean>): Promise<Lags> => {
  const result: Lags = { fromRequest: [], fromAnswer: [] }
  for (let n = 0; n < count; n++) {
    const sent = performance.now()
    const isCurrent = await change(n)
    const answered = performance.now()
    while (!isCurrent()) {
      if (performance.now() - answered > 5_000) throw new Error('the replica did not become current within 5 s')
      await new Promise((resolve) => setImmediate(resolve))
    }
    const current = performance.now()
    result.fromRequest.push(current - sent)
    result.fromAnswer.push(current - answered)
  }
  return result
}
