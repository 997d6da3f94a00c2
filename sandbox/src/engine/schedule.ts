import type Stripe from 'stripe'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { mergeMetadata, need } from '../objects/common.ts'
import { itemsOf } from '../objects/render.ts'
import type { Price, SchedulePhase, Subscription, SubscriptionSchedule } from '../objects/types.ts'
import { newId } from '../store/ids.ts'
import { find, load, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { cancelNow } from './cancel.ts'
import { stepFrom } from './period.ts'
import { subscribe } from './subscribe.ts'
import { updateSubscription } from './updateSubscription.ts'

type PhaseParams = Stripe.SubscriptionScheduleUpdateParams.Phase & { iterations?: number }

export function createSchedule(tx: Tx, params: Stripe.SubscriptionScheduleCreateParams): SubscriptionSchedule {
  if (params.from_subscription) return adopt(tx, params)
  const customer = need(tx, 'customer', params.customer, 'customer')
  const phases = params.phases as PhaseParams[] | undefined
  if (!phases?.length) throw invalid('Missing required param: phases.', 'phases', 'parameter_missing')
  const start = params.start_date === 'now' || params.start_date === undefined ? tx.now : Number(params.start_date)
  const schedule = blankSchedule(tx, customer.id, {
    metadata: params.metadata,
    endBehavior: params.end_behavior,
    testClock: customer.test_clock,
  })
  schedule.phases = phasesOf(tx, phases, start)
  save(tx, schedule)
  emit(tx, 'subscription_schedule.created', schedule)
  if (start <= tx.now) startFirstPhase(tx, schedule)
  return load<SubscriptionSchedule>(tx, schedule.id)
}

export function updateSchedule(
  tx: Tx,
  id: string,
  params: Stripe.SubscriptionScheduleUpdateParams,
): SubscriptionSchedule {
  const schedule = need<SubscriptionSchedule>(tx, 'subscription_schedule', id)
  refuseEnded(schedule, 'update')
  const before = snapshot(tx, schedule)
  schedule.metadata = mergeMetadata(schedule.metadata, params.metadata)
  if (params.end_behavior) schedule.end_behavior = params.end_behavior
  if (params.phases) {
    const current = schedule.current_phase
    const phases = phasesOf(tx, params.phases as PhaseParams[], current?.start_date ?? schedule.phases[0]!.start_date)
    if (current && !phases.some((phase) => phase.start_date === current.start_date))
      throw invalid('You can not modify the start date of the current phase.', 'phases[0][start_date]')
    schedule.phases = phases
    const running = phases.find((phase) => phase.start_date <= tx.now && tx.now < phase.end_date)
    if (schedule.status === 'active') {
      if (!running) throw invalid('The subscription schedule must have a phase that is currently active.', 'phases')
      schedule.current_phase = { start_date: running.start_date, end_date: running.end_date }
      save(tx, schedule)
      if (schedule.subscription) enterPhase(tx, schedule, running, params.proration_behavior ?? 'create_prorations')
    }
  }
  save(tx, schedule)
  emitUpdate(tx, 'subscription_schedule.updated', schedule, before)
  return schedule
}

export function releaseSchedule(tx: Tx, id: string): SubscriptionSchedule {
  const schedule = need<SubscriptionSchedule>(tx, 'subscription_schedule', id)
  refuseEnded(schedule, 'release')
  return letGo(tx, schedule)
}

export function cancelSchedule(
  tx: Tx,
  id: string,
  params: { invoice_now?: boolean; prorate?: boolean },
): SubscriptionSchedule {
  const schedule = need<SubscriptionSchedule>(tx, 'subscription_schedule', id)
  refuseEnded(schedule, 'cancel')
  const subscription = schedule.subscription ? find<Subscription>(tx, schedule.subscription) : undefined
  schedule.status = 'canceled'
  schedule.canceled_at = tx.now
  schedule.current_phase = null
  save(tx, schedule)
  if (subscription) cancelNow(tx, subscription, { invoiceNow: params.invoice_now, prorate: params.prorate })
  emit(tx, 'subscription_schedule.canceled', schedule)
  return schedule
}

/** A phase ends: the next one begins, or the schedule ends as it says. */
export function advanceSchedule(tx: Tx, schedule: SubscriptionSchedule, now = tx.now): void {
  const before = snapshot(tx, schedule)
  if (schedule.status === 'not_started') return void startFirstPhase(tx, schedule)
  const ended = schedule.current_phase!
  if (now < ended.end_date) {
    schedule._ = { expiringNoticeFor: schedule.phases.at(-1)!.end_date }
    save(tx, schedule)
    emit(tx, 'subscription_schedule.expiring', schedule)
    return
  }
  const next = schedule.phases.find((phase) => phase.start_date >= ended.end_date)
  if (next) {
    schedule.current_phase = { start_date: next.start_date, end_date: next.end_date }
    save(tx, schedule)
    enterPhase(tx, schedule, next, next.proration_behavior, now)
    emitUpdate(tx, 'subscription_schedule.updated', schedule, before)
    return
  }
  const subscription = schedule.subscription ? find<Subscription>(tx, schedule.subscription) : undefined
  if (schedule.end_behavior !== 'cancel') {
    emit(tx, 'subscription_schedule.completed', letGo(tx, schedule))
    return
  }
  schedule.status = 'completed'
  schedule.completed_at = tx.now
  schedule.current_phase = null
  save(tx, schedule)
  if (subscription) {
    subscription.schedule = null
    cancelNow(tx, subscription, {})
  }
  emit(tx, 'subscription_schedule.completed', schedule)
}

function adopt(tx: Tx, params: Stripe.SubscriptionScheduleCreateParams): SubscriptionSchedule {
  const extra = ['phases', 'customer', 'start_date'].find((name) => name in params)
  if (extra) throw invalid(`You cannot set \`${extra}\` if \`from_subscription\` is set.`, extra)
  const subscription = need<Subscription>(tx, 'subscription', params.from_subscription, 'from_subscription')
  if (subscription.schedule)
    throw invalid('You cannot migrate a subscription that is already attached to a schedule.', 'from_subscription')
  if (subscription.status === 'canceled' || subscription.status === 'incomplete_expired')
    throw invalid('You cannot migrate a subscription that is canceled.', 'from_subscription')
  const items = itemsOf(tx, subscription.id)
  const schedule = blankSchedule(tx, subscription.customer, {
    metadata: params.metadata,
    endBehavior: params.end_behavior,
    testClock: subscription.test_clock,
  })
  const phase: SchedulePhase = {
    ...blankPhase(subscription.currency),
    start_date: Math.min(...items.map((item) => item.current_period_start)),
    end_date: Math.max(...items.map((item) => item.current_period_end)),
    items: items.map((item) => phaseItem(item.price, item.quantity, item.metadata)),
    trial_end: subscription.status === 'trialing' ? subscription.trial_end : null,
  }
  schedule.phases = [phase]
  schedule.status = 'active'
  schedule.current_phase = { start_date: phase.start_date, end_date: phase.end_date }
  schedule.subscription = subscription.id
  save(tx, schedule)
  emit(tx, 'subscription_schedule.created', schedule)
  const before = snapshot(tx, subscription)
  subscription.schedule = schedule.id
  save(tx, subscription)
  emitUpdate(tx, 'customer.subscription.updated', subscription, before)
  return schedule
}

function startFirstPhase(tx: Tx, schedule: SubscriptionSchedule): void {
  const before = snapshot(tx, schedule)
  const first = schedule.phases[0]!
  const { subscription } = subscribe(
    tx,
    {
      customer: schedule.customer,
      items: first.items.map(({ price, quantity, metadata }) => ({ price, quantity, metadata })),
      metadata: first.metadata,
      ...(first.trial_end ? { trial_end: first.trial_end } : {}),
    },
    { onSession: false, later: true },
  )
  subscription.schedule = schedule.id
  save(tx, subscription)
  schedule.subscription = subscription.id
  schedule.status = 'active'
  schedule.current_phase = { start_date: first.start_date, end_date: first.end_date }
  save(tx, schedule)
  emitUpdate(tx, 'subscription_schedule.updated', schedule, before)
}

// Brings the subscription to what the phase says. At a period's end nothing is left to prorate.
function enterPhase(
  tx: Tx,
  schedule: SubscriptionSchedule,
  phase: SchedulePhase,
  proration: string,
  now = tx.now,
): void {
  const subscription = load<Subscription>(tx, schedule.subscription!)
  const present = itemsOf(tx, subscription.id)
  const kept = new Set<string>()
  const changes: { id?: string; price?: string; quantity?: number; deleted?: boolean }[] = []
  const wanted = phase.items.map((item) => ({ ...item }))
  for (const item of wanted) {
    const same = present.find((each) => each.price === item.price && !kept.has(each.id))
    if (!same) continue
    kept.add(same.id)
    if (item.quantity !== undefined && item.quantity !== same.quantity)
      changes.push({ id: same.id, quantity: item.quantity })
  }
  const fresh = wanted.filter((item) => !present.some((each) => each.price === item.price))
  const free = present.filter((item) => !kept.has(item.id))
  for (const item of fresh) {
    const replaced = free.shift()
    changes.push({
      ...(replaced ? { id: replaced.id } : {}),
      price: item.price,
      ...(item.quantity === undefined ? {} : { quantity: item.quantity }),
    })
  }
  for (const item of free) changes.push({ id: item.id, deleted: true })
  if (changes.length === 0 && Object.keys(phase.metadata).length === 0) return
  const atEnd = now >= subscription._.nextPeriodEnd
  // The rule against direct changes is for callers; the schedule itself is the one that may.
  subscription.schedule = null
  save(tx, subscription)
  updateSubscription(tx, subscription.id, {
    ...(changes.length > 0 ? { items: changes } : {}),
    ...(Object.keys(phase.metadata).length > 0 ? { metadata: phase.metadata } : {}),
    proration_behavior: (atEnd ? 'none' : proration) as 'none',
    ...(atEnd ? { proration_date: now } : {}),
  })
  // What is added at a boundary begins with the period that the renewal of the same second bills.
  if (atEnd)
    for (const item of itemsOf(tx, subscription.id))
      if (!present.some((each) => each.id === item.id))
        save(tx, { ...item, current_period_start: Math.min(item.current_period_start, now), current_period_end: now })
  const updated = load<Subscription>(tx, subscription.id)
  updated.schedule = schedule.id
  save(tx, updated)
  for (const event of tx.events) {
    const shown = event.object as { id?: string; object?: string; schedule?: string | null }
    if (shown.object === 'subscription' && shown.id === subscription.id && shown.schedule === null)
      shown.schedule = schedule.id
  }
}

function letGo(tx: Tx, schedule: SubscriptionSchedule): SubscriptionSchedule {
  const subscription = schedule.subscription ? find<Subscription>(tx, schedule.subscription) : undefined
  schedule.status = 'released'
  schedule.released_at = tx.now
  schedule.released_subscription = schedule.subscription
  schedule.subscription = null
  schedule.current_phase = null
  save(tx, schedule)
  if (subscription) {
    const before = snapshot(tx, subscription)
    subscription.schedule = null
    save(tx, subscription)
    emitUpdate(tx, 'customer.subscription.updated', subscription, before)
  }
  emit(tx, 'subscription_schedule.released', schedule)
  return schedule
}

function phasesOf(tx: Tx, wanted: PhaseParams[], firstStart: number): SchedulePhase[] {
  let at = firstStart
  return wanted.map((phase, index) => {
    const items = phase.items as {
      price?: string
      plan?: string
      quantity?: number
      metadata?: Record<string, string>
    }[]
    const prices = items.map((item, position) =>
      need<Price>(tx, 'price', item.price ?? item.plan, `phases[${index}][items][${position}][price]`),
    )
    const given = phase.start_date
    const start = given === 'now' ? tx.now : typeof given === 'number' ? given : at
    if (index > 0 && start !== at)
      throw invalid('Each phase must start where the one before it ends.', `phases[${index}][start_date]`)
    const end = endOf(tx, phase, start, prices[0]!, index)
    at = end
    return {
      ...blankPhase(prices[0]!.currency),
      start_date: start,
      end_date: end,
      items: items.map((item, position) =>
        phaseItem(
          prices[position]!.id,
          prices[position]!.recurring?.usage_type === 'metered' ? undefined : (item.quantity ?? 1),
          item.metadata ?? {},
        ),
      ),
      metadata: mergeMetadata({}, phase.metadata),
      proration_behavior: (phase.proration_behavior ?? 'create_prorations') as 'none',
      billing_cycle_anchor: phase.billing_cycle_anchor ?? null,
      trial_end: typeof phase.trial_end === 'number' ? phase.trial_end : phase.trial ? end : null,
    }
  })
}

function endOf(tx: Tx, phase: PhaseParams, start: number, price: Price, index: number): number {
  const end =
    phase.end_date === 'now'
      ? tx.now
      : typeof phase.end_date === 'number'
        ? phase.end_date
        : phase.duration
          ? stepFrom(
              start,
              { interval: phase.duration.interval as 'month', interval_count: phase.duration.interval_count ?? 1 },
              1,
            )
          : stepFrom(start, price.recurring!, phase.iterations ?? 1)
  if (end <= start) throw invalid('The phase must end after it starts.', `phases[${index}][end_date]`)
  return end
}

function blankSchedule(
  tx: Tx,
  customer: string,
  known: { metadata: unknown; endBehavior?: string; testClock: unknown },
): SubscriptionSchedule {
  return {
    id: newId('sub_sched'),
    object: 'subscription_schedule',
    application: null,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible', updated_at: tx.now },
    canceled_at: null,
    completed_at: null,
    created: tx.now,
    current_phase: null,
    customer,
    customer_account: null,
    default_settings: {
      application_fee_percent: null,
      automatic_tax: { disabled_reason: null, enabled: false, liability: null },
      billing_cycle_anchor: 'automatic',
      billing_thresholds: null,
      collection_method: 'charge_automatically',
      default_payment_method: null,
      description: null,
      invoice_settings: {
        account_tax_ids: null,
        custom_fields: null,
        days_until_due: null,
        description: null,
        footer: null,
        issuer: { type: 'self' },
      },
      on_behalf_of: null,
      transfer_data: null,
    },
    end_behavior: known.endBehavior ?? 'release',
    livemode: false,
    metadata: mergeMetadata({}, known.metadata),
    pause_schedules: [],
    phases: [],
    released_at: null,
    released_subscription: null,
    status: 'not_started',
    subscription: null,
    test_clock: (known.testClock as string | null) ?? null,
  }
}

function blankPhase(currency: string): SchedulePhase {
  return {
    add_invoice_items: [],
    application_fee_percent: null,
    billing_cycle_anchor: null,
    billing_thresholds: null,
    collection_method: null,
    currency,
    default_payment_method: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    end_date: 0,
    invoice_settings: null,
    items: [],
    metadata: {},
    on_behalf_of: null,
    proration_behavior: 'create_prorations',
    start_date: 0,
    transfer_data: null,
    trial_end: null,
  }
}

function phaseItem(price: string, quantity: number | undefined, metadata: Record<string, string>) {
  return {
    billing_thresholds: null,
    discounts: [],
    metadata,
    plan: price,
    price,
    ...(quantity === undefined ? {} : { quantity }),
    tax_rates: [],
  }
}

function refuseEnded(schedule: SubscriptionSchedule, verb: string): void {
  if (schedule.status === 'active' || schedule.status === 'not_started') return
  throw invalid(
    `You cannot ${verb} a subscription schedule that is currently in the \`${schedule.status}\` status. It must be in \`not_started\` or \`active\` status.`,
    undefined,
  )
}
