import { createClient } from '@turnpike/client'
import Stripe from 'stripe'
import { operatorKey } from '../../support/world.ts'
import { withHands } from './webhook-sender.ts'

export const stripeAt = (sandboxUrl: string): Stripe =>
  new Stripe('sk_test_world', {
    host: '127.0.0.1',
    port: Number(new URL(sandboxUrl).port),
    protocol: 'http',
    telemetry: false,
    maxNetworkRetries: 2,
  })

/** Opens a hosted checkout for each tenant, new ones, and pays it at the provider. What follows is told by webhooks only. */
export const buyersOf = async (
  url: string,
  stripe: Stripe,
  tenantIds: readonly string[],
): Promise<Map<string, { checkoutId: string; providerCustomerId: string }>> => {
  const operator = createClient({ baseUrl: url, credential: operatorKey })
  const bought = new Map<string, { checkoutId: string; providerCustomerId: string }>()
  await withHands(4, tenantIds, async (tenantId) => {
    await operator.createCustomer({ body: { tenantId, name: `Customer ${tenantId}` } })
    const { data: session } = await operator.createSession({ body: { tenantId, plan: 'pro', price: 'monthly' } })
    const sessionId = /cs_[A-Za-z0-9_]+/.exec(session.sessionUrl)![0]
    const page = await stripe.checkout.sessions.retrieve(sessionId)
    await stripe.rawRequest('POST', `/v1/payment_pages/${sessionId}/confirm`, {
      payment_method: 'pm_card_visa',
      expected_amount: page.amount_total ?? 0,
    })
    bought.set(tenantId, { checkoutId: session.checkoutId!, providerCustomerId: String(page.customer) })
  })
  return bought
}

/** Everything that happened at the provider, oldest first. */
export const eventsAt = async (stripe: Stripe): Promise<Stripe.Event[]> => {
  const events: Stripe.Event[] = []
  for await (const event of stripe.events.list({ limit: 100 })) events.push(event)
  return events.reverse()
}
