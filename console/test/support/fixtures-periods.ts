import type { DataOf, Routes, UsageCost } from '@turnpike/contract'
import { type Question, Refusal } from './fixtures.ts'

type Tools = {
  at: (days: number, ms?: number) => string
  id: (kind: string, name: string) => string
  period: { start: string; end: string }
}
type Charge = UsageCost['charges'][number]
type Step = Charge['calculation'][number]

const usd = (amountMinor: string) => ({ amountMinor, currency: 'USD' })

/** What usage costs, how invoices came about, and how far the close of periods is. */
export const periodFixtures = ({ at, id, period }: Tools) => {
  const step = (change: Partial<Step>): Step => ({
    ...{
      kind: 'units',
      text: 'Units: 5000 × 0.4 = 2000',
      tier: null,
      quantity: '5000',
      unitAmount: '0.4',
      share: null,
    },
    ...{ roundedUnitAmount: null, amount: '2000', period, ...change },
  })
  const records = (meter: string, counted: number | null): Charge['records'] => ({
    ...{ meter, from: period.start, to: period.end, aggregation: 'sum', records: counted },
    path: `/api/v1/usage-records?tenantId=acme&meter=${meter}`,
  })
  const calls: Charge = {
    ...{ charge: 'api_calls', name: 'API calls', kind: 'usage', quantity: '16000', amount: usd('2250'), period },
    exactAmount: '2250',
    calculation: [
      step({ tier: 1 }),
      step({ tier: 2, quantity: '1000', unitAmount: '0.25', amount: '250', text: 'Units, tier 2' }),
    ],
    records: records('api_calls', 1_204),
  }
  const volume: Charge = {
    ...{ charge: 'volume', name: 'Card volume', kind: 'usage', quantity: '500000', amount: usd('7283'), period },
    exactAmount: '21850/3',
    calculation: [
      step({ kind: 'percent', quantity: '500000', unitAmount: '0.029', share: '0.5', amount: '7250' }),
      step({ kind: 'fee', quantity: '100/3', unitAmount: '1', amount: '100/3' }),
    ],
    records: records('card_volume', null),
  }
  const least: Charge = {
    ...{ charge: '+minimum', name: 'Minimum of the plan', kind: 'minimum', quantity: '1', amount: usd('467'), period },
    ...{ exactAmount: '467', calculation: [], records: null },
  }
  const isEmpty = ({ state }: Question) => state.endsWith('empty')
  const nothing = { tenantId: 'acme', subscriptionId: null, period: null, charges: [], total: null, waiting: null }
  return {
    getUsageCost: (question: Question): UsageCost =>
      isEmpty(question)
        ? { ...nothing, asOf: at(0) }
        : {
            ...{ tenantId: 'acme', subscriptionId: id('subscription', 'acme'), period, asOf: at(0) },
            ...(question.state.endsWith('fresh')
              ? { charges: [], total: usd('0'), waiting: usd('0') }
              : { charges: [calls, volume, least], total: usd('10000'), waiting: usd('250') }),
          },
    getUpcomingInvoice: (question: Question): DataOf<Routes['getUpcomingInvoice']> => {
      if (question.state.endsWith('unreachable')) throw new Refusal('provider_unavailable')
      if (isEmpty(question)) return { tenantId: 'acme', invoice: null, asOf: at(0) }
      return {
        tenantId: 'acme',
        invoice: {
          ...{ subscriptionId: id('subscription', 'acme'), at: period.end, tax: usd('931'), total: usd('16081') },
          lines: [
            {
              ...{ origin: 'provider', description: '1 × Pro (at $49.00 / month)', quantity: '1', period },
              amount: usd('4900'),
            },
            {
              ...{ origin: 'rated', description: 'API calls: 1000, reported after its period was billed' },
              ...{ quantity: '1000', amount: usd('250'), period: { start: at(-40), end: at(-10) } },
            },
            ...[calls, volume].map(({ name, quantity, amount }) => ({
              ...{ origin: 'usage_so_far' as const, description: name, quantity, amount, period },
            })),
            { origin: 'usage_so_far', description: least.name, quantity: null, amount: least.amount, period },
          ],
        },
        asOf: at(0),
      }
    },
  }
}
