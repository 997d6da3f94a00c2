import { describe, expect, test } from 'vitest'
import { createRemembered, type Remembered } from './remembered.ts'
import type { CounterRow } from './store.ts'

const counter = (tenantId: string, version = 1): CounterRow => ({
  tenantId,
  meter: 'api_calls',
  span: 'period',
  windowStart: 0,
  windowEnd: 1,
  aggregation: 'sum',
  used: 0n,
  reserved: 0n,
  peak: 0n,
  records: 0n,
  version,
  levelAt: null,
})
const [a, b, c] = [counter('a'), counter('b'), counter('c')]

/** What is known of counters when work on them begins; it leaves them as it is told. */
const knownOf = async (remembered: Remembered, refs: CounterRow[], left: CounterRow[]) =>
  (await remembered.workOn(refs, async (known) => ({ known, left }))).known

describe('counters that are remembered (USE-2)', () => {
  test('are those that were left, in the order in which they are asked for; where one is missing none is known', async () => {
    const remembered = createRemembered(10)
    expect(await knownOf(remembered, [a], [a])).toBeNull()
    expect(await knownOf(remembered, [a, b], [b, a])).toBeNull()
    expect(await knownOf(remembered, [b, a], [])).toEqual([b, a])
  })

  test('are not known while somebody works on them: nobody can say how they will be left', async () => {
    const remembered = createRemembered(10)
    await knownOf(remembered, [a], [a])
    const first = Promise.withResolvers<{ left: CounterRow[] }>()
    const second = Promise.withResolvers<{ left: CounterRow[] }>()
    const firstDone = remembered.workOn([a], () => first.promise)
    const secondDone = remembered.workOn([a], (known) => {
      expect(known).toBeNull()
      return second.promise
    })
    // The first is done and the second still at it: what the first left is not what will be there.
    first.resolve({ left: [counter('a', 2)] })
    await firstDone
    expect(await knownOf(remembered, [a], [])).toBeNull()
    second.resolve({ left: [counter('a', 3)] })
    await secondDone
    expect(await knownOf(remembered, [a], [])).toEqual([counter('a', 3)])
  })

  test('are forgotten when it failed, or does not say how it left them', async () => {
    const remembered = createRemembered(10)
    await knownOf(remembered, [a, b], [a, b])
    await expect(remembered.workOn([a], () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    await knownOf(remembered, [b], [])
    expect(await knownOf(remembered, [a], [a])).toBeNull()
    expect(await knownOf(remembered, [b], [b])).toBeNull()
  })

  test('are so many at most, those that were left last', async () => {
    const remembered = createRemembered(2)
    for (const each of [a, b, a, c]) await knownOf(remembered, [each], [each])
    expect(await knownOf(remembered, [b], [])).toBeNull()
    expect(await knownOf(remembered, [a], [])).toEqual([a])
    expect(await knownOf(remembered, [c], [])).toEqual([c])
  })
})
