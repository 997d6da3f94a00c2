import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from '../src/core/canonical.ts'
import { type Service, startService } from './support/service.ts'

/** Usage over time through HTTP (USE-6): hours and days, where it goes, and what is unusual. */

let service: Service
beforeAll(async () => {
  service = await startService()
  // The middle of a month, so that its end is neither near nor far.
  const now = service.clock.now().toZonedDateTimeISO('UTC')
  const middle = now.add({ months: 1 }).with({ day: 15, hour: 12, minute: 20 })
  service.clock.advance(now.until(middle, { largestUnit: 'hour' }).toString())
})
afterAll(() => service?.stop())

/** Usage of past hours, brought in as a file. */
const bringIn = async (tenantId: string, hours: readonly { hoursAgo: number; quantity: number }[]) => {
  await service.customer(tenantId)
  const now = service.clock.now()
  const rows = hours.map(({ hoursAgo, quantity }) => `${now.subtract({ hours: hoursAgo })},${quantity}`)
  const text = ['at,quantity', ...rows, ''].join('\n')
  const { data } = await service.operator.createUsageImport({
    body: {
      tenantId,
      name: 'past.csv',
      format: 'csv',
      meter: 'api_calls',
      size: Buffer.byteLength(text),
      sha256: sha256(text).toString('hex'),
    },
  })
  const after = await service.operator.sendUsageImport({ params: { importId: data.id }, body: { offset: 0, text } })
  expect(after.data).toMatchObject({ state: 'done', accepted: hours.length })
}
const historyOf = async (tenantId: string, more: { step?: 'hour' | 'day'; from?: string; to?: string } = {}) =>
  (await service.operator.getUsageHistory({ query: { tenantId, meter: 'api_calls', ...more } })).data
const every = (count: number, quantity: number) =>
  Array.from({ length: count }, (_, n) => ({ hoursAgo: n + 1, quantity }))

test('days and hours add up to what was used, with nothing where nothing was', async () => {
  await bringIn('drawn', [
    { hoursAgo: 1, quantity: 3 },
    { hoursAgo: 2, quantity: 4 },
    { hoursAgo: 30, quantity: 5 },
    { hoursAgo: 24 * 40, quantity: 100 },
  ])
  const days = await historyOf('drawn')
  expect(days.points.length).toBeGreaterThanOrEqual(30)
  expect(days.points.reduce((sum, { used }) => sum + used, 0)).toBe(12)
  const hours = await historyOf('drawn', { step: 'hour' })
  expect(hours.points.filter(({ used }) => used > 0).map(({ used }) => used)).toEqual([5, 4, 3])
  expect(hours.points.length).toBeLessThanOrEqual(49)
  const long = await historyOf('drawn', {
    from: service.clock
      .now()
      .subtract({ hours: 24 * 50 })
      .toString(),
  })
  expect(long.points.reduce((sum, { used }) => sum + used, 0)).toBe(112)
})

test('a projection goes on at the pace of the last week, and names when the limit would be met', async () => {
  await bringIn('steady', every(24 * 20, 2))
  const limitTo = (limit: number) =>
    service.operator.createOverride({
      body: { tenantId: 'steady', feature: 'api_calls', set: { limit }, reason: 'The limit of a test' },
    })
  await limitTo(100_000)
  const meterOf = async (tenantId: string) =>
    (await service.operator.getUsage({ query: { tenantId } })).data.meters.find(({ meter }) => meter === 'api_calls')!
  const meter = await meterOf('steady')
  const hoursLeft = service.clock.now().until(Temporal.Instant.from(meter.window.end)).total('hours')
  expect(meter.projection!.used).toBeGreaterThan(meter.used)
  expect(Math.abs(meter.projection!.used - meter.used - 2 * hoursLeft)).toBeLessThan(3)
  expect(meter.projection!.limitReachedAt).toBeNull()
  await limitTo(meter.used + 20)
  const reachedAt = Temporal.Instant.from((await meterOf('steady')).projection!.limitReachedAt!)
  expect(Math.abs(service.clock.now().until(reachedAt).total('hours') - 10)).toBeLessThan(0.1)

  await bringIn('new', every(5, 2))
  expect((await meterOf('new')).projection).toBeNull()
})

test('an hour unlike those of past weeks is told, and decides nothing', async () => {
  await bringIn('odd', [...every(24 * 7 * 6, 10).slice(1), { hoursAgo: 1, quantity: 900 }])
  const { anomalies } = await historyOf('odd')
  expect(anomalies.map(({ span, kind, value, expected }) => [span, kind, value, expected])).toEqual([
    ['hour', 'high', 900, 10],
    ['day', 'high', 1_130, 240],
  ])
})

test.each([
  ['an unknown meter', { meter: 'nothing' }, 'meter_unknown'],
  [
    'a time that ends before it begins',
    { from: '2026-02-01T00:00:00Z', to: '2026-01-01T00:00:00Z' },
    'invalid_request',
  ],
  ['too many points', { from: '2020-01-01T00:00:00Z', step: 'hour' }, 'invalid_request'],
  ['a property that is not grouped by', { groupBy: 'nothing' }, 'invalid_request'],
] as const)('refuses %s', async (_, query, code) => {
  await service.customer(`refused-${code}-${Object.keys(query).join('-')}`)
  const tenantId = `refused-${code}-${Object.keys(query).join('-')}`
  await expect(
    service.operator.getUsageHistory({ query: { tenantId, meter: 'api_calls', ...query } }),
  ).rejects.toMatchObject({ code })
})
