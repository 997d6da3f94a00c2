import type Stripe from 'stripe'
import { need } from '../objects/common.ts'
import { renderObject } from '../objects/render.ts'
import type { Customer, Invoice, InvoiceItem, Subscription, SubscriptionSchedule } from '../objects/types.ts'
import { listOf, load, rehearse, remove, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { giveBack } from './cancel.ts'
import { draftInvoice, lineOfInvoiceItem } from './draftInvoice.ts'
import { createInvoiceItem } from './invoiceItem.ts'
import { draftResumption } from './pause.ts'
import { createSchedule, updateSchedule } from './schedule.ts'
import { discountsOf, pendingItems, subscribe } from './subscribe.ts'
import { previewRenewal } from './tick.ts'
import { applyMoney, changesMoney, type UpdateParams, updateSubscription } from './updateSubscription.ts'

type Details = Stripe.InvoiceCreatePreviewParams.SubscriptionDetails

/** The invoice that would come, found by making the change and taking everything back. Nothing is stored. */
export function previewInvoice(tx: Tx, params: Stripe.InvoiceCreatePreviewParams): Record<string, unknown> {
  const details = params.subscription_details
  const schedule = params.schedule
    ? need<SubscriptionSchedule>(tx, 'subscription_schedule', params.schedule, 'schedule')
    : null
  const subscriptionId = params.subscription ?? schedule?.subscription
  const known = subscriptionId ? need<Subscription>(tx, 'subscription', subscriptionId, 'subscription') : null
  const customerId = params.customer ?? known?.customer ?? schedule?.customer
  if (!customerId) throw invalid('Missing required param: customer.', 'customer', 'parameter_missing')
  if (details && params.schedule_details)
    throw invalid('You may only specify one of these parameters: schedule_details, subscription_details.')
  const customer = need<Customer>(tx, 'customer', customerId, 'customer')
  return rehearse(tx, () => {
    for (const item of params.invoice_items ?? [])
      createInvoiceItem(tx, {
        ...(item as Stripe.InvoiceItemCreateParams),
        customer: customer.id,
        ...(known ? { subscription: known.id } : {}),
      })
    if (known && params.discounts !== undefined) {
      known.discounts = discountsOf(tx, { discounts: params.discounts || [] }, customer.id, known.id)
      save(tx, known)
    }
    const invoice = !known
      ? previewNew(tx, customer, params)
      : params.schedule_details || schedule
        ? previewSchedule(tx, known, params)
        : previewExisting(tx, known, details, params.preview_mode)
    if (!invoice)
      throw invalid(`No upcoming invoices for customer: '${customer.id}'`, undefined, 'invoice_upcoming_none', 404)
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
  const { cancel_at, cancel_at_period_end, cancel_now, ...rest } = details ?? {}
  const update = { ...rest } as UpdateParams & { resume_at?: unknown }
  if (cancel_now) {
    if (update.proration_behavior !== 'none') giveBack(tx, subscription, tx.now)
    return pendingOnly(tx, load<Subscription>(tx, subscription.id))
  }
  if (update.resume_at !== undefined && subscription.status === 'paused') {
    const invoice = draftResumption(tx, subscription, {
      billing_cycle_anchor: update.billing_cycle_anchor as { type: 'now' } | undefined,
      proration_behavior: update.proration_behavior as 'none' | undefined,
      proration_date: update.proration_date,
    })
    if (invoice) return renderObject(tx, invoice)
    save(tx, { ...load<Subscription>(tx, subscription.id), status: 'active' })
    return previewRenewal(tx, load<Subscription>(tx, subscription.id))
  }
  if (mode === 'recurring') {
    // Only what comes back with every period: nothing that waits, nothing for the rest of this one.
    update.proration_behavior = 'none'
    for (const item of pendingItems(tx, subscription)) remove(tx, item.id)
  }
  const immediate = changesMoney(update) ? applyMoney(tx, subscription, update) : null
  if (cancel_at !== undefined || cancel_at_period_end !== undefined)
    updateSubscription(tx, subscription.id, {
      cancel_at,
      cancel_at_period_end,
      proration_behavior: update.proration_behavior,
    } as UpdateParams)
  tx.now = now
  if (immediate && mode !== 'recurring') return renderObject(tx, load<Invoice>(tx, immediate.id))
  return nextOf(tx, load<Subscription>(tx, subscription.id))
}

/** What the phases bill: at once when the running one changes with always_invoice, otherwise at the next boundary. */
function previewSchedule(
  tx: Tx,
  subscription: Subscription,
  params: Stripe.InvoiceCreatePreviewParams,
): Record<string, unknown> | null {
  const details = params.schedule_details
  const schedule = subscription.schedule ?? createSchedule(tx, { from_subscription: subscription.id }).id
  const known = new Set(listOf<Invoice>(tx, 'invoice', { parent: subscription.id }).map((invoice) => invoice.id))
  if (details)
    updateSchedule(tx, schedule, {
      ...(details.phases ? { phases: details.phases as Stripe.SubscriptionScheduleUpdateParams.Phase[] } : {}),
      ...(details.end_behavior ? { end_behavior: details.end_behavior } : {}),
      ...(details.proration_behavior ? { proration_behavior: details.proration_behavior } : {}),
    })
  const billed = listOf<Invoice>(tx, 'invoice', { parent: subscription.id }).find((invoice) => !known.has(invoice.id))
  if (billed) return asDraft(tx, billed)
  return nextOf(tx, load<Subscription>(tx, subscription.id))
}

// What ends before its next period is billed only for what waits.
function nextOf(tx: Tx, subscription: Subscription): Record<string, unknown> | null {
  const { status, cancel_at: end } = subscription
  const over = status === 'canceled' || (end !== null && end <= subscription._.nextPeriodEnd)
  return over ? pendingOnly(tx, subscription) : previewRenewal(tx, subscription)
}

function previewNew(
  tx: Tx,
  customer: Customer,
  params: Stripe.InvoiceCreatePreviewParams,
): Record<string, unknown> | null {
  const details = params.subscription_details
  const [phase] = params.schedule_details?.phases ?? []
  const items = details?.items ?? phase?.items
  if (!items?.length) return pendingOnly(tx, null, customer)
  const trialEnd = details?.trial_end ?? phase?.trial_end
  // Whether a card is there does not matter to what it would cost.
  const { subscription, invoice } = subscribe(tx, {
    customer: customer.id,
    items: items as { price: string }[],
    payment_behavior: 'default_incomplete',
    ...(params.discounts ? { discounts: params.discounts } : {}),
    ...(trialEnd === undefined ? {} : { trial_end: trialEnd as number }),
    ...(typeof details?.billing_cycle_anchor === 'number'
      ? { billing_cycle_anchor: details.billing_cycle_anchor }
      : {}),
  })
  if (!invoice) return null
  if (params.preview_mode === 'recurring') return previewRenewal(tx, subscription)
  return { ...asDraft(tx, invoice), subscription: undefined, customer: subscription.customer }
}

// Making the change may have finalised and even paid its invoice; the caller sees it as it would be before that.
function asDraft(tx: Tx, invoice: Invoice): Record<string, unknown> {
  const shown = load<Invoice>(tx, invoice.id)
  return {
    ...renderObject(tx, shown),
    status: 'draft',
    number: null,
    amount_paid: 0,
    amount_remaining: shown.amount_due,
    attempt_count: 0,
    attempted: false,
    hosted_invoice_url: null,
    invoice_pdf: null,
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
  }
}

function pendingOnly(tx: Tx, subscription: Subscription | null, customer?: Customer): Record<string, unknown> | null {
  const owner = customer ?? load<Customer>(tx, subscription!.customer)
  const pending = subscription
    ? pendingItems(tx, subscription)
    : listOf<InvoiceItem>(tx, 'invoiceitem', { customer: owner.id })
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
