import { type Static, Type } from 'typebox'
import { Amounts, BillingSettings, PlanBilling, TrialBilling, UsagePrice } from './catalog-prices.ts'
import { accessLevels } from './schemas/billing.ts'
import { Currency, Instant, Key, Nullable, strict } from './schemas/common.ts'
import { safeFindingKinds } from './schemas/reconciliation.ts'

/** The reviewed catalog file (CAT-1): plans are configuration, no plan name or limit stands in code. */

const Name = Type.String({ minLength: 1, maxLength: 100 })
const Whole = Type.Integer({ minimum: 0 })

/** A property of usage records. */
const PropertyName = Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_.-]{0,62}$' })

const Meter = strict({
  name: Name,
  unit: Type.String({ minLength: 1, maxLength: 30, description: 'Singular: `call`, `token`.' }),
  /**
   * `unique` counts the different values of a property. `latest` is a level, such as projects in use: a report sets it, and
   * it stays until another one does; `time_weighted` is a level of which a period takes the mean over time.
   */
  aggregation: Type.Enum(['sum', 'count', 'max', 'unique', 'latest', 'time_weighted']),
  /** Whether quantities may have decimals (at most 6). */
  fractional: Type.Optional(Type.Boolean({ default: false })),
  /** Whose values a meter with aggregation `unique` counts. */
  property: Type.Optional(PropertyName),
  /** Derived from another meter: services report to that one, and what fits `filter` raises this one too. */
  of: Type.Optional(Key),
  /** Each property has one of its values: `{ model: [large, huge] }`. Left out: every record fits. */
  filter: Type.Optional(
    Type.Record(
      PropertyName,
      Type.Array(Type.Union([Type.String({ maxLength: 500 }), Type.Number(), Type.Boolean()]), {
        minItems: 1,
        maxItems: 100,
        uniqueItems: true,
      }),
      { minProperties: 1 },
    ),
  ),
  /** Properties by which history can be broken down. */
  groupBy: Type.Optional(Type.Array(PropertyName, { minItems: 1, maxItems: 3, uniqueItems: true })),
})

const Feature = Type.Union([
  strict({ name: Name, description: Type.Optional(Type.String()), kind: Type.Literal('boolean') }),
  strict({
    name: Name,
    description: Type.Optional(Type.String()),
    kind: Type.Literal('value'),
    type: Type.Enum(['number', 'string', 'set']),
    /** A meter that is a level, and says how much of a number is in use. */
    usedBy: Type.Optional(Key),
  }),
  strict({ name: Name, description: Type.Optional(Type.String()), kind: Type.Literal('metered'), meter: Key }),
])

const MeteredGrant = strict({
  /** In the base price; usage above it up to `limit` is overage. Absent: the same as `limit`. */
  included: Type.Optional(Nullable(Whole)),
  /** `null`: no limit. */
  limit: Nullable(Whole),
  /** A hard limit refuses, a soft limit warns and lets through. */
  enforcement: Type.Enum(['hard', 'soft']),
  warnAtPercent: Type.Optional(
    Type.Array(Type.Integer({ minimum: 1, maximum: 100 }), { maxItems: 5, uniqueItems: true }),
  ),
  /**
   * When counting begins again: `billing_period` where left out. Calendar windows are those of the customer's time zone.
   * A sliding window ends with the hour that runs and holds the whole hours before it.
   */
  window: Type.Optional(
    Type.Union([
      Type.Enum(['billing_period', 'hour', 'day', 'week', 'month', 'year', 'lifetime']),
      strict({ slidingHours: Type.Integer({ minimum: 1, maximum: 744 }) }),
    ]),
  ),
  /** What is left of the included amount at the end of a window is added to the next ones. */
  rollover: Type.Optional(
    strict({
      /** At most so much is carried in all, in units or in percent of what is included. Left out: everything. */
      capUnits: Type.Optional(Type.Integer({ minimum: 1 })),
      capPercent: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
      /** How many windows it can be used in. */
      expiresAfterPeriods: Type.Integer({ minimum: 1, maximum: 60 }),
      /** Whether what was carried is used up before the new allowance; it is where left out. */
      order: Type.Optional(Type.Enum(['carried_first', 'allowance_first'])),
    }),
  ),
})
/** `true`/`false` for boolean features, a value for value features, limits for metered ones. */
const Grant = Type.Union([
  Type.Boolean(),
  Type.Number(),
  Type.String(),
  Type.Array(Type.String(), { uniqueItems: true }),
  MeteredGrant,
])
/** What an add-on gives for each unit held: switch on, add to a number, join to a set, raise a limit. */
const AddOnGrant = Type.Union([
  Type.Boolean(),
  strict({ add: Type.Number({ exclusiveMinimum: 0 }) }),
  strict({ join: Type.Array(Type.String(), { minItems: 1 }) }),
  strict({ addLimit: Type.Integer({ minimum: 1 }) }),
])

const Interval = Type.Union([
  Type.Enum(['day', 'week', 'month', 'year']),
  strict({ unit: Type.Enum(['day', 'week', 'month', 'year']), count: Type.Integer({ minimum: 1, maximum: 36 }) }),
])
const Price = strict({ interval: Interval, amounts: Amounts })

const Seats = strict({
  included: Whole,
  max: Type.Optional(Nullable(Whole)),
  /** Price of one further seat, per price of the plan. */
  perSeat: Type.Optional(Type.Record(Key, Amounts)),
})

const Routing = strict({
  id: Key,
  priority: Type.Integer(),
  /** CEL over `request`, `budget` and `tenant`; must give a boolean. */
  match: Type.String({ minLength: 1, maxLength: 1_000 }),
  strategy: Type.Enum(['first', 'weighted', 'cheapest', 'refuse']),
  targets: Type.Array(
    strict({
      target: Type.String({ minLength: 1, maxLength: 200 }),
      weight: Type.Optional(Type.Integer({ minimum: 1 })),
    }),
  ),
})

const Days = Type.Integer({ minimum: 0, maximum: 730 })
/** What happens while an invoice stays unpaid, counted in days of 24 hours from when it was finalized (DUN-1). */
const DunningPolicy = strict({
  stages: Type.Array(strict({ afterDays: Days, access: Type.Enum(['grace', 'restricted', 'read_only', 'none']) }), {
    minItems: 1,
    maxItems: 8,
  }),
  /** When the subscription is canceled at the provider; `null`: never by us. */
  cancelAfterDays: Nullable(Days),
  /** Days on which the customer is told again. */
  reminders: Type.Optional(Type.Array(Days, { maxItems: 20, uniqueItems: true })),
})
/** What a change to less does when more is in use than it allows (SUB-5). */
const overLimitFields = {
  /** `block` where left out: the change is refused with a list of what to reduce. */
  overLimit: Type.Optional(Type.Enum(['block', 'cleanup_window', 'soft_lock'])),
  /** How long the old limits stay in a cleanup window; 14 where left out. */
  cleanupDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 365 })),
  /** How many days before the end of that window the customer is reminded; 7 and 1 where left out. */
  cleanupReminderDays: Type.Optional(Type.Array(Type.Integer({ minimum: 1, maximum: 365 }), { maxItems: 10 })),
}

const Plan = strict({
  name: Name,
  description: Type.Optional(Type.String({ maxLength: 500 })),
  status: Type.Enum(['active', 'legacy', 'archived']),
  /** A higher rank is an upgrade. */
  rank: Type.Integer(),
  model: Type.Enum(['subscription', 'usage', 'hybrid', 'one_time', 'free']),
  trial: Type.Optional(
    strict({
      days: Type.Integer({ minimum: 1, maximum: 730 }),
      paymentMethod: Type.Enum(['required', 'optional']),
      /** What happens at the end of a trial for which no payment method was given; `cancel` where left out. */
      withoutPaymentMethod: Type.Optional(Type.Enum(['cancel', 'pause', 'create_invoice'])),
    }),
  ),
  /**
   * How usage is counted, limited and charged: by the billing period of the price where left out, or by the months of it,
   * from its first day on, when a price is for longer than a month.
   */
  usageInterval: Type.Optional(Type.Enum(['billing_period', 'month'])),
  prices: Type.Optional(Type.Record(Key, Price)),
  seats: Type.Optional(Seats),
  /** By name, which is the meter's where the price names no other. */
  usagePrices: Type.Optional(Type.Record(Key, UsagePrice)),
  billing: Type.Optional(PlanBilling),
  grants: Type.Record(Key, Grant),
  gateway: Type.Optional(strict({ budgetFeature: Type.Optional(Key), routing: Type.Optional(Type.Array(Routing)) })),
  /** Instead of the dunning of the policies, as a whole. */
  dunning: Type.Optional(DunningPolicy),
  /** Instead of the same fields of the policies, for changes to this plan. */
  changes: Type.Optional(strict(overLimitFields)),
})

const AddOn = strict({
  name: Name,
  description: Type.Optional(Type.String()),
  status: Type.Enum(['active', 'legacy', 'archived']),
  plans: Type.Array(Key),
  prices: Type.Record(Key, Price),
  grants: Type.Record(Key, AddOnGrant),
})
const Product = strict({
  name: Name,
  description: Type.Optional(Type.String()),
  status: Type.Enum(['active', 'archived']),
  amounts: Amounts,
  /** Prepaid credit that comes with each purchase, once it is confirmed (INV-3). */
  credits: Type.Optional(
    strict({
      amounts: Amounts,
      /** Never where left out. */
      expiresAfterDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_650 })),
      /** A lower number is burnt first; 50 where left out. */
      priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000 })),
      /** The charges that it may pay; everything where left out. */
      charges: Type.Optional(Type.Array(Key, { minItems: 1, uniqueItems: true })),
    }),
  ),
})

/** What takes something off a price (INV-3). The provider computes it; a change of content is another coupon there. */
const Coupon = strict({
  name: Type.String({ minLength: 1, maxLength: 40, description: 'As customers see it on invoices.' }),
  status: Type.Enum(['active', 'archived']),
  /** What people type; its case does not count. The coupon's own name works too. */
  code: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{3,40}$' })),
  /** Exactly one of `percentOff` and `amountsOff`: text with at most 2 decimals, as nothing is rounded. */
  percentOff: Type.Optional(
    Type.String({ pattern: '^(100(\\.0{1,2})?|[1-9]?[0-9](\\.[0-9]{1,2})?)$', description: 'From 0.01 to 100.' }),
  ),
  amountsOff: Type.Optional(Type.Record(Currency, Type.Integer({ minimum: 1 }), { minProperties: 1 })),
  /** `once`: the first invoice. Months count by the calendar. */
  duration: Type.Union([Type.Enum(['once', 'forever']), strict({ months: Type.Integer({ minimum: 1, maximum: 60 }) })]),
  /** What it takes something off; everything where both are left out. */
  plans: Type.Optional(Type.Array(Key, { minItems: 1, uniqueItems: true })),
  products: Type.Optional(Type.Array(Key, { minItems: 1, uniqueItems: true })),
  redeemBy: Type.Optional(Instant),
  maxRedemptions: Type.Optional(Type.Integer({ minimum: 1 })),
})

const RefundBounds = {
  /** The most that one refund or credit note may give back. A currency that is not named: nothing. Left out: no cap. */
  maxMinor: Type.Optional(Amounts),
  /** More than this waits for a second person. A currency that is not named: always. Left out: never. */
  secondPersonAboveMinor: Type.Optional(Amounts),
}

const AccessPolicy = Type.Optional(Type.Enum(accessLevels))
const Policies = strict({
  /** The access level that each status gives; a status left out gives `none` (SUB-2). */
  access: strict({
    incomplete: AccessPolicy,
    incomplete_expired: AccessPolicy,
    trialing: AccessPolicy,
    active: AccessPolicy,
    past_due: AccessPolicy,
    unpaid: AccessPolicy,
    paused: AccessPolicy,
    canceled: AccessPolicy,
  }),
  changes: strict({
    upgrade: Type.Enum(['immediate', 'period_end']),
    downgrade: Type.Enum(['immediate', 'period_end']),
    proration: Type.Enum(['always_invoice', 'create_prorations', 'none']),
    ...overLimitFields,
  }),
  /** Days before an event at which `subscription.trial_ending` and `subscription.renewal_upcoming` are sent; 0: never. */
  reminders: Type.Optional(
    strict({
      /** 3 where left out. */
      trialEndingDays: Type.Optional(Type.Integer({ minimum: 0, maximum: 60 })),
      /** By the interval of the price; `{ year: 7 }` where left out. */
      renewalDays: Type.Optional(
        strict({
          week: Type.Optional(Type.Integer({ minimum: 0, maximum: 6 })),
          month: Type.Optional(Type.Integer({ minimum: 0, maximum: 27 })),
          year: Type.Optional(Type.Integer({ minimum: 0, maximum: 90 })),
        }),
      ),
    }),
  ),
  cancellation: strict({
    timing: Type.Enum(['period_end', 'immediate']),
    /** Whether an end at once credits the time that was paid and not used; no where left out. */
    creditUnused: Type.Optional(Type.Boolean()),
    /** Days of access level `read_only` after the last subscription has ended; 0: on to the baseline at once (SUB-6). */
    readOnlyDays: Whole,
    /** Days until what may be deleted is deleted, from that end or from the last usage, whichever is later. */
    retentionDays: Whole,
    /** How many days before the deletion the customer is reminded to export; 30 and 7 where left out. */
    exportReminderDays: Type.Optional(Type.Array(Type.Integer({ minimum: 1, maximum: 3_650 }), { maxItems: 5 })),
  }),
  privacy: Type.Optional(
    strict({
      /** How long the link to an archive works; 7 where left out. */
      exportLinkDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 30 })),
      /** How long a new owner has to confirm; 7 where left out. */
      ownerTransferDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 90 })),
    }),
  ),
  dunning: DunningPolicy,
  /** How usage becomes amounts, for all plans (RAT-1). */
  billing: Type.Optional(
    strict({
      settings: Type.Optional(BillingSettings),
      trial: Type.Optional(TrialBilling),
      /** How long after its end a usage period is rated, so that its last records arrive; 5 where left out. Drafts of renewals are open for an hour. */
      closeAfterMinutes: Type.Optional(Type.Integer({ minimum: 0, maximum: 45 })),
      /** When the invoice of the renewal is finalized already: an invoice of its own (where left out), or with the next one. */
      withoutDraft: Type.Optional(Type.Enum(['own_invoice', 'next_invoice'])),
      /** What a correction gives back after a period was invoiced: with the next invoice (where left out), or on a credit note of that one. */
      lateUsage: Type.Optional(Type.Enum(['next_invoice', 'credit_note'])),
    }),
  ),
  /** Exceptions that support grants (ENT-2). Left out: any reason and end will do, one person is enough. */
  overrides: Type.Optional(
    strict({
      /** The longest that an exception may last. */
      maxDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_650 })),
      /** Whether each needs an end. */
      requireExpiry: Type.Optional(Type.Boolean({ default: false })),
      /** Which wait for somebody else's approval. */
      secondPerson: Type.Optional(
        strict({
          features: Type.Optional(Type.Array(Key, { uniqueItems: true })),
          aboveDays: Type.Optional(Type.Integer({ minimum: 0, maximum: 3_650 })),
          unlimited: Type.Optional(Type.Boolean({ default: false })),
        }),
      ),
    }),
  ),
  /** Credit that the house grants (INV-4). Left out: any amount and end will do, one person is enough. */
  credits: Type.Optional(
    strict({
      /** The most that one grant may be; a currency that is left out is granted to nobody. */
      maxAmounts: Type.Optional(Amounts),
      /** Above these a second person has to approve. */
      secondPersonAbove: Type.Optional(Amounts),
      /** The longest that granted credit may last. */
      maxDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_650 })),
      /** How many days before the end of credit its customer is told; 7 where left out, 0: never. */
      expiringDays: Type.Optional(Type.Integer({ minimum: 0, maximum: 90 })),
    }),
  ),
  /** What may be given back (INV-4), never more than was paid. Left out: one person is enough, without a cap. */
  refunds: Type.Optional(
    strict({
      /** Days from the payment during which something may be given back. */
      withinDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_650 })),
      ...RefundBounds,
      /** Instead of the same bounds above, for people and keys of a role of the house. */
      roles: Type.Optional(
        strict({
          operator: Type.Optional(strict(RefundBounds)),
          finance: Type.Optional(strict(RefundBounds)),
          support: Type.Optional(strict(RefundBounds)),
        }),
      ),
    }),
  ),
  reconciliation: Type.Optional(
    strict({
      /** The kinds of findings that are repaired without asking; all that take nothing away where left out. */
      automatic: Type.Optional(Type.Array(Type.Enum(safeFindingKinds), { uniqueItems: true })),
      /** What is under way for less than this is no difference; 15 where left out. */
      patienceMinutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_440 })),
      /** How far back invoices and ended subscriptions are compared; 45 where left out. */
      invoiceDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 400 })),
    }),
  ),
  usage: strict({
    acceptLateDays: Type.Integer({ minimum: 0, maximum: 400 }),
    acceptFutureSeconds: Type.Integer({ minimum: 0, maximum: 86_400 }),
    /** How far back a file of past usage may reach; 400 where left out. */
    importLateDays: Type.Optional(Type.Integer({ minimum: 0, maximum: 3_650 })),
    /** How long refused checks are kept one by one, to be explained; 90 where left out. What used something up stays with its record. */
    keepDecisionsDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_650 })),
    /** How long after their window raw records are kept before they are archived; for ever where left out. */
    keepDays: Type.Optional(Type.Integer({ minimum: 32, maximum: 3_650 })),
  }),
})

export const CatalogFile = Type.Object(
  {
    catalog: Key,
    currencies: Type.Array(Currency, { minItems: 1, uniqueItems: true, description: 'The first is the default.' }),
    /** What a customer without a live subscription gets: a free plan. */
    baseline: Key,
    meters: Type.Record(Key, Meter),
    features: Type.Record(Key, Feature),
    plans: Type.Record(Key, Plan, { minProperties: 1 }),
    addOns: Type.Optional(Type.Record(Key, AddOn)),
    products: Type.Optional(Type.Record(Key, Product)),
    coupons: Type.Optional(Type.Record(Key, Coupon)),
    policies: Policies,
  },
  {
    additionalProperties: false,
    $id: 'https://turnpike.dev/schemas/catalog-1.json',
    title: 'Turnpike catalog',
    description: 'Plans, features, meters, prices and policies.',
  },
)
export type CatalogFile = Static<typeof CatalogFile>
export type CatalogPlan = Static<typeof Plan>
export type CatalogFeature = Static<typeof Feature>
export type CatalogMeter = Static<typeof Meter>
export type CatalogPrice = Static<typeof Price>
export type CatalogAddOn = Static<typeof AddOn>
export type CatalogProduct = Static<typeof Product>
export type CatalogCoupon = Static<typeof Coupon>
export type CatalogGrant = Static<typeof Grant>
export type CatalogMeteredGrant = Static<typeof MeteredGrant>
export type CatalogAddOnGrant = Static<typeof AddOnGrant>
export type CatalogInterval = Static<typeof Interval>
export type CatalogPolicies = Static<typeof Policies>
export type CatalogDunning = Static<typeof DunningPolicy>
export type CatalogRouting = Static<typeof Routing>
