import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Stripe from 'stripe'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/index.ts'

const secret = 'whsec_test'

export type TestWorld = {
  sandbox: Sandbox
  stripe: Stripe
  /** Verified webhooks in the order of arrival. */
  events: Stripe.Event[]
  /** What the listener answers next; 200 unless told. */
  answer: { status: number }
  control: <T = Record<string, unknown>>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) => Promise<T>
  advance: (seconds: number) => Promise<void>
  /** Types of the webhooks that arrived since the last call, once nothing is due. */
  arrived: () => Promise<string[]>
  hookUrl: string
  restart: () => Promise<void>
  close: () => Promise<void>
}

/** A sandbox, the official SDK pointed at it and a listener that verifies every signature. */
export async function startWorld(options: Partial<SandboxOptions> = {}): Promise<TestWorld> {
  const events: Stripe.Event[] = []
  const answer = { status: 200 }
  const listener = await listen((body, signature) => {
    if (answer.status === 200) events.push(Stripe.webhooks.constructEvent(body, signature, secret))
    return answer.status
  })
  const hookUrl = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/hook`
  const start = () => startSandbox({ port: 0, webhook: { url: hookUrl, secret }, ...options })
  const world: TestWorld = {
    sandbox: await start(),
    stripe: undefined as unknown as Stripe,
    events,
    answer,
    hookUrl,
    control: async (method, path, body) => {
      const response = await fetch(`${world.sandbox.url}${path}`, {
        method,
        ...(method === 'POST' ? { body: JSON.stringify(body ?? {}) } : {}),
      })
      return (await response.json()) as never
    },
    advance: async (seconds) => {
      await world.control('POST', '/sandbox/clock/advance', { seconds })
    },
    arrived: async () => {
      await world.control('POST', '/sandbox/webhooks/flush')
      return events.splice(0).map((event) => event.type)
    },
    restart: async () => {
      await world.sandbox.close()
      world.sandbox = await start()
      world.stripe = sdk(world.sandbox.port)
    },
    close: async () => {
      await world.sandbox.close()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
  world.stripe = sdk(world.sandbox.port)
  return world
}

export function sdk(port: number, key = 'sk_test_sandbox'): Stripe {
  return new Stripe(key, { host: '127.0.0.1', port, protocol: 'http', telemetry: false, maxNetworkRetries: 0 })
}

export async function newCustomer(
  world: TestWorld,
  card: string | null = 'pm_card_visa',
  more: Stripe.CustomerCreateParams = {},
): Promise<Stripe.Customer> {
  const customer = await world.stripe.customers.create({ email: 'ana@example.com', name: 'Ana', ...more })
  if (card) await giveCard(world, customer.id, card)
  return customer
}

export async function giveCard(world: TestWorld, customer: string, card: string): Promise<void> {
  const method = await world.stripe.paymentMethods.attach(card, { customer })
  await world.stripe.customers.update(customer, { invoice_settings: { default_payment_method: method.id } })
}

export async function newPrice(
  world: TestWorld,
  amount: number,
  recurring: Stripe.PriceCreateParams.Recurring = { interval: 'month' },
): Promise<Stripe.Price> {
  return world.stripe.prices.create({
    currency: 'usd',
    unit_amount: amount,
    recurring,
    product_data: { name: `Plan ${amount}` },
  })
}

function listen(receive: (body: string, signature: string) => number): Promise<Server> {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      response.statusCode = receive(body, String(request.headers['stripe-signature']))
      response.end()
    })
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}
