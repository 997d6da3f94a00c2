import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { query, sql } from '../src/platform/db.ts'
import { type Service, startService } from './support/service.ts'

/** `POST /rating/preview` (RAT-1, RAT-2): plans of the catalog, and what misuse gets. The arithmetic is tested beside its rules. */
let service: Service
beforeAll(async () => {
  service = await startService()
})
afterAll(() => service?.stop())

const post = (body: unknown) => service.send('POST', '/api/v1/rating/preview', { body: JSON.stringify(body) })
const march = { start: '2026-03-01T00:00:00Z', end: '2026-04-01T00:00:00Z' }
type Line = { charge: string; amount: { amountMinor: string }; calculation: { amount: string }[] }
const linesOf = (json: Record<string, unknown>) => (json.data as { lines: Line[] }).lines

test('a plan of the catalog: base, seats above those included, usage above what is included', async () => {
  const { status, json } = await post({
    currency: 'USD',
    period: march,
    plan: { plan: 'pro', price: 'monthly', seats: 5 },
    usage: [{ meter: 'api_calls', quantity: 16_000 }],
  })
  expect(status).toBe(200)
  // 5000 × 0.4 + 1000 × 0.25
  expect(linesOf(json).map(({ charge, amount }) => [charge, amount.amountMinor])).toEqual([
    ['base', '4900'],
    ['seats', '2400'],
    ['api_calls', '2250'],
  ])
})

test('a change of plan in mid-period, paid in advance', async () => {
  const { json } = await post({
    currency: 'USD',
    period: { start: '2026-04-01T00:00:00Z', end: '2026-05-01T00:00:00Z' },
    plan: { plan: 'pro', price: 'monthly' },
    planChanges: [{ at: '2026-04-16T00:00:00Z', plan: 'scale', price: 'monthly' }],
    settings: { proration: { style: 'credit_and_charge' } },
  })
  expect(
    linesOf(json).flatMap(({ charge, amount }) => (amount.amountMinor === '0' ? [] : [[charge, amount.amountMinor]])),
  ).toEqual([
    ['base', '-2450'],
    ['base_2', '9950'],
  ])
})

test('nothing is stored', async () => {
  const count = async () =>
    (await query<{ n: number }>(service.app.deps.db, sql`select count(*)::int as n from outbox`))[0]!.n
  const before = await count()
  await post({ currency: 'USD', period: march, charges: [{ key: 'base', price: { model: 'flat', unitAmount: 1 } }] })
  expect(await count()).toBe(before)
})

describe('misuse', () => {
  const base = { currency: 'USD', period: march, charges: [{ key: 'base', price: { model: 'flat', unitAmount: 1 } }] }
  test.each([
    ['a plan that is not there', { ...base, plan: { plan: 'gold' } }, 'plan.plan'],
    ['a name that every object has', { ...base, plan: { plan: 'constructor' } }, 'plan.plan'],
    [
      'a price in another currency',
      { ...base, currency: 'CHF', plan: { plan: 'pro', price: 'monthly' } },
      'plan.price',
    ],
    ['an unknown field', { ...base, chargs: [] }, 'chargs'],
    ['an unknown model', { ...base, charges: [{ key: 'base', price: { model: 'magic' } }] }, 'charges.0.price.model'],
    [
      'too many digits',
      { ...base, charges: [{ key: 'base', price: { model: 'flat', unitAmount: '9'.repeat(39) } }] },
      'charges.0.price.unitAmount',
    ],
    [
      'too many records',
      { ...base, usage: [{ meter: 'base', records: Array(5_001).fill({ at: march.start }) }] },
      'usage.0.records',
    ],
    ['too many charges', { ...base, charges: Array(51).fill(base.charges[0]) }, 'charges'],
  ])('%s', async (_, body, field) => {
    const { status, json } = await post(body)
    expect(`${status} ${json.code}`).toBe('400 invalid_request')
    expect((json.errors as { field: string }[]).map((error) => error.field)).toContain(field)
  })

  test('a wrong form is told once, with the form that is asked for', async () => {
    const { json } = await post({ ...base, currency: 'usd' })
    expect(json.errors).toEqual([
      { field: 'currency', message: 'must be three capital letters of ISO 4217, such as USD' },
    ])
  })

  test('a body above half a megabyte', async () => {
    const { status, json } = await post({ ...base, padding: 'x'.repeat(600_000) })
    expect(`${status} ${json.code}`).toBe('413 body_too_large')
  })
})
