import { afterAll, beforeAll, expect, test } from 'vitest'
import { subscribed } from '../../server/test/support/story.ts'
import { operatorKey, startWorld, type World } from '../../server/test/support/world.ts'
import { runTurnpike } from './support/turnpike.ts'

/** What waits for a person or holds room, by command. */
let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

const turnpike = (...words: string[]) =>
  runTurnpike(words, { environment: { TURNPIKE_URL: world.app.url, TURNPIKE_KEY: operatorKey } })

test('refunds that wait are listed, shown, approved and declined (INV-4)', async () => {
  const { owner } = await subscribed(world, 'northwind', { plan: 'pro', price: 'yearly' })
  expect(await turnpike('refunds', 'list', '--waiting')).toMatchObject({ code: 0, out: 'No refunds.\n' })
  const invoiceId = (await owner.listInvoices({ query: {} })).data[0]!.id
  const support = await world.as('support')
  const ask = async (idempotencyKey: string) => {
    const body = { amountMinor: '3000', reason: 'duplicate' as const, reasonText: 'Paid twice', idempotencyKey }
    return (await support.createRefund({ params: { invoiceId }, body })).data.id
  }
  const [one, other] = [await ask('one'), await ask('other')]
  const waiting = await turnpike('refunds', 'list', '--waiting', '--tenant', 'northwind')
  expect(waiting.out).toMatch(new RegExp(`${one} +northwind +waiting_for_approval +30.00 USD`))
  expect((await turnpike('refunds', 'show', one)).out).toMatch(/in words +Paid twice/)
  expect(await turnpike('refunds', 'approve', one)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/state +succeeded/),
  })
  expect((await turnpike('refunds', 'decline', other)).code).toBe(2)
  const declined = await turnpike('refunds', 'decline', other, '--reason', 'Once is enough')
  expect(declined).toMatchObject({
    code: 0,
    out: expect.stringMatching(/state +rejected[\s\S]*because +Once is enough/),
  })
  expect(await turnpike('refunds', 'approve', other)).toMatchObject({
    code: 3,
    error: expect.stringMatching(/^refund_not_waiting/),
  })
  const done = JSON.parse((await turnpike('--json', 'refunds', 'list', '--state', 'succeeded')).out) as { id: string }[]
  expect(done.map(({ id }) => id)).toEqual([one])
  expect((await turnpike('refunds', 'show', 'refund_of_nobody')).code).toBe(3)
})

test('reservations are listed by their state, and let go of (ENT-6)', async () => {
  await world.tenant('globex')
  expect(await turnpike('reservations', 'list', 'globex')).toMatchObject({ code: 0, out: 'Nothing was reserved.\n' })
  const hold = async (quantity: number) =>
    (
      await world.operator.createReservation({
        body: {
          tenantId: 'globex',
          features: [{ feature: 'api_calls', quantity }],
          idempotencyKey: `hold-${quantity}`,
        },
      })
    ).data.reservation?.id
  const [used, held] = [await hold(3), await hold(5)]
  // There is no room for it, so it is none.
  expect(await hold(1_000_000)).toBeUndefined()
  const quantities = { api_calls: 2 }
  await world.operator.commitReservation({ params: { reservationId: used! }, body: { quantities } })
  const all = await turnpike('reservations', 'list', 'globex')
  expect(all.out.split('\n')).toHaveLength(4)
  expect(all.out).toMatch(new RegExp(`${used} +committed +api_calls 2 of 3`))
  expect((await turnpike('reservations', 'list', 'globex', '--state', 'held')).out).toMatch(
    new RegExp(`^reservation.*\n${held} +held +api_calls 5 `),
  )
  // A page at a time.
  const pages: string[] = []
  for await (const { id } of world.operator.paginate('listReservations', { query: { tenantId: 'globex', limit: 1 } }))
    pages.push(id)
  expect(pages).toEqual([held, used])
  expect((await turnpike('reservations', 'release', held!)).out).toMatch(/state +released/)
  expect(await turnpike('reservations', 'release', used!)).toMatchObject({
    code: 3,
    error: expect.stringMatching(/^reservation_settled/),
  })
  expect((await turnpike('reservations', 'list', 'nobody')).code).toBe(3)
})
