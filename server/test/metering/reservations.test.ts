import type { Client } from '@turnpike/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256 } from '../../src/core/canonical.ts'
import { expireReservations } from '../../src/flows/settle-reservation.ts'
import { findCounterDifferences } from '../../src/modules/usage/index.ts'
import { query, sql } from '../../src/platform/db.ts'
import { type Service, startService } from '../support/service.ts'
import { metered, meteringCatalog } from './support.ts'

/** Room that is held for work under way: against the limit as if it were used, and settled once. */

let service: Service
let client: Client
beforeAll(async () => {
  service = await startService({ env: { TURNPIKE_CATALOG: meteringCatalog() } })
  client = await service.as('service')
})
afterAll(async () => {
  const differences = service && (await findCounterDifferences(service.app.deps.db, 10))
  await service?.stop()
  expect(differences).toEqual([])
})

const customer = async (tenantId: string) => {
  await service.customer(tenantId)
  let keys = 0
  return {
    ...metered(client, tenantId),
    reserve: async (features: Record<string, number>, more: object = {}) =>
      (
        await client.createReservation({
          body: {
            tenantId,
            features: Object.entries(features).map(([feature, quantity]) => ({ feature, quantity })),
            idempotencyKey: `${tenantId}-${++keys}`,
            ...more,
          },
        })
      ).data,
    /** In the counters of usage periods, which hold what any other counter of their meter does. */
    held: async () =>
      (
        await query<{ reserved: number }>(
          service.app.deps.db,
          sql`select coalesce(sum(reserved) filter (where span = 'period'), 0)::float8 as reserved from usage_counters where tenant_id = ${tenantId}`,
        )
      )[0]!.reserved,
  }
}
const commit = async (reservationId: string, quantities?: Record<string, number>) =>
  (await client.commitReservation({ params: { reservationId }, body: quantities ? { quantities } : {} })).data
const release = async (reservationId: string) => (await client.releaseReservation({ params: { reservationId } })).data

test('what is held is not there for anybody else, in memory and in the database (ENT-6)', async () => {
  const { reserve, allows, report, consume, used } = await customer('holds')
  await report('by_day', 2)
  const { reservation } = await reserve({ by_day: 5 })
  expect(reservation).toMatchObject({ state: 'held', features: [{ feature: 'by_day', quantity: 5, committed: null }] })
  expect(await allows('by_day', 3)).toMatchObject({ allowed: true, used: 2, remaining: 3 })
  expect(await allows('by_day', 4)).toMatchObject({ allowed: false, reason: 'limit_reached' })
  expect(await report('by_day', 4)).toMatchObject({ status: 'refused' })
  expect((await consume(['by_day'], 3)).allowed).toBe(true)
  expect((await reserve({ by_day: 1 })).reservation).toBeNull()
  expect(await used('by_day')).toBe(5)
})

test('what consuming answers leaves out what was held when it was decided, also to a repeat', async () => {
  const { reserve, allows, consume } = await customer('consumes')
  const { reservation } = await reserve({ by_year: 5 })
  const left = { used: 3, remaining: 2 }
  const counted = { allowed: true, consumed: true, ...left }
  const refused = { allowed: false, consumed: false, reason: 'limit_reached', state: 'blocked', ...left }
  expect((await consume(['by_year'], 3, 'consumes-x')).decisions[0]).toMatchObject(counted)
  expect(await allows('by_year', 1)).toMatchObject(left)
  expect((await consume(['by_year'], 3, 'consumes-y')).decisions[0]).toMatchObject(refused)
  // The other feature is only refused with it.
  expect((await consume(['by_year', 'by_day'], 3, 'consumes-z')).decisions[0]).toMatchObject(refused)
  await release(reservation!.id)
  expect((await consume(['by_year'], 3, 'consumes-x')).decisions[0]).toMatchObject(counted)
  expect((await consume(['by_year'], 3, 'consumes-y')).decisions[0]).toMatchObject(refused)
})

test('all features or none', async () => {
  const { reserve, held } = await customer('all-or-none')
  const refused = await reserve({ by_day: 5, by_month: 11, recent: 2 })
  expect(refused).toMatchObject({ allowed: false, reservation: null })
  expect(refused.decisions.map(({ allowed }) => allowed)).toEqual([true, false, true])
  expect(await held()).toBe(0)
  expect((await reserve({ by_day: 5, by_month: 10, recent: 2 })).allowed).toBe(true)
  expect(await held()).toBe(17)
})

test.each(['by_hour', 'by_day', 'recent', 'ever', 'calls'])(
  'a commit of %s counts what was used and lets go of the rest',
  async (feature) => {
    const { reserve, used, held, allows } = await customer(`commits-${feature.replace('_', '-')}`)
    const { reservation } = await reserve({ [feature]: 6 })
    const done = await commit(reservation!.id, { [feature]: 4 })
    expect(done).toMatchObject({ state: 'committed', features: [{ feature, quantity: 6, committed: 4 }] })
    expect([await used(feature), await held()]).toEqual([4, 0])
    expect(await allows(feature, 6)).toMatchObject({ allowed: true, used: 4 })
    // A repeat gets the same answer; anything else comes too late.
    expect(await commit(reservation!.id, { [feature]: 4 })).toEqual(done)
    await expect(commit(reservation!.id, { [feature]: 5 })).rejects.toMatchObject({ code: 'reservation_settled' })
    await expect(release(reservation!.id)).rejects.toMatchObject({ code: 'reservation_settled' })
    expect(await used(feature)).toBe(4)
  },
)

test('more than what is held, or of something else, is no commit', async () => {
  const { reserve } = await customer('commits-too-much')
  const { reservation } = await reserve({ by_day: 5 })
  const wrong: Record<string, number>[] = [{ by_day: 6 }, { by_day: -1 }, { by_day: 0.5 }, { by_month: 1 }]
  for (const quantities of wrong)
    await expect(commit(reservation!.id, quantities)).rejects.toMatchObject({
      code: 'quantity_invalid',
    })
})

test('a commit whose key another record has fails, and what is reserved stays', async () => {
  const { reserve, used, held, report } = await customer('key-taken')
  const { reservation } = await reserve({ by_month: 3, by_year: 2 })
  const key = `reservation:${reservation!.id}:by_month`
  await expect(report('by_month', 1, { idempotencyKey: key })).rejects.toMatchObject({
    code: 'invalid_request',
    problem: { errors: [{ field: 'idempotencyKey' }] },
  })
  // A file of records that were taken out here brings its keys along.
  const text = `tenantId,meter,quantity,at,idempotencyKey\nkey-taken,by_month,1,${service.clock.now()},${key}\n`
  const { data: begun } = await service.operator.createUsageImport({
    body: { name: 'taken.csv', format: 'csv', size: text.length, sha256: sha256(text).toString('hex') },
  })
  const sent = await service.operator.sendUsageImport({ params: { importId: begun.id }, body: { offset: 0, text } })
  expect(sent.data).toMatchObject({ accepted: 1 })
  await expect(commit(reservation!.id)).rejects.toMatchObject({ code: 'idempotency_key_reused' })
  expect([await used('by_month'), await used('by_year'), await held()]).toEqual([1, 0, 5])
  await release(reservation!.id)
})

describe('the same key', () => {
  test('holds once and gets the first answer, also of a no, also at the same moment', async () => {
    const { reserve, held } = await customer('same-key')
    const many = await Promise.all([1, 2, 3, 4].map(() => reserve({ by_day: 4 }, { idempotencyKey: 'one' })))
    for (const answer of many) expect(answer).toEqual(many[0])
    expect(await held()).toBe(4)
    const no = await reserve({ by_day: 7 }, { idempotencyKey: 'two' })
    expect(no.allowed).toBe(false)
    await release(many[0]!.reservation!.id)
    expect(await reserve({ by_day: 7 }, { idempotencyKey: 'two' })).toEqual(no)
    await expect(reserve({ by_day: 1 }, { idempotencyKey: 'two' })).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    })
  })
})

test('release gives everything back, once', async () => {
  const { reserve, held, allows } = await customer('releases')
  const { reservation } = await reserve({ by_day: 10 })
  expect(await release(reservation!.id)).toMatchObject({ state: 'released' })
  expect(await release(reservation!.id)).toMatchObject({ state: 'released' })
  expect(await held()).toBe(0)
  expect(await allows('by_day', 10)).toMatchObject({ allowed: true })
  await expect(commit(reservation!.id)).rejects.toMatchObject({ code: 'reservation_settled' })
})

test('many at once never hold more than there is', async () => {
  const { reserve, held, consume, used } = await customer('many')
  const answers = await Promise.all([
    ...Array.from({ length: 20 }, () => reserve({ by_month: 1 }).then(({ allowed }) => allowed)),
    ...Array.from({ length: 20 }, () => consume(['by_month'], 1).then(({ allowed }) => allowed)),
  ])
  expect(answers.filter(Boolean).length).toBe(10)
  expect((await held()) + (await used('by_month'))).toBe(10)
})

test('a level, the highest and what is derived cannot be reserved', async () => {
  const { reserve } = await customer('not-reserved')
  for (const feature of ['storage', 'peak', 'people', 'large_calls'])
    await expect(reserve({ [feature]: 1 })).rejects.toMatchObject({ status: 400 })
  await expect(reserve({ nothing: 1 })).rejects.toMatchObject({ code: 'feature_unknown' })
})

test('what has expired is let go of; the work that was done is counted all the same, where it was reserved', async () => {
  const { reserve, held, allows, report, used } = await customer('expires')
  const { reservation } = await reserve({ by_month: 8 }, { expiresInSeconds: 60 })
  service.clock.advance('PT59S')
  await expireReservations(service.app.deps)
  expect(await held()).toBe(8)
  service.clock.advance('PT2S')
  await expireReservations(service.app.deps)
  expect(await held()).toBe(0)
  expect(await allows('by_month', 10)).toMatchObject({ allowed: true })
  await report('by_month', 9)
  expect(await commit(reservation!.id)).toMatchObject({ state: 'committed' })
  expect(await used('by_month')).toBe(17)
  expect(await held()).toBe(0)
})

test('a commit is counted, and a repeat answered, later than reports are accepted', async () => {
  const { reserve } = await customer('later-than-reports')
  const { reservation } = await reserve({ by_month: 4 })
  const { reservation: other } = await reserve({ by_month: 2 })
  const done = await commit(reservation!.id)
  service.clock.advance('PT864H')
  expect(await commit(reservation!.id)).toEqual(done)
  expect(await commit(other!.id)).toMatchObject({ state: 'committed', features: [{ committed: 2 }] })
  const { data } = await client.listUsageRecords({ query: { tenantId: 'later-than-reports', meter: 'by_month' } })
  expect(data.map(({ quantity }) => quantity).sort()).toEqual([2, 4])
})
