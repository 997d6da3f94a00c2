import type { Budget, EventEnvelope } from '@turnpike/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openStore, type Store } from '../src/gateway/store.ts'
import { budgetOf, eventOf } from './support/wire.ts'

const types = ['subscription.updated', 'usage.updated', 'invoice.paid', 'billing.updated'] as const

/** A feed of several customers: each customer's events in order, with the row after each that changes it. */
const feedArbitrary = fc
  .array(
    fc.record({
      tenantId: fc.constantFrom('ana', 'bob', 'cleo'),
      type: fc.constantFrom(...types),
      spend: fc.integer({ min: 0, max: 50 }),
      plan: fc.constantFrom('free', 'pro'),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((steps) => {
    const rows = new Map<string, Budget>()
    return steps.map(({ tenantId, type, spend, plan }, index): EventEnvelope => {
      const before = rows.get(tenantId)
      const sequence = (before?.sequence ?? 0) + 1
      const change =
        type === 'invoice.paid' ? { currentSpend: 0, periodStart: `2026-12-${sequence}` } : { currentSpend: spend }
      const row: Budget = { ...(before ?? budgetOf(tenantId)), ...change, planId: plan, sequence }
      const carries = type !== 'billing.updated' || before === undefined
      rows.set(tenantId, carries ? row : { ...before, sequence })
      return eventOf(tenantId, sequence, String(index + 1), type, carries ? { budget: row } : {})
    })
  })

/** A delivery with repeats: now and then it starts again from any earlier place, also at the very end. */
const deliveryArbitrary = feedArbitrary.chain((feed) =>
  fc.array(fc.tuple(fc.nat(feed.length), fc.nat(feed.length)), { maxLength: 6 }).map((rewinds) => {
    const delivery: EventEnvelope[] = []
    let reached = 0
    for (const [a, b] of rewinds.toSorted(([, left], [, right]) => left - right)) {
      const upTo = Math.max(reached, b)
      delivery.push(...feed.slice(reached, upTo), ...feed.slice(Math.min(a, upTo), upTo))
      reached = upTo
    }
    delivery.push(...feed.slice(reached), ...feed.slice(rewinds[0]?.[0] ?? feed.length))
    return { feed, delivery }
  }),
)

const emptyStore = (): Store => {
  const store = openStore(':memory:')
  store.install({ position: '0', budgets: [], routingPolicies: [] })
  return store
}
const tablesOf = (store: Store) => ({ budgets: store.budgets(), position: store.position(), gaps: store.gaps() })
const applyAll = (store: Store, events: EventEnvelope[]) => events.map((event) => store.apply(event).outcome)

test('however an ordered stream is split and repeated, the tables end the same', () => {
  fc.assert(
    fc.property(deliveryArbitrary, ({ feed, delivery }) => {
      const [once, repeated] = [emptyStore(), emptyStore()]
      const outcomes = applyAll(once, feed)
      expect(new Set(outcomes)).toEqual(new Set(['applied']))
      const again = applyAll(repeated, delivery)
      expect(again.filter((outcome) => outcome === 'applied')).toHaveLength(feed.length)
      expect(tablesOf(repeated)).toEqual(tablesOf(once))
      once.close()
      repeated.close()
    }),
    { numRuns: 150 },
  )
})

test('whenever the snapshot is taken, the events after its position lead to the same tables', () => {
  fc.assert(
    fc.property(feedArbitrary, fc.nat(60), fc.nat(60), (feed, a, b) => {
      // Rows may be newer than the position: they are read after it.
      const [position, read] = [Math.min(a, b, feed.length), Math.min(Math.max(a, b), feed.length)]
      const whole = emptyStore()
      applyAll(whole, feed)
      const seed = emptyStore()
      applyAll(seed, feed.slice(0, read))
      const started = openStore(':memory:')
      const rows = seed.budgets().map((row) => ({ ...row, sequence: lastSequence(feed.slice(0, read), row.tenantId) }))
      started.install({ position: String(position), budgets: rows, routingPolicies: [] })
      expect(applyAll(started, feed.slice(position))).not.toContain('gap')
      expect(withoutSequence(started.budgets())).toEqual(withoutSequence(whole.budgets()))
      for (const store of [whole, seed, started]) store.close()
    }),
    { numRuns: 100 },
  )
})

const lastSequence = (events: EventEnvelope[], tenantId: string) =>
  events.findLast((event) => event.tenantid === tenantId)?.sequence ?? 0
const withoutSequence = (budgets: Budget[]) => budgets.map(({ sequence, ...row }) => row)

test('created inserts, updated updates, paid resets the period', () => {
  const store = emptyStore()
  const step = (sequence: number, type: (typeof types)[number] | 'customer.created', change: Partial<Budget>) =>
    store.apply(eventOf('ana', sequence, String(sequence), type, { budget: budgetOf('ana', { ...change, sequence }) }))
  step(1, 'customer.created', { currentSpend: 0 })
  expect(store.budgets()).toMatchObject([{ planId: 'free', currentSpend: 0 }])
  step(2, 'subscription.updated', { planId: 'pro', totalBudget: null, currentSpend: 40 })
  expect(store.budgets()).toMatchObject([{ planId: 'pro', totalBudget: null, currentSpend: 40 }])
  step(3, 'invoice.paid', { planId: 'pro', currentSpend: 0, periodStart: '2026-12-01T00:00:00Z' })
  expect(store.budgets()).toMatchObject([{ currentSpend: 0, periodStart: '2026-12-01T00:00:00Z' }])
})

test('an event that skips one changes nothing, the position included', () => {
  const store = emptyStore()
  const first = eventOf('ana', 1, '1', 'customer.created', { budget: budgetOf('ana', { sequence: 1 }) })
  const third = eventOf('ana', 3, '3', 'usage.updated', { budget: budgetOf('ana', { currentSpend: 9, sequence: 3 }) })
  store.apply(first)
  const before = tablesOf(store)
  expect(store.apply(third)).toEqual({ outcome: 'gap', expected: 2 })
  expect(tablesOf(store)).toEqual(before)
})

test('events published together may carry the row after the last of them', () => {
  const store = emptyStore()
  const row = budgetOf('ana', { currentSpend: 7, sequence: 3 })
  const outcomes = [1, 2, 3].map(
    (n) => store.apply(eventOf('ana', n, String(n), 'usage.updated', { budget: row })).outcome,
  )
  expect(outcomes).toEqual(['applied', 'applied', 'applied'])
  expect(store.position()).toBe('3')
})

test('an older row never replaces a newer one', () => {
  const store = emptyStore()
  store.apply(eventOf('ana', 1, '1', 'usage.updated', { budget: budgetOf('ana', { currentSpend: 7, sequence: 2 }) }))
  store.apply(eventOf('ana', 2, '2', 'usage.updated', { budget: budgetOf('ana', { currentSpend: 3, sequence: 1 }) }))
  expect(store.budgets()).toMatchObject([{ currentSpend: 7 }])
})
