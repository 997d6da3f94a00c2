import { createTestDatabase, type TestDatabase } from '@turnpike/local/test-database'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../src/core/ids.ts'
import { burnForPeriods, creditsForRating, giveBackCredit, usableCredits } from '../src/flows/steps/burn-credits.ts'
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
  type PeriodBurn,
  type Posting,
  post,
  saveGrant,
  unbalancedTenants,
  voidPosting,
} from '../src/modules/ledger/index.ts'
import { rate, readRatingRequest } from '../src/modules/rating/index.ts'
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
      createdAt: begin,
      updatedAt: begin,
    } as Parameters<typeof insertCustomer>[1]),
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
const burnOf = (tenantId: string, grantId: string, amountMinor: bigint, periodId = newId('request')) => ({
  tenantId,
  periodId,
  currency: 'USD',
  at: day(1),
  burns: [{ grantId, amountMinor }],
})
const burn = (...periods: Parameters<typeof burnForPeriods>[2]) =>
  transact(db, (tx) => burnForPeriods(tx, { clock }, periods, 'test'))

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

test('credit is never below zero, also when two periods burn the same at once', async () => {
  const tenantId = await customer()
  const grant = grantOf(tenantId)
  await give(grant)
  const outcomes = await Promise.allSettled(
    [700n, 700n].map((amountMinor) => burn(burnOf(tenantId, grant.grantId, amountMinor))),
  )
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(String((outcomes.find(({ status }) => status === 'rejected') as PromiseRejectedResult).reason)).toMatch(
    /credit_never_below_zero/,
  )
  expect(await leftOf(grant.grantId)).toBe(300n)
})

test('a period burns once, however often its close is run', async () => {
  const tenantId = await customer()
  const grant = grantOf(tenantId)
  await give(grant)
  const period = burnOf(tenantId, grant.grantId, 250n)
  const first = await burn(period)
  expect(first.get(tenantId)).toMatchObject([{ type: 'credit.burnt', data: { amount: { amountMinor: '250' } } }])
  expect((await burn(period)).size).toBe(0)
  expect(await leftOf(grant.grantId)).toBe(750n)
  const entries = await listEntries(db, tenantId, { before: null, grantId: null, limit: 10 })
  expect(entries.filter(({ kind }) => kind === 'burn').map(({ reference }) => reference)).toEqual([
    period.periodId,
    period.periodId,
  ])
})

test('a correction gives back last burnt first, never more than the period burnt, and once', async () => {
  const tenantId = await customer()
  const [first, second] = [grantOf(tenantId), grantOf(tenantId)]
  await give(first)
  await give(second)
  const period = {
    ...burnOf(tenantId, first.grantId, 1_000n),
    burns: [
      { grantId: first.grantId, amountMinor: 1_000n },
      { grantId: second.grantId, amountMinor: 200n },
    ],
  }
  await burn(period)
  const giveBack = (cause: string, amountMinor: bigint) =>
    transact(db, (tx) => giveBackCredit(tx, { clock }, { ...period, cause, amountMinor, reason: null }, 'test'))
  expect((await giveBack('a', 300n)).givenBackMinor).toBe(300n)
  expect([await leftOf(first.grantId), await leftOf(second.grantId)]).toEqual([100n, 1_000n])
  expect((await giveBack('a', 300n)).givenBackMinor).toBe(0n)
  expect((await giveBack('b', 5_000n)).givenBackMinor).toBe(900n)
  expect((await giveBack('c', 1n)).givenBackMinor).toBe(0n)
  expect([await leftOf(first.grantId), await leftOf(second.grantId)]).toEqual([1_000n, 1_000n])
  expect(await unbalancedTenants(db)).toEqual([])
})

type Step =
  | { do: 'grant'; amount: number; priority: number; ends: number | null; paid: boolean }
  | { do: 'burn'; amount: number }
  | { do: 'again' }
  | { do: 'give_back'; amount: number }
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
    fc.record({ do: fc.constant('give_back' as const), amount: fc.integer({ min: 1, max: 300 }) }),
    fc.record({ do: fc.constant('void' as const), which: fc.nat(5) }),
    fc.record({ do: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 6 }) }),
  ),
  { minLength: 3, maxLength: 25 },
)

/** Rates one charge with the credits that there are, and gives what rating burnt of each. */
const rated = (credits: ReturnType<typeof creditsForRating>, amount: number, at: Temporal.Instant) => {
  const read = readRatingRequest(
    {
      currency: 'USD',
      period: { start: begin.toString(), end: day(400).toString() },
      charges: [{ key: 'base', quantity: 1, price: { model: 'one_time', unitAmount: amount } }],
    },
    null,
  )
  if (!read.ok) throw new Error(JSON.stringify(read.errors))
  return rate({ ...read.input, at, credits })
    .credits.filter(({ burntMinor }) => burntMinor > 0n)
    .map(({ key, burntMinor }) => ({ grantId: key, amountMinor: burntMinor }))
}
const least = (a: bigint, b: bigint): bigint => (a > b ? b : a)

test('whatever happens to credit: sums are zero, balances replay, nothing below zero, burnt in the order of rating', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (story) => {
      const tenantId = await customer()
      const grants: GrantRecord[] = []
      // The small model: what each grant should have left.
      const left = new Map<string, bigint>()
      let today = 0
      let last: PeriodBurn | null = null
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
          const usable = await transact(db, (tx) => usableCredits(tx, [tenantId]))
          const burns = rated(creditsForRating(usable.get(tenantId) ?? [], 'USD'), step.amount, at)
          // Independently: by priority, then end, then given before bought, then age.
          let open = BigInt(step.amount)
          const order = grants
            .filter((grant) => grant.voidedAt === null && left.get(grant.grantId)! > 0n && !hasEnded(grant, at))
            .sort(
              (a, b) =>
                a.priority - b.priority ||
                (a.expiresAt?.epochMilliseconds ?? Number.POSITIVE_INFINITY) -
                  (b.expiresAt?.epochMilliseconds ?? Number.POSITIVE_INFINITY) ||
                Number(a.category === 'paid') - Number(b.category === 'paid') ||
                a.grantedAt.epochMilliseconds - b.grantedAt.epochMilliseconds ||
                (a.grantId < b.grantId ? -1 : 1),
            )
          const expected = order.flatMap(({ grantId }) => {
            const amountMinor = least(open, left.get(grantId)!)
            open -= amountMinor
            return amountMinor > 0n ? [{ grantId, amountMinor }] : []
          })
          const byId = (burnt: typeof expected) => burnt.toSorted((a, b) => (a.grantId < b.grantId ? -1 : 1))
          expect(byId(burns)).toEqual(byId(expected))
          last = { tenantId, periodId: `${tenantId} ${place}`, currency: 'USD', at, burns: expected }
          await burn(last)
          for (const { grantId, amountMinor } of expected) left.set(grantId, left.get(grantId)! - amountMinor)
        }
        if (step.do === 'again' && last) await burn(last)
        if (step.do === 'give_back' && last) {
          const period: PeriodBurn = last
          const { givenBackMinor } = await transact(db, (tx) =>
            giveBackCredit(
              tx,
              { clock },
              { ...period, cause: String(place), amountMinor: BigInt(step.amount), reason: null },
              'test',
            ),
          )
          let back = givenBackMinor
          const open = period.burns.map((one) => ({ ...one }))
          for (const one of open.toReversed()) {
            const part = least(back, one.amountMinor)
            left.set(one.grantId, left.get(one.grantId)! + part)
            back -= part
          }
          expect(back).toBe(0n)
          last = { ...period, burns: takeOff(period.burns, givenBackMinor) }
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

/** What of a period's burning is left after something was given back, last burnt first. */
const takeOff = (burns: readonly { grantId: string; amountMinor: bigint }[], backMinor: bigint) => {
  let back = backMinor
  return burns
    .toReversed()
    .map(({ grantId, amountMinor }) => {
      const part = least(back, amountMinor)
      back -= part
      return { grantId, amountMinor: amountMinor - part }
    })
    .toReversed()
}
