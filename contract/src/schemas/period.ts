import { type Static, Type } from 'typebox'
import { Id, Instant, Key, Money, Nullable, Page, Period, strict, TenantId } from './common.ts'
import { lineKinds, RatingStep } from './rating.ts'

export const usagePeriodStates = ['open', 'rated', 'placed', 'nothing_due', 'settled'] as const

/** A line of what is charged for usage, as far as a list shows it. */
const ChargeLine = strict({
  id: Id('line'),
  charge: Type.String(),
  name: Type.String(),
  kind: Type.Enum([...lineKinds, 'maximum', 'credit', 'rest']),
  /** Exact: a decimal, or a fraction `n/d`. */
  quantity: Type.String(),
  amount: Money,
  /** Whether it is on an invoice, on its way to one, waits for the next, or is of nothing. */
  state: Type.Enum(['placed', 'on_its_way', 'waits_for_next', 'of_nothing']),
  invoiceId: Nullable(Type.String()),
  /** The credit note that gives it back, on its way or made (`policies.billing.lateUsage`). */
  creditNoteId: Nullable(Type.String()),
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

/** How to fetch the very records that an amount was made of: `GET /usage-records` with these parameters. */
const RecordsQuery = strict({
  meter: Key,
  /** As the catalog calls the meter now; its key where the catalog does not know it any more. */
  name: Type.String(),
  from: Instant,
  to: Instant,
  aggregation: Type.String(),
  /** How many there were; null where only their sum was looked at. */
  records: Nullable(Type.Integer()),
  path: Type.String({ description: 'Below the host, with its query.' }),
})

const Calculated = {
  charge: Type.String(),
  name: Type.String(),
  kind: Type.Enum([...lineKinds, 'maximum', 'credit', 'rest']),
  quantity: Type.String(),
  amount: Money,
  /** What the calculation gives before it is rounded, in minor units. */
  exactAmount: Type.String(),
  period: Period,
  calculation: Type.Array(RatingStep),
  records: Nullable(RecordsQuery),
}

/** What usage has cost so far in the running period, from its counters (INV-5). */
export const UsageCost = strict({
  tenantId: TenantId,
  /** Null without a subscription that pays for usage. */
  subscriptionId: Nullable(Id('subscription')),
  period: Nullable(Period),
  charges: Type.Array(strict(Calculated)),
  /** Of this period so far. */
  total: Nullable(Money),
  /** Of earlier periods, rated and not on an invoice yet. */
  waiting: Nullable(Money),
  asOf: Instant,
})
export type UsageCost = Static<typeof UsageCost>

/** The next invoice as it would be now (INV-5). */
export const UpcomingInvoice = strict({
  tenantId: TenantId,
  /** Null when there is none to come. */
  invoice: Nullable(
    strict({
      subscriptionId: Id('subscription'),
      /** When it is made. */
      at: Instant,
      lines: Type.Array(
        strict({
          /** `provider`: what the provider bills by itself; `usage_so_far`: of the running period, it may grow; `credit`: what pays for that; `rated`: of earlier ones. */
          origin: Type.Enum(['provider', 'usage_so_far', 'credit', 'rated']),
          description: Type.String(),
          quantity: Nullable(Type.String()),
          amount: Money,
          period: Period,
        }),
      ),
      /** What coupons take off all lines. An invoice for usage alone is not asked for before it is made: 0. */
      discount: Money,
      /** Of all lines, as the provider reckons it; null where it knows none, and for an invoice for usage alone. */
      tax: Nullable(Money),
      /** All lines without the discount, and tax that is not in their prices. */
      total: Money,
    }),
  ),
  asOf: Instant,
})
export type UpcomingInvoice = Static<typeof UpcomingInvoice>

export const explainedAs = [
  'base_price',
  'seats',
  'add_on',
  'product',
  'proration',
  'usage',
  'later_usage',
  'credit',
  'other',
] as const

/** From the total of an invoice to its lines, their calculation, and the usage that they came from. */
export const InvoiceExplanation = strict({
  invoiceId: Type.String(),
  tenantId: TenantId,
  status: Type.String(),
  lines: Type.Array(
    strict({
      id: Type.String(),
      description: Nullable(Type.String()),
      amount: Money,
      as: Type.Enum(explainedAs),
      /** What it is, in a sentence. */
      text: Type.String(),
      /** Of a line of ours: how it came to be. */
      usage: Nullable(strict({ lineId: Id('line'), periodId: Id('period'), ...Calculated })),
    }),
  ),
  /** What was given back of its usage afterwards, by credit note: beside the total, which stays as it was. */
  creditNotes: Type.Array(
    strict({
      creditNoteId: Type.String(),
      /** As in `GET /credit-notes`. */
      state: Type.String(),
      amount: Money,
      lines: Type.Array(strict({ lineId: Id('line'), periodId: Id('period'), ...Calculated })),
    }),
  ),
  subtotal: Money,
  discount: Money,
  tax: Money,
  total: Money,
  /** What of the total neither lines nor discounts nor tax explain; 0 when all of it is. */
  unexplained: Money,
  /** What is not as it should be, in sentences; empty when everything adds up. */
  remarks: Type.Array(Type.String()),
})
export type InvoiceExplanation = Static<typeof InvoiceExplanation>
