import { describe, expect, test } from 'vitest'
import { afterDiscounts } from './after-discounts.ts'

const amounts = (...all: bigint[]) => all.map((amountMinor) => ({ charge: 'api_calls', amountMinor }))
const share = (percentOff: string) => ({ percentOff, amountOff: null })
const fixed = (amountMinor: bigint) => ({ percentOff: null, amountOff: { amountMinor, currency: 'USD' } })

describe('what discounts leave of usage for credit to pay (INV-3)', () => {
  test.each<[string, ReturnType<typeof amounts>, Parameters<typeof afterDiscounts>[1], bigint[]]>([
    ['nothing taken off', amounts(3_000n), [], [3_000n]],
    ['half of it', amounts(3_000n), [share('50')], [1_500n]],
    ['all of it', amounts(3_000n, 1n), [share('100')], [0n, 0n]],
    ['a share with decimals, never more than is due', amounts(999n), [share('33.3')], [666n]],
    ['a correction by the same share', amounts(3_000n, -1_000n), [share('50')], [1_500n, -500n]],
    ['a fixed amount, from the first on', amounts(300n, 500n), [fixed(400n)], [0n, 400n]],
    ['a fixed amount above everything', amounts(300n, -100n), [fixed(1_000n)], [0n, -100n]],
    ['one after the other', amounts(1_000n), [fixed(200n), share('50')], [400n]],
  ])('%s', (_, of, discounts, left) => {
    expect(afterDiscounts(of, discounts).map(({ amountMinor }) => amountMinor)).toEqual(left)
  })
})
