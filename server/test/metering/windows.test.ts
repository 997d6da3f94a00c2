import type { Client } from '@turnpike/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findCounterDifferences } from '../../src/modules/usage/index.ts'
import { type Service, startService } from '../support/service.ts'
import { metered, meteringCatalog } from './support.ts'

/** Windows through HTTP on real PostgreSQL; each test begins at a time of its own, later than the one before. */

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

const customer = async (tenantId: string, timeZone?: string) => {
  await service.operator.createCustomer({ body: { tenantId, name: tenantId, ...(timeZone ? { timeZone } : {}) } })
  return metered(client, tenantId)
}
/** Moves to the next time that it is so late in a time zone. */
const goTo = (timeZone: string, next: (now: Temporal.ZonedDateTime) => Temporal.ZonedDateTime) => {
  const now = service.clock.now().toZonedDateTimeISO(timeZone)
  const then = next(now)
  service.clock.advance(`PT${Math.ceil((then.epochMilliseconds - now.epochMilliseconds) / 1_000)}S`)
}
const noonOf = (now: Temporal.ZonedDateTime) => now.add({ days: 1 }).startOfDay().add({ hours: 12 })

describe('calendar windows', () => {
  const begins: [string, string, (now: Temporal.ZonedDateTime) => Temporal.ZonedDateTime][] = [
    ['by_hour', 'UTC', (now) => now.round({ smallestUnit: 'hour', roundingMode: 'floor' }).add({ hours: 1 })],
    ['by_hour', 'Asia/Kolkata', (now) => now.round({ smallestUnit: 'hour', roundingMode: 'floor' }).add({ hours: 1 })],
    ['by_day', 'America/New_York', (now) => now.add({ days: 1 }).startOfDay()],
    ['by_day', 'Pacific/Auckland', (now) => now.add({ days: 1 }).startOfDay()],
    ['by_week', 'Europe/Berlin', (now) => now.add({ days: 8 - now.dayOfWeek }).startOfDay()],
    ['by_month', 'Europe/Berlin', (now) => now.add({ months: 1 }).with({ day: 1 }).startOfDay()],
    ['by_year', 'Asia/Tokyo', (now) => now.add({ years: 1 }).with({ month: 1, day: 1 }).startOfDay()],
  ]
  test.each(begins)('%s in %s begins again there, not a minute before (ENT-6)', async (meter, timeZone, next) => {
    const { report, allows, used } = await customer(`${meter}-${timeZone.replace('/', '-')}`, timeZone)
    goTo(timeZone, (now) => next(now).subtract({ seconds: 60 }))
    expect(await report(meter, 10)).toMatchObject({ status: 'accepted', used: 10 })
    const refused = await allows(meter, 1)
    expect(refused).toMatchObject({ allowed: false, reason: 'limit_reached', used: 10 })
    expect(await report(meter, 1)).toMatchObject({ status: 'refused' })
    // What a check says from memory is what the recorder decides on: also when it begins again.
    const resets = Temporal.Instant.from(refused.resetsAt!).epochMilliseconds - service.clock.nowMs()
    expect(resets).toBeGreaterThan(0)
    expect(resets).toBeLessThanOrEqual(60_000)
    service.clock.advance('PT60S')
    expect(await allows(meter, 10)).toMatchObject({ allowed: true, used: 0 })
    expect(await report(meter, 3)).toMatchObject({ status: 'accepted', used: 3 })
    expect(await used(meter)).toBe(3)
  })

  test('refused attempts are those of the window that is shown (USE-6)', async () => {
    const { report } = await customer('attempts')
    goTo('UTC', noonOf)
    for (const meter of ['by_day', 'ever', 'calls']) await report(meter, 101)
    const attempts = async () => {
      const { meters } = (await client.getUsage({ query: { tenantId: 'attempts' } })).data
      return ['by_day', 'ever', 'calls'].map((name) => meters.find(({ meter }) => meter === name)!.refusedAttempts)
    }
    expect(await attempts()).toEqual([1, 1, 1])
    goTo('UTC', noonOf)
    expect((await attempts()).slice(0, 2)).toEqual([0, 1])
    goTo('UTC', (now) => now.add({ months: 1 }))
    expect(await attempts()).toEqual([0, 1, 0])
  })

  test('late usage counts in the window in which it was used', async () => {
    goTo('UTC', noonOf)
    const { report, used } = await customer('late-by-day')
    const yesterday = service.clock.now().subtract({ hours: 24 }).toString()
    await report('by_day', 4)
    expect(await report('by_day', 9, { at: yesterday })).toMatchObject({ status: 'accepted', used: 9 })
    expect(await report('by_day', 2, { at: yesterday })).toMatchObject({ status: 'refused', used: 9 })
    expect(await used('by_day')).toBe(4)
  })

  test('a time zone that is set later makes no room: the window there is made from the records (ENT-6)', async () => {
    goTo('UTC', noonOf)
    const { report, allows } = await customer('moved')
    expect(await report('by_day', 10)).toMatchObject({ status: 'accepted' })
    const { data } = await service.operator.listCustomers({ query: { search: 'moved' } })
    const params = { customerId: data.find(({ tenantId }) => tenantId === 'moved')!.id }
    const moved = await service.operator.updateCustomer({ params, body: { timeZone: 'Europe/Berlin' } })
    expect(moved.data).toMatchObject({ timeZone: 'Europe/Berlin' })
    expect(await report('by_day', 1)).toMatchObject({ status: 'refused', used: 10 })
    expect(await allows('by_day', 1)).toMatchObject({ allowed: false, used: 10 })
    await expect(service.operator.updateCustomer({ params, body: { timeZone: 'Mars/Olympus' } })).rejects.toMatchObject(
      {
        status: 400,
      },
    )
  })
})

test('a lifetime never begins again', async () => {
  const { report, allows } = await customer('for-ever')
  expect(await report('ever', 10)).toMatchObject({ status: 'accepted' })
  service.clock.advance('P400D')
  expect(await report('ever', 1)).toMatchObject({ status: 'refused', used: 10, limit: 10 })
  expect(await allows('ever', 1)).toMatchObject({ allowed: false, used: 10 })
})

describe('a sliding window', () => {
  test('lets go of an hour only when it is as long ago as the window is (ENT-6)', async () => {
    goTo('UTC', noonOf)
    const { report, allows, used } = await customer('slides')
    expect(await report('recent', 6)).toMatchObject({ status: 'accepted', used: 6 })
    service.clock.advance('PT2H')
    expect(await report('recent', 4)).toMatchObject({ status: 'accepted', used: 10 })
    service.clock.advance('PT1H59M')
    // The first hour is more than three hours ago in part only.
    expect(await allows('recent', 1)).toMatchObject({ allowed: false, used: 10 })
    service.clock.advance('PT1M')
    expect(await allows('recent', 1)).toMatchObject({ allowed: true, used: 4 })
    expect(await report('recent', 7)).toMatchObject({ status: 'refused', used: 4 })
    expect(await report('recent', 6)).toMatchObject({ status: 'accepted', used: 10 })
    expect(await used('recent')).toBe(10)
    service.clock.advance('PT2H')
    expect(await allows('recent', 5)).toMatchObject({ allowed: false, used: 6 })
    expect(await report('recent', 4)).toMatchObject({ status: 'accepted', used: 10 })
  })

  test('has room for late usage only where all windows over it have', async () => {
    goTo('UTC', noonOf)
    const { report } = await customer('slides-late')
    await report('recent', 8)
    const before = (hours: number) => service.clock.now().subtract({ hours }).toString()
    expect(await report('recent', 3, { at: before(2) })).toMatchObject({ status: 'refused', used: 8 })
    expect(await report('recent', 2, { at: before(2) })).toMatchObject({ status: 'accepted', used: 10 })
    expect(await report('recent', 8, { at: before(5) })).toMatchObject({ status: 'accepted', used: 10 })
  })

  test('warns again when it was below in between, and two processes agree', async () => {
    goTo('UTC', noonOf)
    const { report } = await customer('slides-twice')
    const other = metered(await service.as('service', null, (await service.another()).url), 'slides-twice')
    await other.allows('recent', 1)
    await report('recent', 5)
    await expect.poll(async () => (await other.allows('recent', 1)).used).toBe(5)
    expect(await other.allows('recent', 6)).toMatchObject({ allowed: false })
  })
})

describe('what is left of a window (ENT-8)', () => {
  test('can be used in the next ones, up to the cap, until it ends', async () => {
    goTo('UTC', noonOf)
    const { report, allows } = await customer('carries')
    const left = async () => (await allows('carried', 0)).limit
    expect(await left()).toBe(10)
    await report('carried', 4)
    goTo('UTC', noonOf)
    // Six are left, and are used before the new allowance.
    expect(await left()).toBe(16)
    expect(await report('carried', 17)).toMatchObject({ status: 'refused', limit: 16 })
    await report('carried', 3)
    goTo('UTC', noonOf)
    // Three of the first day, which end with this one, and five of the ten of yesterday: eight are the most.
    expect(await left()).toBe(18)
    const { data } = await client.getEntitlements({ query: { tenantId: 'carries' } })
    const carried = data.entitlements.find(({ feature }) => feature === 'carried')
    expect(carried).toMatchObject({ included: 18, countedBy: 'day', carried: [{ quantity: 3 }, { quantity: 5 }] })
    goTo('UTC', noonOf)
    // Nothing was used: the three are gone, the five are left, and three more fit under the cap.
    expect(await left()).toBe(18)
    await report('carried', 18)
    expect(await report('carried', 1)).toMatchObject({ status: 'refused' })
    goTo('UTC', noonOf)
    expect(await left()).toBe(10)
  })

  test('is fixed when the new window has begun: late usage of the old one changes nothing of it', async () => {
    goTo('UTC', noonOf)
    const { report, allows } = await customer('carries-late')
    await report('carried', 9)
    goTo('UTC', noonOf)
    expect((await allows('carried', 0)).limit).toBe(11)
    const yesterday = service.clock.now().subtract({ hours: 24 }).toString()
    expect(await report('carried', 1, { at: yesterday })).toMatchObject({ status: 'accepted', used: 10, limit: 10 })
    expect(await report('carried', 1, { at: yesterday })).toMatchObject({ status: 'refused' })
    expect((await allows('carried', 0)).limit).toBe(11)
  })

  test('is carried over windows in which nobody came', async () => {
    goTo('UTC', noonOf)
    const { report, allows } = await customer('carries-away')
    await report('carried', 10)
    service.clock.advance('P9D')
    expect((await allows('carried', 0)).limit).toBe(18)
  })
})
