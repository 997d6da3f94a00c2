import type { SubscriptionStatus } from '@turnpike/contract'
import { type IntervalUnit, instantOfRow, instantOfRowOrNull } from '../../core/period.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../platform/db.ts'
import { type Reminder, reminderDaysOf } from './reminders.ts'
import type { SubscriptionRecord } from './subscription.ts'

type Row = {
  tenant_id: string
  subscription_id: string
  customer_id: string
  provider: string
  provider_subscription_id: string
  plan: string
  plan_version: number
  price: string
  currency: string
  interval_unit: IntervalUnit
  interval_count: number
  seats: number
  add_ons: SubscriptionRecord['addOns']
  status: SubscriptionStatus
  period_start: string
  period_end: string
  anchor: string
  trial_ends_at: string | null
  ends_at: string | null
  ended_at: string | null
  pending_change: SubscriptionRecord['pendingChange']
  standing: SubscriptionRecord['standing']
  noted: string | null
  started_at: string
  updated_at: string
}

const fromRow = (row: Row): SubscriptionRecord => ({
  tenantId: row.tenant_id,
  subscriptionId: row.subscription_id,
  customerId: row.customer_id,
  provider: row.provider,
  providerSubscriptionId: row.provider_subscription_id,
  plan: row.plan,
  planVersion: row.plan_version,
  price: row.price,
  currency: row.currency,
  interval: { unit: row.interval_unit, count: row.interval_count },
  seats: row.seats,
  addOns: row.add_ons,
  status: row.status,
  period: { start: instantOfRow(row.period_start), end: instantOfRow(row.period_end) },
  anchor: instantOfRow(row.anchor),
  trialEndsAt: instantOfRowOrNull(row.trial_ends_at),
  endsAt: instantOfRowOrNull(row.ends_at),
  endedAt: instantOfRowOrNull(row.ended_at),
  pendingChange: row.pending_change,
  standing: row.standing,
  noted: row.noted,
  startedAt: instantOfRow(row.started_at),
  updatedAt: instantOfRow(row.updated_at),
})

const text = (instant: Temporal.Instant | null): string | null => instant?.toString() ?? null

/** Writes the whole record. The caller holds the customer's row. */
export const saveSubscription = async (tx: Tx, s: SubscriptionRecord): Promise<void> => {
  await query(
    tx,
    sql`insert into subscriptions (tenant_id, subscription_id, customer_id, provider, provider_subscription_id, plan, plan_version, price, currency, interval_unit, interval_count, seats, add_ons,
          status, period_start, period_end, anchor, trial_ends_at, ends_at, ended_at, pending_change, standing, noted, started_at, updated_at)
        values (${s.tenantId}, ${s.subscriptionId}, ${s.customerId}, ${s.provider}, ${s.providerSubscriptionId}, ${s.plan}, ${s.planVersion}, ${s.price}, ${s.currency}, ${s.interval.unit}, ${s.interval.count},
          ${s.seats}, ${JSON.stringify(s.addOns)}, ${s.status}, ${text(s.period.start)}, ${text(s.period.end)}, ${text(s.anchor)}, ${text(s.trialEndsAt)}, ${text(s.endsAt)}, ${text(s.endedAt)},
          ${s.pendingChange ? JSON.stringify(s.pendingChange) : null}, ${JSON.stringify(s.standing)}, ${s.noted}, ${text(s.startedAt)}, ${text(s.updatedAt)})
        on conflict (tenant_id, subscription_id) do update set plan = excluded.plan, plan_version = excluded.plan_version, price = excluded.price, currency = excluded.currency,
          interval_unit = excluded.interval_unit, interval_count = excluded.interval_count, seats = excluded.seats, add_ons = excluded.add_ons, status = excluded.status, period_start = excluded.period_start,
          period_end = excluded.period_end, anchor = excluded.anchor, trial_ends_at = excluded.trial_ends_at, ends_at = excluded.ends_at, ended_at = excluded.ended_at,
          pending_change = excluded.pending_change, standing = excluded.standing, noted = excluded.noted, updated_at = excluded.updated_at`,
  )
}

/** All of a tenant's, newest first. */
export const findSubscriptions = async (on: Db | Tx, tenantId: string): Promise<SubscriptionRecord[]> =>
  (
    await query<Row>(
      on,
      sql`select * from subscriptions where tenant_id = ${tenantId} order by started_at desc, subscription_id desc`,
    )
  ).map(fromRow)

/** All of several tenants. */
export const findSubscriptionsOf = async (on: Db | Tx, tenantIds: readonly string[]): Promise<SubscriptionRecord[]> =>
  (await query<Row>(on, sql`select * from subscriptions where tenant_id = any(${[...tenantIds]})`)).map(fromRow)

/** Those with one of these ids of the provider, whoever they belong to. */
export const findSubscriptionsByProviderIds = async (
  on: Db | Tx,
  provider: string,
  providerSubscriptionIds: readonly string[],
): Promise<SubscriptionRecord[]> =>
  (
    await query<Row>(
      on,
      sql`select * from subscriptions where provider = ${provider} and provider_subscription_id = any(${[...providerSubscriptionIds]})`,
    )
  ).map(fromRow)

export const findSubscriptionById = async (on: Db | Tx, subscriptionId: string): Promise<SubscriptionRecord | null> => {
  const row = await queryOne<Row>(on, sql`select * from subscriptions where subscription_id = ${subscriptionId}`)
  return row && fromRow(row)
}

/** Live subscriptions grouped by what they pay for, for planning a catalog change. */
export const groupLiveSubscriptions = async (
  on: Db | Tx,
): Promise<{ plan: string; version: number; price: string; currency: string; seats: number; customers: number }[]> =>
  (
    await query<{ plan: string; version: number; price: string; currency: string; seats: number; customers: bigint }>(
      on,
      sql`select plan, plan_version as version, price, currency, seats, count(distinct tenant_id) as customers from subscriptions where ended_at is null group by 1, 2, 3, 4, 5`,
    )
  ).map((row) => ({ ...row, customers: Number(row.customers) }))

/** Customers without a live subscription. */
export const countWithoutSubscription = async (on: Db | Tx): Promise<number> =>
  Number(
    (await queryOne<{ n: bigint }>(
      on,
      sql`select count(*) as n from customers c where not exists (select from subscriptions s where s.tenant_id = c.tenant_id and s.ended_at is null)`,
    ))!.n,
  )

/** Writes down that a reminder is given. False when it was given before. */
export const saveReminder = async (
  tx: Tx,
  subscription: Pick<SubscriptionRecord, 'tenantId' | 'subscriptionId'>,
  { kind, about }: Reminder,
  at: Temporal.Instant,
): Promise<boolean> =>
  (
    await query(
      tx,
      sql`insert into reminders (tenant_id, subscription_id, kind, about, at) values (${subscription.tenantId}, ${subscription.subscriptionId}, ${kind}, ${about.toString()}, ${at.toString()})
          on conflict do nothing returning kind`,
    )
  ).length === 1

/** Tenants with a trial that ends or a subscription that renews soon and no reminder of it. */
export const tenantsToRemind = async (
  db: Db,
  policy: Parameters<typeof reminderDaysOf>[0],
  at: Temporal.Instant,
  limit: number,
): Promise<string[]> => {
  const days = reminderDaysOf(policy)
  const until = (before: number) => at.add({ hours: 24 * before }).toString()
  const trials = sql`select tenant_id from subscriptions s where status = 'trialing' and ends_at is null
      and trial_ends_at > ${at.toString()} and trial_ends_at <= ${until(days.trialEnding)}
      and not exists (select from reminders r where r.tenant_id = s.tenant_id and r.subscription_id = s.subscription_id and r.kind = 'trial_ending' and r.about = s.trial_ends_at)`
  const found = [trials]
  for (const [unit, before] of Object.entries(days.renewal))
    found.push(sql`select tenant_id from subscriptions s where status = 'active' and ends_at is null and interval_unit = ${unit}
      and period_end > ${at.toString()} and period_end <= ${until(before)}
      and not exists (select from reminders r where r.tenant_id = s.tenant_id and r.subscription_id = s.subscription_id and r.kind = 'renewal_upcoming' and r.about = s.period_end)`)
  const tenants = new Set<string>()
  for (const statement of found)
    for (const row of await query<{ tenant_id: string }>(db, sql`${statement} order by tenant_id limit ${limit}`))
      tenants.add(row.tenant_id)
  return [...tenants]
}

/** Live subscriptions in the order of their ids, a page at a time. */
export const pageLiveSubscriptions = async (
  on: Db | Tx,
  provider: string,
  after: string,
  limit: number,
): Promise<{ tenantId: string; subscriptionId: string; providerSubscriptionId: string }[]> =>
  (
    await query<{ tenant_id: string; subscription_id: string; provider_subscription_id: string }>(
      on,
      sql`select tenant_id, subscription_id, provider_subscription_id from subscriptions where provider = ${provider} and ended_at is null and subscription_id > ${after} order by subscription_id limit ${limit}`,
    )
  ).map((row) => ({
    tenantId: row.tenant_id,
    subscriptionId: row.subscription_id,
    providerSubscriptionId: row.provider_subscription_id,
  }))

export const countLiveSubscriptions = async (on: Db | Tx): Promise<number> =>
  Number((await queryOne<{ n: bigint }>(on, sql`select count(*) as n from subscriptions where ended_at is null`))!.n)
