import type { ProblemCode } from '@turnpike/contract'
import type { CreditTarget, InvoiceFact } from '../payments/index.ts'
import type { Bounds } from './bounds.ts'
import { counts } from './money-back.ts'
import { type Given, leftOfPayments, type Terms } from './terms.ts'

export type MoneyBackWish =
  | { kind: 'refund'; amount: bigint }
  | {
      kind: 'credit_note'
      /** Null where lines say it. */
      amount: bigint | null
      lines: { providerLineId: string; amount: bigint }[]
      to: CreditTarget | null
    }

export type MoneyBackPlan = {
  amount: bigint
  beforePayment: bigint
  afterPayment: bigint
  target: CreditTarget | null
  providerIntentId: string | null
  lines: { providerLineId: string; amount: bigint }[]
  /** A second person has to agree. */
  waits: boolean
}

type Refusal = { ok: false; code: ProblemCode; extra: Record<string, unknown> }
const no = (code: ProblemCode, extra: Record<string, unknown>): Refusal => ({ ok: false, code, extra })
const impossible = (reason: string): Refusal => no('refund_not_possible', { reason })

/** What a request for money back becomes, or why it cannot be (INV-4). */
export const decideMoneyBack = (
  invoice: InvoiceFact,
  given: readonly Given[],
  terms: Terms,
  bounds: Bounds,
  wish: MoneyBackWish,
): { ok: true; plan: MoneyBackPlan } | Refusal => {
  const lines = wish.kind === 'credit_note' ? wish.lines : []
  const oddity = lineOddity(invoice, given, lines)
  if (oddity) return oddity
  const amount = wish.amount ?? lines.reduce((total, line) => total + line.amount, 0n)
  const owing = wish.kind === 'credit_note' && invoice.status === 'open'
  const target = wish.kind === 'credit_note' && !owing ? wish.to : null
  if (wish.kind === 'credit_note' && owing && wish.to !== null) return impossible('nothing_paid_yet')
  if (wish.kind === 'credit_note' && !owing && wish.to === null) return impossible('target_missing')
  const bound = wish.kind === 'refund' ? terms.refund : owing ? terms.creditOwed : terms.creditPaid
  if (bound.blocked !== null) return impossible(bound.blocked)
  if (amount > bound.available) return no('refund_too_much', { availableMinor: String(bound.available) })
  if (bounds.max !== null && amount > bounds.max) return no('refund_above_limit', { maxMinor: String(bounds.max) })
  const payments = leftOfPayments(invoice, given)
  const backToPayment = wish.kind === 'refund' || target === 'payment'
  // A credit note says what goes back, not by which payment.
  if (target === 'payment' && payments.length !== 1) return impossible('several_payments')
  const payment = backToPayment ? payments.find(({ left }) => left >= amount) : undefined
  if (backToPayment && !payment) return no('refund_too_much', { availableMinor: String(terms.refund.available) })
  return {
    ok: true,
    plan: {
      amount,
      beforePayment: owing ? amount : 0n,
      afterPayment: owing ? 0n : amount,
      target,
      providerIntentId: payment?.providerIntentId ?? null,
      lines,
      waits: bounds.secondPersonAbove !== null && amount > bounds.secondPersonAbove,
    },
  }
}

/** Whether amounts of lines are of this invoice, each once, and no more than is left of them. */
const lineOddity = (
  invoice: InvoiceFact,
  given: readonly Given[],
  lines: readonly { providerLineId: string; amount: bigint }[],
): Refusal | null => {
  if (lines.length === 0) return null
  // What tax falls on a part of a line is the provider's to say.
  if (invoice.tax !== 0n) return impossible('taxed_lines')
  for (const { providerLineId, amount } of lines) {
    const line = invoice.lines.find((each) => each.providerLineId === providerLineId)
    if (!line) return impossible('line_unknown')
    if (lines.filter((each) => each.providerLineId === providerLineId).length > 1) return impossible('line_twice')
    const before = given
      .filter(counts)
      .flatMap((each) => each.lines)
      .filter((each) => each.providerLineId === providerLineId)
      .reduce((total, each) => total + each.amount, 0n)
    const left = line.amount - before
    if (amount > left)
      return no('refund_too_much', { lineId: providerLineId, availableMinor: String(left > 0n ? left : 0n) })
  }
  return null
}
