import type {
  BillingStatus,
  BodyOf,
  CommandPreview,
  CommandResult,
  CurrentNotice,
  Entitlement,
  Export,
  Owner,
  OwnerTransfer,
  Routes,
  Subscription,
} from '@turnpike/contract'

/** What the states of a subscription's life look like: statuses, previews of commands, messages, archives, owners. */
export function lifecycle(of: {
  active: BillingStatus
  free: BillingStatus
  subscription: Subscription
  at: (days: number, milliseconds?: number) => string
  id: (kind: string, name: string) => string
}) {
  const { active, free, subscription, at, id } = of
  const period = subscription.period
  const usd = (amountMinor: string) => ({ amountMinor, currency: 'USD' })
  const plan = (key: string, name: string) => ({ plan: key, version: 1, name })
  const items = [
    { feature: 'projects', name: 'Projects', kind: 'level', used: 12, limit: 5, reduceBy: 7 },
    { feature: 'seats', name: 'Seats', kind: 'seats', used: 7, limit: 1, reduceBy: 6 },
  ] satisfies NonNullable<BillingStatus['remediation']>['items']
  const unpaid = {
    status: 'past_due',
    paymentProblem: { kind: 'payment_failed', since: at(-8), invoiceUrl: 'https://pay.example/invoice/1' },
  } as const
  const retention = { endedAt: at(-3), readOnlyUntil: at(11), exportUntil: at(362), deleteAt: at(362) }

  const statuses: Record<string, BillingStatus> = {
    dunning: {
      ...active,
      ...unpaid,
      accessLevel: 'restricted',
      dunning: { stage: 'restricted', since: at(-1), nextStage: 'read_only', nextAt: at(6), cancelAt: at(22) },
      nextActions: [
        { action: 'pay_invoice', sentence: 'Pay the open invoice.', url: 'https://pay.example/invoice/1' },
        { action: 'update_payment_method', sentence: 'Update the payment method in the portal.', url: null },
      ],
    },
    remediation: {
      ...active,
      remediation: {
        kind: 'cleanup_window',
        plan: plan('starter', 'Starter'),
        startedAt: at(-2),
        deadline: at(12),
        enforced: false,
        items,
      },
      nextActions: [{ action: 'reduce_usage', sentence: 'Reduce what is in use.', url: null }],
    },
    queued: {
      ...active,
      command: {
        id: id('command', 'queued'),
        action: 'cancel',
        state: 'queued',
        requestedAt: at(0, -600_000),
        effectiveAt: period.end,
      },
    },
    paused: {
      ...active,
      status: 'paused',
      accessLevel: 'read_only',
      resumesAt: at(20),
      subscription: { ...subscription, status: 'paused' },
      nextActions: [{ action: 'resume', sentence: 'The subscription is paused. It can be resumed.', url: null }],
    },
    unpaid: {
      ...active,
      pendingChange: {
        kind: 'payment_required',
        effectiveAt: at(1),
        to: plan('scale', 'Scale'),
        price: 'monthly',
        interval: 'month',
        seats: 20,
        addOns: [],
      },
      paymentProblem: { kind: 'action_required', since: at(0), invoiceUrl: 'https://pay.example/invoice/3' },
    },
    returning: {
      ...free,
      retention,
      nextActions: [{ action: 'export_data', sentence: 'Export the data.', url: null }],
    },
  }

  type Line = NonNullable<CommandPreview['dueNow']>['lines'][number]
  const line = (description: string, amountMinor: string, proration: boolean, more: Partial<Line> = {}): Line => ({
    description,
    amount: usd(amountMinor),
    quantity: 1,
    period,
    proration,
    ...more,
  })
  const invoice = (
    lines: Line[],
    amounts: { subtotal: string; tax: string | null; total: string; credit?: string },
  ) => {
    const due = BigInt(amounts.total) - BigInt(amounts.credit ?? '0')
    return {
      lines,
      subtotal: usd(amounts.subtotal),
      tax: amounts.tax === null ? null : usd(amounts.tax),
      total: usd(amounts.total),
      creditApplied: usd(amounts.credit ?? '0'),
      amountDue: usd(String(due > 0n ? due : 0n)),
    }
  }
  const metered = (limit: number | null, included: number | null = limit): Entitlement => ({
    feature: 'api_calls',
    name: 'API calls',
    kind: 'metered',
    meter: 'api_calls',
    unit: 'call',
    included,
    limit,
    enforcement: limit === null ? 'soft' : 'hard',
    warnAtPercent: [],
    window: period,
    origin: 'plan',
  })
  const flag = (feature: string, name: string, value: boolean): Entitlement => ({
    feature,
    name,
    kind: 'boolean',
    value,
    origin: 'plan',
  })
  const number = (value: number): Entitlement => ({
    feature: 'projects',
    name: 'Projects',
    kind: 'value',
    value,
    origin: 'plan',
  })
  type Differences = CommandPreview['entitlements']['differences']
  const entitlements = (
    differences: Differences,
    accessLevel: CommandPreview['entitlements']['accessLevel'] = { before: 'full', after: 'full' },
  ): CommandPreview['entitlements'] => ({
    gained: differences.filter(({ change }) => change === 'gained').map(({ feature }) => feature),
    lost: differences.filter(({ change }) => change === 'lost').map(({ feature }) => feature),
    changed: differences.filter(({ change }) => change === 'changed').map(({ feature }) => feature),
    differences,
    accessLevel,
  })
  const both = (
    change: Differences[number]['change'],
    before: Entitlement | null,
    after: Entitlement | null,
  ): Differences[number] => ({
    feature: (after ?? before)!.feature,
    name: (after ?? before)!.name,
    change,
    before,
    after,
  })
  const terms = (key: string, name: string, seats: number, addOns: Subscription['addOns'] = []) => ({
    plan: plan(key, name),
    price: 'monthly',
    interval: 'month',
    currency: 'USD',
    seats,
    addOns,
  })
  const before = { ...terms('pro', 'Pro', 7, subscription.addOns), plan: subscription.plan }
  const base: CommandPreview = {
    action: 'change',
    timing: 'now',
    effectiveAt: at(0),
    before,
    after: before,
    dueNow: null,
    nextRenewal: {
      at: period.end,
      invoice: invoice(
        [line('Pro (monthly)', '4900', false), line('Pro, further seats', '2400', false, { quantity: 2 })],
        { subtotal: '7300', tax: '1387', total: '8687' },
      ),
    },
    entitlements: entitlements([]),
    guardrails: [],
    overLimit: null,
    retention: null,
    previewToken: 'preview',
    expiresAt: at(0, 900_000),
  }
  const upgrade: CommandPreview = {
    ...base,
    after: terms('scale', 'Scale', 20, subscription.addOns),
    dueNow: invoice([line('Unused time on Pro', '-2100', true), line('Remaining time on Scale', '8529', true)], {
      subtotal: '6429',
      tax: '1221',
      total: '7650',
      credit: '500',
    }),
    nextRenewal: {
      at: period.end,
      invoice: invoice([line('Scale (monthly)', '19900', false)], { subtotal: '19900', tax: '3781', total: '23681' }),
    },
    entitlements: entitlements([
      both('gained', flag('sso', 'Single sign-on', false), flag('sso', 'Single sign-on', true)),
      both('gained', metered(10_000), metered(2_000_000, 100_000)),
      both('changed', number(20), number(200)),
    ]),
  }
  const downgrade: CommandPreview = {
    ...base,
    timing: 'period_end',
    effectiveAt: period.end,
    after: terms('starter', 'Starter', 0),
    nextRenewal: {
      at: period.end,
      invoice: invoice([line('Starter (monthly)', '1900', false)], { subtotal: '1900', tax: null, total: '1900' }),
    },
    entitlements: entitlements([
      both('lost', flag('sso', 'Single sign-on', true), flag('sso', 'Single sign-on', false)),
      both('lost', metered(10_000), metered(5_000)),
    ]),
    guardrails: items,
    overLimit: { policy: 'cleanup_window', deadline: at(24) },
  }
  const cancel: CommandPreview = {
    ...base,
    action: 'cancel',
    timing: 'period_end',
    effectiveAt: period.end,
    after: null,
    nextRenewal: null,
    entitlements: entitlements([
      both('lost', flag('sso', 'Single sign-on', true), flag('sso', 'Single sign-on', false)),
      both('lost', metered(10_000), metered(1_000)),
      both('lost', number(20), number(2)),
    ]),
    retention: { endedAt: period.end, readOnlyUntil: null, exportUntil: at(372), deleteAt: at(372) },
  }

  /** By the state that the credential names and by what is asked for. */
  function preview(state: string, body: BodyOf<Routes['previewSubscription']>, applied: boolean): CommandPreview {
    const soon = at(0, 900_000 + looked++)
    switch (body.action) {
      case 'cancel':
        return body.when === 'now'
          ? { ...cancel, timing: 'now', effectiveAt: at(0), expiresAt: soon }
          : { ...cancel, expiresAt: soon }
      case 'change': {
        if (body.plan === 'starter')
          return state === 'blocked' ? { ...downgrade, overLimit: { policy: 'block', deadline: null } } : downgrade
        if (state === 'stale' && applied)
          return { ...upgrade, dueNow: { ...upgrade.dueNow!, amountDue: usd('9990') }, expiresAt: soon }
        if (body.plan === 'scale') return { ...upgrade, expiresAt: soon }
        const seats = body.seats ?? 7
        return { ...base, after: { ...before, seats, addOns: body.addOns ?? before.addOns }, dueNow: upgrade.dueNow }
      }
      case 'pause':
        return {
          ...base,
          action: 'pause',
          nextRenewal: null,
          entitlements: entitlements([], { before: 'full', after: 'read_only' }),
        }
      case 'resume':
        return { ...base, action: 'resume', entitlements: entitlements([], { before: 'read_only', after: 'full' }) }
      default:
        return { ...base, action: body.action }
    }
  }
  let looked = 0

  function result(state: string, body: BodyOf<Routes['commandSubscription']>): CommandResult {
    const queued = state === 'queued'
    const changed =
      body.action === 'cancel'
        ? { endsAt: period.end, renewsAt: null }
        : body.action === 'change' && body.plan === 'scale'
          ? { plan: plan('scale', 'Scale') }
          : {}
    return {
      subscription: { ...subscription, ...(queued ? {} : changed) },
      command: {
        id: id('command', 'one'),
        subscriptionId: subscription.id,
        action: body.action,
        state: queued ? 'queued' : 'done',
        effectiveAt: body.action === 'cancel' ? period.end : at(0),
        resumesAt: body.resumesAt ?? null,
        requestedAt: at(0),
        settledAt: queued ? null : at(0),
        failure: null,
      },
      nextActions: [],
    }
  }

  const create: CommandPreview = {
    ...upgrade,
    action: 'create',
    before: null,
    dueNow: invoice([line('Scale (monthly)', '19900', false)], { subtotal: '19900', tax: '3781', total: '23681' }),
  }

  const notices: CurrentNotice[] = [
    {
      id: id('notice', 'failed'),
      kind: 'payment_failed',
      severity: 'critical',
      subject: 'Your payment of $49.00 did not go through',
      text: 'We could not charge your card for invoice ACME-0042.\n\nPay it here, or use another card.\n',
      link: 'https://pay.example/invoice/1',
      createdAt: at(-1),
    },
    {
      id: id('notice', 'limit'),
      kind: 'limit_warning',
      severity: 'warning',
      subject: 'You have used 80% of your API calls',
      text: '8,000 of 10,000 calls are used.',
      link: null,
      createdAt: at(-2),
    },
    {
      id: id('notice', 'receipt'),
      kind: 'receipt',
      severity: 'info',
      subject: 'Receipt for invoice ACME-0041',
      text: 'Thank you. You paid $49.00.',
      link: 'https://pay.example/invoice/0',
      createdAt: at(-12),
    },
  ]

  const owners: Owner[] = [
    { personId: 'key_owner', email: 'ana@acme.example', name: 'Ana', since: at(-90) },
    { personId: 'user_bob', email: 'bob@acme.example', name: 'Bob Longname-Featherstonehaugh', since: at(-20) },
  ]
  const transfer = (change: Partial<OwnerTransfer>): OwnerTransfer => ({
    id: id('transfer', 'one'),
    tenantId: 'acme',
    state: 'requested',
    fromPersonId: null,
    to: { email: 'cleo@acme.example', name: 'Cleo', personId: null },
    requestedBy: 'key_owner',
    requestedAt: at(-1),
    expiresAt: at(6),
    endedAt: null,
    ...change,
  })
  const transfers = {
    open: [transfer({})],
    ended: [
      transfer({ id: id('transfer', 'two'), state: 'declined', endedAt: at(-30) }),
      transfer({ id: id('transfer', 'three'), state: 'expired', endedAt: at(-60) }),
    ],
    answered: (state: 'confirmed' | 'declined' | 'canceled') => transfer({ state, endedAt: at(0) }),
  }

  const archive = (change: Partial<Export>): Export => ({
    id: id('export', 'one'),
    tenantId: 'acme',
    requestedBy: 'Ana',
    createdAt: at(-1),
    expiresAt: at(6),
    downloadUrl: 'https://billing.example/api/v1/exports/sealed',
    downloads: 2,
    lastDownloadedAt: at(0, -3_600_000),
    ...change,
  })
  const exports: Export[] = [
    archive({}),
    archive({
      id: id('export', 'two'),
      createdAt: at(-40),
      expiresAt: at(-33),
      downloadUrl: null,
      downloads: 0,
      lastDownloadedAt: null,
    }),
  ]

  return { statuses, preview, result, create, items, notices, owners, transfers, archive, exports }
}
