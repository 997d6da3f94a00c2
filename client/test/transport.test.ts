import { afterEach, beforeEach, expect, test } from 'vitest'
import { createClient, TurnpikeError } from '../src/index.ts'
import { breakOff, startWire, type Wire } from './support/wire.ts'

let wire: Wire
let waits: number[]
beforeEach(async () => {
  wire = await startWire()
  waits = []
})
afterEach(() => wire.close())

const clientOf = (options: Partial<Parameters<typeof createClient>[0]> = {}) =>
  createClient({
    baseUrl: wire.url,
    credential: 'key_1',
    wait: async (ms) => {
      waits.push(ms)
    },
    ...options,
  })

const failureOf = async (work: Promise<unknown>): Promise<TurnpikeError> => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(TurnpikeError)
  return error as TurnpikeError
}

test('a call sends the credential and gives data and meta', async () => {
  wire.handlers.getStatus = () => wire.envelope({ status: 'active' })
  const { data, meta } = await clientOf().getStatus({ query: { tenantId: 'a:b' } })
  expect(data).toEqual({ status: 'active' })
  expect(meta.requestId).toEqual(expect.any(String))
  expect(wire.requests[0]!.headers.authorization).toBe('Bearer key_1')
  expect(wire.requests[0]!.url).toBe('/api/v1/billing/status?tenantId=a%3Ab')
})

test('the types come from the route table', async () => {
  const client = clientOf()
  const never = () => {
    // @ts-expect-error the path needs its parameter
    void client.getCustomer()
    // @ts-expect-error no such field in the body
    void client.createCustomer({ body: { name: 'Ana', colour: 'red' } })
    // @ts-expect-error only lists have pages
    void client.paginate('getStatus')
    // @ts-expect-error the intake is for payment providers
    void client.receiveWebhook()
  }
  expect(never).toBeTypeOf('function')
})

test('an id stays one segment of the path', async () => {
  wire.handlers.getCustomer = (request) => wire.envelope(request.params)
  const { data } = await clientOf().getCustomer({ params: { customerId: 'a/../b?c' } })
  expect(data).toEqual({ customerId: 'a/../b?c' })
})

test.each(['', '.', '..'])(
  'an id that would change the path is refused before anything is sent: "%s"',
  async (customerId) => {
    const error = await failureOf(clientOf().getCustomer({ params: { customerId } }))
    expect(error.code).toBe('invalid_argument')
    expect(wire.requests).toEqual([])
  },
)

test('a problem document becomes an error with code, status, next, request id, errors and retry', async () => {
  const errors = [{ field: 'name', message: 'is missing' }]
  wire.handlers.createSession = (_request, reply) =>
    wire.fail(reply, 'checkout_open', { errors, sessionUrl: 'https://pay.example' })
  const error = await failureOf(clientOf().createSession({ body: { plan: 'pro' } }))
  expect(error).toMatchObject({
    code: 'checkout_open',
    status: 409,
    next: expect.stringContaining('sessionUrl'),
    requestId: 'request_1',
    errors,
    retry: 'after_change',
    problem: { sessionUrl: 'https://pay.example' },
  })
})

test('a page of a proxy is an unexpected answer with its status', async () => {
  wire.handlers.getStatus = (_request, reply) => reply.code(404).type('text/html').send('<h1>no such site</h1>')
  expect(await failureOf(clientOf().getStatus())).toMatchObject({
    code: 'unexpected_answer',
    status: 404,
    retry: 'never',
  })
})

test('a success that is not our envelope is an unexpected answer', async () => {
  wire.handlers.getStatus = (_request, reply) => reply.type('text/html').send('<h1>welcome</h1>')
  expect(await failureOf(clientOf().getStatus())).toMatchObject({ code: 'unexpected_answer', status: 200 })
})

test('a redirect is not followed', async () => {
  wire.handlers.getStatus = (_request, reply) => reply.redirect(`${wire.url}/api/v1/session`, 302)
  wire.handlers.whoami = () => wire.envelope({})
  await failureOf(clientOf({ retries: 0 }).getStatus())
  expect(wire.requests.map(({ name }) => name)).toEqual(['getStatus'])
})

test.each(['unavailable', 'provider_unavailable'] as const)('a read is tried again after %s', async (code) => {
  wire.faults.push((_request, reply) => wire.fail(reply, code))
  wire.handlers.getStatus = () => wire.envelope({ status: 'active' })
  expect((await clientOf().getStatus()).data).toEqual({ status: 'active' })
  expect(wire.requests).toHaveLength(2)
  expect(waits).toHaveLength(1)
})

test('a read is tried again after the connection broke', async () => {
  wire.faults.push(breakOff)
  wire.handlers.getStatus = () => wire.envelope({ status: 'active' })
  expect((await clientOf().getStatus()).data).toEqual({ status: 'active' })
})

test('a service that is not there is a network failure after all attempts', async () => {
  const { url } = wire
  await wire.close()
  const error = await failureOf(clientOf({ baseUrl: url, retries: 3 }).getStatus())
  expect(error).toMatchObject({ code: 'network_failure', status: 0, retry: 'later' })
  expect(waits).toHaveLength(3)
  wire = await startWire()
})

test('too many requests are tried again after the time that the service asks for', async () => {
  wire.faults.push((_request, reply) => wire.fail(reply.header('retry-after', '7'), 'rate_limited'))
  wire.handlers.getStatus = () => wire.envelope({})
  await clientOf().getStatus()
  expect(waits[0]).toBeGreaterThanOrEqual(7_000)
})

test('too many requests without a time, or with one that is too long, are for the caller', async () => {
  wire.faults.push(
    (_request, reply) => wire.fail(reply, 'rate_limited'),
    (_request, reply) => wire.fail(reply.header('retry-after', '3600'), 'rate_limited'),
  )
  expect(await failureOf(clientOf().getStatus())).toMatchObject({ code: 'rate_limited', retryAfterMs: null })
  expect(await failureOf(clientOf().getStatus())).toMatchObject({ code: 'rate_limited', retryAfterMs: 3_600_000 })
  expect(waits).toEqual([])
})

test('a POST keeps its idempotency key when it is tried again, and another POST has another', async () => {
  wire.faults.push(breakOff)
  wire.handlers.sync = () => wire.envelope({})
  const client = clientOf()
  await client.sync({ body: {} })
  await client.sync({ body: {} })
  await client.sync({ body: {}, idempotencyKey: 'mine' })
  const [first, again, second, own] = wire.requests.map(({ headers }) => headers['idempotency-key'])
  expect(first).toMatch(/^[0-9a-f]{32}$/)
  expect(again).toBe(first)
  expect(second).not.toBe(first)
  expect(own).toBe('mine')
})

test('a repeat that meets its own first attempt waits for its answer', async () => {
  wire.faults.push(breakOff, (_request, reply) => wire.fail(reply, 'idempotency_key_in_use'))
  wire.handlers.sync = () => wire.envelope({ done: true })
  expect((await clientOf().sync({ body: {} })).data).toEqual({ done: true })
})

test('a change is repeated under one idempotency key, a deletion is sent once, whatever happens', async () => {
  const fault = (_request: unknown, reply: Parameters<Wire['fail']>[0]) => wire.fail(reply, 'unavailable')
  wire.faults.push(fault, fault, fault, fault)
  const client = clientOf()
  await failureOf(client.updateCustomer({ params: { customerId: 'c' }, body: { name: 'Ana' } }))
  await failureOf(client.withdrawOverride({ params: { overrideId: 'o' } }))
  const changes = wire.requests.filter(({ name }) => name === 'updateCustomer')
  expect(changes).toHaveLength(3)
  expect(new Set(changes.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
  expect(wire.requests.filter(({ name }) => name === 'withdrawOverride')).toHaveLength(1)
})

test.each(['internal_error', 'not_found', 'forbidden'] as const)('%s is not tried again', async (code) => {
  wire.faults.push((_request, reply) => wire.fail(reply, code))
  expect(await failureOf(clientOf().getStatus())).toMatchObject({ code })
  expect(wire.requests).toHaveLength(1)
})

test('an answer that takes too long is a timeout', async () => {
  wire.handlers.getStatus = () => new Promise(() => undefined)
  expect(await failureOf(clientOf({ timeoutMs: 20, retries: 0 }).getStatus())).toMatchObject({
    code: 'timeout',
    status: 0,
  })
})

test('a caller who gives up gets the reason that it gave', async () => {
  const given = new AbortController()
  wire.handlers.getStatus = () => {
    given.abort(new Error('gone home'))
    return new Promise(() => undefined)
  }
  await expect(clientOf().getStatus({ signal: given.signal })).rejects.toThrow('gone home')
  expect(wire.requests).toHaveLength(1)
})

test('the credential is asked for before every attempt', async () => {
  wire.faults.push((_request, reply) => wire.fail(reply, 'unavailable'))
  wire.handlers.getStatus = () => wire.envelope({})
  let asked = 0
  await clientOf({ credential: async () => `key_${++asked}` }).getStatus()
  expect(wire.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer key_1', 'Bearer key_2'])
})

test('a credential that cannot be had is said so', async () => {
  const credential = () => Promise.reject(new Error('vault is sealed'))
  expect(await failureOf(clientOf({ credential }).getStatus())).toMatchObject({ code: 'credential_unavailable' })
})

test('a list is read page after page from its cursor', async () => {
  wire.handlers.listCustomers = (request) => {
    const { cursor, search } = request.query as { cursor?: string; search: string }
    expect(search).toBe('north')
    return cursor ? wire.envelope([{ id: 'c3' }], null) : wire.envelope([{ id: 'c1' }, { id: 'c2' }], 'next')
  }
  const customers = await Array.fromAsync(clientOf().paginate('listCustomers', { query: { search: 'north' } }))
  expect(customers.map(({ id }) => id)).toEqual(['c1', 'c2', 'c3'])
})

test('the event feed is read after a position to its end', async () => {
  wire.settings.pageSize = 2
  for (let n = 0; n < 5; n++) wire.publish('ana', 'billing.updated', null)
  const events = await Array.fromAsync(clientOf().paginate('listEvents', { query: { after: '1' } }))
  expect(events.map(({ sequence }) => sequence)).toEqual([2, 3, 4, 5])
})
