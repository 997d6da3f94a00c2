import Stripe from 'stripe'
import type { World } from './world.ts'

/** The official SDK, pointed at the sandbox: what the provider's own side of a story does. */
export const stripeOf = (world: World): Stripe =>
  new Stripe('sk_test_world', {
    host: '127.0.0.1',
    port: Number(new URL(world.sandbox.url).port),
    protocol: 'http',
    telemetry: false,
    maxNetworkRetries: 0,
  })

/** Pays a hosted checkout the way the Stripe command line does, without a browser. */
export const payCheckout = async (world: World, sessionUrl: string, paymentMethod = 'pm_card_visa'): Promise<void> => {
  const sessionId = /cs_[A-Za-z0-9_]+/.exec(sessionUrl)![0]
  const stripe = stripeOf(world)
  const session = await stripe.checkout.sessions.retrieve(sessionId)
  await stripe.rawRequest('POST', `/v1/payment_pages/${sessionId}/confirm`, {
    payment_method: paymentMethod,
    expected_amount: session.amount_total ?? 0,
  })
}
