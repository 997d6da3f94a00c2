import {
  type BillingStatus,
  type BodyOf,
  type CatalogCurrent,
  type Checkout,
  type Customer,
  type DataOf,
  type DecisionRecord,
  type Explanation,
  type InboxEntry,
  type MeterUsage,
  type Override,
  type ParamsOf,
  type PlanOffer,
  type ProblemCode,
  type Role,
  type RouteName,
  type Routes,
  roles,
  type Snapshot,
  type Subscription,
  type TimelineEntry,
} from '@turnpike/contract'
import { invoiceFixtures } from './fixtures-invoices.ts'
import { lifecycle } from './fixtures-lifecycle.ts'
import { moneyFixtures } from './fixtures-money.ts'
import { operatorFixtures } from './fixtures-operator.ts'
import { periodFixtures } from './fixtures-periods.ts'

export type Question = {
  /** What the credential names: `role.state`. */
  state: string
  params: Record<string, string>
  query: Record<string, string>
  body: Record<string, unknown>
}

export class Refusal extends Error {
  code: ProblemCode
  more: object
  constructor(code: ProblemCode, more: object = {}) {
    super(code)
    this.code = code
    this.more = more
  }
}

type Answers = { [N in RouteName]?: (question: Question) => DataOf<Routes[N]> }

const day = 86_400_000
const now = Date.now()
const at = (days: number, milliseconds = 0) => new Date(now + days * day + milliseconds).toISOString()
export const fixtureId = (kind: string, name: string) =>
  `${kind}_${name.replaceAll('_', '').toLowerCase().padStart(26, '0')}`
export const fixtureDecision = (index: number) => `decision_r${Buffer.from(`export-${index}`).toString('base64url')}`
const monthStart = new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth(), 1)).toISOString()
const monthEnd = new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() + 1, 1)).toISOString()
const period = { start: monthStart, end: monthEnd }

const acme: Customer = {
  id: fixtureId('customer', 'acme'),
  tenantId: 'acme',
  name: 'Acme Robotics',
  email: 'billing@acme.example',
  currency: 'USD',
  timeZone: 'UTC',
  providerCustomerId: 'cus_QwErTy12345678',
  createdAt: at(-90),
  updatedAt: at(-1),
}

const customers: Customer[] = [
  acme,
  {
    ...acme,
    id: fixtureId('customer', 'globex'),
    tenantId: 'globex',
    name: 'Globex',
    email: null,
    currency: 'EUR',
    providerCustomerId: null,
  },
  {
    ...acme,
    id: fixtureId('customer', 'umbrella'),
    tenantId: 'umbrella-kk',
    name: '株式会社アンブレラ',
    currency: 'JPY',
    email: 'keiri@umbrella.example',
  },
  {
    ...acme,
    id: fixtureId('customer', 'longname'),
    tenantId: 'the-very-long-tenant-name-of-a-customer-who-likes-words',
    name: 'The Very Long Name of a Customer Who Likes Words and Never Stops GmbH & Co. KG',
    currency: 'USD',
  },
]

const subscription: Subscription = {
  id: fixtureId('subscription', 'acme'),
  tenantId: 'acme',
  customerId: acme.id,
  plan: { plan: 'pro', version: 2, name: 'Pro' },
  price: 'monthly',
  interval: 'month',
  currency: 'USD',
  seats: 7,
  addOns: [{ addOn: 'extra_storage', quantity: 2 }],
  status: 'active',
  accessLevel: 'full',
  period,
  trialEndsAt: null,
  renewsAt: monthEnd,
  endsAt: null,
  endedAt: null,
  pendingChange: null,
  discounts: [],
  providerSubscriptionId: 'sub_1QabcDEFghiJKL',
  startedAt: at(-80),
  updatedAt: at(-1),
}

const active: BillingStatus = {
  tenantId: 'acme',
  customerId: acme.id,
  status: 'active',
  accessLevel: 'full',
  plan: subscription.plan,
  price: 'monthly',
  amount: { amountMinor: '4900', currency: 'USD' },
  interval: 'month',
  seats: { held: 7, included: 5, max: 20 },
  period,
  trialEndsAt: null,
  renewsAt: monthEnd,
  endsAt: null,
  pendingChange: null,
  pendingSync: null,
  openCheckout: null,
  paymentProblem: null,
  dunning: null,
  remediation: null,
  subscription,
  command: null,
  resumesAt: null,
  retention: null,
  nextActions: [],
  snapshotVersion: 42,
  asOf: at(0),
}

const free: BillingStatus = {
  ...active,
  status: 'no_subscription',
  plan: { plan: 'free', version: 1, name: 'Free' },
  price: null,
  amount: null,
  interval: null,
  seats: null,
  renewsAt: null,
  subscription: null,
  nextActions: [{ action: 'choose_plan', sentence: 'Choose a plan to get more.', url: null }],
}

const withSubscription = (change: Partial<Subscription> & Partial<BillingStatus>): BillingStatus => ({
  ...active,
  ...change,
  subscription: { ...subscription, ...change } as Subscription,
})

const statuses: Record<string, BillingStatus> = {
  active,
  free,
  empty: free,
  trial: {
    ...active,
    status: 'trialing',
    trialEndsAt: at(2),
    renewsAt: at(2),
    nextActions: [
      { action: 'update_payment_method', sentence: 'Add a payment method before the trial ends.', url: null },
    ],
  },
  pastdue: {
    ...active,
    status: 'past_due',
    accessLevel: 'grace',
    paymentProblem: { kind: 'payment_failed', since: at(-2), invoiceUrl: 'https://pay.example/invoice/1' },
    nextActions: [
      { action: 'update_payment_method', sentence: 'Use a payment method that works.', url: null },
      { action: 'pay_invoice', sentence: 'Pay the open invoice now.', url: 'https://pay.example/invoice/1' },
    ],
  },
  action: {
    ...active,
    status: 'past_due',
    accessLevel: 'restricted',
    paymentProblem: { kind: 'action_required', since: at(-1), invoiceUrl: 'https://pay.example/invoice/2' },
  },
  pending: {
    ...free,
    status: 'pending_sync',
    pendingSync: { since: at(0, -40_000), checkoutId: fixtureId('checkout', 'pending_sync') },
    nextActions: [
      { action: 'wait_for_provider', sentence: 'Wait for the confirmation of the payment provider.', url: null },
    ],
  },
  checkout: {
    ...free,
    openCheckout: {
      checkoutId: fixtureId('checkout', 'open'),
      kind: 'checkout',
      plan: 'scale',
      sessionUrl: 'https://pay.example/c/1',
      expiresAt: at(1),
    },
    nextActions: [{ action: 'finish_checkout', sentence: 'Finish the open checkout.', url: 'https://pay.example/c/1' }],
  },
  ending: {
    ...active,
    renewsAt: null,
    endsAt: monthEnd,
    pendingChange: {
      kind: 'cancellation',
      effectiveAt: monthEnd,
      to: { plan: 'free', version: 1, name: 'Free' },
      price: null,
      interval: null,
      seats: null,
      addOns: [],
    },
    nextActions: [{ action: 'undo_cancellation', sentence: 'Keep Pro beyond the end of the period.', url: null }],
  },
  change: withSubscription({
    pendingChange: {
      kind: 'plan_change',
      effectiveAt: monthEnd,
      to: { plan: 'starter', version: 1, name: 'Starter' },
      price: 'monthly',
      interval: 'month',
      seats: 0,
      addOns: [],
    },
  }),
  ended: {
    ...free,
    status: 'canceled',
    accessLevel: 'read_only',
    endsAt: at(-3),
    nextActions: [{ action: 'resubscribe', sentence: 'Subscribe again.', url: null }],
  },
  yen: { ...active, amount: { amountMinor: '4187', currency: 'JPY' }, interval: 'year' },
}

const life = lifecycle({ active, free, subscription, at, id: fixtureId })
Object.assign(statuses, life.statuses)
// The first confirmation of the state `stale` finds that the amounts have moved.
const confirmed = new Set<string>()

const meter = (change: Partial<MeterUsage>): MeterUsage => ({
  meter: 'api_calls',
  name: 'API calls',
  unit: 'call',
  feature: 'api_calls',
  used: 6_230,
  included: 10_000,
  limit: 10_000,
  remaining: 3_770,
  percent: 62.3,
  overage: 0,
  enforcement: 'hard',
  state: 'available',
  upgradePlan: null,
  refusedAttempts: 0,
  projection: { used: 12_400, limitReachedAt: null },
  window: period,
  ...change,
})

const meters: MeterUsage[] = [
  meter({}),
  meter({
    meter: 'tokens',
    name: 'Model tokens',
    unit: 'token',
    feature: 'tokens',
    used: 1_840_000,
    included: 2_000_000,
    limit: 2_000_000,
    remaining: 160_000,
    percent: 92,
    state: 'nearing_limit',
    upgradePlan: 'scale',
  }),
  meter({
    meter: 'exports',
    name: 'Exports',
    unit: 'export',
    feature: 'exports',
    used: 50,
    included: 50,
    limit: 50,
    remaining: 0,
    percent: 100,
    state: 'blocked',
    refusedAttempts: 14,
  }),
  meter({
    meter: 'storage',
    name: 'Storage',
    unit: 'gigabyte',
    feature: 'storage',
    used: 100,
    included: 100,
    limit: 100,
    remaining: 0,
    percent: 100,
    state: 'upgrade_available',
    upgradePlan: 'scale',
    refusedAttempts: 1,
  }),
  meter({
    meter: 'messages',
    name: 'Messages',
    unit: 'message',
    feature: 'messages',
    used: 6_200,
    included: 5_000,
    limit: 20_000,
    remaining: 13_800,
    percent: 31,
    overage: 1_200,
    enforcement: 'hard',
  }),
  meter({
    meter: 'builds',
    name: 'Build minutes',
    unit: 'minute',
    feature: 'builds',
    used: 812.5,
    included: null,
    limit: null,
    remaining: null,
    percent: null,
    enforcement: null,
  }),
]

const offer = (change: Partial<PlanOffer> & Pick<PlanOffer, 'plan' | 'name' | 'rank'>): PlanOffer => ({
  version: 1,
  description: 'For teams that ship every day.',
  model: 'subscription',
  trialDays: 14,
  prices: [],
  seats: null,
  usagePrices: [],
  relation: 'start',
  addOns: [],
  features: [],
  ...change,
})
const features = (calls: string, seats: string, sso: boolean, exporting: boolean): PlanOffer['features'] => [
  { feature: 'api_calls', name: 'API calls', kind: 'metered', included: true, sentence: calls },
  { feature: 'projects', name: 'Projects', kind: 'value', included: true, sentence: seats },
  { feature: 'sso', name: 'Single sign-on', kind: 'boolean', included: sso, sentence: 'Included' },
  { feature: 'export', name: 'Data export', kind: 'boolean', included: exporting, sentence: 'Included' },
]
const perSeat = { amountMinor: '1200', currency: 'USD' }
const addOns: PlanOffer['addOns'] = [
  {
    addOn: 'extra_storage',
    name: '100 more gigabytes',
    prices: [{ price: 'monthly', amount: { amountMinor: '900', currency: 'USD' } }],
  },
]
const prices = (monthly: string, yearly: string, relation: PlanOffer['relation']): PlanOffer['prices'] => [
  { price: 'monthly', interval: 'month', amount: { amountMinor: monthly, currency: 'USD' }, perSeat, relation },
  {
    price: 'yearly',
    interval: 'year',
    amount: { amountMinor: yearly, currency: 'USD' },
    perSeat: null,
    relation: relation === 'current' ? 'switch_interval' : relation,
  },
]

function offers(state: string): PlanOffer[] {
  const held = !['free', 'empty', 'pending', 'checkout', 'ended', 'returning'].includes(state)
  const relation = (whenHeld: PlanOffer['relation']): PlanOffer['relation'] => (held ? whenHeld : 'start')
  return [
    offer({
      plan: 'free',
      name: 'Free',
      rank: 0,
      model: 'free',
      trialDays: 0,
      description: 'To try things out.',
      relation: held ? 'downgrade' : 'current',
      features: features('1,000 calls per month', '1', false, false),
    }),
    offer({
      plan: 'starter',
      name: 'Starter',
      rank: 10,
      description: 'For one person with a product.',
      relation: state === 'change' ? 'scheduled' : relation('downgrade'),
      prices: prices('1900', '19000', state === 'change' ? 'scheduled' : relation('downgrade')),
      features: features('5,000 calls per month', '3', false, true),
    }),
    offer({
      plan: 'pro',
      usagePrices: [
        {
          price: 'api_calls',
          name: 'API calls',
          sentence: '10,000 included, then $0.004 per call up to 5,000, then $0.0025 per call',
        },
      ],
      name: 'Pro',
      rank: 20,
      relation: relation('current'),
      prices: prices('4900', '49000', relation('current')),
      seats: { included: 5, max: 20 },
      addOns,
      features: features('10,000 calls per month', '20', false, true),
    }),
    offer({
      plan: 'scale',
      name: 'Scale',
      rank: 30,
      trialDays: 0,
      description: 'For companies whose customers depend on it.',
      relation: relation('upgrade'),
      prices: prices('19900', '199000', relation('upgrade')),
      seats: { included: 20, max: null },
      addOns,
      features: features('50,000 calls per month, then billed', 'no limit', true, true),
    }),
  ]
}

const snapshot: Snapshot = {
  tenantId: 'acme',
  customerId: acme.id,
  version: 42,
  accessLevel: 'full',
  plan: 'pro',
  planVersion: 2,
  effectiveFrom: at(-1),
  validUntil: at(20),
  cause: 'subscription.updated',
  entitlements: [
    {
      feature: 'api_calls',
      name: 'API calls',
      kind: 'metered',
      meter: 'api_calls',
      unit: 'call',
      included: 10_000,
      limit: 10_000,
      enforcement: 'hard',
      warnAtPercent: [80],
      window: period,
      origin: 'plan',
    },
    {
      feature: 'tokens',
      name: 'Model tokens',
      kind: 'metered',
      meter: 'tokens',
      unit: 'token',
      included: 2_000_000,
      limit: null,
      enforcement: 'soft',
      warnAtPercent: [80],
      window: period,
      origin: 'override',
    },
    { feature: 'projects', name: 'Projects', kind: 'value', value: 20, origin: 'plan' },
    { feature: 'regions', name: 'Regions', kind: 'value', value: ['eu', 'us'], origin: 'add_on' },
    { feature: 'export', name: 'Data export', kind: 'boolean', value: true, origin: 'plan' },
    { feature: 'sso', name: 'Single sign-on', kind: 'boolean', value: false, origin: 'none' },
  ],
}

const overrides: Override[] = [
  {
    id: fixtureId('override', 'one'),
    tenantId: 'acme',
    feature: 'tokens',
    set: { limit: null },
    reason: 'Launch week, ticket 812',
    actor: 'Sam (support)',
    createdAt: at(-2),
    expiresAt: at(28),
    withdrawnAt: null,
    state: 'approved',
    requestExpiresAt: null,
    decidedBy: null,
    decidedAt: null,
    decisionReason: null,
  },
  {
    id: fixtureId('override', 'two'),
    tenantId: 'acme',
    feature: 'sso',
    set: { enabled: true },
    reason: 'Trial of single sign-on',
    actor: 'Sam (support)',
    createdAt: at(-40),
    expiresAt: at(-10),
    withdrawnAt: null,
    state: 'approved',
    requestExpiresAt: null,
    decidedBy: null,
    decidedAt: null,
    decisionReason: null,
  },
]

const entry = (change: Partial<TimelineEntry> & Pick<TimelineEntry, 'id' | 'kind' | 'title'>): TimelineEntry => ({
  at: at(0),
  correlationId: null,
  actor: null,
  object: null,
  detail: {},
  ...change,
})
const timeline: TimelineEntry[] = [
  entry({
    id: 'refusal:1',
    kind: 'decision',
    title: 'refused: exports',
    at: at(0, -60_000),
    actor: 'reports',
    object: 'exports',
    detail: { code: 'limit_reached', quantity: 1, used: 50, limit: 50, meter: 'exports' },
  }),
  entry({
    id: 'checks:1',
    kind: 'decision',
    title: 'checks refused: sso',
    at: at(0, -3_500_000),
    object: 'sso',
    detail: { reason: 'not_included', attempts: 14 },
  }),
  entry({
    id: 'event:9',
    kind: 'event',
    title: 'usage.threshold_reached',
    at: at(0, -3_600_000),
    detail: { sequence: 9, data: { feature: 'tokens', percent: 90 } },
  }),
  entry({
    id: 'event:3',
    kind: 'event',
    title: 'entitlements.updated',
    at: at(-1, 2_400),
    correlationId: 'wh_1',
    object: fixtureId('event', 'three'),
    detail: { sequence: 8, data: { version: 42, gained: ['export'], lost: [], changed: ['api_calls'] } },
  }),
  entry({
    id: 'snapshot:42',
    kind: 'snapshot',
    title: 'subscription.updated',
    at: at(-1, 2_390),
    correlationId: 'wh_1',
    object: 'v42',
    detail: { version: 42, accessLevel: 'full', plan: 'pro', planVersion: 2 },
  }),
  entry({
    id: 'event:2',
    kind: 'event',
    title: 'subscription.updated',
    at: at(-1, 2_380),
    correlationId: 'wh_1',
    object: fixtureId('event', 'two'),
    detail: { sequence: 7, data: { changed: ['plan', 'price'] } },
  }),
  entry({
    id: 'webhook:1',
    kind: 'webhook',
    title: 'customer.subscription.updated',
    at: at(-1),
    correlationId: 'wh_1',
    actor: 'stripe',
    object: 'sub_1QabcDEFghiJKL',
    detail: { state: 'applied', outcome: 'subscription_changed' },
  }),
  entry({
    id: 'audit:1',
    kind: 'audit',
    title: 'override.created',
    at: at(-2),
    actor: 'Sam (support)',
    object: overrides[0]!.id,
    detail: { actorKind: 'person', result: 'allowed', reason: 'Launch week, ticket 812' },
  }),
  entry({
    id: 'audit:0',
    kind: 'audit',
    title: 'billing:overrides:write',
    at: at(-3),
    actor: 'Ana',
    detail: { actorKind: 'person', result: 'denied' },
  }),
  entry({
    id: 'checkout:1',
    kind: 'event',
    title: 'Checkout of Starter completed',
    at: at(-80),
    actor: 'Ana (owner)',
    object: fixtureId('checkout', 'completed'),
  }),
]

const webhook = (change: Partial<InboxEntry> & Pick<InboxEntry, 'id' | 'state'>): InboxEntry => ({
  provider: 'stripe',
  eventId: `evt_1Q${change.id}abcdefgh`,
  type: 'customer.subscription.updated',
  objectId: 'sub_1QabcDEFghiJKL',
  providerCustomerId: 'cus_QwErTy12345678',
  tenantId: 'acme',
  outcome: null,
  attempts: 1,
  deliveries: 1,
  receivedAt: at(0, -120_000),
  appliedAt: null,
  nextAttemptAt: null,
  lastError: null,
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  ...change,
})
const inbox: InboxEntry[] = [
  webhook({
    id: 'in1',
    state: 'dead',
    type: 'invoice.paid',
    attempts: 12,
    lastError: 'The provider knows no such invoice.',
    receivedAt: at(-1),
  }),
  webhook({
    id: 'in2',
    state: 'retrying',
    attempts: 3,
    nextAttemptAt: at(0, 50_000),
    lastError: 'The provider did not answer in 10 s.',
  }),
  webhook({ id: 'in3', state: 'applied', outcome: 'subscription_changed', appliedAt: at(0, -119_000) }),
  webhook({ id: 'in4', state: 'ignored', outcome: 'stale_version', appliedAt: at(0, -110_000), deliveries: 3 }),
  webhook({ id: 'in5', state: 'pending', attempts: 0, tenantId: null, receivedAt: at(0, -3_000) }),
]

const money = invoiceFixtures({ at, id: fixtureId })
const house = operatorFixtures({ at, id: fixtureId, inbox })
const looksAtRun = new Map<string, number>()

const decisions: DecisionRecord[] = [
  { kind: 'consume' as const, used: 97, quantity: 5, attempts: 1, allowed: false },
  { kind: 'check' as const, used: 100, quantity: 1, attempts: 214, allowed: false },
  { kind: 'report' as const, used: 96, quantity: 1, attempts: 1, allowed: true },
].map(({ kind, used, quantity, attempts, allowed }, index) => ({
  id: fixtureDecision(index),
  tenantId: 'acme',
  kind,
  feature: 'exports',
  at: at(0, -index),
  firstAt: at(0, -index),
  attempts,
  quantity,
  allowed,
  reason: allowed ? 'within_limit' : 'limit_reached',
  because: null,
  snapshotVersion: 4,
  plan: 'pro',
  planVersion: 2,
  overrideId: null,
  policy: { enforcement: 'hard', windowStart: at(-12) },
  counter: { used, reserved: index, limit: 100, carried: 0 },
  counterfactual: {
    allowedQuantity: Math.max(0, 100 - used - index),
    plan: allowed ? null : 'team',
    override: allowed ? null : { limit: used + quantity + index },
  },
  idempotencyKey: kind === 'check' ? null : `export-${index}`,
  service: 'notes',
  correlationId: null,
}))

const explanation: Explanation = {
  tenantId: 'acme',
  feature: 'exports',
  at: at(0),
  decision: {
    feature: 'exports',
    allowed: false,
    reason: 'limit_reached',
    kind: 'metered',
    value: null,
    limit: 50,
    used: 50,
    remaining: 0,
    resetsAt: monthEnd,
    state: 'blocked',
    upgradePlan: 'scale',
    consumed: false,
  },
  snapshotVersion: 42,
  accessLevel: 'full',
  steps: [
    { source: 'override', decided: false, sentence: 'No override of exports is in force.', detail: {} },
    {
      source: 'subscription',
      decided: false,
      sentence: 'Pro version 2 gives 50 exports per period, hard limit.',
      detail: { plan: 'pro', version: 2, limit: 50 },
    },
    {
      source: 'counter',
      decided: true,
      sentence: '50 of 50 exports are used since 1 November.',
      detail: { used: 50, limit: 50 },
    },
  ],
  wouldAllow: [
    'Scale, which includes 500 exports',
    'An override of exports with a limit above 50',
    'The next period, from 1 December',
  ],
}

const catalog: CatalogCurrent = {
  version: 7,
  hash: 'sha256_9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  appliedAt: at(-5),
  appliedBy: 'ci@turnpike.example',
  summary: 'Pro: 10,000 instead of 8,000 calls',
  plans: { free: 1, pro: 2 },
  content: {
    catalog: 'demonstration',
    currencies: ['USD', 'EUR'],
    baseline: 'free',
    meters: { api_calls: { name: 'API calls', unit: 'call', aggregation: 'sum' } },
    features: {
      api_calls: { name: 'API calls', kind: 'metered', meter: 'api_calls' },
      sso: { name: 'Single sign-on', kind: 'boolean' },
      projects: { name: 'Projects', kind: 'value', type: 'number' },
    },
    plans: {
      free: {
        name: 'Free',
        status: 'active',
        rank: 0,
        model: 'free',
        grants: { api_calls: { limit: 1_000, enforcement: 'hard' } },
      },
      pro: {
        name: 'Pro',
        status: 'active',
        rank: 20,
        model: 'subscription',
        prices: {
          monthly: { interval: 'month', amounts: { USD: 4900, EUR: 4500 } },
          yearly: { interval: 'year', amounts: { USD: 49000 } },
        },
        grants: { sso: true, projects: 20, api_calls: { limit: 10_000, enforcement: 'hard' } },
      },
      old: {
        name: 'Classic',
        status: 'legacy',
        rank: 15,
        model: 'subscription',
        prices: { quarterly: { interval: { unit: 'month', count: 3 }, amounts: { USD: 9900 } } },
        grants: { projects: 10 },
      },
    },
    policies: {
      access: { active: 'full', past_due: 'grace' },
      changes: { upgrade: 'immediate', downgrade: 'period_end', proration: 'always_invoice' },
      cancellation: { timing: 'period_end', readOnlyDays: 30, retentionDays: 90 },
      dunning: { stages: [{ afterDays: 0, access: 'grace' }], cancelAfterDays: 30 },
      usage: { acceptLateDays: 3, acceptFutureSeconds: 300 },
    },
  },
}

const looks = new Map<string, number>()

/** A checkout id says its state: `checkout_0…0completed`; `later` is confirmed at the third look. */
function checkoutOf({ checkoutId }: ParamsOf<Routes['getCheckout']>): Checkout {
  let name = checkoutId.replace(/^checkout_0*/, '')
  if (name.startsWith('later')) {
    looks.set(checkoutId, (looks.get(checkoutId) ?? 0) + 1)
    name = looks.get(checkoutId)! > 2 ? 'completed' : 'pendingsync'
  }
  const state = name === 'pendingsync' ? 'pending_sync' : (name as Checkout['state'])
  if (!['opening', 'open', 'pending_sync', 'completed', 'failed', 'canceled', 'expired'].includes(state)) {
    throw new Refusal('not_found')
  }
  return {
    id: checkoutId,
    tenantId: 'acme',
    kind: 'checkout',
    state,
    plan: { plan: 'scale', version: 1, name: 'Scale' },
    product: null,
    price: 'monthly',
    currency: 'USD',
    seats: 7,
    coupon: null,
    sessionUrl: state === 'open' ? 'https://pay.example/c/1' : null,
    openedAt: at(0, -90_000),
    returnedAt: null,
    completedAt: state === 'completed' ? at(0) : null,
    expiresAt: at(1),
    snapshotVersion: state === 'completed' ? 43 : null,
    nextActions: [],
  }
}

const stateOf = ({ state, query }: Question) => {
  const name = state.split('.')[1] ?? 'active'
  return query.tenantId === 'globex' ? 'free' : name
}

/** The fixed answers, by route. */
export const answers: Answers = {
  whoami: ({ state }) => {
    const role = state.split('.')[0] as Role
    if (!(role in roles)) throw new Refusal('unauthenticated')
    const tenant = roles[role].holder === 'tenant'
    return {
      actor: `key_${role}`,
      name: tenant ? 'Ana' : 'Sam',
      role,
      tenantId: tenant ? 'acme' : null,
      permissions: [...roles[role].permissions],
      demo: true,
      environment: 'development',
      now: at(0),
    }
  },
  getStatus: (question) => statuses[stateOf(question)] ?? active,
  previewSubscription: ({ state, body }) => {
    const wish = body as BodyOf<Routes['previewSubscription']>
    const name = stateOf({ state, query: {} } as Question)
    if (wish.action === 'change' && Object.keys(wish).length === 1) throw new Refusal('nothing_to_change')
    if (name === 'dunning' && wish.action === 'change')
      throw new Refusal('command_not_allowed', { reason: 'payment_due' })
    return life.preview(name, wish, confirmed.has(state))
  },
  commandSubscription: ({ state, body }) => {
    const name = stateOf({ state, query: {} } as Question)
    if (name === 'stale' && !confirmed.has(state)) {
      confirmed.add(state)
      throw new Refusal('preview_stale')
    }
    if (name === 'declined') throw new Refusal('payment_failed', { invoiceUrl: 'https://pay.example/invoice/9' })
    if (name === 'confirming')
      throw new Refusal('payment_failed', { invoiceUrl: 'https://pay.example/invoice/9', actionRequired: true })
    if (name === 'blocked') throw new Refusal('downgrade_blocked', { guardrails: life.items })
    if (name === 'silent' && !confirmed.has(state)) {
      confirmed.add(state)
      throw new Refusal('internal_error')
    }
    return life.result(name, body as BodyOf<Routes['commandSubscription']>)
  },
  previewNewSubscription: ({ state }) => {
    if (state.endsWith('checkout')) throw new Refusal('checkout_open', { sessionUrl: 'https://pay.example/c/1' })
    return life.create
  },
  createSubscription: () => {
    throw new Refusal('payment_method_required')
  },
  listCurrentNotices: (question) => (stateOf(question) === 'dunning' ? life.notices : []),
  listOwners: ({ state }) => (state.endsWith('empty') ? [] : life.owners),
  listOwnerTransfers: ({ state }) =>
    state.endsWith('asked') ? [...life.transfers.open, ...life.transfers.ended] : life.transfers.ended,
  requestOwnerTransfer: () => life.transfers.open[0]!,
  cancelOwnerTransfer: () => life.transfers.answered('canceled'),
  removeOwner: () => life.owners[0]!,
  confirmOwnerTransfer: ({ body }) => {
    if (body.token !== 'of-the-letter') throw new Refusal('owner_link_invalid')
    return life.transfers.answered('confirmed')
  },
  declineOwnerTransfer: () => life.transfers.answered('declined'),
  createExport: () => life.archive({}),
  listExports: ({ state }) => (state.endsWith('empty') ? [] : life.exports),
  getUsage: (question) => ({
    tenantId: 'acme',
    snapshotVersion: 42,
    meters: ['empty', 'free', 'pending', 'checkout', 'trial', 'ended'].includes(stateOf(question))
      ? stateOf(question) === 'empty'
        ? []
        : meters.slice(0, 1)
      : meters,
    asOf: at(0),
  }),
  getUsageHistory: (question) => {
    const { meter: wanted, step } = question.query as { meter: string; step?: string }
    const hours = step === 'hour' ? 1 : 24
    const found = meters.find((each) => each.meter === wanted)
    if (!found) throw new Refusal('meter_unknown')
    const nothing = wanted === 'exports'
    return {
      tenantId: 'acme',
      meter: wanted,
      name: found.name,
      unit: found.unit,
      step: hours === 1 ? 'hour' : 'day',
      timeZone: 'Europe/Berlin',
      points: Array.from({ length: 30 }, (_, n) => ({
        start: at(((n - 30) * hours) / 24),
        used: nothing ? 0 : 100 + ((n * 37) % 60),
      })),
      groups: null,
      anomalies: nothing
        ? []
        : [{ span: 'hour', start: at(-1 / 24), end: at(0), kind: 'high', value: 400, expected: 12 }],
      asOf: at(0),
    }
  },
  listPlans: (question) => (stateOf(question) === 'empty' ? [] : offers(stateOf(question))),
  getEntitlements: () => snapshot,
  createSession: ({ body, state }) => {
    if (body.kind === 'portal')
      return { kind: 'portal', sessionUrl: 'http://127.0.0.1:1/portal', checkoutId: null, expiresAt: null }
    if (state.endsWith('checkout') && !body.replaceOpen)
      throw new Refusal('checkout_open', { sessionUrl: 'https://pay.example/c/1' })
    if (body.plan === 'pro') throw new Refusal('plan_already_held')
    throw new Refusal('provider_unavailable')
  },
  getCheckout: ({ params }) => checkoutOf(params as ParamsOf<Routes['getCheckout']>),
  reportReturn: ({ params }) => checkoutOf(params as ParamsOf<Routes['getCheckout']>),
  sync: () => ({ changed: false, subscriptions: 1, invoices: 3, snapshotVersion: 42 }),
  listCustomers: (question) => {
    const wanted = question.query.search?.toLowerCase() ?? ''
    return question.state.endsWith('empty')
      ? []
      : customers.filter((customer) => customer.name.toLowerCase().includes(wanted))
  },
  getCustomer: (question) => {
    const found = customers.find(({ id }) => id === question.params.customerId)
    if (!found) throw new Refusal('not_found')
    return found
  },
  getTimeline: (question) => (question.params.customerId === acme.id ? timeline : []),
  ...moneyFixtures({ at, id: fixtureId, period }),
  ...periodFixtures({ at, id: fixtureId, period }),
  listOverrides: ({ query }) => (query.tenantId === 'acme' ? overrides : []),
  createOverride: () => {
    throw new Refusal('override_invalid', { errors: [{ field: 'set.limit', message: 'is smaller than what is used' }] })
  },
  withdrawOverride: () => ({ ...overrides[0]!, withdrawnAt: at(0) }),
  listWebhooks: (question) => {
    return question.state.endsWith('empty')
      ? []
      : inbox.filter(({ state }) => !question.query.state || state === question.query.state)
  },
  countWebhooks: (question): DataOf<Routes['countWebhooks']> => {
    if (question.state.endsWith('empty')) return { counts: {}, oldestPendingAt: null }
    return { counts: { pending: 1, retrying: 1, dead: 1, applied: 1, ignored: 1 }, oldestPendingAt: at(0, -3_000) }
  },
  replayWebhook: ({ params }) => inbox.find(({ id }) => id === params.webhookId) ?? inbox[0]!,
  getWebhook: ({ params }) => {
    const found = house.webhookOf(params.webhookId ?? '')
    if (!found) throw new Refusal('not_found')
    return found
  },
  // 1,200 dead ones, so that a replay takes three parts.
  replayWebhooks: ({ body }) => {
    const { dryRun = false, cursor } = body as BodyOf<Routes['replayWebhooks']>
    if (dryRun) return { dryRun, webhooks: { dead: 1_200 }, total: 1_200, cursor: null }
    const total = cursor === 'part3' ? 200 : 500
    return {
      dryRun,
      webhooks: { dead: total },
      total,
      cursor: cursor === undefined ? 'part2' : cursor === 'part2' ? 'part3' : null,
    }
  },
  listInvoices: ({ state, query }) =>
    state.endsWith('empty') ? [] : money.invoices.filter(({ status }) => !query.status || status === query.status),
  getInvoice: ({ params }) => {
    const found = money.detail(params.invoiceId)
    if (!found) throw new Refusal('not_found')
    return found
  },
  listPaymentMethods: ({ state }) => (state.endsWith('empty') ? [] : money.methods),
  getRefundTerms: ({ params }) => money.terms(params.invoiceId),
  listRefunds: ({ state, query }) =>
    state.endsWith('empty')
      ? []
      : money.refunds.filter(
          (each) =>
            (!query.state || each.state === query.state) && (!query.invoiceId || each.invoiceId === query.invoiceId),
        ),
  listCreditNotes: ({ state, query }) =>
    state.endsWith('empty')
      ? []
      : money.creditNotes.filter(
          (each) =>
            (!query.state || each.state === query.state) && (!query.invoiceId || each.invoiceId === query.invoiceId),
        ),
  createRefund: ({ body }) =>
    money.refund('made', Number(body.amountMinor) > 2_500 ? 'waiting_for_approval' : 'succeeded', {
      amount: { amountMinor: String(body.amountMinor), currency: 'USD' },
    }),
  createCreditNote: ({ body }) =>
    money.note('made', 'issued', { amount: { amountMinor: String(body.amountMinor), currency: 'USD' } }),
  approveRefund: () => money.refund('asked', 'succeeded'),
  rejectRefund: () => money.refund('asked', 'rejected'),
  listWaitingOverrides: ({ state }) => (state.endsWith('empty') ? [] : house.asked),
  approveOverride: ({ params, state }) => {
    const found = house.asked.find(({ id }) => id === params.overrideId) ?? house.asked[0]!
    if (found.actor === `key_${state.split('.')[0]}`) throw new Refusal('second_person_required')
    return { ...found, state: 'approved', decidedBy: 'key_operator', decidedAt: at(0) }
  },
  rejectOverride: () => ({ ...house.asked[0]!, state: 'rejected', decidedBy: 'key_operator', decidedAt: at(0) }),
  listNotices: ({ state, query }) =>
    state.endsWith('empty')
      ? []
      : house.notices.filter(
          (notice) =>
            (!query.state || notice.state === query.state) &&
            (!query.kind || notice.kind === query.kind) &&
            (!query.tenantId || notice.tenantId === query.tenantId),
        ),
  getNotice: ({ params }) => {
    const found = house.notices.find(({ id }) => id === params.noticeId)
    if (!found) throw new Refusal('not_found')
    return { ...found, ...house.words(found.subject), link: 'https://pay.example/invoice/1' }
  },
  resendNotice: ({ params, state }) => {
    if (state.endsWith('nomail')) throw new Refusal('mail_not_configured')
    return { ...house.notices.find(({ id }) => id === params.noticeId)!, state: 'waiting' }
  },
  listNoticeTemplates: () => house.templates,
  previewNotice: ({ body }) => {
    const found = house.templates.find(({ kind }) => kind === body.kind) ?? house.templates[0]!
    return {
      kind: found.kind,
      subject: found.subject,
      ...house.words(found.subject),
      link: 'https://app.example/billing',
    }
  },
  getReconciliationFigures: ({ state }): DataOf<Routes['getReconciliationFigures']> =>
    state.endsWith('empty')
      ? {
          openFindings: 0,
          openBySeverity: {},
          openByKind: {},
          oldestOpenAt: null,
          oldestOpenSeconds: null,
          driftPerThousandCustomers: 0,
          medianSecondsToCorrect: null,
          lastRunFinishedAt: null,
          lastFullRunFinishedAt: null,
        }
      : {
          openFindings: 3,
          openBySeverity: { critical: 3 },
          openByKind: { plan_differs: 1, subscription_missing_at_provider: 1, two_subscriptions: 1 },
          oldestOpenAt: at(-2),
          oldestOpenSeconds: 172_800,
          driftPerThousandCustomers: 2.4,
          medianSecondsToCorrect: 340,
          lastRunFinishedAt: at(0, -3_600_000),
          lastFullRunFinishedAt: at(-1, 94_000),
        },
  listReconciliations: ({ state, query }) =>
    state.endsWith('empty')
      ? []
      : house.runs.filter(
          (run) =>
            (!query.tenantId || run.tenantId === query.tenantId) &&
            !(state.endsWith('idle') && run.state === 'running'),
        ),
  startReconciliation: ({ body }) =>
    body.tenantId
      ? { ...house.running, id: fixtureId('run', 'tenant'), scope: 'tenant', tenantId: String(body.tenantId) }
      : house.running,
  // Done at the second look.
  getReconciliation: ({ params }) => {
    const looks = (looksAtRun.get(params.runId!) ?? 0) + 1
    looksAtRun.set(params.runId!, looks)
    const of = { ...house.running, scope: 'tenant' as const, tenantId: 'acme' }
    return looks < 2 ? of : { ...of, state: 'done', found: 1, repaired: 0, finishedAt: at(0) }
  },
  stopReconciliation: () => ({ ...house.running, state: 'stopped', finishedAt: at(0) }),
  listFindings: ({ state, query }) =>
    state.endsWith('empty')
      ? []
      : house.findings.filter(
          (finding) =>
            (!query.state || finding.state === query.state) &&
            (!query.kind || finding.kind === query.kind) &&
            (!query.tenantId || finding.tenantId === query.tenantId),
        ),
  getFinding: ({ params }) => {
    const found = house.findings.find(({ id }) => id === params.findingId)
    if (!found) throw new Refusal('not_found')
    return found
  },
  repairFinding: () => {
    throw new Refusal('finding_persists')
  },
  acceptFinding: () => ({
    ...house.findings[0]!,
    state: 'accepted',
    closedAt: at(0),
    closedBy: 'Sam',
    reason: 'Meant',
  }),
  dismissFinding: () => ({ ...house.findings[0]!, state: 'dismissed', closedAt: at(0), closedBy: 'Sam', reason: 'No' }),
  explain: (question) => {
    if (question.params.feature === 'nothing') throw new Refusal('feature_unknown')
    return explanation
  },
  listDecisions: (question) => (question.query.feature === 'nothing' ? [] : decisions),
  getDecision: (question) => ({
    ...decisions.find(({ id }) => id === question.params.decisionId)!,
    replay: { same: question.params.decisionId === decisions[0]!.id, allowed: false, reason: 'limit_reached' },
    steps: explanation.steps,
    wouldAllow: explanation.wouldAllow,
  }),
  getCatalog: () => catalog,
  listCatalogHistory: () => [
    {
      version: 7,
      hash: catalog.hash,
      appliedAt: at(-5),
      appliedBy: catalog.appliedBy,
      summary: catalog.summary,
      plans: catalog.plans,
    },
    {
      version: 6,
      hash: catalog.hash.replace('9f', '1a'),
      appliedAt: at(-40),
      appliedBy: 'Sam',
      summary: 'First catalog',
      plans: { free: 1, pro: 1 },
    },
  ],
  diffCatalog: () => ({
    inSync: false,
    differences: [
      {
        kind: 'missing_at_provider',
        object: 'price',
        key: 'pro_yearly',
        field: null,
        ours: '490.00 USD',
        theirs: null,
        sentence: 'The price pro_yearly does not exist at the provider.',
      },
    ],
  }),
  listAudit: (question) =>
    question.state.endsWith('empty')
      ? []
      : [
          {
            id: '1',
            at: at(0, -5_000),
            tenantId: 'acme',
            actor: 'Sam',
            actorKind: 'person',
            action: 'override.granted',
            object: overrides[0]!.id,
            result: 'allowed',
            before: null,
            after: { feature: 'tokens', limit: null },
            reason: 'Launch week, ticket 812',
            requestId: 'req_01jd3v7h9x8k2m4n6p0q1r5s3t',
          },
          {
            id: '2',
            at: at(-1),
            tenantId: null,
            actor: 'key_01',
            actorKind: 'key',
            action: 'webhook.replay',
            object: null,
            result: 'denied',
            before: null,
            after: null,
            reason: null,
            requestId: null,
          },
          {
            id: '3',
            at: at(-2),
            tenantId: 'globex',
            actor: 'system',
            actorKind: 'system',
            action: 'customer.updated',
            object: fixtureId('customer', 'globex'),
            result: 'allowed',
            before: { name: 'Globex Inc.' },
            after: { name: 'Globex' },
            reason: null,
            requestId: null,
          },
        ],
}

export const acmeId = acme.id
