import { expect, test } from 'vitest'
import { startWorld } from './support/sandboxWorld.ts'
import { createValidator } from './support/validateResponse.ts'
import { walk } from './support/walk.ts'

type Answer = { path: string; body: Record<string, unknown> }

/** Every successful answer of the walk, as it went over the wire. */
async function answersOfWalk(): Promise<Answer[]> {
  const world = await startWorld()
  const answers: Answer[] = []
  const collect = ({ path }: { path: string }, body: unknown) => answers.push({ path, body: body as Answer['body'] })
  // The SDK changes what it hands out (decimals become objects), so the wire itself is read.
  const plain = globalThis.fetch
  const { createFetchHttpClient } = (await import('stripe')).default
  const recording: typeof fetch = async (input, init) => {
    const response = await plain(input, init)
    const path = new URL(String(input)).pathname
    if (response.ok) collect({ path }, await response.clone().json())
    return response
  }
  const { default: Stripe } = await import('stripe')
  world.stripe = new Stripe('sk_test_x', {
    host: '127.0.0.1',
    port: world.sandbox.port,
    protocol: 'http',
    telemetry: false,
    maxNetworkRetries: 0,
    httpClient: createFetchHttpClient(recording as never),
  })
  try {
    await walk(world)
  } finally {
    await world.close()
  }
  return answers
}

const description = process.env.STRIPE_OPENAPI

if (description) test('every answer is what the API description says', () => compareWithDescription(description))
// Without the description a smaller check remains, and its name says so.
else test('answers carry the fields that integrations read (smaller check: STRIPE_OPENAPI is not set)', lookForFields)

async function compareWithDescription(file: string): Promise<void> {
  const validate = createValidator(file)
  const found = new Set<string>()
  for (const { path, body } of await answersOfWalk()) {
    for (const difference of validate(body))
      found.add(`${path.replaceAll(/\w+_\w{10,}/g, '…')} ${difference.replaceAll(/\[\d+\]/g, '[]')}`)
    if (body.object === 'list' && path === '/v1/events')
      for (const event of body.data as { type: string; data: { object: Record<string, unknown> } }[])
        if (event.type !== 'invoice.upcoming')
          for (const difference of validate(event.data.object))
            found.add(`event ${event.type}: ${difference.replaceAll(/\[\d+\]/g, '[]')}`)
  }
  expect([...found].sort()).toEqual([])
}

async function lookForFields(): Promise<void> {
  const required: Record<string, string[]> = {
    customer: ['balance', 'delinquent', 'email', 'invoice_settings', 'metadata', 'next_invoice_sequence', 'test_clock'],
    subscription: [
      'billing_cycle_anchor',
      'cancel_at',
      'cancel_at_period_end',
      'canceled_at',
      'customer',
      'ended_at',
      'items',
      'latest_invoice',
      'metadata',
      'pause_collection',
      'schedule',
      'status',
      'trial_end',
    ],
    subscription_item: ['current_period_end', 'current_period_start', 'price', 'subscription'],
    invoice: [
      'amount_due',
      'amount_paid',
      'amount_remaining',
      'attempt_count',
      'billing_reason',
      'currency',
      'customer',
      'lines',
      'next_payment_attempt',
      'number',
      'parent',
      'period_end',
      'status',
      'status_transitions',
      'total',
    ],
    price: [
      'active',
      'billing_scheme',
      'currency',
      'lookup_key',
      'product',
      'recurring',
      'tiers_mode',
      'type',
      'unit_amount',
      'unit_amount_decimal',
    ],
    'checkout.session': [
      'amount_total',
      'client_reference_id',
      'customer',
      'mode',
      'payment_status',
      'status',
      'subscription',
      'url',
    ],
    payment_intent: [
      'amount',
      'client_secret',
      'last_payment_error',
      'latest_charge',
      'next_action',
      'payment_method',
      'status',
    ],
    event: ['api_version', 'created', 'data', 'pending_webhooks', 'request', 'type'],
  }
  const missing = new Set<string>()
  const seen = new Set<string>()
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { object } = value as { object?: string }
    if (object && required[object] && !('deleted' in value)) {
      seen.add(object)
      for (const field of required[object]) if (!(field in value)) missing.add(`${object}.${field}`)
    }
    for (const inner of Object.values(value)) look(inner)
  }
  for (const { body } of await answersOfWalk()) look(body)
  expect([...missing]).toEqual([])
  expect([...seen].sort()).toEqual(Object.keys(required).sort())
}
