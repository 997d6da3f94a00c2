import type Stripe from 'stripe'
import { emit, snapshot } from '../events/emit.ts'
import { mergeMetadata, need, textOrNull } from '../objects/common.ts'
import { couponOf, grantDiscount } from '../objects/discount.ts'
import { createSetup } from '../objects/paymentIntent.ts'
import { cardRefused } from '../objects/paymentMethod.ts'
import { itemsOf } from '../objects/render.ts'
import type { Customer, Discount, Invoice, InvoiceItem, PaymentMethod, Price, Subscription } from '../objects/types.ts'
import { newId } from '../store/ids.ts'
import { listOf, load, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { finalizeInvoice, methodOf, noMethodError, payInvoice } from './collect.ts'
import { draftInvoice, type LineDraft, lineOfInvoiceItem } from './draftInvoice.ts'
import { trialNotice } from './due.ts'
import { applyEnd } from './ending.ts'
import { createInvoiceItem } from './invoiceItem.ts'
import { addItem, notePeriodEnd, periodLine, trialLine, wantedPrice } from './items.ts'
import { share } from './money.ts'
import type { Outcome } from './payment.ts'
import { nextBoundary } from './period.ts'

/** Older versions put things where the table of parameters no longer has them. */
type Older = { coupon?: string; promotion_code?: string; trial_from_plan?: boolean }
export type SubscribeParams = Stripe.SubscriptionCreateParams & Older

export type Subscribed = { subscription: Subscription; invoice: Invoice | null; outcome: Outcome | null }

/** Checkout knows more than the API: who confirms, what the bank said, where the browser returns to. */
export type Presence = {
  onSession: boolean
  authentication?: 'approved' | 'failed'
  returnUrl?: string | null
  session?: string | null
  /** Nobody waits for the answer: the first invoice stays a draft for its hour, as on a renewal. */
  later?: boolean
}

export function subscribe(tx: Tx, params: SubscribeParams, presence: Presence = { onSession: false }): Subscribed {
  const mark = tx.events.length
  const customer = need<Customer>(tx, 'customer', params.customer, 'customer')
  const wanted = params.items ?? []
  if (wanted.length === 0) throw invalid('Missing required param: items.', 'items', 'parameter_missing')
  const prices = wanted.map((item, index) => wantedPrice(tx, item, `items[${index}]`))
  const currency = prices[0]!.currency
  const other = prices.find((price) => price.currency !== currency)
  if (other)
    throw invalid(
      `All prices on a subscription must have the same currency. Got ${currency} and ${other.currency}.`,
      'items',
    )
  const repeated = prices.find((price, index) => prices.findIndex((each) => each.id === price.id) < index)
  if (repeated) throw invalid(`Cannot add multiple subscription items with the same plan: ${repeated.id}`, 'items')
  if (params.default_payment_method) {
    const method = need<PaymentMethod>(tx, 'payment_method', params.default_payment_method, 'default_payment_method')
    if (method.customer !== customer.id)
      throw invalid(
        'The customer does not have a payment method with the ID ' +
          `${method.id}. The payment method must be attached to the customer.`,
        'default_payment_method',
        'resource_missing',
      )
  }
  const trialEnd = trialEndOf(tx, params, prices)
  const anchor = trialEnd ?? anchorOf(tx, params)
  const subscription = blankSubscription(tx, customer, params, { currency, trialEnd, anchor })
  save(tx, subscription)
  wanted.forEach((item, index) => {
    const price = prices[index]!
    const end =
      trialEnd ??
      (anchor > tx.now
        ? Math.min(anchor, nextBoundary(anchor, price.recurring!, tx.now))
        : nextBoundary(anchor, price.recurring!, tx.now))
    addItem(tx, subscription.id, price, item, { start: tx.now, end })
  })
  subscription.discounts = discountsOf(tx, params, customer.id, subscription.id)
  notePeriodEnd(tx, subscription)
  applyEnd(tx, subscription, params)
  for (const extra of params.add_invoice_items ?? [])
    createInvoiceItem(tx, {
      customer: customer.id,
      subscription: subscription.id,
      ...(extra as { price?: string; quantity?: number }),
      period: { start: tx.now, end: subscription._.nextPeriodEnd },
    })
  save(tx, subscription)
  customer.currency ??= currency
  save(tx, customer)
  const result = collectFirst(tx, subscription, customer, params, presence)
  arrangeEvents(tx, mark, load<Subscription>(tx, subscription.id))
  noticeTrialEnd(tx, load<Subscription>(tx, subscription.id))
  return { ...result, subscription: load<Subscription>(tx, subscription.id) }
}

/** Three days before a trial ends, or at once when it is shorter than that. */
export function noticeTrialEnd(tx: Tx, subscription: Subscription): boolean {
  const { trial_end: end, _: own } = subscription
  if (subscription.status !== 'trialing' || end === null || own.trialNoticeFor === end || tx.now < end - trialNotice)
    return false
  own.trialNoticeFor = end
  save(tx, subscription)
  emit(tx, 'customer.subscription.trial_will_end', subscription)
  return true
}

function collectFirst(
  tx: Tx,
  subscription: Subscription,
  customer: Customer,
  params: SubscribeParams,
  presence: Presence,
): Omit<Subscribed, 'subscription'> {
  const lines = firstLines(tx, subscription, params)
  const pending = pendingItems(tx, subscription)
  const automatic = subscription.collection_method === 'charge_automatically'
  const behavior = params.payment_behavior ?? 'allow_incomplete'
  if (
    subscription.status === 'trialing' &&
    !customer.invoice_settings.default_payment_method &&
    !subscription.default_payment_method &&
    automatic &&
    !presence.onSession
  )
    subscription.pending_setup_intent = createSetup(tx, { customer: customer.id }).id
  if (lines.length === 0 && pending.length === 0) {
    subscription.status = subscription.status === 'incomplete' ? 'active' : subscription.status
    save(tx, subscription)
    return { invoice: null, outcome: null }
  }
  const invoice = draftInvoice(tx, {
    customer,
    subscription: { id: subscription.id, metadata: subscription.metadata },
    reason: 'subscription_create',
    currency: subscription.currency,
    collectionMethod: subscription.collection_method,
    daysUntilDue: subscription.days_until_due,
    autoAdvance: automatic ? behavior !== 'default_incomplete' : true,
    finalizesAt: automatic && !presence.later ? null : tx.now + tx.world.settings.draftSeconds,
    period: { start: tx.now, end: tx.now },
    lines: [...pending.map((item) => lineOfInvoiceItem(tx, item)), ...lines],
    discounts: subscription.discounts,
  })
  takePending(tx, pending, invoice)
  useOnceDiscounts(tx, subscription)
  subscription.latest_invoice = invoice.id
  if (!automatic || presence.later) {
    if (subscription.status === 'incomplete') subscription.status = 'active'
    save(tx, subscription)
    return { invoice, outcome: null }
  }
  save(tx, subscription)
  const method = methodOf(tx, customer.id, [subscription.default_payment_method])
  if (invoice.amount_due > 0 && behavior !== 'default_incomplete' && !method) throw noMethodError()
  finalizeInvoice(tx, invoice)
  const finalized = load<Invoice>(tx, invoice.id)
  if (finalized.status === 'paid') {
    const current = load<Subscription>(tx, subscription.id)
    if (current.status === 'incomplete') save(tx, Object.assign(current, { status: 'active' }))
    return { invoice: finalized, outcome: null }
  }
  if (subscription.status === 'trialing') {
    // A trial with an immediate fee: the trial stands whatever becomes of the fee.
    const outcome = method ? payInvoice(tx, finalized, { method, offSession: !presence.onSession, ...presence }) : null
    return { invoice: load<Invoice>(tx, invoice.id), outcome }
  }
  if (behavior === 'default_incomplete') return { invoice: finalized, outcome: null }
  const outcome = payInvoice(tx, finalized, { method, ...presence, offSession: params.off_session ?? false })
  if (outcome.kind === 'declined' && behavior === 'error_if_incomplete')
    throw cardRefused(outcome.code, outcome.declineCode, outcome.message)
  if (outcome.kind === 'requires_action' && behavior === 'error_if_incomplete')
    throw cardRefused(
      'subscription_payment_intent_requires_action',
      null,
      'Payment for this subscription requires additional user action before it can be completed successfully.',
    )
  return { invoice: load<Invoice>(tx, invoice.id), outcome }
}

function firstLines(tx: Tx, subscription: Subscription, params: SubscribeParams): LineDraft[] {
  const lines: LineDraft[] = []
  for (const item of itemsOf(tx, subscription.id)) {
    const period = { start: item.current_period_start, end: item.current_period_end }
    if (subscription.status === 'trialing') {
      const line = trialLine(tx, item, period)
      if (line) lines.push(line)
      continue
    }
    const line = periodLine(tx, item, period)
    if (!line) continue
    const price = load<Price>(tx, item.price)
    const stub = subscription.billing_cycle_anchor > tx.now
    if (!stub) lines.push(line)
    else if (params.proration_behavior !== 'none') {
      // A first period shorter than a whole one costs its share of it.
      const whole = nextBoundary(subscription.billing_cycle_anchor, price.recurring!, subscription.billing_cycle_anchor)
      const length = whole - subscription.billing_cycle_anchor
      lines.push({
        ...line,
        amount: share(line.amount, period.end - period.start, length),
        proration: true,
        unitAmountDecimal: null,
      })
    }
  }
  return lines
}

/** Extras that wait for the next invoice of this subscription, oldest first. */
export function pendingItems(tx: Tx, subscription: Subscription): InvoiceItem[] {
  return listOf<InvoiceItem>(tx, 'invoiceitem', { customer: subscription.customer })
    .filter(
      (item) =>
        item.invoice === null &&
        (item._.subscription === null || item._.subscription === subscription.id) &&
        item.currency === subscription.currency,
    )
    .reverse()
}

export function takePending(tx: Tx, items: InvoiceItem[], invoice: Invoice): void {
  for (const item of items) {
    item.invoice = invoice.id
    save(tx, item)
  }
}

/** A coupon that lasts once is gone from the subscription after the first invoice that it touched. */
export function useOnceDiscounts(tx: Tx, subscription: Subscription): void {
  subscription.discounts = subscription.discounts.filter((id) => {
    const discount = load<Discount>(tx, id)
    const coupon = couponOf(tx, discount)
    return coupon.duration !== 'once'
  })
}

export function discountsOf(
  tx: Tx,
  params: { discounts?: unknown; coupon?: string; promotion_code?: string },
  customer: string,
  subscription: string,
): string[] {
  const wanted = Array.isArray(params.discounts)
    ? (params.discounts as { coupon?: string; promotion_code?: string; discount?: string }[])
    : []
  if (params.coupon) wanted.push({ coupon: params.coupon })
  if (params.promotion_code) wanted.push({ promotion_code: params.promotion_code })
  return wanted.map((each, index) => {
    const discount = grantDiscount(tx, each, { customer, subscription }, `discounts[${index}][coupon]`)
    emit(tx, 'customer.discount.created', discount)
    return discount.id
  })
}

/** The order in which Stripe makes the events of one new subscription: paid at once means created already active. */
function arrangeEvents(tx: Tx, mark: number, subscription: Subscription): void {
  const mine = tx.events.splice(mark).filter((event) => event.type !== 'customer.subscription.updated')
  const created = { type: 'customer.subscription.created', object: snapshot(tx, subscription), at: tx.now }
  const paid = subscription.status === 'active' || subscription.status === 'trialing'
  const before = (type: string) =>
    (paid ? /^(payment_|charge|setup|customer\.(created|updated))/ : /^(setup_intent|payment_method)/).test(type)
  const money = mine.filter((event) => before(event.type))
  const rest = mine.filter((event) => !before(event.type))
  tx.events.push(...money, created, ...rest)
}

function trialEndOf(tx: Tx, params: SubscribeParams, prices: Price[]): number | null {
  if (params.trial_end === 'now') return null
  if (params.trial_end) return Number(params.trial_end)
  if (params.trial_period_days) return tx.now + params.trial_period_days * 86_400
  const fromPlan = params.trial_from_plan
    ? prices.find((price) => price.recurring?.trial_period_days)?.recurring?.trial_period_days
    : undefined
  return fromPlan ? tx.now + fromPlan * 86_400 : null
}

function anchorOf(tx: Tx, params: SubscribeParams): number {
  const anchor = params.billing_cycle_anchor
  if (typeof anchor === 'number') {
    if (anchor < tx.now) throw invalid('billing_cycle_anchor cannot be earlier than now.', 'billing_cycle_anchor')
    return anchor
  }
  const config = params.billing_cycle_anchor_config
  if (!config) return tx.now
  const now = new Date(tx.now * 1000)
  const at = (month: number) =>
    Math.floor(
      Date.UTC(
        now.getUTCFullYear(),
        month,
        Math.min(config.day_of_month, new Date(Date.UTC(now.getUTCFullYear(), month + 1, 0)).getUTCDate()),
        config.hour ?? now.getUTCHours(),
        config.minute ?? now.getUTCMinutes(),
        config.second ?? now.getUTCSeconds(),
      ) / 1000,
    )
  const first = config.month === undefined ? now.getUTCMonth() : config.month - 1
  const thisTime = at(first)
  return thisTime >= tx.now ? thisTime : at(first + (config.month === undefined ? 1 : 12))
}

function blankSubscription(
  tx: Tx,
  customer: Customer,
  params: SubscribeParams,
  known: { currency: string; trialEnd: number | null; anchor: number },
): Subscription {
  const sendInvoice = params.collection_method === 'send_invoice'
  if (sendInvoice && params.days_until_due === undefined)
    throw invalid(
      'You must provide `days_until_due` when `collection_method` is `send_invoice`.',
      'days_until_due',
      'parameter_missing',
    )
  const settings = params.payment_settings
  return {
    id: newId('sub'),
    object: 'subscription',
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: known.anchor,
    billing_cycle_anchor_config: params.billing_cycle_anchor_config
      ? { hour: null, minute: null, month: null, second: null, ...params.billing_cycle_anchor_config }
      : null,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible', updated_at: tx.now },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: {
      comment: null,
      feedback: null,
      feedback_option: null,
      reason: null,
    },
    collection_method: sendInvoice ? 'send_invoice' : 'charge_automatically',
    created: tx.now,
    currency: known.currency,
    customer: customer.id,
    customer_account: null,
    days_until_due: sendInvoice ? params.days_until_due! : null,
    default_payment_method: textOrNull(params.default_payment_method),
    default_source: null,
    default_tax_rates: [],
    description: textOrNull(params.description),
    discounts: [],
    ended_at: null,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: 'self' },
    },
    latest_invoice: null,
    livemode: false,
    managed_payments: null,
    metadata: mergeMetadata({}, params.metadata),
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: {
      payment_method_options: null,
      payment_method_types: settings?.payment_method_types || null,
      save_default_payment_method: settings?.save_default_payment_method ?? 'off',
    },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: tx.now,
    status: known.trialEnd !== null ? 'trialing' : 'incomplete',
    test_clock: customer.test_clock,
    transfer_data: null,
    trial_end: known.trialEnd,
    trial_settings: {
      end_behavior: {
        billing_cycle_anchor: null,
        missing_payment_method: (params.trial_settings?.end_behavior?.missing_payment_method ??
          'create_invoice') as 'create_invoice',
      },
    },
    trial_start: known.trialEnd !== null ? tx.now : null,
    _: { nextPeriodEnd: tx.now, trialNoticeFor: null, upcomingNoticeFor: null },
  }
}
