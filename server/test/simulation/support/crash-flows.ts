import type { Flow, Stage } from './crash-stage.ts'

const returnUrl = 'http://127.0.0.1:9999/back'

/** What was announced and recorded for a customer, and how often: the same whatever happened in between. */
const traces = async (stage: Stage, tenantId: string): Promise<Record<string, number>> => {
  const rows = await stage.rows<{ what: string; n: number }>(
    `select what, count(*)::int as n from (
       select 'event ' || type as what from outbox where tenant_id = $1 and type not in ('billing.updated', 'usage.updated')
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

const buy = async (stage: Stage, tenantId: string): Promise<void> => {
  const { data: session } = await stage.operator.createSession({
    body: { tenantId, plan: 'pro', price: 'monthly', returnUrl },
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

const isQuiet = async (stage: Stage): Promise<boolean> => {
  const [waiting] = await stage.rows<{ n: number }>(
    `select (select count(*) from webhook_inbox where state in ('pending', 'retrying'))::int + (select count(*) from outbox where position is null)::int as n`,
  )
  return waiting?.n === 0
}

/** Every operation that the sweep plays. */
export const flows: Flow[] = [
  {
    name: 'a purchase',
    before: newCustomer,
    act: buy,
    done: async (stage, tenantId) => (await hasPlan(stage, tenantId, 'pro')) && (await isQuiet(stage)),
    outcome: async (stage, tenantId) => {
      const { providerCustomerId } = (await customerOf(stage, tenantId)) ?? {}
      const { data: subscriptions } = await stage.stripe.subscriptions.list({ customer: providerCustomerId! })
      return { traces: await traces(stage, tenantId), subscriptions: subscriptions.length }
    },
  },
  {
    name: 'an override',
    before: newCustomer,
    act: async (stage, tenantId) => {
      await stage.operator.createOverride({
        body: { tenantId, feature: 'sso', set: { enabled: true }, reason: 'tried by the sweep' },
      })
    },
    done: (stage) => isQuiet(stage),
    outcome: async (stage, tenantId) => ({
      traces: await traces(stage, tenantId),
      sso: (await stage.operator.check({ body: { tenantId, feature: 'sso' } })).data.allowed,
    }),
  },
]

const customerOf = async (stage: Stage, tenantId: string) =>
  (await stage.operator.listCustomers({ query: { search: tenantId } })).data.find(
    (customer) => customer.tenantId === tenantId,
  )
