/** How a value of a notice is written for people. `?`: it may be null. */
export type FieldType = 'text' | 'instant' | 'money' | 'number' | 'flag' | 'url' | 'items'
type Field = FieldType | `${FieldType}?`

export type NoticeKindDefinition = {
  /** When it is sent: one sentence for the policy page. */
  when: string
  to: 'billing' | 'owners' | 'operators' | 'address'
  severity: 'info' | 'warning' | 'critical'
  /** Of one topic only the newest notice is a message of now. */
  topic: string
  /** Topics whose earlier notices are no longer true once this one was made. */
  clears?: readonly string[]
  /** How long it is shown on billing pages when its event names no end. */
  showDays: number
  /** Where its link leads: a field that holds an address, else a page of ours. */
  link: {
    field?: string
    page: string
    /** A field that is the last part of the page's address. */
    id?: string
  }
  /** Nothing of the recipient is kept once the mail is gone. */
  isForgotten?: boolean
  fields: Readonly<Record<string, Field>>
  /** What previews and the check of the templates use. */
  example: Readonly<Record<string, unknown>>
}

const money = (amountMinor: string, currency = 'USD') => ({ amountMinor, currency })
const example = {
  plan: 'Pro',
  endsAt: '2027-02-01T09:00:00Z',
  invoiceUrl: 'https://pay.example.com/invoice/1',
}
const items = [
  { name: 'Projects', used: 12, limit: 5, reduceBy: 7 },
  { name: 'Seats', used: 4, limit: 1, reduceBy: 3 },
]
const stage = {
  plan: example.plan,
  since: '2027-01-03T09:00:00Z',
  amount: money('4900'),
  invoiceUrl: example.invoiceUrl,
  nextAt: '2027-01-17T09:00:00Z',
}
const stageFields = {
  plan: 'text',
  since: 'instant',
  amount: 'money?',
  invoiceUrl: 'url?',
  nextAt: 'instant?',
} as const

/** Every kind of notice (DUN-2): when, to whom, what it knows. The words are in `server/notices/<kind>/`. */
export const noticeKinds = {
  trial_ending: {
    when: 'Some days before a trial ends',
    to: 'billing',
    severity: 'warning',
    topic: 'trial',
    showDays: 14,
    link: { page: '/billing' },
    fields: { plan: 'text', endsAt: 'instant', paymentMethodOnFile: 'flag' },
    example: { plan: example.plan, endsAt: example.endsAt, paymentMethodOnFile: false },
  },
  renewal_upcoming: {
    when: 'Some days before a subscription renews',
    to: 'billing',
    severity: 'info',
    topic: 'renewal',
    showDays: 14,
    link: { page: '/billing' },
    fields: { plan: 'text', at: 'instant', amount: 'money?' },
    example: { plan: example.plan, at: example.endsAt, amount: money('49000') },
  },
  receipt: {
    when: 'An invoice was paid',
    to: 'billing',
    severity: 'info',
    topic: 'receipt',
    showDays: 3,
    link: { field: 'invoiceUrl', page: '/billing' },
    fields: { number: 'text?', amount: 'money', invoiceUrl: 'url?' },
    example: { number: 'ACME-0042', amount: money('4900'), invoiceUrl: example.invoiceUrl },
  },
  payment_failed: {
    when: 'A payment was refused',
    to: 'billing',
    severity: 'critical',
    topic: 'payment',
    showDays: 30,
    link: { field: 'invoiceUrl', page: '/billing' },
    fields: { number: 'text?', amount: 'money', invoiceUrl: 'url?' },
    example: { number: 'ACME-0042', amount: money('4900'), invoiceUrl: example.invoiceUrl },
  },
  action_required: {
    when: 'The bank asks the customer to confirm a payment',
    to: 'billing',
    severity: 'critical',
    topic: 'payment',
    showDays: 30,
    link: { field: 'invoiceUrl', page: '/billing' },
    fields: { number: 'text?', amount: 'money', invoiceUrl: 'url?' },
    example: { number: 'ACME-0042', amount: money('4900'), invoiceUrl: example.invoiceUrl },
  },
  grace_started: {
    when: 'A payment is overdue and the days of grace began',
    to: 'billing',
    severity: 'warning',
    topic: 'dunning',
    showDays: 60,
    link: { field: 'invoiceUrl', page: '/billing' },
    fields: stageFields,
    example: stage,
  },
  restricted: {
    when: 'A payment stayed overdue past the days of grace',
    to: 'billing',
    severity: 'critical',
    topic: 'dunning',
    showDays: 60,
    link: { field: 'invoiceUrl', page: '/billing' },
    fields: stageFields,
    example: stage,
  },
  read_only: {
    when: 'A payment stayed overdue, and only reading is left',
    to: 'billing',
    severity: 'critical',
    topic: 'dunning',
    showDays: 90,
    link: { field: 'invoiceUrl', page: '/billing' },
    fields: stageFields,
    example: stage,
  },
  suspended: {
    when: 'A payment stayed overdue, and access has ended',
    to: 'billing',
    severity: 'critical',
    topic: 'dunning',
    showDays: 90,
    link: { field: 'invoiceUrl', page: '/billing' },
    fields: stageFields,
    example: stage,
  },
  payment_reminder: {
    when: 'On days that policy names while a payment is overdue',
    to: 'billing',
    severity: 'critical',
    topic: 'payment',
    showDays: 30,
    link: { field: 'invoiceUrl', page: '/billing' },
    fields: stageFields,
    example: stage,
  },
  payment_recovered: {
    when: 'An overdue payment arrived',
    to: 'billing',
    severity: 'info',
    topic: 'dunning',
    clears: ['payment'],
    showDays: 7,
    link: { page: '/billing' },
    fields: { plan: 'text?' },
    example: { plan: example.plan },
  },
  cancellation_scheduled: {
    when: 'A cancellation for a later day was scheduled',
    to: 'billing',
    severity: 'warning',
    topic: 'subscription',
    // What was planned beside it does not come any more.
    clears: ['plan_change', 'renewal'],
    showDays: 400,
    link: { page: '/billing' },
    fields: { plan: 'text', endsAt: 'instant' },
    example: { plan: example.plan, endsAt: example.endsAt },
  },
  reactivated: {
    when: 'A scheduled cancellation was taken back',
    to: 'billing',
    severity: 'info',
    topic: 'subscription',
    showDays: 7,
    link: { page: '/billing' },
    fields: { plan: 'text', renewsAt: 'instant?' },
    example: { plan: example.plan, renewsAt: example.endsAt },
  },
  canceled: {
    when: 'A subscription ended',
    to: 'billing',
    severity: 'warning',
    topic: 'subscription',
    clears: ['payment', 'dunning', 'trial', 'renewal', 'plan_change', 'remediation', 'pause'],
    showDays: 30,
    link: { page: '/billing' },
    fields: { plan: 'text', endedAt: 'instant' },
    example: { plan: example.plan, endedAt: example.endsAt },
  },
  plan_changed: {
    when: 'A change of plan is in force',
    to: 'billing',
    severity: 'info',
    topic: 'plan_change',
    showDays: 7,
    link: { page: '/billing' },
    fields: { plan: 'text', renewsAt: 'instant?' },
    example: { plan: 'Scale', renewsAt: example.endsAt },
  },
  plan_change_scheduled: {
    when: 'A change of plan for a later day was scheduled',
    to: 'billing',
    severity: 'info',
    topic: 'plan_change',
    showDays: 400,
    link: { page: '/billing' },
    fields: { plan: 'text', newPlan: 'text?', at: 'instant' },
    example: { plan: example.plan, newPlan: 'Starter', at: example.endsAt },
  },
  change_failed: {
    when: 'A change that the customer asked for could not be made',
    to: 'billing',
    severity: 'warning',
    topic: 'plan_change',
    showDays: 14,
    link: { field: 'invoiceUrl', page: '/billing' },
    fields: { plan: 'text?', invoiceUrl: 'url?' },
    example: { plan: example.plan, invoiceUrl: example.invoiceUrl },
  },
  paused: {
    when: 'A subscription was paused',
    to: 'billing',
    severity: 'warning',
    topic: 'pause',
    showDays: 400,
    link: { page: '/billing' },
    fields: { plan: 'text' },
    example: { plan: example.plan },
  },
  resumed: {
    when: 'A paused subscription runs again',
    to: 'billing',
    severity: 'info',
    topic: 'pause',
    showDays: 7,
    link: { page: '/billing' },
    fields: { plan: 'text', renewsAt: 'instant?' },
    example: { plan: example.plan, renewsAt: example.endsAt },
  },
  limit_warning: {
    when: 'Usage crossed a warning threshold of the plan',
    to: 'billing',
    severity: 'warning',
    topic: 'limit',
    showDays: 31,
    link: { page: '/billing/usage' },
    fields: { feature: 'text', percent: 'number', used: 'number', limit: 'number', resetsAt: 'instant' },
    example: { feature: 'API calls', percent: 80, used: 16_000, limit: 20_000, resetsAt: example.endsAt },
  },
  limit_reached: {
    when: 'Usage reached the limit of the plan',
    to: 'billing',
    severity: 'critical',
    topic: 'limit',
    showDays: 31,
    link: { page: '/billing/plans' },
    fields: { feature: 'text', used: 'number', limit: 'number', resetsAt: 'instant' },
    example: { feature: 'API calls', used: 20_000, limit: 20_000, resetsAt: example.endsAt },
  },
  downgrade_remediation: {
    when: 'A smaller plan begins while more is in use than it allows',
    to: 'billing',
    severity: 'warning',
    topic: 'remediation',
    showDays: 60,
    link: { page: '/billing' },
    fields: { plan: 'text', deadline: 'instant?', items: 'items' },
    example: { plan: 'Starter', deadline: example.endsAt, items },
  },
  downgrade_remediation_reminder: {
    when: 'The deadline for reducing what is in use comes near',
    to: 'billing',
    severity: 'critical',
    topic: 'remediation',
    showDays: 60,
    link: { page: '/billing' },
    fields: { plan: 'text', deadline: 'instant?', items: 'items' },
    example: { plan: 'Starter', deadline: example.endsAt, items },
  },
  downgrade_enforced: {
    when: 'The deadline passed and the limits of the smaller plan are in force',
    to: 'billing',
    severity: 'critical',
    topic: 'remediation',
    showDays: 30,
    link: { page: '/billing' },
    fields: { plan: 'text', items: 'items' },
    example: { plan: 'Starter', items },
  },
  export_ending: {
    when: 'Some days before data of a former customer can no longer be exported',
    to: 'owners',
    severity: 'critical',
    topic: 'retention',
    showDays: 60,
    link: { page: '/billing' },
    fields: { endsAt: 'instant' },
    example: { endsAt: example.endsAt },
  },
  data_deleted: {
    when: 'The billing data of a former customer was deleted',
    to: 'owners',
    severity: 'info',
    topic: 'retention',
    isForgotten: true,
    showDays: 30,
    link: { page: '/billing' },
    fields: { at: 'instant' },
    example: { at: example.endsAt },
  },
  owner_transfer_request: {
    when: 'Somebody is asked to become the billing owner',
    to: 'address',
    severity: 'info',
    topic: 'ownership',
    showDays: 14,
    link: { page: '/billing/owner-transfers', id: 'transferId' },
    fields: { transferId: 'text', expiresAt: 'instant' },
    example: { transferId: 'transfer_01h455vb4pex5vsknk084sn02q', expiresAt: example.endsAt },
  },
  owner_changed: {
    when: 'The billing owner changed',
    to: 'owners',
    severity: 'warning',
    topic: 'ownership',
    showDays: 7,
    link: { page: '/billing' },
    fields: { at: 'instant' },
    example: { at: example.endsAt },
  },
  credit_granted: {
    when: 'Credit was granted',
    to: 'billing',
    severity: 'info',
    topic: 'credit_granted',
    showDays: 14,
    link: { page: '/billing/credits' },
    fields: { amount: 'money', expiresAt: 'instant?' },
    example: { amount: money('5000'), expiresAt: example.endsAt },
  },
  credit_expiring: {
    when: 'Some days before credit ends with something left of it',
    to: 'billing',
    severity: 'warning',
    topic: 'credit',
    showDays: 30,
    link: { page: '/billing/credits' },
    fields: { amount: 'money', expiresAt: 'instant' },
    example: { amount: money('1250'), expiresAt: example.endsAt },
  },
  purchase_completed: {
    when: 'Something that was bought once is paid',
    to: 'billing',
    severity: 'info',
    topic: 'purchase',
    showDays: 7,
    link: { page: '/billing/credits' },
    fields: { name: 'text', amount: 'money' },
    example: { name: '100 dollars of credit', amount: money('10000') },
  },
  credit_requested: {
    when: 'Somebody asks for credit that needs a second person',
    to: 'operators',
    severity: 'warning',
    topic: 'credit_request',
    showDays: 7,
    link: { page: '/operator' },
    fields: { amount: 'money', reason: 'text', actor: 'text', requestExpiresAt: 'instant' },
    example: {
      amount: money('250000'),
      reason: 'Two days without the service in January.',
      actor: 'key_support',
      requestExpiresAt: example.endsAt,
    },
  },
  override_requested: {
    when: 'Support asks for an exception that needs a second person',
    to: 'operators',
    severity: 'warning',
    topic: 'override',
    showDays: 7,
    link: { page: '/operator' },
    fields: { feature: 'text', reason: 'text', actor: 'text', requestExpiresAt: 'instant' },
    example: {
      feature: 'API calls',
      reason: 'A migration needs more calls this month.',
      actor: 'key_support',
      requestExpiresAt: example.endsAt,
    },
  },
} as const satisfies Record<string, NoticeKindDefinition>

export type NoticeKind = keyof typeof noticeKinds
export const noticeKindNames = Object.keys(noticeKinds) as NoticeKind[]
export const definitionOf = (kind: NoticeKind): NoticeKindDefinition => noticeKinds[kind]
export const isNoticeKind = (text: string): text is NoticeKind => Object.hasOwn(noticeKinds, text)
