import { idFor } from '../../core/ids.ts'
import { isBefore } from '../../core/period.ts'
import { findPlan } from '../../modules/catalog/index.ts'
import { type CustomerRecord, lockFreeCustomers } from '../../modules/customers/index.ts'
import { usagePeriodOf, windowAt } from '../../modules/entitlements/index.ts'
import {
  type Billed,
  creditLines,
  findBilled,
  findPeriodStarts,
  findPeriodsToRate,
  insertLines,
  insertPeriods,
  insertPlacings,
  isWaiting,
  joinPlacings,
  type Left,
  linesOf,
  type NewLine,
  type Placing,
  type RatedPeriod,
  ratingOf,
  saveRated,
  sumWaiting,
  type UsagePeriod,
} from '../../modules/periods/index.ts'
import type { Settings } from '../../modules/rating/index.ts'
import {
  findSubscriptionsOf,
  isTerminal,
  renewsAt,
  type SubscriptionRecord,
} from '../../modules/subscriptions/index.ts'
import { type Actor, type AuditRecord, appendAudits } from '../../platform/audit.ts'
import type { Tx } from '../../platform/db.ts'
import { appendEventsOf, type NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'
import { afterDiscounts, discountsOnUsage } from './after-discounts.ts'
import { burnForPeriods, type PeriodCost } from './burn-credits.ts'
import { openedPeriod } from './follow-usage-periods.ts'
import { giveBack } from './give-back.ts'
import { readPeriodUsage } from './read-period-usage.ts'
import { subjectsOf } from './subjects-of.ts'
import { takeBackCredit } from './take-back-credit.ts'

type Close = { at: Temporal.Instant; endedBy: Temporal.Instant; actor: Actor }

/**
 * Rates what is over of these customers and writes it down: lines, the placings that bring them to invoices, the next
 * periods, audit and events. Customers that somebody else works on are left to the next run. A period that was rated before
 * is looked at again with each close of its subscription, and a last time when no later usage is accepted any more (USE-5).
 */
export const closeCustomers = async (
  tx: Tx,
  deps: Pick<Deps, 'clock' | 'catalog'>,
  tenantIds: readonly string[],
  { at, endedBy, actor }: Close,
): Promise<number> => {
  const customers = new Map((await lockFreeCustomers(tx, tenantIds)).map((customer) => [customer.tenantId, customer]))
  const locked = [...customers.keys()]
  const over = await findPeriodsToRate(tx, locked, endedBy)
  const closing = new Set(over.flatMap(({ state, subscriptionId }) => (state === 'open' ? [subscriptionId] : [])))
  const isLast = ({ lateUntil }: UsagePeriod) => lateUntil !== null && !isBefore(at, lateUntil)
  const periods = over.filter((period) => closing.has(period.subscriptionId) || isLast(period))
  if (periods.length === 0) return 0
  const subscriptions = new Map(
    (await findSubscriptionsOf(tx, locked)).map((record) => [record.subscriptionId, record]),
  )
  const rated = await rateAll(tx, deps, periods, subscriptions, locked)

  const lateHours = 24 * deps.catalog().file.policies.usage.acceptLateDays
  const lines: NewLine[] = []
  const saved: RatedPeriod[] = []
  const paid = await payByCredit(tx, deps, periods, rated, subscriptions, actor)
  for (const [index, period] of periods.entries()) {
    const { input, inputHash, leaves, billed } = rated[index]!
    const made = [...rated[index]!.made, ...paid.lines[index]!]
    const isFirst = period.state === 'open'
    const placeable = await giveBack(tx, deps, period, made, billed.length, actor)
    lines.push(...placeable.map((line) => ({ ...line, placingId: null, createdAt: at })))
    const owes = made.some(({ amountMinor }) => amountMinor !== 0n)
    const lateUntil = period.lateUntil ?? period.period.end.add({ hours: lateHours })
    const isSettled = !isBefore(at, lateUntil)
    if (!isFirst && inputHash === period.inputHash && !isSettled) continue
    const state = isSettled ? 'settled' : owes ? 'rated' : isFirst ? 'nothing_due' : period.state
    saved.push({ tenantId: period.tenantId, periodId: period.periodId, state, input, inputHash, leaves, lateUntil })
  }
  const waiting = await sumWaiting(tx, locked)
  const placings = placingsOf(periods, subscriptions, customers, withNew(waiting, lines), at)
  await insertPlacings(tx, placings)
  await joinPlacings(
    tx,
    placings.filter(({ subscriptionId }) => waiting.has(subscriptionId)),
  )
  const placingOf = new Map(placings.map(({ subscriptionId, placingId }) => [subscriptionId, placingId]))
  await insertLines(
    tx,
    lines.map((line) => (isWaiting(line) ? { ...line, placingId: placingOf.get(line.subscriptionId) ?? null } : line)),
  )
  await saveRated(tx, saved, at)
  await openNext(tx, deps, periods, subscriptions, customers, locked, at)
  await tell(tx, deps, periods, lines, paid.events, customers, actor)
  return periods.length
}

type Rated = {
  input: string
  inputHash: string
  made: ReturnType<typeof linesOf>
  leaves: Left | null
  billed: readonly Billed[]
  settings: Settings | null
}

/** The credit that pays for periods, as lines of its own: less to pay, or after a correction what of it went back. */
const payByCredit = async (
  tx: Tx,
  deps: Pick<Deps, 'clock' | 'catalog'>,
  periods: readonly UsagePeriod[],
  rated: readonly Rated[],
  subscriptions: ReadonlyMap<string, SubscriptionRecord>,
  actor: Actor,
): Promise<{ lines: Rated['made'][]; events: ReadonlyMap<string, NewEvent[]> }> => {
  const costs = periods.flatMap(({ tenantId, periodId, subscriptionId, period, state }, index): PeriodCost[] => {
    const { made, billed, settings } = rated[index]!
    const currency = made[0]?.currency
    if (settings === null || currency === undefined) return []
    const discounts = discountsOnUsage(deps.catalog(), subscriptions.get(subscriptionId)!, period.end)
    const amounts = afterDiscounts([...billed, ...made], discounts)
    const round = billed.length
    return [{ tenantId, periodId, round, currency, at: period.end, isAgain: state !== 'open', amounts, settings }]
  })
  const burnt = await burnForPeriods(tx, deps, costs, actor.id)
  const of = new Map(burnt.map((each) => [each.periodId, each]))
  const events = new Map<string, NewEvent[]>()
  for (const [tenantId, all] of Map.groupBy(burnt, (each) => each.tenantId)) {
    // Credit that a correction gives back is not left to a purchase that was refunded.
    const grants = all.flatMap(({ changes }) => changes.flatMap(([grantId, change]) => (change < 0n ? [grantId] : [])))
    events.set(tenantId, [
      ...all.map(({ event }) => event),
      ...(await takeBackCredit(tx, deps, tenantId, { grants }, actor)),
    ])
  }
  return {
    lines: periods.map((period, index) => {
      const { made, billed } = rated[index]!
      return creditLines(period, of.get(period.periodId)?.changes ?? [], made, billed.length)
    }),
    events,
  }
}

const rateAll = async (
  tx: Tx,
  deps: Pick<Deps, 'catalog'>,
  periods: readonly UsagePeriod[],
  subscriptions: ReadonlyMap<string, SubscriptionRecord>,
  tenantIds: readonly string[],
): Promise<Rated[]> => {
  const subjects = await subjectsOf(tx, deps, periods, subscriptions, tenantIds)
  const usage = await readPeriodUsage(
    tx,
    subjects.flatMap((each) => (each ? [each.usageOf] : [])),
  )
  const billed = await findBilled(
    tx,
    tenantIds,
    periods.filter(({ state }) => state !== 'open').map(({ periodId }) => periodId),
  )
  let next = 0
  // Periods stand in the order of time: what one leaves, the next one of its subscription begins with.
  const left = new Map<string, { end: Temporal.Instant; leaves: Left | null }>()
  return periods.map((period, index): Rated => {
    const known = subjects[index]
    const before = billed.get(period.periodId) ?? []
    if (!known) return { input: '{}', inputHash: '', made: [], leaves: null, billed: before, settings: null }
    const predecessor = left.get(period.subscriptionId)
    const follows = predecessor?.end.equals(period.period.start) === true
    const { subject, input, leaves: leavesOf } = follows ? known.after(predecessor.leaves) : known
    const { text, hash, rated } = ratingOf(subject, input, usage[next++]!)
    // The same input gives the same lines: there is nothing to make up for.
    const isSame = period.state !== 'open' && hash === period.inputHash
    const view = isSame ? null : rated()
    const made = view ? linesOf(period, view, input.currency, before) : []
    const leaves = view ? leavesOf(view) : period.leaves
    left.set(period.subscriptionId, { end: period.period.end, leaves })
    return { input: text, inputHash: hash, made, leaves, billed: before, settings: input.settings }
  })
}

/** What waits for an invoice together with what this close adds, by subscription. */
const withNew = (waiting: ReadonlyMap<string, bigint>, lines: readonly NewLine[]): Map<string, bigint> => {
  const sums = new Map(waiting)
  for (const line of lines.filter(isWaiting))
    sums.set(line.subscriptionId, (sums.get(line.subscriptionId) ?? 0n) + line.amountMinor)
  return sums
}

/**
 * One placing for each subscription with something to charge: onto the draft of the renewal with which its newest period
 * ended, else an invoice of its own. Credit is no invoice: it waits for the next one.
 */
const placingsOf = (
  periods: readonly UsagePeriod[],
  subscriptions: ReadonlyMap<string, SubscriptionRecord>,
  customers: ReadonlyMap<string, CustomerRecord>,
  waiting: ReadonlyMap<string, bigint>,
  at: Temporal.Instant,
): Placing[] => {
  const newest = new Map(periods.map((period) => [period.subscriptionId, period]))
  return [...newest.values()].flatMap((period): Placing[] => {
    const subscription = subscriptions.get(period.subscriptionId)!
    const sum = waiting.get(period.subscriptionId)
    if (sum === undefined) return []
    // What was looked at a last time, while the subscription goes on, comes with its next close.
    if (period.state !== 'open' && !isTerminal(subscription.status)) return []
    const renewalAt = period.state === 'open' && renewsAt(subscription, period.period.end) ? period.period.end : null
    if (renewalAt === null && sum <= 0n) return []
    return [
      {
        tenantId: period.tenantId,
        placingId: idFor('placing', `${period.periodId} ${period.state === 'open' ? 'close' : 'late'}`),
        customerId: customers.get(period.tenantId)!.customerId,
        subscriptionId: period.subscriptionId,
        providerSubscriptionId: subscription.providerSubscriptionId,
        renewalAt,
        currency: subscription.currency,
        state: 'waiting',
        providerInvoiceId: null,
        own: false,
        attempts: 0,
        dueAt: at,
        failure: null,
        createdAt: at,
        settledAt: null,
      },
    ]
  })
}

/**
 * The period after each that was closed, up to where the next one is open already or the subscription ends: after an outage
 * of months none of them is passed over, though the provider tells of the newest only.
 */
const openNext = async (
  tx: Tx,
  deps: Pick<Deps, 'catalog'>,
  periods: readonly UsagePeriod[],
  subscriptions: ReadonlyMap<string, SubscriptionRecord>,
  customers: ReadonlyMap<string, CustomerRecord>,
  tenantIds: readonly string[],
  at: Temporal.Instant,
): Promise<void> => {
  const [earliest] = periods.map(({ period }) => period.end).sort(Temporal.Instant.compare)
  const known = Map.groupBy(await findPeriodStarts(tx, tenantIds, earliest!), ({ tenantId }) => tenantId)
  const next = periods.flatMap(({ tenantId, subscriptionId, period: { end: start }, state }) => {
    const subscription = subscriptions.get(subscriptionId)!
    const { plan, planVersion, endedAt, endsAt } = subscription
    const following = known.get(tenantId)?.find((each) => !isBefore(each.start, start))?.start
    if (state !== 'open' || following?.equals(start)) return []
    const regular = windowAt(usagePeriodOf(subscription, findPlan(deps.catalog(), plan, planVersion)), start)
    const end = [following, endedAt ?? endsAt].reduce<Temporal.Instant>(
      (least, each) => (each && isBefore(each, least) ? each : least),
      regular.end,
    )
    if (!isBefore(start, end)) return []
    const { customerId } = customers.get(tenantId)!
    const byRecords = !regular.start.equals(start) || !regular.end.equals(end)
    const opened = { tenantId, customerId, subscriptionId, period: { start, end }, regular, byRecords }
    return [openedPeriod(opened, at)]
  })
  await insertPeriods(tx, next)
}

/** Audit and one event for each period that was charged for; of nothing due nobody is told, its row says so. */
const tell = async (
  tx: Tx,
  deps: Pick<Deps, 'clock'>,
  periods: readonly UsagePeriod[],
  lines: readonly NewLine[],
  burnt: ReadonlyMap<string, NewEvent[]>,
  customers: ReadonlyMap<string, CustomerRecord>,
  actor: Actor,
): Promise<void> => {
  const made = Map.groupBy(lines, ({ periodId }) => periodId)
  const audits: AuditRecord[] = []
  const events = new Map(burnt)
  for (const period of periods) {
    const its = made.get(period.periodId)
    if (!its) continue
    const { tenantId, periodId, subscriptionId } = period
    const total = its.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)
    const isLate = period.state !== 'open'
    const amount = { amountMinor: String(total), currency: its[0]!.currency }
    audits.push({
      tenantId,
      actor,
      action: isLate ? 'usage_period.adjusted' : 'usage_period.rated',
      object: periodId,
      after: { lines: its.length, amountMinor: amount.amountMinor, currency: amount.currency },
    })
    const event: NewEvent = {
      type: isLate ? 'usage_period.adjusted' : 'usage_period.rated',
      data: {
        periodId,
        subscriptionId,
        start: period.period.start.toString(),
        end: period.period.end.toString(),
        lines: its.map(({ lineId, charge, name, quantity, amountMinor }) => ({
          lineId,
          charge,
          name,
          quantity,
          amountMinor: String(amountMinor),
        })),
        amount,
      },
    }
    events.set(tenantId, [...(events.get(tenantId) ?? []), event])
  }
  await appendAudits(tx, deps.clock, audits)
  await appendEventsOf(
    tx,
    deps.clock,
    actor.requestId,
    [...events].map(([tenantId, of]) => ({ customer: customers.get(tenantId)!, events: of })),
  )
}
