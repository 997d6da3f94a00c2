import type {
  CloseProgress,
  DataOf,
  InvoiceExplanation,
  RecordedUsage,
  Routes,
  UsageCost,
  UsagePeriod,
} from '@turnpike/contract'
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
  const records = (meter: string, name: string, counted: number | null): Charge['records'] => ({
    ...{ meter, name, from: period.start, to: period.end, aggregation: 'sum', records: counted },
    path: `/api/v1/usage-records?tenantId=acme&meter=${meter}`,
  })
  const calls: Charge = {
    ...{ charge: 'api_calls', name: 'API calls', kind: 'usage', quantity: '16000', amount: usd('2250'), period },
    exactAmount: '2250',
    calculation: [
      step({ tier: 1 }),
      step({ tier: 2, quantity: '1000', unitAmount: '0.25', amount: '250', text: 'Units, tier 2' }),
    ],
    records: records('api_calls', 'API calls', 1_204),
  }
  const volume: Charge = {
    ...{ charge: 'volume', name: 'Card volume', kind: 'usage', quantity: '500000', amount: usd('7283'), period },
    exactAmount: '21850/3',
    calculation: [
      step({ kind: 'percent', quantity: '500000', unitAmount: '0.029', share: '0.5', amount: '7250' }),
      step({ kind: 'fee', quantity: '100/3', unitAmount: '1', amount: '100/3' }),
    ],
    records: records('card_volume', 'Card volume', null),
  }
  const least: Charge = {
    ...{ charge: '+minimum', name: 'Minimum of the plan', kind: 'minimum', quantity: '1', amount: usd('467'), period },
    ...{ exactAmount: '467', calculation: [], records: null },
  }
  const noMoney = usd('0')
  const provided = { description: null, usage: null }
  const ours = (lineId: string, charge: Charge) => ({
    ...{
      id: `il_${lineId}`,
      description: `${charge.name}: ${charge.quantity}`,
      amount: charge.amount,
      text: charge.name,
    },
    usage: { lineId: id('line', lineId), periodId: id('period', 'last'), ...charge },
  })
  const credit: Charge = {
    ...{ ...least, charge: '+credit', name: 'Paid with credit', kind: 'credit', amount: usd('-2500') },
    exactAmount: '-2500',
  }
  const late: Charge = {
    ...{ ...calls, kind: 'late_usage', quantity: '1000', amount: usd('250'), exactAmount: '250' },
    calculation: [
      ...calls.calculation,
      step({ kind: 'already_billed', quantity: '1', unitAmount: '-2000', amount: '-2000' }),
    ],
  }
  const explanation = (invoiceId: string): InvoiceExplanation => ({
    ...{ invoiceId, tenantId: 'acme', status: 'paid', subtotal: usd('5400'), discount: usd('500'), tax: noMoney },
    lines: [
      {
        ...{ ...provided, id: 'il_1', description: '1 × Pro (at $49.00 / month)', amount: usd('4900') },
        ...{ as: 'base_price', text: 'The base price of Pro' },
      },
      { ...ours('calls', calls), as: 'usage' },
      { ...ours('late', late), as: 'later_usage' },
      { ...ours('credit', credit), as: 'credit' },
      {
        ...{ ...provided, id: 'il_3', amount: usd('500'), as: 'proration' },
        text: 'The rest of the period of Pro, to the second',
      },
    ],
    ...{ total: usd('4900'), unexplained: noMoney, remarks: [] },
    creditNotes: [
      {
        ...{ creditNoteId: id('credit_note', 'usage'), state: 'issued', amount: usd('250') },
        lines: [{ lineId: id('line', 'back'), periodId: id('period', 'last'), ...late, amount: usd('-250') }],
      },
    ],
  })
  const record = (change: Partial<RecordedUsage>): RecordedUsage => ({
    ...{ tenantId: 'acme', idempotencyKey: 'request-812', meter: 'api_calls', quantity: 9_000, at: at(-3) },
    ...{ recordedAt: at(-3), windowStart: period.start, service: 'gateway', correlationId: null, properties: null },
    ...{ snapshotVersion: 42, corrects: null, correction: null, effectiveQuantity: 9_000, corrections: [], ...change },
  })
  const usagePeriod = (name: string, change: Partial<UsagePeriod>): UsagePeriod => ({
    ...{ id: id('period', name), tenantId: 'acme', subscriptionId: id('subscription', 'acme'), state: 'placed' },
    ...{ period: { start: at(-60), end: at(-30) }, ratedAt: at(-30), lateUntil: at(-20), amount: usd('2250') },
    ...{ lines: [], failure: null, ...change },
  })
  const charged = (name: string, change: Partial<UsagePeriod['lines'][number]> = {}) => ({
    ...{ id: id('line', name), charge: 'api_calls', name: 'API calls', kind: 'usage' as const, quantity: '16000' },
    ...{ amount: usd('2250'), state: 'placed' as const, invoiceId: 'in_paid', creditNoteId: null, ...change },
  })
  const periods: UsagePeriod[] = [
    usagePeriod('open', { state: 'open', period, ratedAt: null, lateUntil: null, amount: null }),
    usagePeriod('rated', {
      ...{ state: 'rated', lateUntil: at(4), failure: 'The provider did not answer in 10 s.', amount: usd('2500') },
      lines: [
        charged('way', { state: 'on_its_way', invoiceId: null }),
        charged('waits', { kind: 'late_usage', state: 'waits_for_next', invoiceId: null, amount: usd('250') }),
      ],
    }),
    usagePeriod('placed', { lines: [charged('placed')] }),
    usagePeriod('nothing', {
      ...{ state: 'nothing_due', amount: noMoney },
      lines: [charged('nothing', { amount: noMoney, state: 'of_nothing', invoiceId: null })],
    }),
    usagePeriod('settled', { state: 'settled', amount: null }),
  ]
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
          discount: usd('0'),
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
    explainInvoice: ({ params }: Question): InvoiceExplanation => {
      const invoiceId = params.invoiceId ?? ''
      if (invoiceId === 'in_void') throw new Refusal('internal_error')
      const made = explanation(invoiceId)
      if (invoiceId === 'in_draft') return { ...made, lines: [] }
      if (invoiceId !== 'in_open') return made
      return {
        ...{ ...made, tax: usd('100'), total: usd('5123'), unexplained: usd('123') },
        remarks: ['1.23 USD of the total is explained by no line, discount or tax.'],
      }
    },
    listUsageRecords: ({ query }: Question): RecordedUsage[] =>
      query.meter === 'api_calls'
        ? [
            record({ effectiveQuantity: 0 }),
            record({
              ...{ idempotencyKey: 'request-812-void', quantity: -9_000, corrects: 'request-812', correction: 'void' },
              ...{ effectiveQuantity: null, service: null },
            }),
          ]
        : [],
    listUsagePeriods: ({ state, query }: Question): UsagePeriod[] =>
      state.endsWith('empty') || query.tenantId === 'globex'
        ? []
        : periods.filter((each) => !query.state || each.state === query.state),
    getCloseProgress: (question: Question): CloseProgress => ({
      ...{ open: 0, due: 0, oldestDueAt: null, placing: 0, failing: 0, oldestPlacingAt: null, asOf: at(0) },
      ...(isEmpty(question) ? {} : { open: 1_204 }),
      ...(isEmpty(question) || question.state.endsWith('fresh')
        ? {}
        : { due: 12, oldestDueAt: at(0, -240_000), placing: 3, failing: 1, oldestPlacingAt: at(-1) }),
    }),
  }
}
