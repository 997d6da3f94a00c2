import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeForm } from '../src/wire/form.ts'
import { newCustomer, newPrice, sdk, startWorld, type TestWorld } from './support/sandboxWorld.ts'

let world: TestWorld

beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const raw = (path: string, init: RequestInit & { headers?: Record<string, string> } = {}) =>
  fetch(`${world.sandbox.url}${path}`, { ...init, headers: { authorization: 'Bearer sk_test_raw', ...init.headers } })

test.each([
  ['a[0]=x&a[1]=y', { a: ['x', 'y'] }],
  ['a[]=x&a[]=y', { a: ['x', 'y'] }],
  ['a%5Bb%5D%5B0%5D%5Bc%5D=1+2%2B3', { a: { b: [{ c: '1 2+3' }] } }],
  ['a[10]=k&a[9]=j', { a: ['j', 'k'] }],
  ['empty=&flag', { empty: '', flag: '' }],
])('the form %s is read as nested values', (text, expected) => {
  expect(JSON.parse(JSON.stringify(decodeForm(text)))).toEqual(expected)
})

describe('authentication', () => {
  test('no key and a wrong key are refused, a key as basic user is accepted', async () => {
    expect((await fetch(`${world.sandbox.url}/v1/customers`)).status).toBe(401)
    const wrong = await raw('/v1/customers', { headers: { authorization: 'Bearer sk_live_1234567890' } })
    expect(wrong.status).toBe(401)
    expect(((await wrong.json()) as { error: { message: string } }).error.message).toMatch(
      /^Invalid API Key provided: sk_live_\*+7890$/,
    )
    const basic = Buffer.from('sk_test_basic:').toString('base64')
    expect((await raw('/v1/customers', { headers: { authorization: `Basic ${basic}` } })).status).toBe(200)
  })
})

describe('refusals', () => {
  test.each([
    ['an unknown parameter', { email: 'a@b.c', colour: 'red' }, 'parameter_unknown', 'colour'],
    ['a mistyped parameter', { balance: 'much' }, 'parameter_invalid_integer', 'balance'],
  ])('%s', async (_name, params, code, param) => {
    await expect(world.stripe.customers.create(params as never)).rejects.toMatchObject({ statusCode: 400, code, param })
  })

  test('a missing parameter', async () => {
    await expect(world.stripe.prices.create({ unit_amount: 1 } as never)).rejects.toMatchObject({
      code: 'parameter_missing',
      param: 'currency',
    })
  })

  test('the addressed object is 404, a referenced one 400', async () => {
    await expect(world.stripe.customers.retrieve('cus_x')).rejects.toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
      param: 'id',
      message: "No such customer: 'cus_x'",
    })
    const customer = await newCustomer(world, null)
    await expect(
      world.stripe.subscriptions.create({ customer: customer.id, items: [{ price: 'invalid' }] }),
    ).rejects.toMatchObject({ statusCode: 400, param: 'items[0][price]', message: "No such price: 'invalid'" })
  })

  test('an unknown URL', async () => {
    const response = await raw('/v1/nothing')
    expect(response.status).toBe(404)
    expect(((await response.json()) as { error: { message: string } }).error.message).toContain(
      'Unrecognized request URL (GET: /v1/nothing)',
    )
  })

  test('a card that declines is refused when it is attached', async () => {
    const customer = await newCustomer(world, null)
    await expect(
      world.stripe.paymentMethods.attach('pm_card_chargeDeclined', { customer: customer.id }),
    ).rejects.toMatchObject({ statusCode: 402, code: 'card_declined', decline_code: 'generic_decline' })
  })

  test('without a version header older names pass', async () => {
    const response = await raw('/v1/payment_intents', {
      method: 'POST',
      body: 'amount=500&currency=usd&payment_method_types[]=card',
    })
    expect(response.status).toBe(200)
    const strict = await raw('/v1/payment_intents', {
      method: 'POST',
      body: 'amount=500&currency=usd&payment_method_types[]=card',
      headers: { 'stripe-version': '2026-10-28.endive' },
    })
    expect(strict.status).toBe(400)
  })
})

describe('idempotency', () => {
  test('the same key and body give the same object, once', async () => {
    const first = await world.stripe.customers.create({ email: 'once@example.com' }, { idempotencyKey: 'key-1' })
    const again = await world.stripe.customers.create({ email: 'once@example.com' }, { idempotencyKey: 'key-1' })
    expect(again.id).toBe(first.id)
    expect(again.lastResponse.headers['idempotent-replayed']).toBe('true')
    expect((await world.stripe.customers.list({ email: 'once@example.com' })).data).toHaveLength(1)
  })

  test('the same key with another body is refused', async () => {
    await world.stripe.customers.create({ email: 'a@example.com' }, { idempotencyKey: 'key-2' })
    await expect(
      world.stripe.customers.create({ email: 'b@example.com' }, { idempotencyKey: 'key-2' }),
    ).rejects.toMatchObject({ rawType: 'idempotency_error', statusCode: 400 })
  })

  test('after a day a key is new', async () => {
    const make = () => world.stripe.customers.create({ email: 'later@example.com' }, { idempotencyKey: 'key-old' })
    const first = await make()
    await world.control('POST', '/sandbox/clock/advance', { seconds: 86_000 })
    expect((await make()).id).toBe(first.id)
    await world.control('POST', '/sandbox/clock/advance', { seconds: 401 })
    expect((await make()).id).not.toBe(first.id)
  })

  test('a refusal of the parameters is not remembered', async () => {
    await expect(
      world.stripe.customers.create({ colour: 'red' } as never, { idempotencyKey: 'key-3' }),
    ).rejects.toMatchObject({ statusCode: 400 })
    expect(await world.stripe.customers.create({ email: 'c@example.com' }, { idempotencyKey: 'key-3' })).toMatchObject({
      email: 'c@example.com',
    })
  })

  test('an answer that was lost is found again by a repeat', async () => {
    await world.control('POST', '/sandbox/faults', {
      kind: 'api',
      action: 'reset',
      method: 'POST',
      path: '/v1/customers',
      count: 1,
      after: true,
    })
    const patient = sdk(world.sandbox.port)
    const created = await patient.customers.create(
      { email: 'lost@example.com' },
      { idempotencyKey: 'key-4', maxNetworkRetries: 2 },
    )
    expect((await patient.customers.list({ email: 'lost@example.com' })).data.map((customer) => customer.id)).toEqual([
      created.id,
    ])
  })
})

describe('lists', () => {
  test('pages go forwards and backwards without gap or repeat', async () => {
    const email = 'page@example.com'
    const made: string[] = []
    for (let i = 0; i < 7; i++) made.unshift((await world.stripe.customers.create({ email })).id)
    const seen: string[] = []
    for await (const customer of world.stripe.customers.list({ email, limit: 3 })) seen.push(customer.id)
    expect(seen).toEqual(made)
    const back = await world.stripe.customers.list({ email, limit: 2, ending_before: made[4]! })
    expect(back.data.map((customer) => customer.id)).toEqual([made[2], made[3]])
    expect(back.has_more).toBe(true)
    await expect(world.stripe.customers.list({ starting_after: 'cus_none' })).rejects.toMatchObject({
      code: 'resource_missing',
    })
    await expect(world.stripe.customers.list({ limit: 101 })).rejects.toMatchObject({ statusCode: 400 })
  })
})

describe('expansion', () => {
  test('ids become objects, also inside lists, and what cannot be expanded is refused', async () => {
    const price = await newPrice(world, 500)
    const customer = await newCustomer(world)
    await world.stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    const { data } = await world.stripe.subscriptions.list({
      customer: customer.id,
      expand: ['data.latest_invoice.payments', 'data.items.data.price.product'],
    })
    expect(data[0]).toMatchObject({
      latest_invoice: { object: 'invoice', payments: { data: [{ status: 'paid' }] } },
      items: { data: [{ price: { product: { object: 'product' } } }] },
    })
    const plain = await world.stripe.invoices.list({ customer: customer.id })
    expect(plain.data[0]).not.toHaveProperty('payments')
    await expect(world.stripe.customers.retrieve(customer.id, { expand: ['email'] })).rejects.toMatchObject({
      statusCode: 400,
    })
    await expect(world.stripe.customers.retrieve(customer.id, { expand: ['nothing'] })).rejects.toMatchObject({
      statusCode: 400,
    })
  })
})

test('lookup keys are unique until they are transferred', async () => {
  const first = await newPrice(world, 100)
  await world.stripe.prices.update(first.id, { lookup_key: 'standard' })
  const second = await newPrice(world, 200)
  await expect(world.stripe.prices.update(second.id, { lookup_key: 'standard' })).rejects.toMatchObject({
    statusCode: 400,
  })
  await world.stripe.prices.update(second.id, { lookup_key: 'standard', transfer_lookup_key: true })
  expect((await world.stripe.prices.list({ lookup_keys: ['standard'] })).data.map((price) => price.id)).toEqual([
    second.id,
  ])
})

test('only loopback is listened on', async () => {
  const { startSandbox } = await import('../src/index.ts')
  await expect(startSandbox({ port: 0, host: '0.0.0.0' })).rejects.toThrow('loopback')
  const socket = connect(world.sandbox.port, '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  expect(socket.remoteAddress).toBe('127.0.0.1')
  socket.destroy()
})
