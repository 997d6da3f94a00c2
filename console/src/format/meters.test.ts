import type { MeterUsage } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { byUrgency, summariseMeters, viewMeter } from './meters.ts'

const meter = (change: Partial<MeterUsage> = {}): MeterUsage => ({
  meter: 'api_calls',
  name: 'API calls',
  unit: 'call',
  feature: 'api_calls',
  used: 8_730,
  included: 10_000,
  limit: 10_000,
  remaining: 1_270,
  percent: 87.3,
  overage: 0,
  enforcement: 'hard',
  state: 'available',
  upgradePlan: null,
  refusedAttempts: 0,
  projection: null,
  window: { start: '2026-11-01T00:00:00Z', end: '2026-12-01T00:00:00Z' },
  ...change,
})

test('an available meter says what is left and until when', () => {
  expect(viewMeter(meter())).toMatchObject({
    figure: '8,730 of 10,000 calls',
    sentence: '1,270 left until Dec 1, 2026, 00:00 UTC.',
    tone: 'neutral',
    fill: 87.3,
  })
})

test('what is counted for life names no day on which it starts again', () => {
  const window = { start: '1970-01-01T00:00:00Z', end: '9999-12-31T00:00:00Z' }
  expect(viewMeter(meter({ window })).sentence).toBe('1,270 left.')
  expect(viewMeter(meter({ window, limit: null, included: null, remaining: null })).sentence).toBe('No limit.')
  expect(viewMeter(meter({ window, state: 'blocked' })).sentence).toBe('New calls are refused.')
})

test('nearing never says more than is used', () => {
  expect(viewMeter(meter({ state: 'nearing_limit', percent: 99.9 })).sentence).toMatch(/^99% used\./)
})

test.each(['blocked', 'upgrade_available'] as const)('%s is full, hatched, and says what was refused', (state) => {
  const view = viewMeter(meter({ state, used: 10_000, remaining: 0, percent: 100, refusedAttempts: 14 }))
  expect(view).toMatchObject({ fill: 100, hatched: true, tone: 'danger', state })
  expect(view.sentence).toBe('New calls are refused until Dec 1, 2026, 00:00 UTC. 14 attempts were refused.')
})

test('overage is a warning, never a block, and shows where the included part ends', () => {
  const view = viewMeter(meter({ used: 6_200, included: 5_000, limit: 20_000, overage: 1_200, percent: 31 }))
  expect(view).toMatchObject({ state: 'overage', tone: 'warning', includedAt: 25, hatched: false })
  expect(view.sentence).toMatch(/^1,200 calls above the 5,000 included\. Refused from 20,000 on\./)
})

test('a soft limit that is passed refuses nothing', () => {
  const view = viewMeter(meter({ used: 10_500, overage: 500, enforcement: 'soft', percent: 105 }))
  expect(view.sentence).toContain('Nothing is refused.')
  expect(view.fill).toBe(100)
})

test('without a limit there is nothing to fill', () => {
  expect(viewMeter(meter({ limit: null, included: null, remaining: null, percent: null }))).toMatchObject({
    state: 'unlimited',
    fill: null,
    figure: '8,730 calls',
  })
})

test('a limit of zero is not included', () => {
  expect(viewMeter(meter({ limit: 0, included: 0, used: 0, state: 'blocked' })).state).toBe('not_included')
})

test('the summary counts by state and the most urgent meter comes first', () => {
  const meters = [
    meter({ name: 'A', percent: 10 }),
    meter({ name: 'B', state: 'blocked', percent: 100 }),
    meter({ name: 'C', state: 'nearing_limit', percent: 92 }),
    meter({ name: 'D', percent: 20 }),
  ]
  expect(summariseMeters(meters)).toBe('2 meters are fine, 1 is near its limit, 1 has reached its limit.')
  expect(meters.toSorted(byUrgency).map(({ name }) => name)).toEqual(['B', 'C', 'D', 'A'])
})
