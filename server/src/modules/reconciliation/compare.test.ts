import { expect, test } from 'vitest'
import type { InvoiceRecord } from '../invoices/index.ts'
import { compareLink, compareStranger } from './compare-customers.ts'
import { compareInvoice } from './compare-invoices.ts'
import {
  catalogDifference,
  compareCheckout,
  compareCommand,
  compareSnapshot,
  counterDifference,
} from './compare-own.ts'
import type { FindingRecord } from './finding.ts'
import { settle } from './settle.ts'

const instant = (text: string) => Temporal.Instant.from(text)
const invoice: InvoiceRecord = {
  tenantId: 'ana',
  provider: 'stripe',
  providerInvoiceId: 'in_1',
  providerCustomerId: 'cus_1',
  providerSubscriptionId: 'sub_1',
  number: 'A-1',
  status: 'open',
  billingReason: 'subscription_cycle',
  amountDue: 4_900n,
  amountPaid: 0n,
  currency: 'USD',
  attemptCount: 1,
  nextAttemptAt: null,
  actionRequired: false,
  hostedInvoiceUrl: 'https://a',
  period: null,
  createdAt: instant('2026-11-01T00:00:00Z'),
  finalizedAt: instant('2026-11-01T01:00:00Z'),
  subtotal: 4_900n,
  discount: 0n,
  tax: 0n,
  total: 4_900n,
  amountRemaining: 0n,
  creditedBeforePayment: 0n,
  creditedAfterPayment: 0n,
  pdfUrl: null,
  lines: [],
  payments: [],
}
const listed = (change: Partial<InvoiceRecord> = {}) => ({
  providerInvoiceId: 'in_1',
  providerCustomerId: 'cus_1',
  fact: { ...invoice, ...change },
})

test('invoices: missing here, missing there, different, and the same with another address (REC-2)', () => {
  expect(compareInvoice(invoice, listed({ hostedInvoiceUrl: 'https://b' }))).toEqual([])
  expect(compareInvoice(null, listed())).toMatchObject([
    { kind: 'invoice_missing_here', object: 'in_1', there: { amountDue: '4900' }, repair: 'mirror_invoice' },
  ])
  expect(compareInvoice(invoice, listed({ status: 'paid', amountPaid: 4_900n }))).toMatchObject([
    {
      kind: 'invoice_differs',
      here: { status: 'open', amountPaid: '0' },
      there: { status: 'paid', amountPaid: '4900' },
    },
  ])
  expect(compareInvoice(invoice, null)).toMatchObject([{ kind: 'invoice_missing_at_provider', repair: 'void_here' }])
  expect(compareInvoice({ ...invoice, status: 'void' }, null)).toEqual([])
  expect(compareInvoice(null, { ...listed(), fact: null })).toEqual([])
})

const stranger = {
  providerCustomerId: 'cus_9',
  markedFor: 'ana',
  tenantKnown: true,
  linkedTo: null,
  paysForOurs: true,
}
test.each([
  ['marked for a tenant without one', {}, 'link_customer'],
  ['marked and paying nothing yet', { paysForOurs: false }, 'link_customer'],
  ['marked for a tenant that has another one', { linkedTo: 'cus_1' }, 'by_hand'],
  ['marked for a tenant that nobody knows', { tenantKnown: false }, 'by_hand'],
  ['without a mark, paying for our prices', { markedFor: null, tenantKnown: false }, 'by_hand'],
  ['of another product', { markedFor: null, tenantKnown: false, paysForOurs: false }, null],
  ['left over, paying nothing', { linkedTo: 'cus_1', paysForOurs: false }, null],
])('a customer that nobody owns, %s', (_, change, repair) => {
  const differences = compareStranger({ ...stranger, ...change })
  expect(differences.map((difference) => difference.repair)).toEqual(repair === null ? [] : [repair])
})

test('a link to a customer that is not there', () => {
  expect(compareLink('cus_1', true)).toEqual([])
  expect(compareLink('cus_1', false)).toMatchObject([{ kind: 'customer_missing_at_provider', object: 'cus_1' }])
})

test('a snapshot differs in any part, and when there is none', () => {
  const content = { plan: { plan: 'pro' }, accessLevel: 'full', entitlements: [1] }
  expect(compareSnapshot({ version: 3, content: { ...content } }, content)).toEqual([])
  expect(compareSnapshot({ version: 3, content: { ...content, entitlements: [2] } as never }, content)).toHaveLength(1)
  expect(compareSnapshot(null, content)).toMatchObject([{ kind: 'snapshot_differs', here: null }])
})

test('a counter is named by meter and window, with short numbers', () => {
  expect(
    counterDifference({
      meter: 'calls',
      span: 'period',
      windowStart: '2026-11-01 00:00:00+00',
      counted: '12.500000',
      recorded: '100',
    }),
  ).toMatchObject({ object: 'calls 2026-11-01T00:00:00Z', here: { counted: '12.5' }, there: { recorded: '100' } })
})

test('checkouts and commands are stuck once they wait longer than they may, not before', () => {
  const at = '2026-11-21T12:00:00Z'
  const checkout = {
    checkoutId: 'checkout_1',
    state: 'pending_sync' as const,
    openedAt: instant('2026-11-01T00:00:00Z'),
    returnedAt: instant(at),
    expiresAt: null,
  }
  expect(compareCheckout(checkout, instant('2026-11-21T11:59:59Z'))).toEqual([])
  expect(compareCheckout(checkout, instant(at))).toMatchObject([{ kind: 'checkout_stuck' }])
  // An open page may stay open until its end.
  expect(compareCheckout({ ...checkout, state: 'open' }, instant(at))).toEqual([])
  const command = { commandId: 'command_1', state: 'queued', requestedAt: instant(at) }
  expect(compareCommand(null, instant(at))).toEqual([])
  expect(compareCommand(command, instant('2026-11-21T11:59:59Z'))).toEqual([])
  expect(compareCommand(command, instant(at))).toMatchObject([{ kind: 'command_stuck', object: 'command_1' }])
})

test('of the catalog, what a push heals is proposed to be pushed, the rest is a person’s', () => {
  const found = { object: 'price' as const, key: 'pro', field: null, ours: 'pro', theirs: null, sentence: '' }
  expect(catalogDifference({ ...found, kind: 'missing_at_provider' }).repair).toBe('push_catalog')
  expect(catalogDifference({ ...found, kind: 'differs', field: 'amountMinor' }).repair).toBe('by_hand')
  expect(catalogDifference({ ...found, object: 'product', kind: 'differs', field: 'name' }).repair).toBe('push_catalog')
  expect(catalogDifference({ ...found, object: 'product', kind: 'differs', field: 'metadata' }).repair).toBe('by_hand')
})

const difference = {
  kind: 'counter_differs',
  object: 'a',
  here: { n: 1 },
  there: { n: 2 },
  repair: 'rebuild_counter',
} as const
const finding = (change: Partial<FindingRecord>): FindingRecord =>
  ({ ...difference, findingId: 'finding_1', state: 'open', ...change }) as FindingRecord

test('a look opens what is new, sees what is known again, and tells what is gone (REC-2)', () => {
  expect(settle([], [difference, difference])).toEqual({ opened: [difference], seenAgain: [], gone: [] })
  const known = finding({})
  expect(settle([known], [difference])).toEqual({
    opened: [],
    seenAgain: [{ finding: known, now: difference, reopened: false }],
    gone: [],
  })
  expect(settle([known], [{ ...difference, object: 'b' }])).toMatchObject({ opened: [{ object: 'b' }], gone: [known] })
})

test('what was accepted is open again only when it looks different', () => {
  const accepted = finding({ state: 'accepted' })
  expect(settle([accepted], [difference]).seenAgain[0]?.reopened).toBe(false)
  expect(settle([accepted], [{ ...difference, here: { n: 3 } }]).seenAgain[0]?.reopened).toBe(true)
})
