import { describe, expect, test } from 'vitest'
import { exactOf } from '../rating/index.ts'
import { beginWith, type Left, leave } from './leave.ts'

const plan = (periods?: number, carries: string[] = ['calls']) =>
  ({
    ...(periods ? { billing: { commitment: { amounts: { USD: 1 }, periods } } } : {}),
    usagePrices: Object.fromEntries(
      ['calls', 'tokens'].map((key) => [
        key,
        { model: 'per_unit', ...(carries.includes(key) ? { rollover: {} } : {}) },
      ]),
    ),
  }) as unknown as Parameters<typeof beginWith>[2]
const left = (more: Partial<Left> = {}): Left => ({
  plan: 'pro',
  carried: { calls: [{ quantity: '1/3', periodsAgo: 1 }] },
  commitment: { periods: 2, spentMinor: '700' },
  ...more,
})
const pro = { plan: 'pro' }

describe('a period begins', () => {
  test.each<[string, Left | null, typeof pro, Parameters<typeof beginWith>[2], [number, bigint, string[]]]>([
    ['with nothing where none came before', null, pro, plan(3), [0, 0n, []]],
    ['with what was left under its plan', left(), pro, plan(3), [2, 700n, ['calls']]],
    ['with nothing under another plan', left(), { plan: 'scale' }, plan(3), [0, 0n, []]],
    ['a commitment anew when it is over', left(), pro, plan(2), [0, 0n, ['calls']]],
    ['without a commitment that is not sold any more', left(), pro, plan(), [0, 0n, ['calls']]],
    ['without what its price carries on no more', left(), pro, plan(3, ['tokens']), [2, 700n, []]],
  ])('%s', (_, before, terms, content, [periodsBefore, spentBeforeMinor, carried]) => {
    const begun = beginWith(before, terms, content, false)
    expect(begun.standing).toEqual({ periodsBefore, spentBeforeMinor, ends: false })
    expect(Object.keys(begun.carried)).toEqual(carried)
  })

  test('with the very quantity that was left, also where it is no decimal', () => {
    expect(beginWith(left(), pro, plan(), false).carried.calls).toEqual([{ quantity: { n: 1n, d: 3n }, periodsAgo: 1 }])
    expect(exactOf('1/3')).toBeNull()
  })
})

describe('a rating leaves', () => {
  const amount = (charge: string | null, amountMinor: string) => ({ charge, amount: { amountMinor, currency: 'USD' } })
  const rated = {
    lines: [amount('calls', '300'), amount('calls_2', '50'), amount('tokens_2', '7'), amount(null, '1000')],
    allowances: [
      { charge: 'calls', used: '1', carriedOn: [{ quantity: '5', periodsAgo: 1 }], lapsed: '0' },
      { charge: 'calls_2', used: '1', carriedOn: [{ quantity: '9', periodsAgo: 1 }], lapsed: '0' },
      { charge: 'tokens_2', used: '1', carriedOn: [], lapsed: '3' },
    ],
  } as unknown as Parameters<typeof leave>[4]
  const begun = { standing: { periodsBefore: 1, spentBeforeMinor: 100n, ends: false } }
  const minimum = (charges: string[] | null) => ({ minimum: { charges } }) as unknown as Parameters<typeof leave>[3]

  test('what its last plan carries on, and nothing that is empty', () => {
    expect(leave([pro, pro], plan(), begun, minimum(null), rated).carried).toEqual({
      calls: [{ quantity: '9', periodsAgo: 1 }],
    })
  })
  test('the spending of the charges that count, without what was added to it', () => {
    expect(leave([pro, pro], plan(3), begun, minimum(['calls', 'calls_2']), rated).commitment).toEqual({
      periods: 2,
      spentMinor: '450',
    })
    expect(leave([pro, pro], plan(3), begun, minimum(null), rated).commitment).toMatchObject({ spentMinor: '457' })
  })
  test('no commitment where none was sold', () => {
    expect(leave([pro], plan(), begun, minimum(null), rated).commitment).toBeNull()
  })
})
