import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CounterState, decideBatch, type LimitRule } from './decide-batch.ts'
import type { PreparedRecord } from './record.ts'

type Earlier = Parameters<typeof decideBatch>[3]

const record = (idempotencyKey: string, quantity: bigint, more: Partial<PreparedRecord> = {}): PreparedRecord => ({
  idempotencyKey,
  meter: 'calls',
  quantity,
  effects: [{ meter: more.meter ?? 'calls', aggregation: 'sum', counted: 'sum' }],
  at: 0,
  atGiven: false,
  service: null,
  correlationId: null,
  properties: null,
  ...more,
})
const upTo =
  (limit: bigint): LimitRule =>
  (used, quantity) =>
    used + quantity <= limit ? null : { feature: 'calls', code: 'limit_reached', limit: Number(limit) }

/** Decides records against one counter per meter; `groups` are the lengths of all-or-nothing groups, or none. */
const decide = (
  records: PreparedRecord[],
  options: { limit?: bigint; used?: bigint; reserved?: bigint; atomic?: number[]; earlier?: Earlier } = {},
) => {
  const meters = [...new Set(records.map((each) => each.meter))]
  const states = meters.map(
    (): CounterState => ({ used: options.used ?? 0n, reserved: options.reserved ?? 0n, records: 0, levelAt: null }),
  )
  const earlier: Earlier = options.earlier ?? new Map()
  let from = 0
  const groups = (options.atomic ?? [records.length]).map((length) => {
    const group = { from, to: from + length, atomic: options.atomic !== undefined }
    from += length
    return group
  })
  const rule = options.limit === undefined ? null : upTo(options.limit)
  const decisions = decideBatch(
    records.map((each) => {
      const counter = meters.indexOf(each.meter)
      const limit = rule && each.meter !== 'free' ? { counter, rule } : null
      return { record: each, place: { targets: [{ counters: [counter], limit }], shown: counter } }
    }),
    groups,
    states,
    earlier,
    (index) => records[index]!.idempotencyKey,
  )
  const counters = new Map(meters.map((meter, index) => [meter, states[index]!]))
  return { decisions, kinds: decisions.map(({ kind }) => kind), counter: counters.get('calls')!, counters, earlier }
}

test('records are decided in the order in which they came', () => {
  const { kinds, decisions, counter } = decide([record('a', 6n), record('b', 5n), record('c', 4n), record('d', 1n)], {
    limit: 10n,
  })
  expect(kinds).toEqual(['accepted', 'refused', 'accepted', 'refused'])
  expect(decisions.map((decision) => 'used' in decision && decision.used)).toEqual([6n, 6n, 10n, 10n])
  expect(counter).toMatchObject({ used: 10n, records: 2 })
})

describe('the edge of a limit', () => {
  test.each([
    [9n, 1n, 'accepted'],
    [9n, 2n, 'refused'],
    [10n, 0n, 'accepted'],
    [10n, 1n, 'refused'],
    [11n, 0n, 'refused'],
  ])('used %d, %d more of 10: %s', (used, quantity, kind) => {
    expect(decide([record('a', quantity)], { limit: 10n, used }).kinds).toEqual([kind])
  })
})

test('what is reserved for others leaves less room', () => {
  const { kinds } = decide([record('a', 3n), record('b', 2n), record('c', 1n)], { limit: 10n, used: 4n, reserved: 4n })
  expect(kinds).toEqual(['refused', 'accepted', 'refused'])
})

describe('a key that came before', () => {
  test('in the same batch is a repeat with the first answer', () => {
    const { decisions, counter } = decide([record('a', 3n), record('a', 3n)])
    expect(decisions[1]).toMatchObject({ kind: 'duplicate', earlier: { used: 3n, outcome: 'accepted' } })
    expect(counter).toMatchObject({ used: 3n, records: 1 })
  })

  test('and was refused stays refused, also when there is room now', () => {
    const first = decide([record('a', 11n)], { limit: 10n })
    const again = decide([record('a', 11n)], { limit: 100n, earlier: first.earlier })
    expect(again.decisions[0]).toMatchObject({
      kind: 'duplicate',
      earlier: { outcome: 'refused', limit: 10, code: 'limit_reached' },
    })
    expect(again.counter.used).toBe(0n)
  })

  test.each<[string, Partial<PreparedRecord>, string]>([
    ['the same', {}, 'duplicate'],
    ['another quantity', { quantity: 4n }, 'reused'],
    ['another meter', { meter: 'tokens' }, 'reused'],
    ['another service', { service: 'b' }, 'reused'],
    ['other properties', { properties: '{"a":2}' }, 'reused'],
    ['another time that was named', { at: 5, atGiven: true }, 'reused'],
    ['the same time that was named', { at: 1, atGiven: true }, 'duplicate'],
    // A repeat that names no time came later, so its own time differs.
    ['no time', { at: 5 }, 'duplicate'],
    ['another correlation', { correlationId: 'x' }, 'duplicate'],
  ])('with %s', (_, more, kind) => {
    const base = { at: 1, service: 'a', properties: '{"a":1}' }
    const first = decide([record('a', 3n, { ...base, atGiven: true })])
    const again = decide([record('a', 3n, { ...base, ...more })], { earlier: first.earlier })
    expect(again.kinds).toEqual([kind])
    expect([...again.counters.values()].map(({ used }) => used)).toEqual([0n])
  })
})

describe('a group that is all or nothing', () => {
  test('gives back what it took when one of its records is refused', () => {
    const { kinds, counter, earlier } = decide([record('a', 4n), record('b', 4n), record('c', 4n)], {
      limit: 10n,
      atomic: [3],
    })
    expect(kinds).toEqual(['withdrawn', 'withdrawn', 'refused'])
    expect(counter).toMatchObject({ used: 0n, records: 0 })
    expect([...earlier.keys()]).toEqual(['c'])
  })

  test('gives back also what was taken after the refusal', () => {
    const { kinds, counters } = decide([record('a', 11n), record('b', 1n, { meter: 'free' })], {
      limit: 10n,
      atomic: [2],
    })
    expect(kinds).toEqual(['refused', 'withdrawn'])
    expect(counters.get('free')).toMatchObject({ used: 0n, records: 0 })
  })

  test('leaves room to the groups after it', () => {
    const { kinds, counter } = decide([record('a', 8n), record('b', 8n), record('c', 9n)], {
      limit: 10n,
      atomic: [2, 1],
    })
    expect(kinds).toEqual(['withdrawn', 'refused', 'accepted'])
    expect(counter).toMatchObject({ used: 9n, records: 1 })
  })

  test('that was refused takes nothing when it is repeated, also when there is room by now', () => {
    const first = decide([record('a', 1n, { meter: 'free' }), record('b', 11n)], { limit: 10n, atomic: [2] })
    const again = decide([record('a', 1n, { meter: 'free' }), record('b', 11n)], {
      limit: 100n,
      atomic: [2],
      earlier: first.earlier,
    })
    expect(again.kinds).toEqual(['withdrawn', 'duplicate'])
    expect([...again.counters.values()]).toMatchObject([
      { used: 0n, records: 0 },
      { used: 0n, records: 0 },
    ])
  })

  test('with a key of another content takes nothing', () => {
    const first = decide([record('b', 1n)])
    const again = decide([record('a', 1n), record('b', 2n)], { atomic: [2], earlier: first.earlier })
    expect(again.kinds).toEqual(['withdrawn', 'reused'])
    expect(again.counter).toMatchObject({ used: 0n, records: 0 })
  })

  test('that was accepted is a repeat as a whole', () => {
    const first = decide([record('a', 4n), record('b', 4n)], { limit: 10n, atomic: [2] })
    const again = decide([record('a', 4n), record('b', 4n)], {
      limit: 10n,
      used: 8n,
      atomic: [2],
      earlier: first.earlier,
    })
    expect(again.kinds).toEqual(['duplicate', 'duplicate'])
    expect(again.counter).toMatchObject({ used: 8n, records: 0 })
  })
})

test('whatever comes in whatever order: counters are the sum of what was accepted, and no limit is passed', () => {
  const records = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.bigInt({ min: 0n, max: 8n })), {
    maxLength: 30,
  })
  fc.assert(
    fc.property(records, fc.bigInt({ min: 0n, max: 20n }), fc.boolean(), (given, limit, atomic) => {
      const list = given.map(([key, quantity]) => record(key, quantity))
      const { decisions, counter } = decide(list, { limit, ...(atomic ? { atomic: list.map(() => 1) } : {}) })
      const accepted = list.filter((_, index) => decisions[index]!.kind === 'accepted')
      const sum = accepted.reduce((total, each) => total + each.quantity, 0n)
      return (
        decisions.length === list.length &&
        (counter === undefined) === (list.length === 0) &&
        (list.length === 0 || (counter.used === sum && counter.records === accepted.length && sum <= limit)) &&
        new Set(accepted.map((each) => each.idempotencyKey)).size === accepted.length
      )
    }),
  )
})

describe('levels', () => {
  const level = (key: string, quantity: bigint, at: number) =>
    record(key, quantity, { effects: [{ meter: 'calls', aggregation: 'latest', counted: 'latest' }], at })

  test.each<[string, [bigint, number][], bigint, number]>([
    ['a report sets the level', [[5n, 10]], 5n, 10],
    [
      'a later one sets it anew, down too',
      [
        [5n, 10],
        [2n, 20],
      ],
      2n,
      20,
    ],
    [
      'what was so earlier is kept and changes nothing',
      [
        [2n, 20],
        [5n, 10],
      ],
      2n,
      20,
    ],
    [
      'of two with one time the later report counts',
      [
        [5n, 10],
        [2n, 10],
      ],
      2n,
      10,
    ],
    [
      'none are in use',
      [
        [5n, 10],
        [0n, 11],
      ],
      0n,
      11,
    ],
  ])('%s', (_, reports, used, levelAt) => {
    const { kinds, counter } = decide(reports.map(([quantity, at], index) => level(`k${index}`, quantity, at)))
    expect(kinds.every((kind) => kind === 'accepted')).toBe(true)
    expect(counter).toMatchObject({ used, levelAt, records: reports.length })
  })

  test('a repeat sets nothing back (USE-2)', () => {
    const { kinds, counter } = decide([level('a', 5n, 10), level('b', 2n, 10), level('a', 5n, 10)])
    expect(kinds).toEqual(['accepted', 'accepted', 'duplicate'])
    expect(counter.used).toBe(2n)
  })

  test('a group that is refused leaves the level as it was', () => {
    const { kinds, counter } = decide([level('a', 5n, 10), level('b', 3n, 20), record('c', 99n)], {
      limit: 50n,
      atomic: [1, 2],
    })
    expect(kinds).toEqual(['accepted', 'withdrawn', 'refused'])
    expect(counter).toMatchObject({ used: 5n, levelAt: 10, records: 1 })
  })

  test('in whatever order reports with different times come, the newest is the level', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7], { minLength: 1 }), (times) => {
        const { counter } = decide(times.map((at) => level(`k${at}`, BigInt(at), at)))
        expect(counter.used).toBe(BigInt(Math.max(...times)))
      }),
    )
  })
})

describe('what an all-or-nothing group took is given back to the groups after it, of every aggregation', () => {
  const other = { meter: 'other', aggregation: 'sum', counted: 'sum' } as const
  const full: LimitRule = (used, quantity) =>
    used + quantity <= 0n ? null : { feature: 'other', code: 'limit_reached', limit: 0 }
  const one = 1_000_000n

  test.each([
    ['sum', {}, 4n, 4n],
    ['count', {}, 4n, one],
    ['max', {}, 4n, 4n],
    ['unique', { seen: new Set<string>(), fresh: new Set<string>() }, 4n, one],
    ['latest', {}, 4n, 4n],
    ['time_weighted', {}, 4n, 4n],
    ['sum', { sliding: { hours: 3, used: new Map<number, bigint>(), known: null } }, 4n, 4n],
  ] as const)('%s', (aggregation, more, quantity, expected) => {
    const effect = { meter: 'calls', aggregation, counted: aggregation, value: 'ana' }
    const states: CounterState[] = [
      { used: 0n, reserved: 0n, records: 0, levelAt: null, ...more },
      { used: 0n, reserved: 0n, records: 0, levelAt: null },
    ]
    const counting = { targets: [{ counters: [0], limit: null }], shown: 0 }
    const refusing = { targets: [{ counters: [1], limit: { counter: 1, rule: full } }], shown: 1 }
    const items = [
      { record: record('a', quantity, { effects: [effect] }), place: counting },
      { record: record('b', 1n, { effects: [other] }), place: refusing },
      { record: record('c', quantity, { effects: [effect] }), place: counting },
    ]
    const groups = [
      { from: 0, to: 2, atomic: true },
      { from: 2, to: 3, atomic: true },
    ]
    const decisions = decideBatch(items, groups, states, new Map(), (index) => items[index]!.record.idempotencyKey)
    expect(decisions.map(({ kind }) => kind)).toEqual(['withdrawn', 'refused', 'accepted'])
    expect(states[0]).toMatchObject({ used: expected, records: 1 })
    expect(states[1]).toMatchObject({ used: 0n, records: 0 })
  })
})
