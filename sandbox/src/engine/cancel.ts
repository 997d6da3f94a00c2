import { emit } from '../events/emit.ts'
import { itemsOf } from '../objects/render.ts'
import type { Customer, Invoice, Subscription, SubscriptionSchedule } from '../objects/types.ts'
import { listOf, load, save, type Tx } from '../store/transact.ts'
import { finalizeInvoice, payInvoice } from './collect.ts'
import { draftInvoice, lineOfInvoiceItem } from './draftInvoice.ts'
import { createInvoiceItem } from './invoiceItem.ts'
import { usageLine } from './items.ts'
import { creditForItem } from './proration.ts'
import { pendingItems, takePending } from './subscribe.ts'

type Cancelling = {
  reason?: 'cancellation_requested' | 'payment_failed'
  comment?: string | null
  feedback?: string | null
  invoiceNow?: boolean
  prorate?: boolean
  /** It ran to the end that was announced: what still waits, and usage, are billed. */
  atItsEnd?: boolean
}

/** Ends a subscription at once. The time of the first request is kept, the end is now. */
export function cancelNow(tx: Tx, subscription: Subscription, how: Cancelling): Subscription {
  if (how.prorate) giveBack(tx, subscription, tx.now)
  subscription.status = 'canceled'
  subscription.canceled_at ??= tx.now
  subscription.ended_at = tx.now
  subscription.cancel_at = null
  subscription.cancel_at_period_end = false
  subscription.pending_update = null
  subscription.cancellation_details = {
    ...subscription.cancellation_details,
    reason: how.reason ?? subscription.cancellation_details.reason ?? 'cancellation_requested',
    ...(how.comment === undefined ? {} : { comment: how.comment }),
    ...(how.feedback === undefined ? {} : { feedback: how.feedback }),
  }
  const schedule = subscription.schedule
  subscription.schedule = null
  save(tx, subscription)
  if (how.invoiceNow) invoiceRest(tx, subscription)
  stopCollecting(tx, subscription)
  if (how.atItsEnd) draftLast(tx, subscription)
  if (schedule) endSchedule(tx, schedule, how.reason === 'payment_failed')
  emit(tx, 'customer.subscription.deleted', load<Subscription>(tx, subscription.id))
  return load<Subscription>(tx, subscription.id)
}

/** A credit for the unused rest of the running period, which waits for the next invoice. */
export function giveBack(tx: Tx, subscription: Subscription, at: number): void {
  if (subscription.status === 'trialing' || subscription.status === 'paused') return
  for (const item of itemsOf(tx, subscription.id)) {
    const credit = creditForItem(tx, subscription, item, at)
    if (credit)
      createInvoiceItem(tx, {
        customer: subscription.customer,
        subscription: subscription.id,
        amount: credit.amount,
        currency: subscription.currency,
        description: credit.description,
        period: credit.period,
        quantity: item.quantity ?? 1,
        proration: { item: item.id, creditedItems: credit.creditedItems, price: credit.price },
      })
  }
}

/** Bills what waits, at once. */
export function invoiceRest(tx: Tx, subscription: Subscription): void {
  const pending = pendingItems(tx, subscription)
  if (pending.length === 0) return
  const invoice = draftInvoice(tx, {
    customer: load<Customer>(tx, subscription.customer),
    subscription: { id: subscription.id, metadata: subscription.metadata },
    reason: 'manual',
    currency: subscription.currency,
    collectionMethod: subscription.collection_method,
    daysUntilDue: subscription.days_until_due,
    autoAdvance: true,
    finalizesAt: null,
    period: { start: tx.now, end: tx.now },
    lines: pending.map((item) => lineOfInvoiceItem(tx, item)),
    discounts: [],
  })
  takePending(tx, pending, invoice)
  subscription.latest_invoice = invoice.id
  save(tx, subscription)
  const finalized = finalizeInvoice(tx, invoice)
  if (finalized.status === 'open') payInvoice(tx, load<Invoice>(tx, invoice.id), { offSession: true, scheduled: false })
}

// Extras and usage of the last period are an invoice like that of a renewal, with its hour as a draft.
function draftLast(tx: Tx, subscription: Subscription): void {
  const pending = pendingItems(tx, subscription)
  const items = itemsOf(tx, subscription.id)
  const usage = items.flatMap((item) => {
    const ended = { start: item.current_period_start, end: Math.min(tx.now, item.current_period_end) }
    const line = item.quantity === undefined ? usageLine(tx, item, subscription.customer, ended) : null
    return line && line.amount > 0 ? [line] : []
  })
  const lines = [...pending.map((item) => lineOfInvoiceItem(tx, item)), ...usage]
  if (lines.length === 0) return
  const invoice = draftInvoice(tx, {
    customer: load<Customer>(tx, subscription.customer),
    subscription: { id: subscription.id, metadata: subscription.metadata },
    reason: 'subscription_cycle',
    currency: subscription.currency,
    collectionMethod: subscription.collection_method,
    daysUntilDue: subscription.days_until_due,
    autoAdvance: true,
    finalizesAt: tx.now + tx.world.settings.draftSeconds,
    period: { start: Math.min(...items.map((item) => item.current_period_start)), end: tx.now },
    lines,
    discounts: subscription.discounts,
  })
  takePending(tx, pending, invoice)
  subscription.latest_invoice = invoice.id
  save(tx, subscription)
}

// Open invoices of an ended subscription stay payable, but nobody asks for the money any more.
function stopCollecting(tx: Tx, subscription: Subscription): void {
  for (const invoice of listOf<Invoice>(tx, 'invoice', { parent: subscription.id })) {
    if (invoice.status !== 'open' && invoice.status !== 'draft') continue
    invoice.auto_advance = false
    invoice.next_payment_attempt = null
    invoice.automatically_finalizes_at = null
    save(tx, invoice)
  }
}

function endSchedule(tx: Tx, id: string, aborted: boolean): void {
  const schedule = load<SubscriptionSchedule>(tx, id)
  if (schedule.status !== 'active' && schedule.status !== 'not_started') return
  schedule.status = 'canceled'
  schedule.canceled_at = tx.now
  schedule.current_phase = null
  save(tx, schedule)
  emit(tx, aborted ? 'subscription_schedule.aborted' : 'subscription_schedule.canceled', schedule)
}
