import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createClient } from '../src/index.ts'
import { breakOff, startWire, type Wire } from './support/wire.ts'

let wire: Wire
beforeEach(async () => {
  wire = await startWire()
})
afterEach(() => wire.close())

const clientOf = () => createClient({ baseUrl: wire.url, credential: 'key_1', wait: async () => undefined })

const readUntil = async (sequence: number, after?: string): Promise<number[]> => {
  const seen: number[] = []
  for await (const event of clientOf().streamEvents({ after })) {
    seen.push(event.sequence)
    if (event.sequence === sequence) break
  }
  return seen
}
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

test('a stream that is cut again and again loses and repeats nothing', async () => {
  for (let n = 0; n < 30; n++) wire.publish('ana', 'billing.updated', null)
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 7, max: 400 }),
      fc.integer({ min: 0, max: 29 }),
      async (cutAfter, pieceBytes, after) => {
        Object.assign(wire.settings, { cutAfter, pieceBytes })
        expect(await readUntil(30, String(after))).toEqual(upTo(30, after + 1))
      },
    ),
    { numRuns: 25 },
  )
})

test('letters that arrive in pieces stay whole', async () => {
  wire.publish('ana', 'usage.updated', { feature: 'Zoë 🚀' })
  wire.settings.pieceBytes = 1
  const stream = clientOf().streamEvents()
  expect((await stream.next()).value).toMatchObject({ data: { budget: { feature: 'Zoë 🚀' } } })
  await stream.return(undefined)
})

test('a server that sends the last event once more is not heard twice', async () => {
  for (let n = 0; n < 6; n++) wire.publish('ana', 'billing.updated', null)
  Object.assign(wire.settings, { cutAfter: 3, repeat: 1 })
  expect(await readUntil(6)).toEqual(upTo(6))
})

test('events that happen while it is open arrive, also after the connection broke', async () => {
  wire.publish('ana', 'billing.updated', null)
  const states: string[] = []
  const seen: number[] = []
  const stream = clientOf().streamEvents({ onState: (state) => states.push(state) })
  for await (const event of stream) {
    seen.push(event.sequence)
    if (seen.length === 2) wire.cutStreams()
    if (seen.length === 4) break
    wire.publish('ana', 'billing.updated', null)
  }
  expect(seen).toEqual([1, 2, 3, 4])
  expect(states).toEqual(['connected', 'disconnected', 'connected'])
})

test('a service that is away for a while is asked again from the same place', async () => {
  for (let n = 0; n < 3; n++) wire.publish('ana', 'billing.updated', null)
  wire.faults.push(
    (_request, reply) => wire.fail(reply, 'unavailable'),
    breakOff,
    (_request, reply) => reply.code(502).type('text/html').send('bad gateway'),
  )
  expect(await readUntil(3, '1')).toEqual([2, 3])
  expect(wire.requests.map(({ url }) => url.includes('after=1'))).toEqual([true, true, true, true])
})

test('a stream without a sign of life is opened again', async () => {
  wire.publish('ana', 'billing.updated', null)
  wire.faults.push((_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' }).write(':ok\n\n')
  })
  const stream = clientOf().streamEvents({ idleMs: 20 })
  expect((await stream.next()).value).toMatchObject({ sequence: 1 })
  await stream.return(undefined)
})

test('a credential that is turned down ends the stream with the reason', async () => {
  wire.faults.push((_request, reply) => wire.fail(reply, 'unauthenticated'))
  await expect(clientOf().streamEvents().next()).rejects.toMatchObject({ code: 'unauthenticated' })
})

test('a caller who stops ends the iteration without an error', async () => {
  const given = new AbortController()
  wire.publish('ana', 'billing.updated', null)
  const seen: number[] = []
  for await (const event of clientOf().streamEvents({ signal: given.signal })) {
    seen.push(event.sequence)
    given.abort()
  }
  expect(seen).toEqual([1])
})
