import { expect, test } from 'vitest'
import type { CreditNoteFact, RefundFact } from '../payments/index.ts'
import { followCreditNote, followRefund, moneyBackNews } from './follow-fact.ts'
import type { MoneyBackRecord } from './money-back.ts'
import { at } from './testing/paid.ts'

const around = { tenantId: 'ana', provider: 'stripe', at }
const fact = (state: RefundFact['state'], more: Partial<RefundFact> = {}): RefundFact => ({
  ...{ providerRefundId: 're_1', providerCustomerId: 'cus_1', providerIntentId: 'pi_1', providerInvoiceId: 'in_1' },
  ...{ amount: 100n, currency: 'USD', state, failure: null, reason: null, createdAt: at, refundId: null, ...more },
})
const seen = (...states: RefundFact['state'][]): MoneyBackRecord =>
  states.reduce<MoneyBackRecord | null>((before, state) => followRefund(before, fact(state), around), null)!
const ours: MoneyBackRecord = {
  ...seen('pending'),
  ...{ moneyBackId: 'refund_ours', askedHere: true, state: 'asking', providerId: null, reason: 'duplicate' },
}

test.each<[string, MoneyBackRecord | null, RefundFact, string | null]>([
  ['one that was never seen', null, fact('succeeded'), 'issued'],
  ['one that was never seen and has failed', null, fact('failed'), 'failed'],
  ['ours, accepted', ours, fact('pending'), 'issued'],
  ['ours, done', ours, fact('succeeded'), 'issued'],
  ['ours, refused in the end', ours, fact('failed'), 'failed'],
  ['the same again', seen('pending'), fact('pending'), null],
  ['one that arrived', seen('pending'), fact('succeeded'), 'updated'],
  ['one that came back though it had succeeded', seen('succeeded'), fact('failed'), 'failed'],
  ['one that failed, again', seen('failed'), fact('failed'), null],
  ['one that failed, with a reason now', seen('failed'), fact('failed', { failure: 'lost_card' }), 'updated'],
  ['one that was taken back', seen('pending'), fact('canceled'), 'failed'],
  ['one from a list, which names no invoice', seen('succeeded'), fact('succeeded', { providerInvoiceId: null }), null],
  [
    'one that we had given up and that was made all the same',
    { ...ours, state: 'failed', failure: 'not_executed' },
    fact('succeeded'),
    'issued',
  ],
])('a refund: %s', (_, before, now, expected) => {
  expect(moneyBackNews(before, followRefund(before, now, around))).toBe(expected)
})

test('ours keeps its name and reason; of the provider’s own each look makes the same name', () => {
  expect(followRefund(ours, fact('succeeded', { reason: 'requested_by_customer' }), around)).toMatchObject({
    ...{ moneyBackId: 'refund_ours', reason: 'duplicate', askedHere: true, providerId: 're_1' },
  })
  expect(followRefund(null, fact('pending'), around).moneyBackId).toBe(
    followRefund(null, fact('succeeded'), around).moneyBackId,
  )
})

const note = (more: Partial<CreditNoteFact> = {}): CreditNoteFact => ({
  ...{ providerCreditNoteId: 'cn_1', providerCustomerId: 'cus_1', providerInvoiceId: 'in_1', number: 'A-1-CN-01' },
  ...{ state: 'issued', amount: 100n, currency: 'USD', beforePayment: 0n, afterPayment: 100n, outside: 0n },
  ...{ refunds: [], reason: null, pdfUrl: null, createdAt: at, voidedAt: null, creditNoteId: null, ...more },
})

test.each<[string, Partial<CreditNoteFact>, string | null, bigint]>([
  ['to the balance', {}, 'balance', 0n],
  ['to the payment', { refunds: [{ providerRefundId: 're_1', amount: 100n }] }, 'payment', 100n],
  ['outside', { outside: 100n }, 'outside', 0n],
  ['off what was owed', { beforePayment: 100n, afterPayment: 0n }, null, 0n],
  ['several ways', { outside: 60n, refunds: [{ providerRefundId: 're_1', amount: 40n }] }, null, 40n],
])('a credit note %s', (_, more, target, refunded) => {
  expect(followCreditNote(null, note(more), around)).toMatchObject({ target, refunded })
})

test.each<[string, MoneyBackRecord | null, CreditNoteFact, string | null]>([
  ['issued', null, note(), 'issued'],
  ['the same again', followCreditNote(null, note(), around), note(), null],
  ['void', followCreditNote(null, note(), around), note({ state: 'void' }), 'voided'],
  ['void again', followCreditNote(null, note({ state: 'void' }), around), note({ state: 'void' }), null],
  ['void when first seen', null, note({ state: 'void' }), 'voided'],
])('a credit note: %s', (_, before, now, expected) => {
  expect(moneyBackNews(before, followCreditNote(before, now, around))).toBe(expected)
})
