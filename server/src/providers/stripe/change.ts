import type Stripe from 'stripe'
import type { OrderOutcome, OrderRequest, PaymentProvider } from '../../modules/payments/index.ts'
import type { Log } from '../../platform/log.ts'
import { asking, orMissing, refusalOf } from './client.ts'
import { previewOf } from './preview.ts'

type OrderPort = Pick<PaymentProvider, 'previewOrder' | 'carryOut' | 'hasPaymentMethod'>
type Command = OrderRequest & { commandId: string; attempt: number }
type OrderOf<K extends OrderRequest['order']['kind']> = Extract<OrderRequest['order'], { kind: K }>
export type OrderTools = { log: Log; priceOf: (lookupKey: string) => Promise<string> }

/**
 * Orders about subscriptions in Stripe's words (PAY-3, SUB-3). Each looks at the subscription first and asks only for what
 * is still missing, so that a command that broke off anywhere can be carried out again: steps already taken are seen, the
 * others carry keys made from the command's id.
 */
export const createStripeOrders = (stripe: Stripe, tools: OrderTools): OrderPort => ({
  previewOrder: (request) => previewOf(stripe, tools, request),

  carryOut: async (request) => {
    try {
      return await carryOut(stripe, tools, request)
    } catch (failure) {
      const refusal = refusalOf(failure)
      if (!refusal) throw failure
      if (refusal.status === 402)
        return {
          kind: 'payment_failed',
          actionRequired: refusal.code === 'subscription_payment_intent_requires_action',
          invoiceUrl: null,
        }
      return { kind: 'refused', reason: refusal.code ?? 'provider_refused' }
    }
  },

  hasPaymentMethod: async (customer, subscription) =>
    (await findPaymentMethod(stripe, tools, customer, subscription)) !== null,
})

const carryOut = async (stripe: Stripe, tools: OrderTools, command: Command): Promise<OrderOutcome> => {
  const { order } = command
  if (order.kind === 'create') return create(stripe, tools, command, order)
  const subscription = await readSubscription(stripe, tools, command.providerSubscriptionId ?? '')
  if (!subscription) return { kind: 'refused', reason: 'subscription_missing' }
  if (subscription.status === 'canceled' || subscription.status === 'incomplete_expired')
    return order.kind === 'cancel_now' || order.kind === 'cancel_at_period_end'
      ? { kind: 'done' }
      : { kind: 'refused', reason: 'subscription_ended' }
  switch (order.kind) {
    case 'change_now':
      return changeNow(stripe, tools, command, subscription, order)
    case 'change_at_period_end':
      return changeAtPeriodEnd(stripe, tools, command, subscription, order)
    case 'cancel_now':
      await ask(tools, 'subscriptions.cancel', () =>
        stripe.subscriptions.cancel(
          subscription.id,
          order.creditUnused ? { prorate: true, invoice_now: true } : {},
          keyed(command, 'cancel'),
        ),
      )
      return { kind: 'done' }
    case 'cancel_at_period_end':
      if (subscription.cancel_at !== null || subscription.cancel_at_period_end) return { kind: 'done' }
      await release(stripe, tools, command, subscription)
      await update(stripe, tools, command, subscription.id, { cancel_at_period_end: true })
      return { kind: 'done' }
    case 'keep':
      if (subscription.cancel_at_period_end)
        await update(stripe, tools, command, subscription.id, { cancel_at_period_end: false })
      else if (subscription.cancel_at !== null) await update(stripe, tools, command, subscription.id, { cancel_at: '' })
      return { kind: 'done' }
    case 'pause':
      if (subscription.status === 'paused') return { kind: 'done' }
      await release(stripe, tools, command, subscription)
      await ask(tools, 'subscriptions.pause', () =>
        stripe.subscriptions.pause(subscription.id, {}, keyed(command, 'pause')),
      )
      return { kind: 'done' }
    case 'resume':
      return resume(stripe, tools, command, subscription)
    case 'drop_change':
      await voidUnpaidChange(stripe, tools, command, subscription)
      await release(stripe, tools, command, subscription)
      return { kind: 'done' }
    case 'end_trial':
      if (subscription.status !== 'trialing') return { kind: 'done' }
      if ((await findPaymentMethod(stripe, tools, command.providerCustomerId, subscription.id)) === null)
        return { kind: 'payment_method_required' }
      return outcomeOf(
        await update(stripe, tools, command, subscription.id, {
          trial_end: 'now',
          proration_behavior: 'always_invoice',
          payment_behavior: 'pending_if_incomplete',
        }),
      )
  }
}

const create = async (
  stripe: Stripe,
  tools: OrderTools,
  command: Command,
  order: OrderOf<'create'>,
): Promise<OrderOutcome> => {
  const method = await findPaymentMethod(stripe, tools, command.providerCustomerId, null)
  if (method === null) return { kind: 'payment_method_required' }
  const items: { price: string; quantity: number }[] = []
  for (const { lookupKey, quantity } of order.lines) items.push({ price: await tools.priceOf(lookupKey), quantity })
  const created = await ask(tools, 'subscriptions.create', () =>
    stripe.subscriptions.create(
      {
        customer: command.providerCustomerId,
        items,
        default_payment_method: method,
        metadata: {
          turnpike_tenant: command.tenantId,
          turnpike_command: command.commandId,
          turnpike_plan_version: String(order.planVersion),
        },
        ...(order.trialEndsAt === null ? {} : { trial_end: secondsOf(order.trialEndsAt) }),
        expand: ['latest_invoice'],
      },
      keyed(command, 'create'),
    ),
  )
  return created.status === 'incomplete' ? unpaid(created) : { kind: 'done' }
}

const changeNow = async (
  stripe: Stripe,
  tools: OrderTools,
  command: Command,
  subscription: Stripe.Subscription,
  order: OrderOf<'change_now'>,
): Promise<OrderOutcome> => {
  const { changes } = await changesTo(tools, command, subscription, order.lines)
  if (changes.length === 0) return { kind: 'done' }
  // Asked before and waiting for its money: another try would be another invoice.
  if (command.attempt > 1 && (await waitsFor(tools, subscription, order.lines))) return unpaid(subscription)
  await voidUnpaidChange(stripe, tools, command, subscription)
  await release(stripe, tools, command, subscription)
  const conditional = order.proration === 'always_invoice' && subscription.collection_method === 'charge_automatically'
  return outcomeOf(
    await update(stripe, tools, command, subscription.id, {
      items: changes,
      proration_behavior: order.proration,
      ...(order.proration === 'none' ? {} : { proration_date: secondsOf(order.prorationAt) }),
      // The old terms stay in force until the new ones are paid for.
      ...(conditional ? { payment_behavior: 'pending_if_incomplete' as const } : {}),
    }),
  )
}

/** A schedule that repeats the running phase and then makes the change. One that is attached already is written over. */
const changeAtPeriodEnd = async (
  stripe: Stripe,
  tools: OrderTools,
  command: Command,
  subscription: Stripe.Subscription,
  order: OrderOf<'change_at_period_end'>,
): Promise<OrderOutcome> => {
  await voidUnpaidChange(stripe, tools, command, subscription)
  const { after, cycle } = await changesTo(tools, command, subscription, order.lines)
  const attached = idOf(subscription.schedule)
  const schedule = await ask(tools, 'subscription_schedules.take', () =>
    attached === null
      ? stripe.subscriptionSchedules.create({ from_subscription: subscription.id }, keyed(command, 'schedule'))
      : stripe.subscriptionSchedules.retrieve(attached),
  )
  const { start, end } = runningPeriod(subscription)
  await ask(tools, 'subscription_schedules.update', () =>
    stripe.subscriptionSchedules.update(
      schedule.id,
      {
        end_behavior: 'release',
        proration_behavior: 'none',
        phases: [
          {
            items: subscription.items.data.map(({ price, quantity }) => ({
              price: price.id,
              ...(quantity === undefined ? {} : { quantity }),
            })),
            start_date: schedule.current_phase?.start_date ?? start,
            end_date: end,
            proration_behavior: 'none',
          },
          { items: after, duration: cycle, proration_behavior: 'none' },
        ],
      },
      keyed(command, 'phases'),
    ),
  )
  return { kind: 'done' }
}

const resume = async (
  stripe: Stripe,
  tools: OrderTools,
  command: Command,
  subscription: Stripe.Subscription,
): Promise<OrderOutcome> => {
  if (subscription.status !== 'paused') return { kind: 'done' }
  const resumed = await ask(tools, 'subscriptions.resume', () =>
    stripe.subscriptions.resume(
      subscription.id,
      { billing_cycle_anchor: { type: 'unchanged' }, proration_behavior: 'always_invoice', expand: ['latest_invoice'] },
      keyed(command, 'resume'),
    ),
  )
  return resumed.status === 'paused' ? unpaid(resumed) : { kind: 'done' }
}

const outcomeOf = (updated: Stripe.Subscription): OrderOutcome =>
  updated.pending_update ? unpaid(updated) : { kind: 'done' }

const unpaid = (subscription: Stripe.Subscription): OrderOutcome => {
  const invoice = typeof subscription.latest_invoice === 'object' ? subscription.latest_invoice : null
  return {
    kind: 'payment_failed',
    // Tried, and nothing counted as an attempt: the bank asks for the customer.
    actionRequired: invoice?.attempted === true && invoice.attempt_count === 0,
    invoiceUrl: invoice?.hosted_invoice_url ?? null,
  }
}

type ItemChange = { id?: string; price?: string; quantity?: number; deleted?: boolean }

/** What to ask so that the items of ours become these lines: each by its role, items that are not ours untouched. */
export const changesTo = async (
  tools: OrderTools,
  { roleOf }: Pick<OrderRequest, 'roleOf'>,
  subscription: Stripe.Subscription,
  lines: readonly { lookupKey: string; quantity: number }[],
): Promise<{
  changes: ItemChange[]
  after: { price: string; quantity?: number }[]
  cycle: Stripe.SubscriptionScheduleUpdateParams.Phase.Duration
}> => {
  const ours = new Map<string, Stripe.SubscriptionItem>()
  const after: { price: string; quantity?: number }[] = []
  for (const item of subscription.items.data) {
    const role = item.price.lookup_key ? roleOf(item.price.lookup_key) : null
    if (role !== null) ours.set(role, item)
    else after.push({ price: item.price.id, ...(item.quantity === undefined ? {} : { quantity: item.quantity }) })
  }
  const changes: ItemChange[] = []
  for (const { lookupKey, quantity } of lines) {
    const price = await tools.priceOf(lookupKey)
    const role = roleOf(lookupKey)
    const item = role === null ? undefined : ours.get(role)
    if (role !== null) ours.delete(role)
    after.push({ price, quantity })
    if (!item) changes.push({ price, quantity })
    // The quantity goes with it: a new price without one is a quantity of one.
    else if (item.price.id !== price) changes.push({ id: item.id, price, quantity })
    else if (item.quantity !== quantity) changes.push({ id: item.id, quantity })
  }
  for (const item of ours.values()) changes.push({ id: item.id, deleted: true })
  const recurring = subscription.items.data[0]?.price.recurring
  return {
    changes,
    after,
    cycle: { interval: recurring?.interval ?? 'month', interval_count: recurring?.interval_count ?? 1 },
  }
}

/** The period that all items are in; with mixed intervals the nearest end. */
export const runningPeriod = (subscription: Stripe.Subscription): { start: number; end: number } => {
  const { data } = subscription.items
  return {
    start: Math.min(...data.map((item) => item.current_period_start)),
    end: Math.min(...data.map((item) => item.current_period_end)),
  }
}

const waitsFor = async (
  tools: OrderTools,
  subscription: Stripe.Subscription,
  lines: readonly { lookupKey: string; quantity: number }[],
): Promise<boolean> => {
  const pending = subscription.pending_update?.subscription_items
  if (!pending) return false
  for (const { lookupKey, quantity } of lines) {
    const price = await tools.priceOf(lookupKey)
    if (!pending.some((item) => item.price.id === price && (item.quantity ?? 1) === quantity)) return false
  }
  return true
}

export const readSubscription = (stripe: Stripe, tools: OrderTools, id: string): Promise<Stripe.Subscription | null> =>
  ask(tools, 'subscriptions.retrieve', () =>
    orMissing(stripe.subscriptions.retrieve(id, { expand: ['latest_invoice'] })),
  )

const update = (
  stripe: Stripe,
  tools: OrderTools,
  command: Command,
  id: string,
  parameters: Stripe.SubscriptionUpdateParams,
): Promise<Stripe.Subscription> =>
  ask(tools, 'subscriptions.update', () =>
    stripe.subscriptions.update(id, { ...parameters, expand: ['latest_invoice'] }, keyed(command, 'update')),
  )

/** A schedule that is attached stands in the way of direct changes. */
const release = async (
  stripe: Stripe,
  tools: OrderTools,
  command: Command,
  subscription: Stripe.Subscription,
): Promise<void> => {
  const schedule = idOf(subscription.schedule)
  if (schedule === null) return
  await ask(tools, 'subscription_schedules.release', () =>
    stripe.subscriptionSchedules.release(schedule, {}, keyed(command, `release-${schedule}`)),
  )
}

/** What cannot be paid any more cannot come into force. */
const voidUnpaidChange = async (
  stripe: Stripe,
  tools: OrderTools,
  command: Command,
  subscription: Stripe.Subscription,
): Promise<void> => {
  const invoice = typeof subscription.latest_invoice === 'object' ? subscription.latest_invoice : null
  if (!subscription.pending_update || !invoice?.id || invoice.status !== 'open') return
  const { id } = invoice
  await ask(tools, 'invoices.void', () => stripe.invoices.voidInvoice(id, {}, keyed(command, `void-${id}`)))
}

/** What a payment without the customer would be tried with: that of the subscription, the customer's default, the newest card. */
const findPaymentMethod = async (
  stripe: Stripe,
  tools: OrderTools,
  customerId: string,
  subscriptionId: string | null,
): Promise<string | null> => {
  if (subscriptionId !== null) {
    const subscription = await readSubscription(stripe, tools, subscriptionId)
    const own = idOf(subscription?.default_payment_method)
    if (own !== null) return own
  }
  const customer = await ask(tools, 'customers.retrieve', () => orMissing(stripe.customers.retrieve(customerId)))
  if (!customer || customer.deleted) return null
  const standard = idOf(customer.invoice_settings.default_payment_method)
  if (standard !== null) return standard
  const methods = await ask(tools, 'customers.list_payment_methods', () =>
    stripe.customers.listPaymentMethods(customerId, { limit: 1 }),
  )
  return methods.data[0]?.id ?? null
}

const ask = <T>({ log }: OrderTools, what: string, request: () => Promise<T>): Promise<T> => asking(log, what, request)

/**
 * The same for every repeat of a step. An answer is kept for its key even when it is an error of the provider's own, so that
 * after some attempts another key is due; the look at the subscription keeps the effect single.
 */
const keyed = ({ commandId, attempt }: Command, step: string) => {
  const round = Math.floor((attempt - 1) / 3)
  return { idempotencyKey: `${commandId}-${step}${round === 0 ? '' : `-${round}`}` }
}

export const secondsOf = (instant: string): number =>
  Math.floor(Temporal.Instant.from(instant).epochMilliseconds / 1_000)

const idOf = (reference: string | { id: string } | null | undefined): string | null =>
  typeof reference === 'string' ? reference : (reference?.id ?? null)
