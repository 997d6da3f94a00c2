import { createHash } from 'node:crypto'
import { eventually } from '../../support/world.ts'
import type { Flow, Stage } from './crash-stage.ts'

/** Rows of a file, the tenth of which cannot be read; a third is of long ago. */
const importRows = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, n) => {
    const key = from + n
    const at = Temporal.Now.instant()
      .subtract({ hours: key % 3 === 0 ? 24 * 60 : 0, minutes: 1 })
      .toString()
    return `${at},${key % 2 ? 'api_calls' : 'tokens'},${key % 10 === 9 ? 'many' : key},past-${key}\n`
  }).join('')

const returnUrl = 'http://127.0.0.1:9999/back'

/** What was announced and recorded for a customer, and how often: the same whatever happened in between. */
const traces = async (stage: Stage, tenantId: string): Promise<Record<string, number>> => {
  const rows = await stage.rows<{ what: string; n: number }>(
    `select what, count(*)::int as n from (
       select 'event ' || type as what from outbox where tenant_id = $1 and type not in ('billing.updated', 'usage.updated')
       union all select 'notice ' || kind from notices where tenant_id = $1
       union all select 'audit ' || action from audit_log where tenant_id = $1 and result = 'allowed') traces group by what order by what`,
    [tenantId],
  )
  return Object.fromEntries(rows.map(({ what, n }) => [what, n]))
}

const statusOf = async (stage: Stage, tenantId: string) =>
  (await stage.operator.getStatus({ query: { tenantId } })).data

const newCustomer = async (stage: Stage, tenantId: string): Promise<void> => {
  await stage.operator.createCustomer({
    body: { tenantId, name: `Customer ${tenantId}`, email: `billing@${tenantId}.example` },
  })
}

const buy = async (stage: Stage, tenantId: string, price: 'monthly' | 'yearly' = 'monthly'): Promise<void> => {
  const { data: session } = await stage.operator.createSession({
    body: { tenantId, plan: 'pro', price, returnUrl },
  })
  const sessionId = /cs_[A-Za-z0-9_]+/.exec(session.sessionUrl)![0]
  const page = await stage.stripe.checkout.sessions.retrieve(sessionId)
  if (page.status === 'open')
    await stage.stripe.rawRequest('POST', `/v1/payment_pages/${sessionId}/confirm`, {
      payment_method: 'pm_card_visa',
      expected_amount: page.amount_total ?? 0,
    })
}

const hasPlan = async (stage: Stage, tenantId: string, plan: string): Promise<boolean> => {
  const status = await statusOf(stage, tenantId)
  return status.status === 'active' && status.plan.plan === plan && status.openCheckout === null
}

/** Nothing is left to be done by itself: every webhook applied, every event placed and followed, no command open. */
const isQuiet = async (stage: Stage): Promise<boolean> => {
  // The provider has told all that it wants to tell for now.
  await stage.control('/sandbox/webhooks/flush', {})
  const [waiting] = await stage.rows<{ n: number }>(
    `select (select count(*) from webhook_inbox where state in ('pending', 'retrying'))::int + (select count(*) from outbox where position is null)::int
       + (select coalesce(max(position), 0) - (select position from notice_cursor) from outbox)::int
       + (select count(*) from subscription_commands where settled_at is null)::int
       + (select count(*) from money_back where state = 'asking')::int
       + (select count(*) from reconciliation_runs where state = 'running')::int as n`,
  )
  if (waiting?.n !== 0) {
    await stage.job('sweep_commands')
    await stage.job('sweep_money_back')
  }
  return waiting?.n === 0
}

const subscriptionOf = async (stage: Stage, tenantId: string) => (await statusOf(stage, tenantId)).subscription

const subscriber = async (stage: Stage, tenantId: string, price: 'monthly' | 'yearly' = 'monthly'): Promise<void> => {
  await newCustomer(stage, tenantId)
  await buy(stage, tenantId, price)
  await eventually(
    async () => (await hasPlan(stage, tenantId, 'pro')) && (await isQuiet(stage)),
    (ready) => ready,
    30_000,
  )
}

const command = async (stage: Stage, tenantId: string, body: CommandBody): Promise<void> => {
  const subscription = await subscriptionOf(stage, tenantId)
  await stage.operator.commandSubscription({ params: { subscriptionId: subscription!.id }, body })
}
type CommandBody = Parameters<Stage['operator']['commandSubscription']>[0]['body']

/** What the provider has of a customer: nothing twice, nothing missing. */
const atProvider = async (stage: Stage, tenantId: string) => {
  const { providerCustomerId } = (await customerOf(stage, tenantId)) ?? {}
  if (!providerCustomerId) return null
  const [subscriptions, invoices, schedules] = await Promise.all([
    stage.stripe.subscriptions.list({ customer: providerCustomerId, status: 'all' }),
    stage.stripe.invoices.list({ customer: providerCustomerId, limit: 100 }),
    stage.stripe.subscriptionSchedules.list({ customer: providerCustomerId }),
  ])
  return {
    subscriptions: subscriptions.data.map(({ status, items, cancel_at_period_end }) => [
      status,
      items.data.map(({ price, quantity }) => [price.lookup_key, quantity]),
      cancel_at_period_end,
    ]),
    invoices: invoices.data.map(({ status, total, billing_reason }) => [status, total, billing_reason]),
    schedules: schedules.data.map(({ status }) => status),
  }
}

const state = async (stage: Stage, tenantId: string) => {
  const status = await statusOf(stage, tenantId)
  return {
    traces: await traces(stage, tenantId),
    provider: await atProvider(stage, tenantId),
    status: status.status,
    accessLevel: status.accessLevel,
    plan: status.plan.plan,
    seats: status.seats?.held,
    pending: status.pendingChange?.kind ?? null,
    ends: status.endsAt !== null,
  }
}

const invoiceOf = async (stage: Stage, tenantId: string): Promise<string> =>
  (await stage.operator.listInvoices({ query: { tenantId } })).data[0]!.id

const moneyBack = (invoiceId: string, amountMinor: string) => ({
  params: { invoiceId },
  body: {
    ...{ amountMinor, reason: 'requested_by_customer' as const, reasonText: 'tried by the sweep' },
    idempotencyKey: 'sweep',
  },
})

/** What went back, here and at the provider: the same, and once. */
const moneyBackState = async (stage: Stage, tenantId: string) => {
  const invoice = await invoiceOf(stage, tenantId)
  const { payments } = await stage.stripe.invoices.retrieve(invoice, { expand: ['payments'] })
  const payment_intent = payments!.data[0]!.payment.payment_intent as string
  const [refunds, notes] = await Promise.all([
    stage.stripe.refunds.list({ payment_intent }),
    stage.stripe.creditNotes.list({ invoice }),
  ])
  return {
    traces: await traces(stage, tenantId),
    here: await stage.rows(
      'select kind, state, amount::text, refunded::text from money_back where tenant_id = $1 order by kind, amount',
      [tenantId],
    ),
    there: [
      refunds.data.map(({ amount, status }) => [amount, status]),
      notes.data.map(({ amount, status }) => [amount, status]),
    ],
  }
}

const quiet = (stage: Stage) => isQuiet(stage)

/** The card of a customer fails from now on. */
const failingCard = async (stage: Stage, tenantId: string): Promise<void> => {
  const { providerCustomerId } = (await customerOf(stage, tenantId))!
  const { id } = await stage.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {
    customer: providerCustomerId!,
  })
  const subscription = await subscriptionOf(stage, tenantId)
  await stage.stripe.subscriptions.update(subscription!.providerSubscriptionId, { default_payment_method: id })
}

const use = async (stage: Stage, tenantId: string, quantity: number): Promise<void> => {
  // The provider's clock may be a second ahead: what was used before its subscription began is not of it.
  await stage.advance('PT1M')
  await stage.operator.reportUsage({ body: { tenantId, meter: 'api_calls', quantity, idempotencyKey: 'used' } })
}

/** Six minutes after the end of the period: the invoice of the renewal is a draft. */
const untilClose = async (stage: Stage, tenantId: string): Promise<string> => {
  const [period] = await stage.rows<{ seconds: number }>(
    `select ceil(extract(epoch from period_end) - $2)::int + 362 as seconds from subscriptions where tenant_id = $1`,
    [tenantId, stage.nowMs() / 1_000],
  )
  return `PT${period!.seconds}S`
}

/** Periods that are over and not rated, and lines that have no invoice; one where no period was rated at all. */
const unplaced = async (stage: Stage, tenantId: string): Promise<number> => {
  const [left] = await stage.rows<{ n: number }>(
    `select (select count(*) from charge_lines where tenant_id = $1 and amount_minor <> 0 and placed_at is null)::int
       + (select count(*) from placings where tenant_id = $1 and state = 'waiting')::int
       + (not exists (select from usage_periods where tenant_id = $1 and state = 'placed'))::int as n`,
    [tenantId],
  )
  return left!.n
}

/** What was charged and where it is: each line once here and once there. */
const billed = async (stage: Stage, tenantId: string) => {
  const { providerCustomerId } = (await customerOf(stage, tenantId))!
  const invoices = await stage.stripe.invoices.list({ customer: providerCustomerId!, limit: 100 })
  const provider = []
  for (const { id, billing_reason: reason, status, total } of invoices.data) {
    const lines = await stage.stripe.invoices.listLineItems(id!, { limit: 100 })
    provider.push([reason, status, total, lines.data.map(({ amount }) => amount)])
  }
  return {
    provider,
    lines: await stage.rows(
      `select charge, kind, quantity, amount_minor, placed_at is not null as placed from charge_lines where tenant_id = $1 order by ordinal`,
      [tenantId],
    ),
    periods: await stage.rows('select state from usage_periods where tenant_id = $1 order by period_start', [tenantId]),
    traces: Object.fromEntries(
      Object.entries(await traces(stage, tenantId)).filter(([what]) => /usage_period|charge_lines/.test(what)),
    ),
  }
}

/** Every operation that the sweep plays. */
export const flows: Flow[] = [
  {
    name: 'a purchase',
    before: newCustomer,
    act: buy,
    done: async (stage, tenantId) => (await hasPlan(stage, tenantId, 'pro')) && quiet(stage),
    outcome: state,
  },
  {
    name: 'an override',
    before: newCustomer,
    act: async (stage, tenantId) => {
      await stage.operator.createOverride({
        body: { tenantId, feature: 'sso', set: { enabled: true }, reason: 'tried by the sweep' },
      })
    },
    done: quiet,
    outcome: async (stage, tenantId) => ({
      traces: await traces(stage, tenantId),
      sso: (await stage.operator.check({ body: { tenantId, feature: 'sso' } })).data.allowed,
    }),
  },
  {
    name: 'a reservation',
    before: newCustomer,
    act: async (stage, tenantId) => {
      const { data } = await stage.operator.createReservation({
        body: { tenantId, features: [{ feature: 'api_calls', quantity: 10 }], idempotencyKey: 'held-by-the-sweep' },
      })
      const params = { reservationId: data.reservation!.id }
      await stage.operator.commitReservation({ params, body: { quantities: { api_calls: 4 } } })
    },
    done: async (stage, tenantId) => {
      // How far the counter moved is told a moment later, by a transaction of its own.
      const [untold] = await stage.rows<{ n: number }>(
        'select count(*)::int as n from usage_counters where tenant_id = $1 and announced <> version',
        [tenantId],
      )
      return untold?.n === 0 && quiet(stage)
    },
    // Held once, counted once, and nothing is held any more.
    outcome: async (stage, tenantId) => {
      const [decision] = (await stage.operator.check({ body: { tenantId, feature: 'api_calls' } })).data.decisions
      return { traces: await traces(stage, tenantId), used: decision!.used, remaining: decision!.remaining }
    },
  },
  {
    name: 'an upgrade',
    before: subscriber,
    act: (stage, tenantId) => command(stage, tenantId, { action: 'change', plan: 'scale', seats: 12 }),
    done: async (stage, tenantId) => (await hasPlan(stage, tenantId, 'scale')) && quiet(stage),
    // What is charged depends on the second at which it was asked for; how many invoices there are does not.
    outcome: async (stage, tenantId) => {
      const { provider, ...rest } = await state(stage, tenantId)
      return {
        ...rest,
        provider: { ...provider, invoices: provider?.invoices.map(([status, , reason]) => [status, reason]) },
      }
    },
  },
  {
    name: 'a downgrade at the end of the period',
    before: subscriber,
    act: (stage, tenantId) => command(stage, tenantId, { action: 'change', plan: 'starter' }),
    done: async (stage, tenantId) => (await statusOf(stage, tenantId)).pendingChange !== null && quiet(stage),
    outcome: state,
  },
  {
    name: 'a cancellation that is taken back',
    before: subscriber,
    act: async (stage, tenantId) => {
      await command(stage, tenantId, { action: 'cancel', when: 'period_end' })
      await eventually(
        () => statusOf(stage, tenantId),
        ({ endsAt }) => endsAt !== null,
        30_000,
      )
      await command(stage, tenantId, { action: 'undo_cancel' })
    },
    done: async (stage, tenantId) => (await statusOf(stage, tenantId)).endsAt === null && quiet(stage),
    outcome: state,
  },
  {
    name: 'a return after an end',
    before: async (stage, tenantId) => {
      await subscriber(stage, tenantId)
      await command(stage, tenantId, { action: 'cancel', when: 'now' })
      await eventually(
        () => isQuiet(stage),
        (done) => done,
        30_000,
      )
    },
    act: async (stage, tenantId) => {
      await stage.operator.createSubscription({ body: { tenantId, plan: 'pro', price: 'monthly' } })
    },
    done: async (stage, tenantId) => (await hasPlan(stage, tenantId, 'pro')) && quiet(stage),
    outcome: async (stage, tenantId) => {
      const { provider, ...rest } = await state(stage, tenantId)
      return {
        ...rest,
        provider: { ...provider, invoices: provider?.invoices.map(([status, , reason]) => [status, reason]) },
      }
    },
  },
  {
    name: 'an unpaid renewal until its end',
    before: async (stage, tenantId) => {
      await subscriber(stage, tenantId)
      await failingCard(stage, tenantId)
      await stage.control('/sandbox/settings', { retryDays: [3, 5], afterRetries: 'past_due' })
      await stage.advance('P32D')
      await eventually(
        () => statusOf(stage, tenantId),
        ({ status }) => status === 'past_due',
        30_000,
      )
    },
    act: async (stage) => {
      await stage.advance('P31D')
      await stage.job('follow_dunning')
    },
    done: async (stage, tenantId) => {
      await stage.job('follow_dunning')
      await stage.job('lapse_entitlements')
      const [open] = await stage.rows<{ n: number }>(
        'select count(*)::int as n from dunning_cases where tenant_id = $1 and closed_at is null',
        [tenantId],
      )
      return open?.n === 0 && (await statusOf(stage, tenantId)).status === 'no_subscription' && quiet(stage)
    },
    // How many steps of the way are seen one by one depends on when somebody looked; stages and ends are told once each.
    outcome: async (stage, tenantId) => {
      const { provider, traces: all, ...rest } = await state(stage, tenantId)
      const once = ([what]: [string, number]) => /dunning|canceled|grace|restricted|read_only/.test(what)
      return {
        ...rest,
        provider: provider?.subscriptions.map(([status]) => status),
        traces: Object.fromEntries(Object.entries(all).filter(once)),
      }
    },
  },
  {
    name: 'the deletion of what may be deleted',
    before: async (stage, tenantId) => {
      await subscriber(stage, tenantId)
      await stage.operator.reportUsage({ body: { tenantId, meter: 'api_calls', quantity: 5, idempotencyKey: 'used' } })
      await command(stage, tenantId, { action: 'cancel', when: 'now' })
      await eventually(
        () => isQuiet(stage),
        (done) => done,
        30_000,
      )
      // Nobody is deleted who was not warned, twice.
      for (const by of ['P336D', 'P23D']) {
        await stage.advance(by)
        await eventually(
          async () => {
            await stage.job('follow_retentions')
            return (await traces(stage, tenantId))['event retention.export_ending'] ?? 0
          },
          (warnings) => warnings === (by === 'P336D' ? 1 : 2),
          30_000,
        )
      }
    },
    act: async (stage) => {
      await stage.advance('P7D')
      await stage.job('follow_retentions')
    },
    done: async (stage, tenantId) => {
      await stage.job('follow_retentions')
      const [deleted] = await stage.rows<{ n: number }>(
        `select count(*)::int as n from retentions where tenant_id = $1 and state = 'deleted'`,
        [tenantId],
      )
      return deleted?.n === 1 && quiet(stage)
    },
    outcome: async (stage, tenantId) => ({
      traces: await traces(stage, tenantId),
      left: await stage.rows(
        'select (select count(*) from usage_records where tenant_id = $1)::int as usage, (select count(*) from invoices where tenant_id = $1)::int as invoices',
        [tenantId],
      ),
    }),
  },
  {
    name: 'a file of past usage',
    before: subscriber,
    act: async (stage, tenantId) => {
      const pieces = ['at,meter,quantity,key\n', importRows(0, 40), importRows(40, 80), importRows(70, 120)]
      const text = pieces.join('')
      const { data: begun } = await stage.operator.createUsageImport({
        body: {
          tenantId,
          name: 'past.csv',
          format: 'csv',
          size: Buffer.byteLength(text),
          sha256: createHash('sha256').update(text).digest('hex'),
          columns: { idempotencyKey: 'key' },
        },
      })
      let offset = 0
      for (const piece of pieces) {
        await stage.operator.sendUsageImport({ params: { importId: begun.id }, body: { offset, text: piece } })
        offset += Buffer.byteLength(piece)
      }
    },
    done: async (stage, tenantId) => {
      const [untold] = await stage.rows<{ n: number }>(
        'select count(*)::int as n from usage_counters where tenant_id = $1 and announced <> version',
        [tenantId],
      )
      return untold?.n === 0 && quiet(stage)
    },
    outcome: async (stage, tenantId) => ({
      traces: await traces(stage, tenantId),
      imports: await stage.rows(
        'select state, place = size as whole, lines::int, accepted::int, duplicates::int, invalid::int, mistakes from usage_imports where tenant_id = $1',
        [tenantId],
      ),
      used: await stage.rows(
        `select meter, sum(used)::text as used, sum(records)::int as records from usage_counters where tenant_id = $1 and window_end < '9999-01-01' group by meter order by meter`,
        [tenantId],
      ),
      records: await stage.rows(
        'select count(*)::int as records, sum(quantity)::text as used from usage_records where tenant_id = $1',
        [tenantId],
      ),
    }),
  },
  {
    name: 'the close of a period',
    before: async (stage, tenantId) => {
      await subscriber(stage, tenantId)
      await use(stage, tenantId, 12_000)
    },
    // One leap, so that none is lost on a service that is just starting again.
    act: async (stage, tenantId) => stage.advance(await untilClose(stage, tenantId)),
    done: async (stage, tenantId) => (await unplaced(stage, tenantId)) === 0 && quiet(stage),
    outcome: async (stage, tenantId) => {
      const outcome = await billed(stage, tenantId)
      // Nobody renews in the months of those who are played after.
      const subscription = await subscriptionOf(stage, tenantId)
      await stage.stripe.subscriptions.cancel(subscription!.providerSubscriptionId)
      await eventually(
        () => isQuiet(stage),
        (done) => done,
        30_000,
      )
      return outcome
    },
  },
  {
    name: 'the last close of a subscription',
    before: async (stage, tenantId) => {
      await subscriber(stage, tenantId)
      await use(stage, tenantId, 12_000)
      await stage.advance('P3D')
      await command(stage, tenantId, { action: 'cancel', when: 'now' })
      await eventually(
        () => isQuiet(stage),
        (done) => done,
        30_000,
      )
    },
    act: (stage) => stage.advance('PT6M'),
    done: async (stage, tenantId) => (await unplaced(stage, tenantId)) === 0 && quiet(stage),
    outcome: billed,
  },
  {
    name: 'a refund',
    before: subscriber,
    act: async (stage, tenantId) => {
      const invoiceId = await invoiceOf(stage, tenantId)
      await stage.operator.createRefund(moneyBack(invoiceId, '1000'))
    },
    done: quiet,
    outcome: moneyBackState,
  },
  {
    name: 'a refund that a second person approves',
    before: async (stage, tenantId) => {
      await subscriber(stage, tenantId, 'yearly')
      const invoiceId = await invoiceOf(stage, tenantId)
      const { data: support } = await stage.operator.createApiKey({ body: { name: tenantId, role: 'support' } })
      const client = stage.as(support.key)
      await client.createRefund(moneyBack(invoiceId, '5000'))
    },
    act: async (stage, tenantId) => {
      const { data } = await stage.operator.listRefunds({ query: { tenantId } })
      await stage.operator.approveRefund({ params: { refundId: data[0]!.id }, body: {} })
    },
    done: quiet,
    outcome: moneyBackState,
  },
  {
    name: 'a credit note',
    before: subscriber,
    act: async (stage, tenantId) => {
      const { params, body } = moneyBack(await invoiceOf(stage, tenantId), '1000')
      await stage.operator.createCreditNote({ params, body: { ...body, to: 'payment' } })
    },
    done: quiet,
    outcome: moneyBackState,
  },
  {
    name: 'a request for another owner',
    before: newCustomer,
    act: async (stage, tenantId) => {
      const customer = await customerOf(stage, tenantId)
      await stage.operator.requestOwnerTransfer({
        params: { customerId: customer!.id },
        body: { to: { email: `new@${tenantId}.example`, name: 'New Owner' } },
      })
    },
    done: quiet,
    outcome: async (stage, tenantId) => ({
      traces: await traces(stage, tenantId),
      transfers: await stage.rows('select state from owner_transfers where tenant_id = $1', [tenantId]),
    }),
  },
  {
    name: 'a link to an archive',
    before: newCustomer,
    act: async (stage, tenantId) => {
      await stage.operator.createExport({ params: { customerId: (await customerOf(stage, tenantId))!.id } })
    },
    done: quiet,
    outcome: async (stage, tenantId) => ({ traces: await traces(stage, tenantId) }),
  },
  {
    name: 'a reconciliation that mends what was missed',
    before: async (stage, tenantId) => {
      await subscriber(stage, tenantId)
      await stage.control('/sandbox/faults', {
        kind: 'webhook',
        action: 'drop',
        type: 'customer.subscription.updated',
        count: 1,
      })
      const subscription = await subscriptionOf(stage, tenantId)
      await stage.stripe.subscriptions.update(subscription!.providerSubscriptionId, { cancel_at_period_end: true })
    },
    act: async (stage, tenantId) => {
      await stage.operator.startReconciliation({ body: { tenantId } })
    },
    done: async (stage, tenantId) => {
      const [run] = await stage.rows<{ state: string }>(
        'select state from reconciliation_runs where tenant_id = $1 order by started_at desc limit 1',
        [tenantId],
      )
      return run?.state === 'done' && (await statusOf(stage, tenantId)).endsAt !== null && quiet(stage)
    },
    outcome: async (stage, tenantId) => {
      const { traces: all, ...rest } = await state(stage, tenantId)
      // A repair that was done by a process which then died is found as gone: how a finding is closed may differ, its end may not.
      return {
        ...rest,
        traces: Object.fromEntries(
          Object.entries(all).map(([what, n]) => [what.replace(/finding\.(gone|repaired)/, 'finding.closed'), n]),
        ),
      }
    },
  },
]

const customerOf = async (stage: Stage, tenantId: string) =>
  (await stage.operator.listCustomers({ query: { search: tenantId } })).data.find(
    (customer) => customer.tenantId === tenantId,
  )
