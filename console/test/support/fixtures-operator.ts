import {
  type DataOf,
  type Finding,
  findingKinds,
  type InboxDetail,
  type InboxEntry,
  type Notice,
  type Override,
  type ReconciliationRun,
  type Routes,
  reconciliationPhases,
  repairs,
} from '@turnpike/contract'

type Tools = {
  at: (days: number, milliseconds?: number) => string
  id: (kind: string, name: string) => string
  inbox: InboxEntry[]
}

/** What operators see: runs and findings, notices and their templates, what waits for a second person, tries of webhooks. */
export function operatorFixtures({ at, id, inbox }: Tools) {
  const run = (change: Partial<ReconciliationRun> & Pick<ReconciliationRun, 'id'>): ReconciliationRun => ({
    scope: 'all',
    tenantId: null,
    state: 'done',
    phase: null,
    progress: reconciliationPhases.map((phase) => ({ phase, looked: 412, total: 412, done: true })),
    found: 3,
    repaired: 2,
    waitsFor: null,
    startedBy: 'schedule',
    startedAt: at(-1),
    finishedAt: at(-1, 94_000),
    failure: null,
    ...change,
  })
  const running = run({
    id: id('run', 'running'),
    state: 'running',
    phase: 'provider_invoices',
    progress: [
      { phase: 'provider_subscriptions', looked: 1_204, total: null, done: true },
      { phase: 'our_subscriptions', looked: 412, total: 412, done: true },
      { phase: 'provider_invoices', looked: 180, total: 640, done: false },
    ],
    found: 2,
    repaired: 0,
    startedBy: 'Sam',
    startedAt: at(0, -40_000),
    finishedAt: null,
  })
  const runs = [
    running,
    run({ id: id('run', 'done') }),
    run({ id: id('run', 'acme'), scope: 'tenant', tenantId: 'acme', found: 0, repaired: 0, startedBy: 'Sam' }),
    run({
      id: id('run', 'failed'),
      state: 'failed',
      failure: 'The provider answered something unusable.',
      startedAt: at(-3),
      finishedAt: at(-3, 5_000),
    }),
  ]

  const finding = (
    name: string,
    kind: Finding['kind'],
    change: Partial<Finding> & Pick<Finding, 'here' | 'there'>,
  ): Finding => ({
    id: id('finding', name),
    tenantId: 'acme',
    kind,
    severity: findingKinds[kind].severity,
    meaning: findingKinds[kind].meaning,
    object: 'sub_1QabcDEFghiJKL',
    repair: findingKinds[kind].repair,
    repairMeaning: repairs[findingKinds[kind].repair],
    state: 'open',
    firstSeenAt: at(-2),
    lastSeenAt: at(0, -60_000),
    ageSeconds: 172_800,
    closedAt: null,
    closedBy: null,
    reason: null,
    firstRunId: id('run', 'done'),
    lastRunId: id('run', 'done'),
    ...change,
  })
  const findings = [
    finding('plan', 'plan_differs', {
      here: { plan: 'pro', planVersion: 2, price: 'monthly', seats: 7 },
      there: { plan: 'scale', planVersion: 1, price: 'monthly', seats: 7 },
    }),
    finding('ended', 'subscription_missing_at_provider', {
      tenantId: 'globex',
      here: { status: 'active', plan: 'pro' },
      there: null,
    }),
    finding('two', 'two_subscriptions', {
      tenantId: 'umbrella-kk',
      here: { live: 1 },
      there: { live: ['sub_1QabcDEFghiJKL', 'sub_1QzyxWVUtsrQPO'] },
    }),
    finding('counter', 'counter_differs', {
      state: 'repaired',
      here: { counted: 6_230 },
      there: { recorded: 6_228 },
      ageSeconds: 340,
      closedAt: at(-1),
      closedBy: 'Sam',
      reason: 'Records are right, ticket 815',
    }),
  ]

  const notice = (name: string, change: Partial<Notice>): Notice => ({
    id: id('notice', name),
    tenantId: 'acme',
    kind: 'payment_failed',
    severity: 'warning',
    state: 'sent',
    eventId: id('event', name),
    subject: 'Your payment of $49.00 for Pro did not go through',
    to: ['billing@acme.example'],
    messageId: `<${name}@billing.example>`,
    createdAt: at(-1),
    sentAt: at(-1, 4_000),
    attempts: 1,
    nextAttemptAt: null,
    lastError: null,
    ...change,
  })
  const notices = [
    notice('failed', {
      state: 'failed',
      severity: 'critical',
      kind: 'access_restricted',
      subject: 'Some features of Pro are switched off until your invoice is paid',
      sentAt: null,
      attempts: 8,
      lastError: '550 mailbox unavailable',
    }),
    notice('sent', {}),
    notice('retrying', {
      state: 'retrying',
      tenantId: 'globex',
      kind: 'trial_ending',
      severity: 'info',
      subject: 'Your trial of Pro ends on 24 November',
      sentAt: null,
      attempts: 2,
      nextAttemptAt: at(0, 120_000),
      lastError: 'The mail server did not answer.',
    }),
    notice('skipped', { state: 'skipped', tenantId: 'umbrella-kk', to: [], sentAt: null, attempts: 0 }),
  ]
  const words = (subject: string) => ({
    text: `Hello Ana,\n\n${subject}.\n\nPay the invoice: https://pay.example/invoice/1\n\nYours, Acme`,
    html: `<!doctype html><html lang="en"><head><title>${subject}</title></head><body style="font-family:sans-serif;color:#1a1a1a;background:#ffffff"><main><h1 style="font-size:20px">${subject}</h1><p>Hello Ana, please pay the open invoice.</p></main></body></html>`,
  })
  const templates: DataOf<Routes['listNoticeTemplates']> = [
    {
      kind: 'trial_ending',
      when: 'A trial ends in three days',
      to: 'billing',
      severity: 'info',
      off: false,
      subject: 'Your trial of Pro ends on 24 November',
    },
    {
      kind: 'payment_failed',
      when: 'An attempt to charge has failed',
      to: 'billing',
      severity: 'warning',
      off: false,
      subject: 'Your payment of $49.00 for Pro did not go through',
    },
    {
      kind: 'approval_needed',
      when: 'An override waits for a second person',
      to: 'operators',
      severity: 'info',
      off: true,
      subject: 'Approval needed: Single sign-on for Acme Robotics',
    },
  ]

  const waiting = (name: string, change: Partial<Override>): Override => ({
    id: id('override', name),
    tenantId: 'acme',
    feature: 'sso',
    set: { enabled: true },
    reason: 'Their sign-on is moving, ticket 900',
    actor: 'key_support',
    createdAt: at(0, -7_200_000),
    expiresAt: at(14),
    withdrawnAt: null,
    state: 'waiting_for_approval',
    requestExpiresAt: at(2),
    decidedBy: null,
    decidedAt: null,
    decisionReason: null,
    ...change,
  })
  const asked = [
    waiting('asked', {}),
    waiting('own', { tenantId: 'globex', feature: 'api_calls', set: { limit: null }, actor: 'key_operator' }),
  ]

  const webhookOf = (webhookId: string): InboxDetail | undefined => {
    const entry = inbox.find((each) => each.id === webhookId)
    return (
      entry && {
        ...entry,
        eventAt: at(-1, -2_000),
        correlationId: 'req_01jd3v7h9x8k2m4n6p0q1r5s3t',
        holds: entry.lastError ? 2 : 0,
        errors: entry.lastError
          ? [
              { at: at(-1, 60_000), error: 'The provider did not answer in 10 s.', held: true },
              { at: at(-1, 120_000), error: entry.lastError, held: false },
            ]
          : [],
      }
    )
  }

  return { running, runs, findings, notices, words, templates, asked, webhookOf }
}
