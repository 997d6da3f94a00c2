import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { itemsOf, linesOf, renderObject } from '../objects/render.ts'
import type { Customer, Invoice, Price, Subscription } from '../objects/types.ts'
import { listOf, load, rehearse, save, type Tx } from '../store/transact.ts'
import { finalizeInvoice, payInvoice, voidInvoice } from './collect.ts'
import { draftInvoice, type LineDraft } from './draftInvoice.ts'
import { incompleteLifetime } from './due.ts'
import { applyMoney, type UpdateParams } from './updateSubscription.ts'

/**
 * pending_if_incomplete: the change waits for its money. Returns the subscription when the change has to wait, null when
 * nothing stands in its way and it can be made like any other.
 */
export function holdUpdate(
  tx: Tx,
  subscription: Subscription,
  params: UpdateParams,
  before: Record<string, unknown>,
): Subscription | null {
  // What would be billed is found by making the change and taking it back.
  const plan = rehearse(tx, () => {
    const invoice = applyMoney(tx, load<Subscription>(tx, subscription.id), params)
    if (!invoice || invoice.amount_due === 0) return null
    const lines = draftsOf(tx, invoice)
    const changed = itemsOf(tx, subscription.id).map((item) => renderObject(tx, item))
    const finalized = finalizeInvoice(tx, invoice)
    const outcome =
      finalized.status === 'paid' ? null : payInvoice(tx, finalized, { offSession: params.off_session ?? false })
    return outcome === null || outcome.kind === 'succeeded' ? null : { lines, changed }
  })
  if (!plan) return null
  const invoice = draftInvoice(tx, {
    customer: load<Customer>(tx, subscription.customer),
    subscription: {
      id: subscription.id,
      metadata: subscription.metadata,
      prorationDate: params.proration_date ?? tx.now,
    },
    reason: 'subscription_update',
    currency: subscription.currency,
    collectionMethod: 'charge_automatically',
    daysUntilDue: null,
    autoAdvance: false,
    finalizesAt: null,
    period: { start: tx.now, end: tx.now },
    lines: plan.lines,
    discounts: [],
  })
  invoice._.applyOnPayment = true
  subscription.latest_invoice = invoice.id
  subscription.pending_update = {
    billing_cycle_anchor: null,
    cancel_at_period_end: null,
    discount: null,
    discounts: null,
    expires_at: Math.min(tx.now + incompleteLifetime, subscription._.nextPeriodEnd),
    metadata: null,
    subscription_items: plan.changed,
    trial_end: typeof params.trial_end === 'number' ? params.trial_end : null,
    trial_from_plan: null,
  }
  subscription._.pendingParams = { ...params, proration_behavior: 'none', payment_behavior: undefined }
  save(tx, invoice)
  save(tx, subscription)
  emitUpdate(tx, 'customer.subscription.updated', subscription, before)
  const finalized = finalizeInvoice(tx, load<Invoice>(tx, invoice.id))
  payInvoice(tx, finalized, { offSession: params.off_session ?? false })
  return load<Subscription>(tx, subscription.id)
}

export function applyPendingUpdate(tx: Tx, subscription: Subscription): void {
  const before = snapshot(tx, subscription)
  const params = subscription._.pendingParams as UpdateParams
  subscription.pending_update = null
  delete subscription._.pendingParams
  save(tx, subscription)
  applyMoney(tx, subscription, params)
  const applied = load<Subscription>(tx, subscription.id)
  emit(tx, 'customer.subscription.pending_update_applied', applied)
  emitUpdate(tx, 'customer.subscription.updated', applied, before)
}

/** The time is over, or another change takes its place: the invoice that asked for the money is void. */
export function expirePendingUpdate(tx: Tx, subscription: Subscription): void {
  const before = snapshot(tx, subscription)
  subscription.pending_update = null
  delete subscription._.pendingParams
  save(tx, subscription)
  emit(tx, 'customer.subscription.pending_update_expired', subscription)
  emitUpdate(tx, 'customer.subscription.updated', subscription, before)
  const asked = listOf<Invoice>(tx, 'invoice', { parent: subscription.id }).find(
    (invoice) => invoice._.applyOnPayment && invoice.status === 'open',
  )
  if (asked) voidInvoice(tx, asked)
}

// The lines again, free of the invoice that was taken back.
function draftsOf(tx: Tx, invoice: Invoice): LineDraft[] {
  return linesOf(tx, invoice).map((line) => ({
    amount: line.amount,
    description: line.description,
    discountable: line.discountable,
    period: line.period,
    price: line.pricing ? load<Price>(tx, line.pricing.price_details.price) : null,
    unitAmountDecimal: line.pricing?.unit_amount_decimal ?? null,
    quantity: line.quantity,
    subscription: line.subscription,
    item: line._.item,
    invoiceItem: null,
    proration: line._.proration,
    creditedItems: null,
    metadata: line.metadata ?? {},
    discounts: [],
  }))
}
