import { eventually } from '../../support/world.ts'
import type { Flow, Stage } from './crash-stage.ts'
import { customerOf, isQuiet, ledgerOf, newCustomer, payPage, traces } from './crash-steps.ts'

const grant = (tenantId: string, amountMinor: string, expiresAt?: string) => ({
  body: {
    ...{ tenantId, amount: { amountMinor, currency: 'USD' }, reason: 'tried by the sweep' },
    ...(expiresAt ? { expiresAt } : {}),
  },
})

const ledgerAndTraces = async (stage: Stage, tenantId: string) => ({
  traces: await traces(stage, tenantId),
  ledger: await ledgerOf(stage, tenantId),
})

const told = async (stage: Stage, tenantId: string, type: string): Promise<boolean> =>
  (await traces(stage, tenantId))[`event ${type}`] !== undefined

/** Prepaid credit: granted, bought, ended. What pays for usage is burnt by the close of a period. */
export const creditFlows: Flow[] = [
  {
    name: 'a grant of credit',
    before: newCustomer,
    act: async (stage, tenantId) => {
      await stage.operator.createCreditGrant(grant(tenantId, '1500'))
    },
    done: isQuiet,
    outcome: ledgerAndTraces,
  },
  {
    name: 'a grant of credit that a second person approves',
    before: async (stage, tenantId) => {
      await newCustomer(stage, tenantId)
      const { data: support } = await stage.operator.createApiKey({ body: { name: tenantId, role: 'support' } })
      await stage.as(support.key).createCreditGrant(grant(tenantId, '30000'))
    },
    act: async (stage, tenantId) => {
      const { data } = await stage.operator.listCreditGrants({ query: { tenantId } })
      await stage.operator.approveCreditGrant({ params: { grantId: data[0]!.id }, body: {} })
    },
    done: isQuiet,
    outcome: ledgerAndTraces,
  },
  {
    name: 'a purchase of credit',
    before: newCustomer,
    act: async (stage, tenantId) => {
      const { data: session } = await stage.operator.createSession({
        body: { tenantId, kind: 'product', product: 'credit_100' },
      })
      await payPage(stage, session.sessionUrl)
    },
    done: async (stage, tenantId) => (await told(stage, tenantId, 'checkout.completed')) && isQuiet(stage),
    outcome: async (stage, tenantId) => {
      const customer = (await customerOf(stage, tenantId))!.providerCustomerId!
      const [sessions, payments] = await Promise.all([
        stage.stripe.checkout.sessions.list({ customer }),
        stage.stripe.paymentIntents.list({ customer }),
      ])
      return {
        ...(await ledgerAndTraces(stage, tenantId)),
        purchases: await stage.rows(
          'select product, amount_minor::text as amount, credit_grant_id is not null as gave from purchases where tenant_id = $1',
          [tenantId],
        ),
        provider: [
          sessions.data.map(({ status, amount_total }) => [status, amount_total]),
          payments.data.map(({ status, amount }) => [status, amount]),
        ],
      }
    },
  },
  {
    name: 'the end of credit',
    before: async (stage, tenantId) => {
      await newCustomer(stage, tenantId)
      const end = Temporal.Instant.fromEpochMilliseconds(stage.nowMs()).add({ hours: 9 * 24 })
      await stage.operator.createCreditGrant(grant(tenantId, '700', end.toString()))
      await stage.operator.createCreditGrant(grant(tenantId, '300'))
    },
    act: async (stage, tenantId) => {
      await stage.advance('P3D')
      await eventually(
        async () => {
          await stage.job('tell_expiring_credits')
          return told(stage, tenantId, 'credit.expiring')
        },
        (isTold) => isTold,
        30_000,
      )
      await stage.advance('P6DT1H')
    },
    done: async (stage, tenantId) => {
      await stage.job('expire_credits')
      return (await told(stage, tenantId, 'credit.expired')) && isQuiet(stage)
    },
    outcome: ledgerAndTraces,
  },
]
