import { createTestDatabase, type TestDatabase } from '@turnpike/local/test-database'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { movableClock } from './clock.ts'
import { closeDb, type Db, openDb, query, sql, type Tx, transact } from './db.ts'
import { createLog } from './log.ts'
import { appendEvents, placeEvents, readEvents, streamSequence } from './outbox.ts'

let database: TestDatabase
let db: Db
let other: Db
const clock = movableClock('2026-01-31T10:00:00Z')
beforeEach(async () => {
  database = await createTestDatabase()
  const open = () => openDb(database.url, { log: createLog('silent'), max: 20 })
  db = open()
  other = open()
})
afterEach(async () => {
  await closeDb(db)
  await closeDb(other)
  await database.drop()
})

const append = (tx: Tx, tenantId: string, ...names: string[]) =>
  appendEvents(
    tx,
    clock,
    { tenantId, customerId: `customer_${tenantId}` },
    null,
    names.map((name) => ({ type: 'customer.updated', data: { name } })),
  )
const commit = (on: Db, tenantId: string, ...names: string[]) => transact(on, (tx) => append(tx, tenantId, ...names))
const placeAll = async (on: Db): Promise<void> => {
  while ((await placeEvents(on)) > 0);
}
const read = async (tenantId: string | null = null) =>
  (await readEvents(db, 0n, 10_000, tenantId)).map((event) => ({ ...event, name: event.data.name }))

describe('the sequence of a customer', () => {
  test('has no gaps and no repeats, whoever writes at once', async () => {
    await Promise.all(
      Array.from({ length: 60 }, (_, n) => commit(n % 2 ? db : other, n % 3 ? 'ana' : 'bob', `a${n}`, `b${n}`)),
    )
    await placeAll(db)
    for (const [tenantId, count] of [
      ['ana', 80],
      ['bob', 40],
    ] as const) {
      const sequences = (await read(tenantId)).map((event) => Number(event.sequence))
      expect(sequences).toEqual(Array.from({ length: count }, (_, n) => n + 1))
      expect(await streamSequence(db, tenantId)).toBe(count)
    }
  })

  test('gives back what a transaction took that did not happen', async () => {
    await commit(db, 'ana', 'one')
    await expect(
      transact(db, async (tx) => {
        await append(tx, 'ana', 'never')
        throw new Error('rolled back')
      }),
    ).rejects.toThrow('rolled back')
    await commit(db, 'ana', 'two')
    await placeAll(db)
    expect((await read('ana')).map((event) => [event.name, Number(event.sequence)])).toEqual([
      ['one', 1],
      ['two', 2],
    ])
  })

  test('is known to the event while it is made, and the budget is read after the place was taken', async () => {
    await commit(db, 'ana', 'one')
    await transact(db, (tx) =>
      appendEvents(
        tx,
        clock,
        { tenantId: 'ana', customerId: 'customer_ana' },
        null,
        [
          {
            type: 'customer.updated',
            data: ({ sequence, planId }) => ({ name: `event ${sequence}, taken ${planId}` }),
          },
        ],
        async () => ({
          tenantId: 'ana',
          customerId: 'customer_ana',
          subscriptionId: null,
          // What the stream says while the budget is read.
          planId: String(await streamSequence(tx, 'ana')),
          feature: null,
          totalBudget: null,
          currentSpend: 0,
          periodStart: '2026-11-01T00:00:00Z',
          periodEnd: '2026-12-01T00:00:00Z',
        }),
      ),
    )
    await placeAll(db)
    expect((await read('ana')).map((event) => event.name)).toEqual(['one', 'event 2, taken 2'])
  })

  test('nothing to tell takes nothing', async () => {
    await commit(db, 'ana')
    expect(await streamSequence(db, 'ana')).toBe(0)
  })
})

describe('positions', () => {
  test('are given after the commit: who commits late comes late, and is missed by nobody', async () => {
    const slow = await db.pool.connect()
    await slow.query('begin')
    await append({ client: slow } as Tx, 'slow', 'began first')
    await commit(db, 'fast', 'committed first')
    await placeAll(db)
    const seen = await read()
    expect(seen.map((event) => event.name)).toEqual(['committed first'])
    await slow.query('commit')
    slow.release()
    await placeAll(db)
    // A reader who has seen the first goes on after it and finds the second.
    const later = await readEvents(db, seen[0]!.position, 10, null)
    expect(later.map((event) => event.data.name)).toEqual(['began first'])
    expect(await read('slow')).toHaveLength(1)
  })

  test('are each given once, also by two relays at once, and in the order of each customer', async () => {
    await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        commit(db, `t${n % 4}`, ...Array.from({ length: 60 }, (_, m) => `${n}.${m}`)),
      ),
    )
    await Promise.all([db, other, db, other].map(placeAll))
    await placeAll(db)
    const events = await read()
    expect(events).toHaveLength(2_400)
    expect(new Set(events.map((event) => event.position)).size).toBe(2_400)
    for (const tenantId of ['t0', 't1', 't2', 't3']) {
      const own = events.filter((event) => event.tenant_id === tenantId).map((event) => Number(event.sequence))
      expect(own).toEqual(Array.from({ length: 600 }, (_, n) => n + 1))
    }
  })

  test('stay what they are when the relay runs again', async () => {
    await commit(db, 'ana', 'one', 'two')
    await placeAll(db)
    const before = await read()
    expect(await placeEvents(other)).toBe(0)
    expect(await read()).toEqual(before)
  })

  test('become visible in their order while one relay is at it', async () => {
    await commit(db, 'ana', 'one')
    const holding = await other.pool.connect()
    await holding.query('begin')
    await holding.query("select pg_advisory_xact_lock(hashtext('turnpike outbox'))")
    expect(await placeEvents(db)).toBe(0)
    expect(await read()).toEqual([])
    await holding.query('rollback')
    holding.release()
    expect(await placeEvents(db)).toBe(1)
    expect(await read()).toHaveLength(1)
  })
})

test('what was not placed yet is shown to nobody', async () => {
  await commit(db, 'ana', 'one')
  expect(await read()).toEqual([])
  expect(await query(db, sql`select from outbox`)).toHaveLength(1)
})
