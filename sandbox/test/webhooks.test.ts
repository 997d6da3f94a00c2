import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { signatureHeader } from '../src/events/sign.ts'
import { newCustomer, newPrice, startWorld, type TestWorld } from './support/sandboxWorld.ts'

let world: TestWorld
const folders: string[] = []

beforeEach(async () => {
  world = await startWorld()
})
afterEach(async () => {
  await world.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const fault = (body: Record<string, unknown>) => world.control<{ id: string }>('POST', '/sandbox/faults', body)
const created = (email: string) => world.stripe.customers.create({ email })

describe('delivery', () => {
  test('a signature is made with every secret', () => {
    const header = signatureHeader('{}', ['whsec_a', 'whsec_b'], 1000)
    expect(header.match(/v1=[0-9a-f]{64}/g)).toHaveLength(2)
    expect(header.startsWith('t=1000,')).toBe(true)
  })

  test('an endpoint made by the API gets its own secret and only what it asked for', async () => {
    const endpoint = await world.stripe.webhookEndpoints.create({
      url: world.hookUrl,
      enabled_events: ['product.created'],
    })
    expect(endpoint.secret).toMatch(/^whsec_/)
    expect((await world.stripe.webhookEndpoints.retrieve(endpoint.id)).secret).toBeUndefined()
    const customer = await created('a@example.com')
    const { deliveries } = await world.control<{ deliveries: { endpoint: string; type: string }[] }>(
      'GET',
      '/sandbox/deliveries',
    )
    expect(deliveries.filter((delivery) => delivery.endpoint === endpoint.id)).toEqual([])
    expect(customer.id).toMatch(/^cus_/)
  })

  test('a refused event is sent again with the same id when its time comes', async () => {
    world.answer.status = 500
    await created('a@example.com')
    expect(await world.arrived()).toEqual([])
    world.answer.status = 200
    await world.advance(10)
    expect(await world.arrived()).toEqual(['customer.created'])
    const { deliveries } = await world.control<{ deliveries: { status: string; attempts: { status: number }[] }[] }>(
      'GET',
      '/sandbox/deliveries',
    )
    expect(deliveries[0]).toMatchObject({ status: 'delivered', attempts: [{ status: 500 }, { status: 200 }] })
  })

  test('an event can be delivered again by hand', async () => {
    await created('a@example.com')
    await world.control('POST', '/sandbox/webhooks/flush')
    const [first] = world.events.splice(0)
    await world.control('POST', `/sandbox/events/${first!.id}/redeliver`)
    await world.control('POST', '/sandbox/webhooks/flush')
    expect(world.events.map((event) => event.id)).toEqual([first!.id])
  })

  test('the events list holds what was sent', async () => {
    await created('a@example.com')
    await world.control('POST', '/sandbox/webhooks/flush')
    const listed = await world.stripe.events.list({ type: 'customer.created' })
    expect(listed.data).toEqual([world.events[0]].map((event) => ({ ...event, pending_webhooks: 0 })))
  })
})

describe('faults', () => {
  test('duplicate, drop, hold and release in a wanted order', async () => {
    await fault({ kind: 'webhook', action: 'duplicate', type: 'customer.created', count: 1 })
    await created('twice@example.com')
    expect(await world.arrived()).toEqual(['customer.created', 'customer.created'])
    await fault({ kind: 'webhook', action: 'drop', type: 'customer.*', count: 1 })
    await created('never@example.com')
    expect(await world.arrived()).toEqual([])
    const hold = await fault({ kind: 'webhook', action: 'delay', type: '*', seconds: 'hold' })
    await created('one@example.com')
    await created('two@example.com')
    expect(await world.arrived()).toEqual([])
    await world.control('DELETE', `/sandbox/faults/${hold.id}`)
    const { data } = await world.stripe.events.list({ limit: 2 })
    await world.control('POST', '/sandbox/webhooks/release', { events: [data[0]!.id, data[1]!.id] })
    await world.control('POST', '/sandbox/webhooks/flush')
    expect(world.events.map((event) => event.id)).toEqual([data[0]!.id, data[1]!.id])
  })

  test('reorder turns the next events around', async () => {
    await fault({ kind: 'webhook', action: 'reorder', type: 'customer.*', count: 2 })
    await created('one@example.com')
    await created('two@example.com')
    await world.control('POST', '/sandbox/webhooks/flush')
    expect(world.events.map((event) => (event.data.object as { email: string }).email)).toEqual([
      'two@example.com',
      'one@example.com',
    ])
  })

  test('a delay waits for the clock', async () => {
    await fault({ kind: 'webhook', action: 'delay', type: '*', seconds: 3600, count: 1 })
    await created('later@example.com')
    expect(await world.arrived()).toEqual([])
    await world.advance(3600)
    expect(await world.arrived()).toEqual(['customer.created'])
  })

  test.each([
    ['outage', 503],
    ['error', 500],
    ['rate_limit', 429],
    ['lock_timeout', 429],
  ])('%s answers %i as often as ordered, then heals', async (action, status) => {
    await fault({ kind: 'api', action, path: '/v1/customers*', count: 1 })
    await expect(created('a@example.com')).rejects.toMatchObject({ statusCode: status })
    expect((await created('b@example.com')).email).toBe('b@example.com')
  })
})

describe('a restart', () => {
  test('keeps objects, idempotency, clock and webhooks that were not delivered', async () => {
    await world.close()
    const folder = mkdtempSync(join(tmpdir(), 'sandbox-'))
    folders.push(folder)
    world = await startWorld({ stateFile: join(folder, 'state.db') })
    const price = await newPrice(world, 1000)
    const customer = await newCustomer(world)
    await world.stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    await world.advance(40 * 86_400)
    const product = () => world.stripe.products.create({ name: 'Once' }, { idempotencyKey: 'same' })
    const { id } = await product()
    const before = await world.control<{ offset: number }>('GET', '/sandbox/state')
    await world.arrived()
    world.answer.status = 503
    await created('while-down@example.com')
    expect(await world.arrived()).toEqual([])
    await world.restart()
    world.answer.status = 200
    expect((await product()).id).toBe(id)
    expect((await world.control<{ offset: number }>('GET', '/sandbox/state')).offset).toBe(before.offset)
    await world.advance(60)
    expect(await world.arrived()).toEqual(['customer.created'])
    expect((await world.stripe.invoices.list({ customer: customer.id })).data.map((invoice) => invoice.status)).toEqual(
      ['paid', 'paid'],
    )
  })
})
