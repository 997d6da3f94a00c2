import { createTestDatabase, type TestDatabase } from '@turnpike/local/test-database'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../src/core/ids.ts'
import { burnForPeriods, type PeriodCost } from '../src/flows/steps/burn-credits.ts'
import { insertCustomer } from '../src/modules/customers/index.ts'
import {
  countMovements,
  expiryPosting,
  findGrantById,
  type GrantRecord,
  grantPosting,
  hasEnded,
  insertGrant,
  listEntries,
  type Posting,
  post,
  saveGrant,
  unbalancedTenants,
  voidPosting,
} from '../src/modules/ledger/index.ts'
import { readRatingRequest } from '../src/modules/rating/index.ts'
import { movableClock } from '../src/platform/clock.ts'
import { closeDb, type Db, openDb, query, sql, transact } from '../src/platform/db.ts'
import { createLog } from '../src/platform/log.ts'

/** The ledger as the database holds it (INV-3): whole, append-only, never below zero, the same after any repeat. */
let database: TestDatabase
let db: Db
beforeAll(async () => {
  database = await createTestDatabase()
  db = openDb(database.url, { log: createLog('silent') })
})
afterAll(async () => {
  await closeDb(db)
  await database.drop()
})

const begin = Temporal.Instant.from('2026-01-01T00:00:00Z')
const day = (n: number) => begin.add({ hours: 24 * n })
const clock = movableClock(begin.toString())

const customer = async (): Promise<string> => {
  const tenantId = newId('request')
  await transact(db, (tx) =>
    insertCustomer(tx, {
      tenantId,
      customerId: newId('customer'),
      name: tenantId,
      email: null,
      currency: 'USD',
      timeZone: 'UTC',
      createdAt: begin,
      updatedAt: begin,
    }),
  )
  return tenantId
}
const grantOf = (tenantId: string, more: Partial<GrantRecord> = {}): GrantRecord => ({
  tenantId,
  grantId: newId('grant'),
  state: 'active',
  category: 'promotional',
  currency: 'USD',
  amountMinor: 1_000n,
  paidMinor: 0n,
  priority: 50,
  charges: null,
  grantedAt: begin,
  expiresAt: null,
  reason: 'test',
  grantedBy: 'test',
  checkoutId: null,
  requestExpiresAt: null,
  decidedBy: null,
  decidedAt: null,
  decisionReason: null,
  voidedAt: null,
  ...more,
})
const give = (grant: GrantRecord) =>
  transact(db, async (tx) => {
    await insertGrant(tx, grant)
    await post(tx, [grantPosting(grant, { actor: 'test', at: grant.grantedAt })], begin)
  })
const leftOf = async (grantId: string) => (await findGrantById(db, grantId))!.leftMinor
const settings = (() => {
  const read = readRatingRequest(
    {
      currency: 'USD',
      period: { start: begin.toString(), end: day(31).toString() },
      charges: [{ key: 'a', quantity: 1, price: { model: 'one_time', unitAmount: 1 } }],
    },
    null,
  )
  if (!read.ok) throw new Error(JSON.stringify(read.errors))
  return read.input.settings
})()
const costOf = (tenantId: string, amountMinor: bigint, more: Partial<PeriodCost> = {}): PeriodCost => ({
  tenantId,
  periodId: newId('request'),
  round: 0,
  currency: 'USD',
  at: day(1),
  isAgain: false,
  amounts: [{ charge: 'calls', amountMinor }],
  settings,
  ...more,
})
const burn = (...costs: PeriodCost[]) => transact(db, (tx) => burnForPeriods(tx, { clock }, costs, 'test'))
/** The period again, now with another cost. */
const correct = (cost: PeriodCost, amountMinor: bigint, round: number) =>
  burn({ ...cost, round, isAgain: true, amounts: [{ charge: 'calls', amountMinor }] })

const raw = (tenantId: string, grantId: string, more: Partial<Posting> = {}): Posting => ({
  tenantId,
  postingId: newId('posting'),
  kind: 'burn',
  currency: 'USD',
  at: begin,
  reference: 'test',
  reason: null,
  actor: 'test',
  entries: [
    { kind: 'credit', grantId, amountMinor: -10n },
    { kind: 'revenue', grantId: null, amountMinor: 10n },
  ],
  ...more,
})

test('a movement that does not sum to zero is not written, however it is tried', async () => {
  const tenantId = await customer()
  const grant = grantOf(tenantId)
  await give(grant)
  const [credit, revenue] = raw(tenantId, grant.grantId).entries
  const crooked = raw(tenantId, grant.grantId, { entries: [credit!, { ...revenue!, amountMinor: 9n }] })
  await expect(transact(db, (tx) => post(tx, [crooked], begin))).rejects.toThrow(/is not whole/)
  const good = raw(tenantId, grant.grantId)
  await transact(db, (tx) => post(tx, [good], begin))
  // Also not by adding to one that is there, even in pairs that sum to zero.
  const addTo = (amounts: bigint[]) =>
    transact(db, async (tx) => {
      for (const [index, amount] of amounts.entries())
        await query(
          tx,
          sql`insert into ledger_entries (tenant_id, posting_id, line, account, currency, amount_minor) values (${tenantId}, ${good.postingId}, ${10 + index}, ${index % 2 === 0 ? grant.grantId : 'revenue'}, 'USD', ${amount})`,
        )
    })
  await expect(addTo([5n])).rejects.toThrow(/is not whole/)
  await expect(addTo([5n, -5n])).rejects.toThrow(/is not whole/)
  // And a posting without its entries is none.
  await expect(
    transact(db, (tx) =>
      query(
        tx,
        sql`insert into ledger_postings (tenant_id, posting_id, kind, currency, at, recorded_at, reference, actor, entries) values (${tenantId}, 'x', 'burn', 'USD', now(), now(), 'r', 'a', 2)`,
      ),
    ),
  ).rejects.toThrow(/is not whole/)
  expect(await leftOf(grant.grantId)).toBe(990n)
})

test.each([
  ['change a posting', sql`update ledger_postings set reason = 'other'`],
  ['delete a posting', sql`delete from ledger_postings`],
  ['change an entry', sql`update ledger_entries set amount_minor = amount_minor + 1`],
  ['delete an entry', sql`delete from ledger_entries`],
  ['set a balance', sql`update ledger_accounts set balance_minor = 1000000`],
  [
    'open an account with a balance',
    sql`insert into ledger_accounts (tenant_id, account, currency, kind, balance_minor) values ('t', 'revenue', 'USD', 'revenue', 5)`,
  ],
  ['delete an account', sql`delete from ledger_accounts`],
])('the application cannot %s', async (_, statement) => {
  await expect(query(db, statement)).rejects.toMatchObject({ code: '42501' })
})

test('credit is never below zero, also when two periods of one customer burn the same at once', async () => {
  const tenantId = await customer()
  const grant = grantOf(tenantId)
  await give(grant)
  // Nobody holds the customer's lock here, which closes do: the constraint stands behind it.
  const outcomes = await Promise.allSettled([700n, 700n].map((amountMinor) => burn(costOf(tenantId, amountMinor))))
  const burnt = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.length : 0))
  expect(await leftOf(grant.grantId)).toBeGreaterThanOrEqual(0n)
  const direct = raw(tenantId, grant.grantId, {
    entries: [
      { kind: 'credit', grantId: grant.grantId, amountMinor: -1_001n },
      { kind: 'revenue', grantId: null, amountMinor: 1_001n },
    ],
  })
  await expect(transact(db, (tx) => post(tx, [direct], begin))).rejects.toThrow(/credit_never_below_zero/)
  expect(burnt.length).toBe(2)
})

test('a period burns once, however often its close is run', async () => {
  const tenantId = await customer()
  const grant = grantOf(tenantId)
  await give(grant)
  const cost = costOf(tenantId, 250n)
  expect(await burn(cost)).toMatchObject([
    { changes: [[grant.grantId, 250n]], event: { type: 'credit.burnt', data: { amount: { amountMinor: '250' } } } },
  ])
  expect(await burn(cost)).toEqual([])
  expect(await leftOf(grant.grantId)).toBe(750n)
  const entries = await listEntries(db, tenantId, { before: null, grantId: null, limit: 10 })
  expect(entries.filter(({ kind }) => kind === 'burn').map(({ reference }) => reference)).toEqual([
    cost.periodId,
    cost.periodId,
  ])
})

test('two periods of one close share what there is, the earlier first', async () => {
  const tenantId = await customer()
  const grant = grantOf(tenantId)
  await give(grant)
  const later = costOf(tenantId, 700n, { at: day(2) })
  const earlier = costOf(tenantId, 700n)
  const burnt = await burn(later, earlier)
  expect(burnt.map(({ periodId, changes }) => [periodId, changes[0]![1]])).toEqual([
    [earlier.periodId, 700n],
    [later.periodId, 300n],
  ])
})

test.each<[string, Partial<GrantRecord>, bigint]>([
  ['ends at the very end of the period', { expiresAt: day(1) }, 0n],
  ['ends a moment later', { expiresAt: day(1).add({ milliseconds: 1 }) }, 100n],
  ['was granted at the very end', { grantedAt: day(1) }, 100n],
  ['was granted a moment later', { grantedAt: day(1).add({ milliseconds: 1 }) }, 0n],
  ['is of another currency', { currency: 'EUR' }, 0n],
  ['may pay other charges', { charges: ['tokens'] }, 0n],
  ['may pay this charge', { charges: ['calls', 'tokens'] }, 100n],
])('credit that %s pays what it may', async (_, more, paid) => {
  const tenantId = await customer()
  const grant = grantOf(tenantId, more)
  await give(grant)
  await burn(costOf(tenantId, 100n))
  expect(1_000n - (await leftOf(grant.grantId))).toBe(paid)
})

test('credit for a usage price pays for it under each plan of the period, and for no other price', async () => {
  const tenantId = await customer()
  const grant = grantOf(tenantId, { charges: ['calls'] })
  await give(grant)
  const amounts = ['calls', 'calls_2', 'calls_10', 'calls_large', 'tokens_2'].map((charge) => ({
    charge,
    amountMinor: 100n,
  }))
  await burn(costOf(tenantId, 0n, { amounts }))
  expect(await leftOf(grant.grantId)).toBe(700n)
})

test('what a maximum takes off is not paid with credit', async () => {
  const tenantId = await customer()
  const grant = grantOf(tenantId)
  await give(grant)
  const amounts = [
    { charge: 'calls', amountMinor: 500n },
    { charge: '+maximum', amountMinor: -200n },
  ]
  await burn(costOf(tenantId, 0n, { amounts }))
  expect(await leftOf(grant.grantId)).toBe(700n)
})

test('after a correction a period has burnt as if it had been right from the beginning', async () => {
  const tenantId = await customer()
  const [first, second] = [grantOf(tenantId, { priority: 1 }), grantOf(tenantId, { priority: 2 })]
  await give(first)
  await give(second)
  const left = async () => [await leftOf(first.grantId), await leftOf(second.grantId)]
  const cost = costOf(tenantId, 1_200n)
  await burn(cost)
  expect(await left()).toEqual([0n, 800n])
  // Less: what went last comes back first.
  expect(await correct(cost, 900n, 1)).toMatchObject([{ event: { data: { amount: { amountMinor: '-300' } } } }])
  expect(await left()).toEqual([100n, 1_000n])
  expect(await correct(cost, 900n, 1)).toEqual([])
  // More than there is: all of it.
  await correct(cost, 5_000n, 2)
  expect(await left()).toEqual([0n, 0n])
  // Of what was paid with money, money comes back first: the credit stays burnt.
  expect(await correct(cost, 2_500n, 3)).toEqual([])
  await correct(cost, 0n, 4)
  expect(await left()).toEqual([1_000n, 1_000n])
  expect(await unbalancedTenants(db)).toEqual([])
})

type Step =
  | { do: 'grant'; amount: number; priority: number; ends: number | null; paid: boolean }
  | { do: 'burn'; amount: number }
  | { do: 'again' }
  | { do: 'correct'; amount: number }
  | { do: 'void'; which: number }
  | { do: 'wait'; days: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('grant' as const),
      amount: fc.integer({ min: 1, max: 500 }),
      priority: fc.integer({ min: 0, max: 2 }),
      ends: fc.option(fc.integer({ min: 1, max: 20 })),
      paid: fc.boolean(),
    }),
    fc.record({ do: fc.constant('burn' as const), amount: fc.integer({ min: 1, max: 800 }) }),
    fc.record({ do: fc.constant('again' as const) }),
    fc.record({ do: fc.constant('correct' as const), amount: fc.integer({ min: 0, max: 900 }) }),
    fc.record({ do: fc.constant('void' as const), which: fc.nat(5) }),
    fc.record({ do: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 6 }) }),
  ),
  { minLength: 3, maxLength: 25 },
)

const least = (a: bigint, b: bigint): bigint => (a > b ? b : a)

test('whatever happens to credit: sums are zero, balances replay, nothing below zero, burnt in the order of rating', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (story) => {
      const tenantId = await customer()
      const grants: GrantRecord[] = []
      // The small model: what each grant should have left.
      const left = new Map<string, bigint>()
      let today = 0
      let last: { cost: PeriodCost; burnt: Map<string, bigint>; round: number } | null = null
      // Independently of rating: by priority, then end, then given before bought, then age.
      const burnsOf = (amount: number, at: Temporal.Instant, before: ReadonlyMap<string, bigint>) => {
        let open = BigInt(amount)
        const burnt = new Map<string, bigint>()
        const order = grants
          .filter(
            (grant) =>
              (grant.voidedAt === null || before.has(grant.grantId)) &&
              !hasEnded(grant, at) &&
              Temporal.Instant.compare(grant.grantedAt, at) <= 0,
          )
          .sort(
            (a, b) =>
              a.priority - b.priority ||
              (a.expiresAt?.epochMilliseconds ?? Number.MAX_SAFE_INTEGER) -
                (b.expiresAt?.epochMilliseconds ?? Number.MAX_SAFE_INTEGER) ||
              Number(a.category === 'paid') - Number(b.category === 'paid') ||
              a.grantedAt.epochMilliseconds - b.grantedAt.epochMilliseconds ||
              (a.grantId < b.grantId ? -1 : 1),
          )
        for (const { grantId } of order) {
          const part = least(open, left.get(grantId)! + (before.get(grantId) ?? 0n))
          open -= part
          if (part > 0n) burnt.set(grantId, part)
        }
        for (const grantId of new Set([...before.keys(), ...burnt.keys()]))
          left.set(grantId, left.get(grantId)! + (before.get(grantId) ?? 0n) - (burnt.get(grantId) ?? 0n))
        return burnt
      }
      for (const [place, step] of story.entries()) {
        const at = day(today)
        if (step.do === 'wait') today += step.days
        if (step.do === 'grant') {
          const grant = grantOf(tenantId, {
            amountMinor: BigInt(step.amount),
            priority: step.priority,
            category: step.paid ? 'paid' : 'promotional',
            paidMinor: step.paid ? BigInt(step.amount) : 0n,
            grantedAt: at,
            expiresAt: step.ends === null ? null : day(today + step.ends),
          })
          await give(grant)
          grants.push(grant)
          left.set(grant.grantId, grant.amountMinor)
        }
        if (step.do === 'burn') {
          const cost = costOf(tenantId, BigInt(step.amount), { at })
          await burn(cost)
          last = { cost, burnt: burnsOf(step.amount, at, new Map()), round: 0 }
        }
        // A close that burnt nothing has no movement to be found; its lines are what keeps it from being run again.
        if (step.do === 'again' && last?.round === 0 && last.burnt.size > 0) await burn(last.cost)
        if (step.do === 'correct' && last) {
          const round: number = last.round + 1
          await correct(last.cost, BigInt(step.amount), round)
          last = { ...last, burnt: burnsOf(step.amount, last.cost.at, last.burnt), round }
        }
        const voided = step.do === 'void' ? grants[step.which] : undefined
        if (voided && voided.voidedAt === null && left.get(voided.grantId)! > 0n && !hasEnded(voided, at)) {
          await transact(db, async (tx) => {
            const grant = (await findGrantById(tx, voided.grantId))!
            await post(tx, [voidPosting(grant, { actor: 'test', at })], at)
            await saveGrant(tx, { ...grant, voidedAt: at })
          })
          voided.voidedAt = at
          left.set(voided.grantId, 0n)
        }
        // What has ended goes, as the job does it: now or at some later step, which changes nothing.
        for (const grant of grants)
          if (hasEnded(grant, day(today)) && left.get(grant.grantId)! > 0n && place % 2 === 0) {
            await transact(db, async (tx) => {
              const ended = (await findGrantById(tx, grant.grantId))!
              const moved = await countMovements(tx, tenantId, grant.grantId)
              await post(tx, [expiryPosting(ended, { actor: 'test' }, moved)], day(today))
            })
            left.set(grant.grantId, 0n)
          }
      }
      for (const [grantId, amount] of left) expect(await leftOf(grantId)).toBe(amount)
      expect(await unbalancedTenants(db)).toEqual([])
    }),
    { numRuns: 40 },
  )
})
