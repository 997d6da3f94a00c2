import type { Client } from '@turnpike/client'
import { query, sql } from '../../src/platform/db.ts'
import { payCheckout, stripeOf } from './pay.ts'
import { eventually, type World } from './world.ts'

/** A customer in a story: what its owner can do, and what the provider calls its things. */
export type Subscriber = {
  tenantId: string
  owner: Client
  customerId: string
  subscriptionId: string
  providerCustomerId: string
  providerSubscriptionId: string
}

const back = 'http://127.0.0.1:9999/back'

/** A tenant that has bought a plan on the hosted page, told by a webhook. */
export const subscribed = async (
  world: World,
  tenantId: string,
  selection: Record<string, unknown> = { plan: 'pro', price: 'monthly' },
  paymentMethod?: string,
): Promise<Subscriber> => {
  const owner = await world.tenant(tenantId)
  const { data: session } = await owner.createSession({ body: { ...selection, returnUrl: back } })
  await payCheckout(world, session.sessionUrl, paymentMethod)
  const status = await statusOf(owner, (seen) => seen.subscription !== null && seen.openCheckout === null)
  const { data: customer } = await world.operator.getCustomer({ params: { customerId: status.customerId } })
  // A purchase is told by a dozen webhooks: a story begins when the last of them was heard. Where they are held back, it does not wait.
  await untilQuiet(world).catch(() => {})
  return {
    tenantId,
    owner,
    customerId: status.customerId,
    subscriptionId: status.subscription!.id,
    providerCustomerId: customer.providerCustomerId!,
    providerSubscriptionId: status.subscription!.providerSubscriptionId,
  }
}

/** Everything that the provider wants to tell was told, applied, and has its place in the feed. */
export const untilQuiet = async (world: World): Promise<void> => {
  await world.control('POST', '/sandbox/webhooks/flush', { timeoutMs: 3_000 })
  await eventually(
    async () => ({
      inbox: (await world.operator.countWebhooks()).data.counts,
      unplaced: await query(world.app.deps.db, sql`select from outbox where position is null limit 1`),
    }),
    ({ inbox, unplaced }) => (inbox.pending ?? 0) + (inbox.retrying ?? 0) + unplaced.length === 0,
    3_000,
  )
}

type Status = Awaited<ReturnType<Client['getStatus']>>['data']

/** The billing status as soon as it is as hoped. */
export const statusOf = (owner: Client, holds: (seen: Status) => boolean = () => true): Promise<Status> =>
  eventually(async () => (await owner.getStatus({ query: {} })).data, holds)

/** The types of a customer's events in their order, as soon as they are as hoped. */
export const eventsOf = (
  world: World,
  tenantId: string,
  holds: (types: string[]) => boolean = () => true,
): Promise<string[]> =>
  eventually(
    async () =>
      (await world.operator.listEvents({ query: { tenantId, limit: 1_000 } })).data.map((event) => event.type),
    holds,
  )

/** The actions in a customer's audit, oldest first. */
export const auditOf = async (world: World, tenantId: string): Promise<string[]> =>
  (await world.operator.listAudit({ query: { tenantId, limit: 200 } })).data.map((entry) => entry.action).reverse()

/** The kinds of a customer's notices, oldest first, as soon as they are as hoped. */
export const noticesOf = (
  world: World,
  tenantId: string,
  holds: (kinds: string[]) => boolean = () => true,
): Promise<string[]> =>
  eventually(
    async () =>
      (await world.operator.listNotices({ query: { tenantId, limit: 200 } })).data.map(({ kind }) => kind).reverse(),
    holds,
  )

/** The card that every later payment of a customer uses: `pm_card_visa` works, `pm_card_chargeCustomerFail` never does. */
export const useCard = async (world: World, subscriber: Subscriber, card: string): Promise<void> => {
  const stripe = stripeOf(world)
  const { id } = await stripe.paymentMethods.attach(card, { customer: subscriber.providerCustomerId })
  await stripe.customers.update(subscriber.providerCustomerId, { invoice_settings: { default_payment_method: id } })
  await stripe.subscriptions.update(subscriber.providerSubscriptionId, { default_payment_method: id })
}

/** To the next renewal and over the hour in which its invoice is a draft. */
export const advanceBilling = async (world: World, duration: string): Promise<void> => {
  await world.advance(duration)
  await world.advance('PT2H')
}
