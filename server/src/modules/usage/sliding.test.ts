import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addTo, copyOf, peakAt, type Sliding, setHour } from './sliding.ts'

const window = (hours: number, used: [number, bigint][]): Sliding => ({ hours, used: new Map(used), known: null })

test.each<[string, [number, bigint][], number, bigint]>([
  ['nothing', [], 10, 0n],
  ['the hour that runs', [[10, 3n]], 10, 3n],
  [
    'the whole hours before it, and none before those',
    [
      [6, 100n],
      [7, 1n],
      [8, 2n],
      [10, 4n],
    ],
    10,
    7n,
  ],
  [
    'late usage: the fullest window that its hour is in',
    [
      [8, 1n],
      [10, 5n],
      [11, 4n],
      [12, 100n],
    ],
    8,
    10n,
  ],
])('%s', (_, used, hour, peak) => {
  expect(peakAt(window(3, used), hour)).toBe(peak)
})

/** Straight from the words: the fullest of all windows that hold an hour. */
const slowPeak = (used: ReadonlyMap<number, bigint>, hours: number, hour: number): bigint => {
  const sums = Array.from({ length: hours + 1 }, (_, ahead) =>
    [...used].reduce((sum, [h, q]) => (h <= hour + ahead && h >= hour + ahead - hours ? sum + q : sum), 0n),
  )
  return sums.sort((a, b) => (a < b ? 1 : -1))[0]!
}

test('what is remembered is what would be worked out anew, whatever is added, taken over, copied and asked for', () => {
  const hour = fc.integer({ min: 0, max: 9 })
  const step = fc.record({
    what: fc.constantFrom('add', 'set', 'ask', 'copy'),
    hour,
    quantity: fc.bigInt({ min: 0n, max: 9n }),
  })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 40 }), (hours, steps) => {
      let sliding = window(hours, [])
      const truth = new Map<number, bigint>()
      for (const { what, hour, quantity } of steps) {
        const known = truth.get(hour) ?? 0n
        if (what === 'add') {
          addTo(sliding, hour, quantity)
          truth.set(hour, known + quantity)
        }
        if (what === 'copy') sliding = copyOf(sliding)
        if (what === 'ask') expect(peakAt(sliding, hour)).toBe(slowPeak(truth, hours, hour))
      }
    }),
  )
})

test('memory forgets the hours that no window reaches any more', () => {
  const sliding = window(2, [])
  for (let hour = 0; hour < 50; hour++) setHour(sliding, hour, 1n)
  expect(sliding.used.size).toBeLessThanOrEqual(5)
  expect(peakAt(sliding, 49)).toBe(3n)
  setHour(sliding, 49, 5n)
  expect(peakAt(sliding, 49)).toBe(7n)
})
