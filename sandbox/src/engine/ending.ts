// Ending later: by flag, by date, or not any more.
import { itemsOf } from '../objects/render.ts'
import type { Invoice, Price, Subscription } from '../objects/types.ts'
import { load, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { createInvoiceItem } from './invoiceItem.ts'
import { creditForItem, debitForItem } from './proration.ts'
import { draftUpdate } from './updateSubscription.ts'

type EndParams = { cancel_at?: unknown; cancel_at_period_end?: boolean; proration_behavior?: string }

export function applyEnd(tx: Tx, subscription: Subscription, params: EndParams): void {
  const periodEnds = itemsOf(tx, subscription.id).map((item) => item.current_period_end)
  if (params.cancel_at_period_end !== undefined) {
    const sets = params.cancel_at_period_end
    if (sets !== subscription.cancel_at_period_end || (!sets && subscription.cancel_at !== null)) {
      subscription.cancel_at_period_end = sets
      subscription.cancel_at = sets ? Math.max(...periodEnds) : null
      markEnding(tx, subscription, sets)
    }
  }
  if (params.cancel_at !== undefined) {
    const wanted = params.cancel_at
    const at =
      wanted === '' || wanted === null
        ? null
        : wanted === 'min_period_end'
          ? Math.min(...periodEnds)
          : wanted === 'max_period_end'
            ? Math.max(...periodEnds)
            : Number(wanted)
    if (at !== null && at <= tx.now) throw invalid('The cancel_at timestamp must be in the future.', 'cancel_at')
    subscription.cancel_at = at
    subscription.cancel_at_period_end = false
    markEnding(tx, subscription, at !== null)
  }
}

/** A period that became longer or shorter takes the end that was tied to it along. */
export function followPeriodEnd(tx: Tx, subscription: Subscription): void {
  if (!subscription.cancel_at_period_end) return
  subscription.cancel_at = Math.max(...itemsOf(tx, subscription.id).map((item) => item.current_period_end))
}

/** An end in the middle of a period gives the rest of it back; taking that end back charges the rest again. */
export function creditEnd(tx: Tx, subscription: Subscription, params: EndParams): Invoice | null {
  if (params.cancel_at === undefined && params.cancel_at_period_end === undefined) return null
  if (params.proration_behavior === 'none' || subscription.status === 'trialing') return null
  const credited = subscription._.creditedFrom
  const wanted =
    subscription.cancel_at !== null && subscription.cancel_at < subscription._.nextPeriodEnd
      ? subscription.cancel_at
      : undefined
  if (credited === wanted) return null
  for (const item of itemsOf(tx, subscription.id)) {
    const price = load<Price>(tx, item.price)
    const period = { start: item.current_period_start, end: item.current_period_end }
    const back =
      credited !== undefined && item.quantity !== undefined
        ? debitForItem(tx, subscription, { id: item.id, quantity: item.quantity, price }, period, credited)
        : null
    const credit = wanted !== undefined ? creditForItem(tx, subscription, item, wanted) : null
    for (const proration of [back, credit])
      if (proration)
        createInvoiceItem(tx, {
          customer: subscription.customer,
          subscription: subscription.id,
          amount: proration.amount,
          currency: subscription.currency,
          description: proration.description,
          period: proration.period,
          quantity: item.quantity ?? 1,
          proration: { item: item.id, creditedItems: proration.creditedItems, price },
        })
  }
  if (wanted === undefined) delete subscription._.creditedFrom
  else subscription._.creditedFrom = wanted
  save(tx, subscription)
  if (params.proration_behavior !== 'always_invoice') return null
  return draftUpdate(tx, subscription, { regular: false, trial: false, at: tx.now, behavior: 'always_invoice' })
}

function markEnding(tx: Tx, subscription: Subscription, ends: boolean): void {
  subscription.canceled_at = ends ? tx.now : null
  subscription.cancellation_details = ends
    ? { ...subscription.cancellation_details, reason: 'cancellation_requested' }
    : { comment: null, feedback: null, feedback_option: null, reason: null }
}
