import { type Static, Type } from 'typebox'
import { Id, Instant, Money, Nullable, Page, Period, strict, TenantId } from './common.ts'
import { lineKinds } from './rating.ts'

export const usagePeriodStates = ['open', 'rated', 'placed', 'nothing_due', 'settled'] as const

/** A line of what is charged for usage, as far as a list shows it. */
const ChargeLine = strict({
  id: Id('line'),
  charge: Type.String(),
  name: Type.String(),
  kind: Type.Enum([...lineKinds, 'maximum', 'credit']),
  /** Exact: a decimal, or a fraction `n/d`. */
  quantity: Type.String(),
  amount: Money,
  /** Whether it is on an invoice, on its way to one, waits for the next, or is of nothing. */
  state: Type.Enum(['placed', 'on_its_way', 'waits_for_next', 'of_nothing']),
  invoiceId: Nullable(Type.String()),
})

/** A stretch of time whose usage is billed together (INV-6). */
export const UsagePeriod = strict({
  id: Id('period'),
  tenantId: TenantId,
  subscriptionId: Id('subscription'),
  /** `open` until it is over and rated; `placed` when its lines are on invoices; `settled` when no later usage is accepted. */
  state: Type.Enum(usagePeriodStates),
  period: Period,
  ratedAt: Nullable(Instant),
  /** Until when later usage is accepted; null while it is open. */
  lateUntil: Nullable(Instant),
  /** What its lines come to; null while it is open. */
  amount: Nullable(Money),
  lines: Type.Array(ChargeLine),
  /** Why its lines are not on an invoice yet, where an attempt has failed. */
  failure: Nullable(Type.String()),
})
export type UsagePeriod = Static<typeof UsagePeriod>

export const UsagePeriodQuery = strict({
  tenantId: Type.Optional(TenantId),
  state: Type.Optional(Type.Enum(usagePeriodStates)),
  ...Page,
})

/** How far the close of periods is (OPS-3). */
export const CloseProgress = strict({
  open: Type.Integer(),
  /** Over, and not rated yet. */
  due: Type.Integer(),
  oldestDueAt: Nullable(Instant),
  /** Rated, and on their way to an invoice. */
  placing: Type.Integer(),
  /** Of those, how many a try has failed for. */
  failing: Type.Integer(),
  oldestPlacingAt: Nullable(Instant),
  asOf: Instant,
})
export type CloseProgress = Static<typeof CloseProgress>
