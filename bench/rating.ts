import type { CatalogFile } from '@turnpike/contract'
import { chargesOfPlans, exactOfMicro, leastOf, neededUsage, rate } from '../server/src/modules/rating/index.ts'
import type { Answer } from './support/report.ts'
import { inTurns, median, ratioOf } from './support/rounds.ts'
import type { Scale } from './support/scale.ts'
import type { World } from './support/world.ts'

type Plan = CatalogFile['plans'][string]
/** Three usage prices, included units, a least for all: more than most plans have. */
const plan: Plan = {
  name: 'Hybrid',
  status: 'active',
  rank: 1,
  model: 'hybrid',
  prices: { monthly: { interval: 'month', amounts: { USD: 4900 } } },
  usagePrices: {
    calls: {
      model: 'graduated',
      included: 10_000,
      tiers: [
        { upTo: 50_000, unitAmounts: { USD: '0.4' } },
        { upTo: null, unitAmounts: { USD: '0.25' } },
      ],
    },
    tokens: { model: 'package', unitAmounts: { USD: '150' }, packageSize: 1_000_000 },
    storage: { model: 'per_unit', unitAmounts: { USD: '2.3' }, included: 5 },
  },
  billing: { minimum: { amounts: { USD: 2_000 } } },
  grants: {},
}
const meter = (name: string) => ({ name, unit: 'unit', aggregation: 'sum' as const })
const period = {
  start: Temporal.Instant.from('2026-04-01T00:00:00Z'),
  end: Temporal.Instant.from('2026-05-01T00:00:00Z'),
}

/** How long does it take to rate the period of one subscription, from its plan and counters to lines and a total? */
export const measureRating = async (_: World, scale: Scale): Promise<Answer> => {
  const file = {
    meters: { calls: meter('Calls'), tokens: meter('Tokens'), storage: meter('Storage') },
    features: {},
    policies: { usage: { acceptLateDays: 35, acceptFutureSeconds: 300 } } as CatalogFile['policies'],
  }
  let counter = 0n
  const rateOne = () => {
    const charged = chargesOfPlans([{ file, plan, currency: 'USD', from: null }])
    if (!charged.ok) throw new Error(JSON.stringify(charged.errors))
    const { usage: charges, settings, maximum } = charged.charges
    const input = {
      currency: 'USD',
      period,
      regularPeriod: period,
      newRegularPeriod: period,
      timeZone: 'UTC',
      subscriptionStart: period.start,
      at: period.end,
      trial: null,
      charges,
      usage: [],
      changes: [],
      coupons: [],
      credits: [],
      minimum: leastOf(charged.charges, { periodsBefore: 0, spentBeforeMinor: 0n, ends: false }),
      maximum,
      taxPercent: null,
      settings,
    }
    counter += 1n
    const usage = neededUsage(input).map((need) => ({
      meter: need.meter,
      kind: 'parts' as const,
      parts: [
        { start: period.start, quantity: exactOfMicro(60_000_000_000n + counter * 1_000_000n), transactions: null },
      ],
    }))
    return rate({ ...input, usage })
  }
  const text = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
  const { lines } = rateOne()
  const perCall = async (call: () => unknown): Promise<number> => {
    const end = performance.now() + scale.roundMs / 3
    const times: number[] = []
    while (performance.now() < end) {
      const begin = performance.now()
      for (let i = 0; i < 500; i++) call()
      times.push(((performance.now() - begin) * 1_000) / 500)
    }
    return median(times)
  }
  const results = await inTurns(scale.rounds, {
    text: () => perCall(() => JSON.stringify(lines, text)),
    rating: () => perCall(rateOne),
  })
  return {
    question: 'Rate a period',
    measured:
      'a plan with three usage prices, included units and a minimum: charges of the plan, usage to fetch, lines and total, in turns with writing the lines of one as JSON',
    limitedBy: 'one core: exact fractions and the sentence of each calculation, half of it making objects',
    figures: [
      { name: 'the lines as JSON', value: median(results.text), unit: 'µs' },
      {
        name: 'rate one subscription',
        value: median(results.rating),
        unit: 'µs',
        ratio: ratioOf(results.rating, results.text),
        against: 'the lines as JSON',
        aim: '< 40 µs',
      },
    ],
  }
}
