import type Stripe from 'stripe'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { mergeMetadata, need, textOrNull } from '../objects/common.ts'
import { cardRefused } from '../objects/paymentMethod.ts'
import { itemsOf } from '../objects/render.ts'
import type { Customer, Invoice, PaymentMethod, Price, Subscription, SubscriptionItem } from '../objects/types.ts'
import { load, remove, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { cancelNow } from './cancel.ts'
import { finalizeInvoice, methodFor, methodOf, noMethodError, payInvoice } from './collect.ts'
import { draftInvoice, type LineDraft, lineOfInvoiceItem } from './draftInvoice.ts'
import { applyEnd, creditEnd, followPeriodEnd } from './ending.ts'
import { createInvoiceItem } from './invoiceItem.ts'
import { addItem, notePeriodEnd, periodLine, trialLine, type WantedItem, wantedPrice } from './items.ts'
import { expirePendingUpdate, holdUpdate } from './pendingUpdate.ts'
import { nextBoundary, periodAt } from './period.ts'
import { creditForItem, debitForItem, type Proration } from './proration.ts'
import { discountsOf, pendingItems, takePending, useOnceDiscounts } from './subscribe.ts'

/** Older versions wrote the anchor as a word. */
export type UpdateParams = Omit<Stripe.SubscriptionUpdateParams, 'billing_cycle_anchor'> & {
  billing_cycle_anchor?: { type: string } | string
  coupon?: string
}
type ItemChange = WantedItem & { id?: string; deleted?: boolean; clear_usage?: boolean }

const closed = new Set(['canceled', 'incomplete_expired'])

export function updateSubscription(tx: Tx, id: string, params: UpdateParams): Subscription {
  const subscription = need<Subscription>(tx, 'subscription', id)
  const before = snapshot(tx, subscription)
  refuseWhatIsClosed(subscription, params)
  // Only one change waits at a time: a newer one takes its place.
  if (subscription.pending_update && changesMoney(params)) {
    expirePendingUpdate(tx, subscription)
    return updateSubscription(tx, id, params)
  }
  if (params.payment_behavior === 'pending_if_incomplete' && changesMoney(params)) {
    const held = holdUpdate(tx, subscription, params, before)
    if (held) return held
  }
  if (params.trial_end === 'now' && subscription.status === 'trialing') {
    subscription._.trialNoticeFor = subscription.trial_end
    emit(tx, 'customer.subscription.trial_will_end', { ...subscription, trial_end: tx.now })
    const ending = endWithoutCard(tx, subscription, before)
    if (ending) return ending
  }
  applySimple(tx, subscription, params)
  applyEnd(tx, subscription, params)
  save(tx, subscription)
  const invoice = applyMoney(tx, subscription, params) ?? creditEnd(tx, subscription, params)
  if (invoice) collectUpdate(tx, invoice, params)
  emitUpdate(tx, 'customer.subscription.updated', load<Subscription>(tx, id), before)
  return load<Subscription>(tx, id)
}

// A trial that is ended by hand asks for a card as one that ends by itself.
function endWithoutCard(tx: Tx, subscription: Subscription, before: Record<string, unknown>): Subscription | null {
  const missing = subscription.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice'
  if (missing === 'create_invoice' || subscription.collection_method !== 'charge_automatically') return null
  if (methodOf(tx, subscription.customer, [subscription.default_payment_method])) return null
  if (missing === 'cancel') return cancelNow(tx, subscription, {})
  subscription.status = 'paused'
  subscription.trial_end = tx.now
  save(tx, subscription)
  emitUpdate(tx, 'customer.subscription.updated', subscription, before)
  emit(tx, 'customer.subscription.paused', subscription)
  return subscription
}

export function changesMoney(params: UpdateParams): boolean {
  return params.items !== undefined || params.trial_end !== undefined || params.billing_cycle_anchor !== undefined
}

/** Only a time of the present period can be prorated from. */
function refuseForeignTime(tx: Tx, subscription: Subscription, at: number | undefined): void {
  const items = itemsOf(tx, subscription.id)
  if (at === undefined || items.length === 0) return
  const start = Math.min(...items.map((item) => item.current_period_start))
  const end = Math.max(...items.map((item) => item.current_period_end))
  if (at < start || at > end)
    throw invalid('Cannot specify `proration_date` outside of the current period.', 'proration_date')
}

/** Changes prices, quantities, trial and anchor, and drafts the invoice that is due at once, if any. */
export function applyMoney(tx: Tx, subscription: Subscription, params: UpdateParams): Invoice | null {
  if (!changesMoney(params) && !params.add_invoice_items) return null
  refuseForeignTime(tx, subscription, params.proration_date)
  const at = params.proration_date ?? tx.now
  const behavior = params.proration_behavior ?? 'create_prorations'
  const wasTrialing = subscription.status === 'trialing'
  const anchorKind =
    typeof params.billing_cycle_anchor === 'object' ? params.billing_cycle_anchor.type : params.billing_cycle_anchor
  const endsTrial = params.trial_end === 'now' && wasTrialing
  const restarts = anchorKind === 'now' || endsTrial
  const prorations: { item: string; quantity: number; proration: Proration }[] = []
  const fresh: SubscriptionItem[] = []
  const charged = !wasTrialing && behavior !== 'none'
  const old = new Map(itemsOf(tx, subscription.id).map((item) => [item.id, item]))
  const changes = (params.items ?? []) as ItemChange[]
  if (restarts && charged)
    for (const item of old.values()) {
      const credit = creditForItem(tx, subscription, item, at)
      if (credit) prorations.push({ item: item.id, quantity: item.quantity ?? 1, proration: credit })
    }
  changes.forEach((change, index) => {
    const result = changeItem(tx, subscription, old, change, index, at)
    if (!result || !charged || restarts) {
      if (result?.after) fresh.push(result.after)
      return
    }
    if (result.credit)
      prorations.push({ item: result.id, quantity: result.credit.quantity, proration: result.credit.proration })
    if (result.after?.quantity !== undefined) {
      const debit = debitForItem(
        tx,
        subscription,
        { id: result.after.id, quantity: result.after.quantity, price: load<Price>(tx, result.after.price) },
        { start: result.after.current_period_start, end: result.after.current_period_end },
        at,
      )
      if (debit) prorations.push({ item: result.after.id, quantity: result.after.quantity, proration: debit })
    }
  })
  if (itemsOf(tx, subscription.id).length === 0)
    throw invalid('A subscription must have at least one active item.', 'items')
  let startsTrial = false
  if (typeof params.trial_end === 'number') {
    startsTrial = true
    if (charged && !wasTrialing)
      for (const item of itemsOf(tx, subscription.id)) {
        const credit = creditForItem(tx, subscription, item, at)
        if (credit) prorations.push({ item: item.id, quantity: item.quantity ?? 1, proration: credit })
      }
    subscription.trial_start ??= tx.now
    subscription.trial_end = params.trial_end
    subscription.status = 'trialing'
    subscription.billing_cycle_anchor = params.trial_end
    for (const item of itemsOf(tx, subscription.id))
      save(tx, {
        ...item,
        current_period_start: wasTrialing ? item.current_period_start : tx.now,
        current_period_end: params.trial_end,
      })
  }
  if (restarts) restartCycle(tx, subscription, endsTrial)
  notePeriodEnd(tx, subscription)
  followPeriodEnd(tx, subscription)
  save(tx, subscription)
  for (const { item, quantity, proration } of prorations)
    createInvoiceItem(tx, {
      customer: subscription.customer,
      subscription: subscription.id,
      amount: proration.amount,
      currency: subscription.currency,
      description: proration.description,
      period: proration.period,
      quantity,
      proration: { item, creditedItems: proration.creditedItems, price: proration.price },
    })
  for (const extra of params.add_invoice_items ?? [])
    createInvoiceItem(tx, {
      customer: subscription.customer,
      subscription: subscription.id,
      ...(extra as { price?: string; quantity?: number }),
      period: { start: tx.now, end: subscription._.nextPeriodEnd },
    })
  const invoiceNow =
    restarts ||
    startsTrial ||
    (behavior === 'always_invoice' && (prorations.length > 0 || (params.add_invoice_items ?? []).length > 0))
  return invoiceNow ? draftUpdate(tx, subscription, { regular: restarts, trial: startsTrial, at, behavior }) : null
}

/** The invoice of a change that is billed at once. */
export function draftUpdate(
  tx: Tx,
  subscription: Subscription,
  what: { regular: boolean; trial: boolean; at: number; behavior: string },
): Invoice | null {
  const pending = pendingItems(tx, subscription)
  const lines: LineDraft[] = pending.map((item) => lineOfInvoiceItem(tx, item))
  if (what.regular || what.trial)
    for (const item of itemsOf(tx, subscription.id)) {
      const period = { start: item.current_period_start, end: item.current_period_end }
      const line = what.trial ? trialLine(tx, item, period) : periodLine(tx, item, period)
      if (line) lines.push(line)
    }
  if (lines.length === 0) return null
  const automatic = subscription.collection_method === 'charge_automatically'
  const invoice = draftInvoice(tx, {
    customer: load<Customer>(tx, subscription.customer),
    subscription: { id: subscription.id, metadata: subscription.metadata, prorationDate: what.at },
    reason: 'subscription_update',
    currency: subscription.currency,
    collectionMethod: subscription.collection_method,
    daysUntilDue: subscription.days_until_due,
    autoAdvance: true,
    finalizesAt: automatic ? null : tx.now + tx.world.settings.draftSeconds,
    period: { start: tx.now, end: tx.now },
    lines,
    discounts: subscription.discounts,
  })
  takePending(tx, pending, invoice)
  useOnceDiscounts(tx, subscription)
  subscription.latest_invoice = invoice.id
  save(tx, subscription)
  return invoice
}

/** Finalises and pays; a decline leaves the change in place and the subscription past due unless the caller forbade it. */
function collectUpdate(tx: Tx, draft: Invoice, params: UpdateParams): void {
  if (draft.collection_method === 'send_invoice') return
  if (draft.amount_due > 0 && params.payment_behavior === 'error_if_incomplete' && !methodFor(tx, draft))
    throw noMethodError()
  const invoice = finalizeInvoice(tx, load<Invoice>(tx, draft.id))
  if (invoice.status !== 'open' || params.payment_behavior === 'default_incomplete') return
  const outcome = payInvoice(tx, load<Invoice>(tx, draft.id), {
    offSession: params.off_session ?? false,
    scheduled: true,
  })
  const incomplete = outcome.kind !== 'succeeded' && outcome.kind !== 'processing'
  if (incomplete && params.payment_behavior === 'error_if_incomplete')
    throw cardRefused(
      outcome.kind === 'declined' ? outcome.code : 'subscription_payment_intent_requires_action',
      outcome.kind === 'declined' ? outcome.declineCode : null,
      outcome.kind === 'declined'
        ? outcome.message
        : 'Payment for this subscription requires additional user action before it can be completed successfully.',
    )
}

type Changed = {
  id: string
  credit: { quantity: number; proration: Proration } | null
  after: SubscriptionItem | null
}

function changeItem(
  tx: Tx,
  subscription: Subscription,
  old: Map<string, SubscriptionItem>,
  change: ItemChange,
  index: number,
  at: number,
): Changed | null {
  const param = `items[${index}]`
  if (change.id === undefined) {
    const price = wantedPrice(tx, change, param)
    if ([...old.values()].some((item) => item.price === price.id))
      throw invalid(`Cannot add multiple subscription items with the same plan: ${price.id}`, param)
    const period =
      subscription.status === 'trialing' && subscription.trial_end !== null
        ? { start: tx.now, end: subscription.trial_end }
        : periodAt(subscription.billing_cycle_anchor, price.recurring!, at)
    return { id: '', credit: null, after: addItem(tx, subscription.id, price, change, period) }
  }
  const item = old.get(change.id)
  if (!item) throw invalid(`No such subscription item: '${change.id}'`, `${param}[id]`, 'resource_missing')
  const proration = creditForItem(tx, subscription, item, at)
  const credit = proration ? { quantity: item.quantity ?? 1, proration } : null
  if (change.deleted) {
    remove(tx, item.id)
    return { id: item.id, credit, after: null }
  }
  const repriced = change.price !== undefined || change.plan !== undefined || change.price_data !== undefined
  const price = repriced ? wantedPrice(tx, change, param) : load<Price>(tx, item.price)
  const samePrice = price.id === item.price
  // Changing the price without a quantity resets it to one.
  const quantity = change.quantity ?? (repriced && !samePrice ? 1 : item.quantity)
  const sameQuantity = quantity === item.quantity
  const after: SubscriptionItem = { ...item, price: price.id, metadata: mergeMetadata(item.metadata, change.metadata) }
  if (price.recurring!.usage_type === 'metered') delete after.quantity
  else after.quantity = quantity ?? 1
  if (
    !samePrice &&
    !sameCycle(load<Price>(tx, item.price), price) &&
    subscription.status !== 'trialing' &&
    at < item.current_period_end
  ) {
    const period = nextCycle(subscription, item, price, at)
    after.current_period_start = period.start
    after.current_period_end = period.end
  }
  save(tx, after)
  return samePrice && sameQuantity ? null : { id: item.id, credit, after }
}

// The anchor never moves by itself: a longer interval keeps the running period's start and ends one interval after it,
// a shorter one takes the period of its own length in which the change happens.
function nextCycle(
  subscription: Subscription,
  item: SubscriptionItem,
  price: Price,
  at: number,
): { start: number; end: number } {
  const within = periodAt(subscription.billing_cycle_anchor, price.recurring!, at)
  const end = nextBoundary(subscription.billing_cycle_anchor, price.recurring!, item.current_period_start)
  return end > item.current_period_end ? { start: item.current_period_start, end } : within
}

function sameCycle(a: Price, b: Price): boolean {
  return a.recurring!.interval === b.recurring!.interval && a.recurring!.interval_count === b.recurring!.interval_count
}

function restartCycle(tx: Tx, subscription: Subscription, endsTrial: boolean): void {
  subscription.billing_cycle_anchor = tx.now
  if (endsTrial) {
    subscription.trial_end = tx.now
    subscription.status = 'active'
  }
  for (const item of itemsOf(tx, subscription.id)) {
    const period = periodAt(tx.now, load<Price>(tx, item.price).recurring!, tx.now)
    save(tx, { ...item, current_period_start: period.start, current_period_end: period.end })
  }
}

function refuseWhatIsClosed(subscription: Subscription, params: UpdateParams): void {
  const allowed = new Set(['metadata', 'cancellation_details', 'expand'])
  if (closed.has(subscription.status) && Object.keys(params).some((name) => !allowed.has(name)))
    throw invalid(
      'A canceled subscription can only update its cancellation_details and metadata.',
      undefined,
      'subscription_canceled',
    )
  if (params.cancel_at !== undefined && params.cancel_at !== '' && params.cancel_at_period_end)
    throw invalid('You may only specify one of these parameters: cancel_at, cancel_at_period_end.', 'cancel_at')
  if (subscription.schedule && (params.cancel_at_period_end !== undefined || params.cancel_at !== undefined))
    throw invalid(
      'The subscription is managed by the subscription schedule `' +
        subscription.schedule +
        '`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead.',
    )
  if (subscription.schedule && (params.items !== undefined || params.billing_cycle_anchor !== undefined))
    throw invalid(
      'The subscription is managed by the subscription schedule `' +
        subscription.schedule +
        '`, and updating any price or phase change directly is not allowed. Please update the schedule instead.',
      'items',
    )
  if (subscription.status === 'incomplete' && (params.items !== undefined || params.trial_end !== undefined))
    throw invalid('An incomplete subscription can only update its default payment method and metadata.', 'items')
}

function applySimple(tx: Tx, subscription: Subscription, params: UpdateParams): void {
  if (params.default_payment_method) {
    const method = need<PaymentMethod>(tx, 'payment_method', params.default_payment_method, 'default_payment_method')
    if (method.customer !== subscription.customer)
      throw invalid(
        `The customer does not have a payment method with the ID ${method.id}. The payment method must be attached to the customer.`,
        'default_payment_method',
        'resource_missing',
      )
  }
  if (params.default_payment_method !== undefined)
    subscription.default_payment_method = textOrNull(params.default_payment_method)
  if (params.description !== undefined) subscription.description = textOrNull(params.description)
  subscription.metadata = mergeMetadata(subscription.metadata, params.metadata)
  if (params.collection_method !== undefined)
    subscription.collection_method = params.collection_method as 'charge_automatically'
  if (params.days_until_due !== undefined) subscription.days_until_due = params.days_until_due
  if (params.pause_collection !== undefined) {
    const pause = params.pause_collection
    subscription.pause_collection = pause
      ? { behavior: pause.behavior as 'void', resumes_at: pause.resumes_at ?? null }
      : null
  }
  if (params.trial_settings?.end_behavior)
    subscription.trial_settings = {
      end_behavior: {
        billing_cycle_anchor: null,
        missing_payment_method: params.trial_settings.end_behavior.missing_payment_method as 'cancel',
      },
    }
  if (params.payment_settings?.save_default_payment_method)
    subscription.payment_settings.save_default_payment_method = params.payment_settings.save_default_payment_method
  if (params.cancellation_details) {
    const { comment, feedback } = params.cancellation_details
    if (comment !== undefined) subscription.cancellation_details.comment = textOrNull(comment)
    if (feedback !== undefined) subscription.cancellation_details.feedback = textOrNull(feedback)
  }
  if (params.discounts !== undefined || params.coupon !== undefined)
    subscription.discounts = discountsOf(tx, params, subscription.customer, subscription.id)
}
