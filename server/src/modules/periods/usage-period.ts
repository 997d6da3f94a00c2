import type { RatingPreview } from '@turnpike/contract'
import type { Period } from '../../core/period.ts'
import type { Left } from './leave.ts'

/** A stretch of time whose usage is rated together. `regular` is the window that it is a part of. */
export type UsagePeriod = {
  tenantId: string
  periodId: string
  customerId: string
  subscriptionId: string
  period: Period
  regular: Period
  /** No counter is of exactly this stretch of time: its records are added up. */
  byRecords: boolean
  state: 'open' | 'rated' | 'nothing_due' | 'placed' | 'settled'
  openedAt: Temporal.Instant
  ratedAt: Temporal.Instant | null
  /** Until when later usage is accepted: then it is compared for the last time. */
  lateUntil: Temporal.Instant | null
  inputHash: string | null
  /** The time zone that it was rated in. */
  ratedIn: string | null
  /** What its rating leaves to the next period; null before it is rated. */
  leaves: Left | null
}

/** What a subscription was on from a time on; until the next terms, or the end. */
export type Terms = {
  tenantId: string
  subscriptionId: string
  from: Temporal.Instant
  plan: string
  planVersion: number
  price: string
  currency: string
  seats: number
  addOns: readonly { addOn: string; quantity: number }[]
  trialEndsAt: Temporal.Instant | null
}

type LineView = RatingPreview['lines'][number]

/** One line of what is charged for a period. Exact numbers are text; `amountMinor` is what is charged. */
export type ChargeLine = {
  tenantId: string
  lineId: string
  periodId: string
  subscriptionId: string
  placingId: string | null
  /** The credit note that gives it back; null for what goes to invoices. */
  creditNoteId: string | null
  ordinal: number
  charge: string
  name: string
  kind: LineView['kind'] | 'maximum' | 'credit' | 'rest'
  quantity: string
  amountMinor: bigint
  currency: string
  exactAmount: string
  period: Period
  calculation: LineView['calculation']
  source: LineView['source']
  providerInvoiceId: string | null
  providerItemId: string | null
  createdAt: Temporal.Instant
  placedAt: Temporal.Instant | null
}

/** Lines on their way to one invoice of the provider. `renewalAt`: onto the draft of that renewal; null: an invoice of their own. */
export type Placing = {
  tenantId: string
  placingId: string
  customerId: string
  subscriptionId: string
  providerSubscriptionId: string
  renewalAt: Temporal.Instant | null
  currency: string
  state: 'waiting' | 'placed' | 'carried'
  providerInvoiceId: string | null
  own: boolean
  attempts: number
  dueAt: Temporal.Instant
  failure: string | null
  createdAt: Temporal.Instant
  settledAt: Temporal.Instant | null
}
