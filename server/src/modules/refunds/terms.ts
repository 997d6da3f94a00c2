import type { InvoiceFact } from '../payments/index.ts'
import { counts, isUnplaced, type MoneyBackRecord } from './money-back.ts'

export type Given = Pick<
  MoneyBackRecord,
  | 'kind'
  | 'state'
  | 'providerId'
  | 'providerIntentId'
  | 'amount'
  | 'beforePayment'
  | 'afterPayment'
  | 'refunded'
  | 'lines'
>
type Block = 'not_paid' | 'not_open' | 'no_payment' | 'too_old' | 'nothing_left'
type Bound = { available: bigint; blocked: Block | null }
export type Terms = {
  givenBack: bigint
  refund: Bound
  creditOwed: Bound
  creditPaid: Bound
  /** Until when policy lets something of what was paid be given back. */
  until: Temporal.Instant | null
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n)
const inOrder = (amounts: readonly bigint[]): bigint[] => amounts.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
const least = (...amounts: bigint[]): bigint => inOrder(amounts)[0]!

/** What may be given back of an invoice now (INV-4): never above what was paid, nor off more than is owed. */
export const termsOf = (
  invoice: InvoiceFact,
  given: readonly Given[],
  withinDays: number | undefined,
  at: Temporal.Instant,
): Terms => {
  const givenBack = sum(given.filter(counts).map((each) => each.afterPayment - each.refunded))
  const left = invoice.amountPaid - givenBack
  const owed = invoice.amountRemaining - sum(given.filter(isUnplaced).map((each) => each.beforePayment))
  const paidAt = invoice.payments
    .flatMap((payment) => payment.paidAt ?? [])
    .sort(Temporal.Instant.compare)
    .at(-1)
  const began = paidAt ?? invoice.finalizedAt ?? invoice.createdAt
  const until = withinDays === undefined ? null : began.add({ hours: 24 * withinDays })
  const late: Block | null = until !== null && Temporal.Instant.compare(at, until) > 0 ? 'too_old' : null
  const payments = leftOfPayments(invoice, given)
  const best = inOrder([0n, ...payments.map((payment) => payment.left)]).at(-1)!
  const bound = (available: bigint, blocked: Block | null): Bound =>
    blocked !== null
      ? { available: 0n, blocked }
      : available > 0n
        ? { available, blocked: null }
        : { available: 0n, blocked: 'nothing_left' }
  const unpaid: Block | null = invoice.status === 'paid' && invoice.amountPaid > 0n ? null : 'not_paid'
  return {
    givenBack,
    refund: bound(least(left, best), unpaid ?? late ?? (payments.length === 0 ? 'no_payment' : null)),
    creditOwed: bound(owed, invoice.status === 'open' ? null : 'not_open'),
    creditPaid: bound(least(left, invoice.total - invoice.creditedBeforePayment - givenBack), unpaid ?? late),
    until,
  }
}

/** The payments that can be taken back, and how much of each: a refund belongs to one. */
export const leftOfPayments = (
  invoice: InvoiceFact,
  given: readonly Given[],
): { providerIntentId: string; left: bigint }[] =>
  invoice.payments.flatMap(({ status, providerIntentId, amount }) =>
    status === 'paid' && providerIntentId !== null
      ? [
          {
            providerIntentId,
            left:
              amount -
              sum(
                given
                  .filter((each) => counts(each) && each.providerIntentId === providerIntentId)
                  .map((each) => each.amount - (each.kind === 'refund' ? 0n : each.refunded)),
              ),
          },
        ]
      : [],
  )
