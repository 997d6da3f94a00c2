import { createTestDatabase, type TestDatabase } from '@turnpike/local/test-database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { closeDb, type Db, openDb } from './db.ts'
import { giveBackLease, takeLease } from './inbox.ts'
import { createLog } from './log.ts'
import { type Listener, listen } from './notify.ts'

const log = createLog('silent')
const at = Temporal.Instant.from('2026-01-15T12:00:00Z')

let database: TestDatabase
let db: Db
const listeners: Listener[] = []
const another = async (): Promise<Listener> => {
  const listener = await listen(database.url, log, () => {})
  listeners.push(listener)
  return listener
}
beforeAll(async () => {
  database = await createTestDatabase()
  db = openDb(database.url, { log })
})
afterAll(async () => {
  for (const listener of listeners) await listener.close()
  await closeDb(db)
  await database.drop()
})

test('a lease is in one hand until it is given back', async () => {
  const [one, two] = [await another(), await another()]
  const fence = await takeLease(db, 'stripe', 'cus_given_back', one.presence, at, 25)
  expect(await takeLease(db, 'stripe', 'cus_given_back', two.presence, at, 25)).toBeNull()
  expect(await takeLease(db, 'stripe', 'cus_given_back', one.presence, at, 25)).toBeNull()
  expect(await giveBackLease(db, 'stripe', 'cus_given_back', fence!)).toBe(true)
  expect(await takeLease(db, 'stripe', 'cus_given_back', two.presence, at, 25)).toBe(fence! + 1n)
})

test('a lease whose time is over is taken over, and what was fetched under it must not be applied any more', async () => {
  const [slow, next] = [await another(), await another()]
  const fence = await takeLease(db, 'stripe', 'cus_slow', slow.presence, at, 25)
  expect(await takeLease(db, 'stripe', 'cus_slow', next.presence, at.add({ seconds: 25 }), 25)).toBeNull()
  expect(await takeLease(db, 'stripe', 'cus_slow', next.presence, at.add({ seconds: 26 }), 25)).toBe(fence! + 1n)
  expect(await giveBackLease(db, 'stripe', 'cus_slow', fence!)).toBe(false)
  // The late hand gave back nothing of the next one's.
  expect(await takeLease(db, 'stripe', 'cus_slow', slow.presence, at.add({ seconds: 27 }), 25)).toBeNull()
})

test('the lease of a process that is gone is free at once', async () => {
  const [gone, next] = [await another(), await another()]
  const fence = await takeLease(db, 'stripe', 'cus_gone', gone.presence, at, 25)
  expect(await takeLease(db, 'stripe', 'cus_gone', next.presence, at, 25)).toBeNull()
  await gone.close()
  await expect.poll(() => takeLease(db, 'stripe', 'cus_gone', next.presence, at, 25)).toBe(fence! + 1n)
  expect(await giveBackLease(db, 'stripe', 'cus_gone', fence!)).toBe(false)
})
