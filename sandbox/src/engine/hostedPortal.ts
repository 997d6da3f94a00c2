import { emitUpdate, snapshot } from '../events/emit.ts'
import { createSetup } from '../objects/paymentIntent.ts'
import { amountFor, productOf } from '../objects/price.ts'
import { itemsOf, linesOf } from '../objects/render.ts'
import type {
  Customer,
  Invoice,
  PaymentMethod,
  PortalConfiguration,
  PortalSession,
  Price,
  Subscription,
  SubscriptionSchedule,
} from '../objects/types.ts'
import { find, listOf, load, rehearse, save, type Tx, transact } from '../store/transact.ts'
import { invalid, missing, StripeError } from '../wire/errors.ts'
import type { World } from '../world.ts'
import { cancelNow } from './cancel.ts'
import { methodOf } from './collect.ts'
import { replaceCard } from './defaultCard.ts'
import { merchantName } from './draftInvoice.ts'
import type {
  CardInput,
  PortalFlow,
  PortalInvoice,
  PortalPlan,
  PortalPreview,
  PortalResult,
  PortalSubscription,
  PortalView,
  SavedCard,
} from './hosted.ts'
import { cardMethod, recurrenceOf } from './hostedCheckout.ts'
import { confirmSetup } from './payment.ts'
import { createSchedule, releaseSchedule, updateSchedule } from './schedule.ts'
import { previewRenewal } from './tick.ts'
import { applyMoney, updateSubscription } from './updateSubscription.ts'

const lifetime = 3600
const live = new Set(['active', 'trialing', 'past_due', 'unpaid', 'paused'])

type Opened = { session: PortalSession; configuration: PortalConfiguration; customer: Customer }
type Change = { subscriptionId: string; priceId: string; quantity?: number }

export function viewPortal(world: World, token: string): PortalView {
  return transact(world, null, (tx): PortalView => {
    const session = sessionOf(tx, token)
    if (!session) return { state: 'not_found' }
    if (tx.now > session.created + lifetime) return { state: 'expired' }
    const { configuration, customer } = opened(tx, token)
    const { features } = configuration
    const subscriptions = listOf<Subscription>(tx, 'subscription', { customer: customer.id })
    const shown = [
      ...subscriptions.filter((each) => live.has(each.status)),
      ...subscriptions.filter((each) => each.status === 'canceled' && (each.ended_at ?? 0) > tx.now - 90 * 86_400),
    ]
    const cards = listOf<PaymentMethod>(tx, 'payment_method', { customer: customer.id })
    return {
      state: 'open',
      merchantName,
      headline: configuration.business_profile.headline,
      returnUrl: session.return_url,
      customer: { id: customer.id, email: customer.email, name: customer.name },
      subscriptions: shown.map((subscription) => subscriptionView(tx, subscription, configuration)),
      cards: cards.map((card) => savedCard(card, card.id === customer.invoice_settings.default_payment_method)),
      invoices: features.invoice_history.enabled
        ? listOf<Invoice>(tx, 'invoice', { customer: customer.id })
            .filter((invoice) => invoice.status !== 'draft')
            .map((invoice) => invoiceView(tx, invoice))
        : [],
      features: {
        paymentMethodUpdate: features.payment_method_update.enabled,
        subscriptionCancel: {
          enabled: features.subscription_cancel.enabled,
          mode: features.subscription_cancel.mode,
          reasons: features.subscription_cancel.cancellation_reason.enabled
            ? features.subscription_cancel.cancellation_reason.options
            : [],
        },
        subscriptionUpdate: features.subscription_update.enabled,
        invoiceHistory: features.invoice_history.enabled,
        customerUpdate: features.customer_update.enabled,
      },
      flow: flowView(tx, session, configuration),
    }
  })
}

export async function portalUpdateCard(world: World, token: string, card: CardInput): Promise<PortalResult> {
  return transact(world, null, (tx): PortalResult => {
    const { session, configuration, customer } = opened(tx, token)
    if (!configuration.features.payment_method_update.enabled && session.flow?.type !== 'payment_method_update')
      throw invalid('Changing the payment method is not allowed here.')
    const typed = cardMethod(tx, card)
    if ('kind' in typed) return typed
    const done = result(session)
    const page = `${world.url}/p/session/${token}`
    const setup = createSetup(tx, { customer: customer.id, metadata: { portal: 'true' } })
    const outcome = confirmSetup(tx, setup, {
      method: load<PaymentMethod>(tx, typed.id),
      offSession: false,
      returnUrl: done.redirectUrl ?? page,
      failureUrl: page,
    })
    if (outcome.kind === 'declined')
      return { kind: 'declined', code: outcome.declineCode ?? outcome.code, message: outcome.message }
    if (outcome.kind === 'requires_action')
      return { kind: 'requires_action', authenticationId: outcome.authenticationId }
    replaceCard(tx, customer.id, typed.id)
    return done
  })
}

export function portalPreviewChange(world: World, token: string, change: Change): PortalPreview {
  return transact(world, null, (tx) => {
    const { session, configuration } = opened(tx, token)
    return previewOf(tx, session, configuration, change)
  })
}

export async function portalChangePlan(world: World, token: string, change: Change): Promise<PortalResult> {
  return transact(world, null, (tx): PortalResult => {
    const { session, configuration } = opened(tx, token)
    const preview = previewOf(tx, session, configuration, change)
    const subscription = load<Subscription>(tx, change.subscriptionId)
    const [item] = itemsOf(tx, subscription.id)
    const target = { price: change.priceId, quantity: preview.quantity }
    if (preview.when === 'period_end') {
      schedule(tx, subscription, target)
      return result(session)
    }
    if (subscription.schedule) releaseSchedule(tx, subscription.schedule)
    const point = tx.world.store.savepoint()
    const events = tx.events.length
    try {
      updateSubscription(tx, subscription.id, {
        items: [{ id: item!.id, ...target }],
        proration_behavior: configuration.features.subscription_update.proration_behavior,
        payment_behavior: 'error_if_incomplete',
        // A plan change takes back an end that was planned.
        ...(subscription.cancel_at !== null ? { cancel_at_period_end: false } : {}),
      })
      tx.world.store.release(point)
      return result(session)
    } catch (error) {
      if (!(error instanceof StripeError) || error.status !== 402) throw error
      tx.world.store.rollbackTo(point)
      tx.events.length = events
      return {
        kind: 'declined',
        code: String(error.body.decline_code ?? error.body.code ?? 'card_declined'),
        message: error.message,
      }
    }
  })
}

export async function portalCancel(
  world: World,
  token: string,
  input: { subscriptionId: string; reason?: string; comment?: string },
): Promise<PortalResult> {
  return transact(world, null, (tx): PortalResult => {
    const { session, configuration, customer } = opened(tx, token)
    const { subscription_cancel: feature } = configuration.features
    if (!feature.enabled && session.flow?.type !== 'subscription_cancel')
      throw invalid('Canceling is not allowed here.')
    const subscription = ownSubscription(tx, customer, input.subscriptionId)
    const details = {
      ...(input.reason ? { feedback: input.reason } : {}),
      ...(input.comment ? { comment: input.comment } : {}),
    }
    if (feature.mode === 'immediately') {
      cancelNow(tx, subscription, {
        ...details,
        prorate: feature.proration_behavior !== 'none',
        invoiceNow: feature.proration_behavior === 'always_invoice',
      })
      return result(session)
    }
    const before = snapshot(tx, subscription)
    // As Stripe's portal does it: the date is set and the flag is not.
    subscription.cancel_at = Math.max(...itemsOf(tx, subscription.id).map((item) => item.current_period_end))
    subscription.canceled_at = tx.now
    subscription.cancellation_details = {
      ...subscription.cancellation_details,
      ...details,
      reason: 'cancellation_requested',
    }
    if (subscription.schedule) releaseSchedule(tx, subscription.schedule)
    subscription.schedule = null
    save(tx, subscription)
    emitUpdate(tx, 'customer.subscription.updated', subscription, before)
    return result(session)
  })
}

export async function portalUndoCancel(
  world: World,
  token: string,
  input: { subscriptionId: string },
): Promise<PortalResult> {
  return transact(world, null, (tx): PortalResult => {
    const { session, customer } = opened(tx, token)
    const subscription = ownSubscription(tx, customer, input.subscriptionId)
    updateSubscription(tx, subscription.id, { cancel_at_period_end: false })
    return result(session)
  })
}

export async function portalUpdateCustomer(
  world: World,
  token: string,
  input: { email?: string; name?: string },
): Promise<PortalResult> {
  return transact(world, null, (tx): PortalResult => {
    const { session, configuration, customer } = opened(tx, token)
    const { allowed_updates: allowed, enabled } = configuration.features.customer_update
    const before = snapshot(tx, customer)
    if (enabled && allowed.includes('email') && input.email) customer.email = input.email
    if (enabled && allowed.includes('name') && input.name) customer.name = input.name
    save(tx, customer)
    emitUpdate(tx, 'customer.updated', customer, before)
    return result(session)
  })
}

export function savedCard(method: PaymentMethod, isDefault: boolean): SavedCard {
  return {
    id: method.id,
    brand: method.card?.brand ?? method.type,
    last4: method.card?.last4 ?? '',
    expMonth: method.card?.exp_month ?? 0,
    expYear: method.card?.exp_year ?? 0,
    isDefault,
  }
}

function sessionOf(tx: Tx, token: string): PortalSession | null {
  const link = find(tx, token)
  return link?.object === 'token.portal' ? load<PortalSession>(tx, link.session as string) : null
}

function opened(tx: Tx, token: string): Opened {
  const session = sessionOf(tx, token)
  if (!session) throw missing('session', token)
  const configuration = load<PortalConfiguration>(tx, session.configuration)
  const customer = load<Customer>(tx, session.customer)
  if (tx.now > session.created + lifetime) throw invalid('This portal session has expired.')
  return { session, configuration, customer }
}

function ownSubscription(tx: Tx, customer: Customer, id: string): Subscription {
  const subscription = find<Subscription>(tx, id)
  if (subscription?.object !== 'subscription' || subscription.customer !== customer.id)
    throw missing('subscription', id)
  return subscription
}

function result(session: PortalSession): Extract<PortalResult, { kind: 'done' }> {
  const after = session.flow?.after_completion
  return {
    kind: 'done',
    redirectUrl: after?.type === 'redirect' ? (after.redirect?.return_url ?? null) : null,
    message:
      after?.type === 'hosted_confirmation'
        ? (after.hosted_confirmation?.custom_message ?? 'Your changes were saved.')
        : null,
  }
}

function flowView(tx: Tx, session: PortalSession, configuration: PortalConfiguration): PortalFlow | null {
  const { flow } = session
  if (!flow) return null
  if (flow.type === 'subscription_cancel' || flow.type === 'subscription_update') {
    const target = flow[flow.type] as { subscription: string }
    return { type: flow.type, subscriptionId: target.subscription }
  }
  const confirm = flow.subscription_update_confirm
  if (flow.type === 'subscription_update_confirm' && confirm) {
    const [item] = confirm.items
    const subscription = load<Subscription>(tx, confirm.subscription)
    const current = itemsOf(tx, subscription.id).find((each) => each.id === item?.id)
    const change = {
      subscriptionId: confirm.subscription,
      priceId: item?.price ?? current?.price ?? '',
      ...(item?.quantity === undefined ? {} : { quantity: item.quantity }),
    }
    return {
      type: 'subscription_update_confirm',
      subscriptionId: confirm.subscription,
      preview: previewOf(tx, session, configuration, change),
    }
  }
  return flow.type === 'customer_update' ? { type: 'customer_update' } : { type: 'payment_method_update' }
}

function previewOf(tx: Tx, session: PortalSession, configuration: PortalConfiguration, change: Change): PortalPreview {
  const subscription = ownSubscription(tx, load<Customer>(tx, session.customer), change.subscriptionId)
  const [item] = itemsOf(tx, subscription.id)
  const current = load<Price>(tx, item!.price)
  const next = find<Price>(tx, change.priceId)
  if (next?.object !== 'price') throw missing('price', change.priceId, 'price')
  // A confirm flow names its own target; anything else must be on the configuration's list.
  const named = session.flow?.subscription_update_confirm?.items.some((each) => each.price === next.id)
  const feature = configuration.features.subscription_update
  if (!named && !feature.products?.some((each) => each.prices.includes(next.id)))
    throw invalid('This plan is not on offer here.', 'price')
  const quantity = change.quantity ?? item!.quantity ?? 1
  const when =
    subscription.status === 'trialing'
      ? 'now'
      : scheduled(feature, item!.quantity ?? 1, current, next, quantity)
        ? 'period_end'
        : 'now'
  const periodEnd = item!.current_period_end
  const side = (price: Price, count: number) => ({
    productName: productOf(tx, price).name,
    unitAmount: price.unit_amount,
    quantity: count,
    recurrence: recurrenceOf(price)!,
  })
  const shared = {
    subscriptionId: subscription.id,
    priceId: next.id,
    quantity,
    current: side(current, item!.quantity ?? 1),
    next: side(next, quantity),
    currency: subscription.currency,
    when,
  } as const
  if (when === 'period_end')
    return {
      ...shared,
      effectiveAt: periodEnd,
      lines: [],
      dueNow: 0,
      nextInvoice: { amount: amountFor(next, quantity), at: periodEnd },
    }
  return rehearse(tx, () => {
    const fresh = load<Subscription>(tx, subscription.id)
    const mark = tx.events.length
    const invoice = applyMoney(tx, fresh, {
      items: [{ id: item!.id, price: next.id, quantity }],
      proration_behavior: feature.proration_behavior,
    })
    const made = tx.events.slice(mark).filter((event) => event.type === 'invoiceitem.created')
    const lines = made.map((event) => {
      const shown = event.object as { description: string; amount: number }
      return { description: shown.description, amount: shown.amount }
    })
    // Read before the renewal is rehearsed, which moves the period on.
    const renewsAt = itemsOf(tx, subscription.id)[0]!.current_period_end
    const renewal = previewRenewal(tx, load<Subscription>(tx, subscription.id))
    return {
      ...shared,
      effectiveAt: tx.now,
      lines,
      dueNow: invoice ? Math.max(0, invoice.amount_due) : 0,
      nextInvoice: {
        amount: Number(renewal?.amount_due ?? 0),
        at: renewsAt,
      },
    }
  })
}

/** Whether the configuration makes this change wait for the end of the period. */
function scheduled(
  feature: PortalConfiguration['features']['subscription_update'],
  before: number,
  current: Price,
  next: Price,
  after: number,
): boolean {
  const conditions = feature.schedule_at_period_end.conditions.map((condition) => condition.type)
  const shorter = daysOf(next) < daysOf(current)
  if (conditions.includes('shortening_interval') && shorter) return true
  const perDay = (price: Price, quantity: number) => amountFor(price, quantity) / daysOf(price)
  return (
    conditions.includes('decreasing_item_amount') &&
    perDay(next, after) < perDay(current, before) &&
    (!shorter || daysOf(next) === daysOf(current))
  )
}

function daysOf(price: Price): number {
  const { interval, interval_count: count } = price.recurring!
  return { day: 1, week: 7, month: 30.4, year: 365 }[interval] * count
}

function schedule(tx: Tx, subscription: Subscription, target: { price: string; quantity: number }): void {
  const known = subscription.schedule
    ? load<SubscriptionSchedule>(tx, subscription.schedule)
    : createSchedule(tx, { from_subscription: subscription.id })
  const now = known.phases.find((phase) => phase.start_date === known.current_phase?.start_date) ?? known.phases[0]!
  updateSchedule(tx, known.id, {
    end_behavior: 'release',
    phases: [
      {
        start_date: now.start_date,
        end_date: now.end_date,
        items: now.items.map(({ price, quantity }) => ({ price, quantity })),
        proration_behavior: 'none',
      },
      { start_date: now.end_date, items: [target], proration_behavior: 'none' },
    ],
  } as Parameters<typeof updateSchedule>[2])
}

function subscriptionView(tx: Tx, subscription: Subscription, configuration: PortalConfiguration): PortalSubscription {
  const items = itemsOf(tx, subscription.id)
  const isLive = live.has(subscription.status)
  const { subscription_update: update, subscription_cancel: cancel } = configuration.features
  const plan = subscription.schedule ? load<SubscriptionSchedule>(tx, subscription.schedule) : null
  const coming = plan?.phases.find((phase) => phase.start_date > tx.now)
  const comingPrice = coming ? load<Price>(tx, coming.items[0]!.price) : null
  const method = methodOf(tx, subscription.customer, [subscription.default_payment_method])
  const changeable = isLive && items.length === 1 && update.enabled && update.default_allowed_updates.length > 0
  return {
    id: subscription.id,
    status: subscription.status,
    items: items.map((item) => {
      const price = load<Price>(tx, item.price)
      return {
        id: item.id,
        priceId: price.id,
        productName: productOf(tx, price).name,
        quantity: item.quantity ?? null,
        unitAmount: price.unit_amount,
        periodAmount: item.quantity === undefined ? 0 : amountFor(price, item.quantity),
        currency: price.currency,
        recurrence: recurrenceOf(price)!,
      }
    }),
    currentPeriodEnd: subscription._.nextPeriodEnd,
    trialEnd: subscription.trial_end,
    endsAt: isLive ? subscription.cancel_at : null,
    endedAt: subscription.ended_at,
    scheduledChange:
      coming && comingPrice
        ? { priceId: comingPrice.id, productName: productOf(tx, comingPrice).name, at: coming.start_date }
        : null,
    card: method ? savedCard(method, subscription.default_payment_method === null) : null,
    canCancel: isLive && cancel.enabled && subscription.cancel_at === null,
    canUndoCancel: isLive && subscription.cancel_at !== null,
    canChangePlan: changeable,
    plans: changeable ? plansOf(tx, configuration, subscription.currency) : [],
  }
}

function plansOf(tx: Tx, configuration: PortalConfiguration, currency: string): PortalPlan[] {
  return (configuration.features.subscription_update.products ?? []).flatMap((offer) =>
    offer.prices.flatMap((id): PortalPlan[] => {
      const price = find<Price>(tx, id)
      if (price?.object !== 'price' || !price.active || !price.recurring || price.currency !== currency) return []
      const product = productOf(tx, price)
      const { adjustable_quantity: adjustable } = offer
      return [
        {
          priceId: price.id,
          productName: product.name,
          productDescription: product.description,
          unitAmount: price.unit_amount,
          currency: price.currency,
          recurrence: recurrenceOf(price)!,
          adjustableQuantity: adjustable.enabled
            ? { minimum: adjustable.minimum, maximum: adjustable.maximum ?? 999 }
            : null,
        },
      ]
    }),
  )
}

function invoiceView(tx: Tx, invoice: Invoice): PortalInvoice {
  return {
    id: invoice.id,
    number: invoice.number,
    status: invoice.status,
    createdAt: invoice.created,
    total: invoice.total,
    amountDue: invoice.amount_due,
    currency: invoice.currency,
    description: linesOf(tx, invoice)[0]?.description ?? '',
    hostedUrl: `/i/${invoice._.token}`,
    pdfUrl: `/i/${invoice._.token}/pdf`,
  }
}
