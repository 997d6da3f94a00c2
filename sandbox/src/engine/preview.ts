import type Stripe from 'stripe'
import { need } from '../objects/common.ts'
import { renderObject } from '../objects/render.ts'
import type { Customer, Invoice, InvoiceItem, Subscription } from '../objects/types.ts'
import { listOf, load, rehearse, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { draftInvoice, lineOfInvoiceItem } from './draftInvoice.ts'
import { createInvoiceItem } from './invoiceItem.ts'
import { subscribe } from './subscribe.ts'
import { previewRenewal } from './tick.ts'
import { applyMoney, changesMoney, type UpdateParams, updateSubscription } from './updateSubscription.ts'

type Details = Stripe.InvoiceCreatePreviewParams.SubscriptionDetails

/** The invoice that would come, found by making the change and taking everything back. Nothing is stored. */
export function previewInvoice(tx: Tx, params: Stripe.InvoiceCreatePreviewParams): Record<string, unknown> {
  const details = params.subscription_details
  const known = params.subscription ? need<Subscription>(tx, 'subscription', params.subscription, 'subscription') : null
  const customerId = params.customer ?? known?.customer
  if (!customerId) throw invalid('Missing required param: customer.', 'customer', 'parameter_missing')
  const customer = need<Customer>(tx, 'customer', customerId, 'customer')
  return rehearse(tx, () => {
    for (const item of params.invoice_items ?? [])
      createInvoiceItem(tx, {
        ...(item as Stripe.InvoiceItemCreateParams),
        customer: customer.id,
        ...(known ? { subscription: known.id } : {}),
      })
    const invoice = known ? previewExisting(tx, known, details, params.preview_mode) : previewNew(tx, customer, details)
    if (!invoice) throw invalid('No upcoming invoices for customer', undefined, 'invoice_upcoming_none', 404)
    return { ...invoice, id: `upcoming_${String(invoice.id)}` }
  })
}

function previewExisting(
  tx: Tx,
  subscription: Subscription,
  details: Details | undefined,
  mode?: string,
): Record<string, unknown> | null {
  const now = tx.now
  if (details?.proration_date !== undefined) tx.now = Math.max(tx.now, details.proration_date)
  const update = { ...(details ?? {}) } as UpdateParams
  if (details?.cancel_now) {
    return pendingOnly(tx, subscription)
  }
  if (mode === 'recurring') update.proration_behavior = 'none'
  const immediate = changesMoney(update) ? applyMoney(tx, subscription, update) : null
  if (details?.cancel_at !== undefined || details?.cancel_at_period_end !== undefined)
    updateSubscription(tx, subscription.id, {
      cancel_at: details.cancel_at,
      cancel_at_period_end: details.cancel_at_period_end,
    } as UpdateParams)
  tx.now = now
  if (immediate) return renderObject(tx, load<Invoice>(tx, immediate.id))
  const changed = load<Subscription>(tx, subscription.id)
  if (changed.cancel_at_period_end || changed.status === 'canceled') return pendingOnly(tx, changed)
  return previewRenewal(tx, changed)
}

function previewNew(tx: Tx, customer: Customer, details: Details | undefined): Record<string, unknown> | null {
  if (!details?.items?.length) return pendingOnly(tx, null, customer)
  // Whether a card is there does not matter to what it would cost.
  const { subscription, invoice } = subscribe(tx, {
    customer: customer.id,
    items: details.items as { price: string }[],
    payment_behavior: 'default_incomplete',
    ...(details.trial_end === undefined ? {} : { trial_end: details.trial_end }),
    ...(typeof details.billing_cycle_anchor === 'number' ? { billing_cycle_anchor: details.billing_cycle_anchor } : {}),
  })
  if (!invoice) return null
  return {
    ...renderObject(tx, load<Invoice>(tx, invoice.id)),
    status: 'draft',
    number: null,
    parent: invoice.parent,
    subscription: undefined,
    customer: subscription.customer,
  }
}

function pendingOnly(tx: Tx, subscription: Subscription | null, customer?: Customer): Record<string, unknown> | null {
  const owner = customer ?? load<Customer>(tx, subscription!.customer)
  const pending = listOf<InvoiceItem>(tx, 'invoiceitem', { customer: owner.id })
    .filter((item) => item.invoice === null)
    .reverse()
  if (pending.length === 0) return null
  const invoice = draftInvoice(
    tx,
    {
      customer: owner,
      subscription: subscription ? { id: subscription.id, metadata: subscription.metadata } : null,
      reason: 'upcoming',
      currency: pending[0]!.currency,
      collectionMethod: 'charge_automatically',
      daysUntilDue: null,
      autoAdvance: false,
      finalizesAt: null,
      period: { start: tx.now, end: tx.now },
      lines: pending.map((item) => lineOfInvoiceItem(tx, item)),
      discounts: [],
    },
    true,
  )
  save(tx, invoice)
  return renderObject(tx, invoice)
}
