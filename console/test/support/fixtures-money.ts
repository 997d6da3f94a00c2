import type { CreditGrant, CustomerBudget, DataOf, LedgerEntry, Purchase, Routes } from '@turnpike/contract'
import type { Question } from './fixtures.ts'

type Tools = {
  at: (days: number, ms?: number) => string
  id: (kind: string, name: string) => string
  period: { start: string; end: string }
}

const usd = (amountMinor: string) => ({ amountMinor, currency: 'USD' })

/** Credit, budgets and purchases of Acme. */
export const moneyFixtures = ({ at, id, period }: Tools) => {
  const grant = (name: string, change: Partial<CreditGrant>): CreditGrant => ({
    id: id('grant', name),
    tenantId: 'acme',
    state: 'active',
    category: 'promotional',
    amount: usd('5000'),
    left: usd('5000'),
    paid: usd('0'),
    refundable: usd('0'),
    priority: 50,
    charges: null,
    grantedAt: at(-20),
    expiresAt: at(9),
    reason: 'Two days without the service',
    grantedBy: 'Sam (support)',
    checkoutId: null,
    requestExpiresAt: null,
    decidedBy: null,
    decidedAt: null,
    decisionReason: null,
    voidedAt: null,
    ...change,
  })
  const bought = grant('bought', {
    category: 'paid',
    amount: usd('11000'),
    left: usd('4400'),
    paid: usd('10000'),
    refundable: usd('4000'),
    expiresAt: at(300),
    reason: 'Bought: 100 of credit',
    grantedBy: 'Ana (owner)',
    checkoutId: id('checkout', 'completed'),
  })
  const grants: CreditGrant[] = [
    grant('waiting', {
      state: 'waiting_for_approval',
      amount: usd('250000'),
      left: usd('0'),
      requestExpiresAt: at(6),
      expiresAt: null,
      charges: ['api_calls'],
    }),
    grant('gift', {}),
    bought,
    grant('used', { state: 'used_up', left: usd('0'), grantedAt: at(-200), expiresAt: null }),
    grant('taken', { state: 'voided', left: usd('0'), voidedAt: at(-3), grantedAt: at(-210) }),
  ]
  const entry = (number: string, change: Partial<LedgerEntry>): LedgerEntry => ({
    number,
    postingId: id('posting', 'burn'),
    kind: 'burn',
    account: 'credit',
    grantId: bought.id,
    amount: usd('-6600'),
    at: at(-1),
    recordedAt: at(-1),
    reference: id('period', 'last'),
    reason: null,
    actor: 'period close',
    ...change,
  })
  const purchase: Purchase = {
    id: id('purchase', 'credit'),
    tenantId: 'acme',
    checkoutId: id('checkout', 'completed'),
    product: 'credit_100',
    name: '100 of credit',
    amount: usd('10000'),
    purchasedAt: at(-20),
    creditGrantId: bought.id,
    refunded: usd('0'),
    creditTaken: usd('0'),
    creditKept: usd('0'),
  }
  const budget = (change: Partial<CustomerBudget> = {}): CustomerBudget => ({
    tenantId: 'acme',
    budget: {
      amountMinor: '20000',
      currency: 'USD',
      alertAtPercent: [50, 80, 100],
      cap: true,
      setBy: 'Ana (owner)',
      setAt: at(-40),
    },
    cost: usd('12345'),
    period,
    percent: 61,
    alerts: [{ percent: 50, toldAt: at(-2) }],
    capLeavesOut: [{ meter: 'card_volume', name: 'Card volume', why: 'fee_by_record' }],
    ...change,
  })
  const isEmpty = ({ state }: Question) => state.endsWith('empty')
  return {
    getCredits: (question: Question): DataOf<Routes['getCredits']> => ({
      tenantId: 'acme',
      balances: isEmpty(question)
        ? []
        : [
            {
              currency: 'USD',
              available: usd('9400'),
              paid: usd('4400'),
              promotional: usd('5000'),
              nextExpiry: { at: at(9), amount: usd('5000') },
              burnt: usd('11600'),
              expired: usd('0'),
              refunded: usd('0'),
            },
          ],
      asOf: at(0),
    }),
    listCreditGrants: (question: Question) => (isEmpty(question) ? [] : grants),
    listWaitingCreditGrants: (question: Question) => (isEmpty(question) ? [] : grants.slice(0, 1)),
    listLedgerEntries: (question: Question) =>
      isEmpty(question) ? [] : [entry('2', { account: 'revenue', grantId: null, amount: usd('6600') }), entry('1', {})],
    listPurchases: (question: Question) => (isEmpty(question) ? [] : [purchase]),
    createCreditGrant: () => grant('new', {}),
    voidCreditGrant: () => grants[4]!,
    approveCreditGrant: () => grant('waiting', {}),
    rejectCreditGrant: () => grant('waiting', { state: 'rejected', left: usd('0') }),
    getBudget: (question: Question) =>
      isEmpty(question)
        ? budget({ budget: null, cost: null, period: null, percent: null, alerts: [], capLeavesOut: [] })
        : budget(),
    setBudget: ({ body }: Question) => budget({ budget: { ...budget().budget!, ...(body as object) } }),
    removeBudget: () => budget({ budget: null, percent: null, alerts: [], capLeavesOut: [] }),
  }
}
