import { eventually } from '../../support/world.ts'
import type { Stage } from './crash-stage.ts'

// What the flows of the crash sweep are made of: steps that a customer takes, and what is looked at in the end.
const returnUrl = 'http://127.0.0.1:9999/back'

/** What was announced and recorded for a customer, and how often: the same whatever happened in between. */
export const traces = async (stage: Stage, tenantId: string): Promise<Record<string, number>> => {
  const rows = await stage.rows<{ what: string; n: number }>(
    `select what, count(*)::int as n from (
       select 'event ' || type as what from outbox where tenant_id = $1 and type not in ('billing.updated', 'usage.updated')
       union all select 'notice ' || kind from notices where tenant_id = $1
       union all select 'audit ' || action from audit_log where tenant_id = $1 and result = 'allowed') traces group by what order by what`,
    [tenantId],
  )
  return Object.fromEntries(rows.map(({ what, n }) => [what, n]))
}

export const statusOf = async (stage: Stage, tenantId: string) =>
  (await stage.operator.getStatus({ query: { tenantId } })).data

export const newCustomer = async (stage: Stage, tenantId: string): Promise<void> => {
  await stage.operator.createCustomer({
    body: { tenantId, name: `Customer ${tenantId}`, email: `billing@${tenantId}.example` },
  })
}

export const buy = async (stage: Stage, tenantId: string, price: 'monthly' | 'yearly' = 'monthly'): Promise<void> => {
  const { data: session } = await stage.operator.createSession({
    body: { tenantId, plan: 'pro', price, returnUrl },
  })
  await payPage(stage, session.sessionUrl)
}

/** Pays a hosted page, unless that was done. */
export const payPage = async (stage: Stage, sessionUrl: string): Promise<void> => {
  const sessionId = /cs_[A-Za-z0-9_]+/.exec(sessionUrl)![0]
  const page = await stage.stripe.checkout.sessions.retrieve(sessionId)
  if (page.status === 'open')
    await stage.stripe.rawRequest('POST', `/v1/payment_pages/${sessionId}/confirm`, {
      payment_method: 'pm_card_visa',
      expected_amount: page.amount_total ?? 0,
    })
}

export const hasPlan = async (stage: Stage, tenantId: string, plan: string): Promise<boolean> => {
  const status = await statusOf(stage, tenantId)
  return status.status === 'active' && status.plan.plan === plan && status.openCheckout === null
}

/** Nothing is left to be done by itself: every webhook applied, every event placed and followed, no command open. */
export const isQuiet = async (stage: Stage): Promise<boolean> => {
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

/** Waits until nothing is left to be done by itself. */
export const untilQuiet = (stage: Stage): Promise<boolean> =>
  eventually(
    () => isQuiet(stage),
    (done) => done,
    30_000,
  )

export const subscriptionOf = async (stage: Stage, tenantId: string) => (await statusOf(stage, tenantId)).subscription

export const subscriber = async (
  stage: Stage,
  tenantId: string,
  price: 'monthly' | 'yearly' = 'monthly',
): Promise<void> => {
  await newCustomer(stage, tenantId)
  await buy(stage, tenantId, price)
  await eventually(
    async () => (await hasPlan(stage, tenantId, 'pro')) && (await isQuiet(stage)),
    (ready) => ready,
    30_000,
  )
}

export const command = async (stage: Stage, tenantId: string, body: CommandBody): Promise<void> => {
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

export const state = async (stage: Stage, tenantId: string) => {
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

export const invoiceOf = async (stage: Stage, tenantId: string): Promise<string> =>
  (await stage.operator.listInvoices({ query: { tenantId } })).data[0]!.id

export const moneyBack = (invoiceId: string, amountMinor: string) => ({
  params: { invoiceId },
  body: {
    ...{ amountMinor, reason: 'requested_by_customer' as const, reasonText: 'tried by the sweep' },
    idempotencyKey: 'sweep',
  },
})

/** What went back, here and at the provider: the same, and once. */
export const moneyBackState = async (stage: Stage, tenantId: string) => {
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

/** The card of a customer fails from now on. */
export const failingCard = async (stage: Stage, tenantId: string): Promise<void> => {
  const { providerCustomerId } = (await customerOf(stage, tenantId))!
  const { id } = await stage.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {
    customer: providerCustomerId!,
  })
  const subscription = await subscriptionOf(stage, tenantId)
  await stage.stripe.subscriptions.update(subscription!.providerSubscriptionId, { default_payment_method: id })
}

export const customerOf = async (stage: Stage, tenantId: string) =>
  (await stage.operator.listCustomers({ query: { search: tenantId } })).data.find(
    (customer) => customer.tenantId === tenantId,
  )

/** Every movement of a customer's credit, what is left where, and that all of it adds up. */
export const ledgerOf = async (stage: Stage, tenantId: string) => ({
  accounts: await stage.rows(
    'select kind, currency, balance_minor::text as balance from ledger_accounts where tenant_id = $1 order by kind, currency, balance_minor',
    [tenantId],
  ),
  postings: await stage.rows(
    `select p.kind, array_agg(a.kind || ' ' || e.amount_minor order by e.line) as entries from ledger_postings p
     join ledger_entries e using (tenant_id, posting_id) join ledger_accounts a using (tenant_id, account)
     where tenant_id = $1 group by p.posting_id, p.kind order by min(e.number)`,
    [tenantId],
  ),
  grants: await stage.rows(
    'select state, category, amount_minor::text as amount from credit_grants where tenant_id = $1 order by amount_minor',
    [tenantId],
  ),
  sum: await stage.rows('select sum(amount_minor)::text as sum from ledger_entries where tenant_id = $1', [tenantId]),
})
