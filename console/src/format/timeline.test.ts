import type { TimelineEntry } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { beginningOf, formatLatency, groupChains } from './timeline.ts'

const entry = (id: string, second: number, correlationId: string | null, kind: TimelineEntry['kind'] = 'event') =>
  ({
    id,
    at: new Date(second * 1000).toISOString(),
    kind,
    title: id,
    correlationId,
    actor: null,
    object: null,
    detail: {},
  }) satisfies TimelineEntry

test('entries of one operation make one chain, where its newest entry stood', () => {
  const chains = groupChains([
    entry('late', 30, null),
    entry('effect', 12, 'w'),
    entry('between', 11, null),
    entry('cause', 10, 'w', 'webhook'),
  ])
  expect(chains.map(({ entries }) => entries.map(({ id }) => id))).toEqual([['late'], ['effect', 'cause'], ['between']])
  expect(chains[1]).toMatchObject({ latencyMs: 2_000 })
  expect(beginningOf(chains[1]!).id).toBe('cause')
})

test.each([
  [340, '340 ms'],
  [2_400, '2.4 s'],
  [180_000, '3 min'],
])('%i ms are %s', (milliseconds, printed) => {
  expect(formatLatency(milliseconds)).toBe(printed)
})
