import type { MeterUsage } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { anomalySentence, historyLabel, projectionSentence } from './history.ts'

test.each([
  ['day', 'UTC', '1 Dec'],
  ['day', 'America/Los_Angeles', '30 Nov'],
  ['hour', 'UTC', '1 Dec, 00:00'],
  ['hour', 'Asia/Kolkata', '1 Dec, 05:30'],
] as const)('a label by %s in %s', (step, zone, label) => {
  expect(historyLabel('2026-12-01T00:00:00Z', step, zone, 'en-GB')).toBe(label)
})

test('what is unusual is told beside what is usual', () => {
  const anomaly = { span: 'hour' as const, start: '', end: '', value: 400, expected: 1 }
  expect(anomalySentence({ ...anomaly, kind: 'high' }, 'call')).toBe(
    'Unusually much in the last whole hour: 400 calls, where the same time of past weeks had about 1 call.',
  )
  expect(anomalySentence({ ...anomaly, span: 'day', kind: 'low' }, 'call')).toMatch(/^Unusually little in the last 24/)
})

test('a projection says when the limit would be reached, or only how much', () => {
  const meter = { unit: 'call', window: { start: '', end: '2026-12-01T00:00:00Z' } } as MeterUsage
  expect(projectionSentence({ ...meter, projection: null })).toBeNull()
  expect(projectionSentence({ ...meter, projection: { used: 1_200, limitReachedAt: null } })).toMatch(
    /^At the pace of the last week, about 1,200 calls by .*2026\.$/,
  )
  expect(projectionSentence({ ...meter, projection: { used: 1_200, limitReachedAt: '2026-11-20T10:00:00Z' } })).toMatch(
    /; the limit would be reached on .*20.*\.$/,
  )
})
