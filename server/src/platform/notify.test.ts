import { createTestDatabase, type TestDatabase } from '@turnpike/local/test-database'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { closeDb, type Db, openDb, transact } from './db.ts'
import { createLog } from './log.ts'
import { type Listener, listen, type Notice, notify } from './notify.ts'

let database: TestDatabase
let db: Db
let listener: Listener
let heard: Notice[]
let restored: number
beforeEach(async () => {
  database = await createTestDatabase()
  db = openDb(database.url, { log: createLog('silent') })
  heard = []
  restored = 0
  listener = await listen(database.url, createLog('silent'), () => {
    restored++
  })
  for (const kind of ['inbox', 'snapshot'] as const) listener.on(kind, (notice) => heard.push(notice))
})
afterEach(async () => {
  await listener.close()
  await closeDb(db)
  await database.drop()
})

const until = async (holds: () => boolean): Promise<void> => {
  const end = performance.now() + 10_000
  while (!holds() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(holds()).toBe(true)
}
const say = (notice: Notice) => transact(db, (tx) => notify(tx, notice))
const snapshot = (version: number): Notice => ({ kind: 'snapshot', tenantId: 'ana', version })
const cutOff = async () => {
  const client = new pg.Client(database.url)
  await client.connect()
  await client.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'turnpike listen' and datname = current_database()",
  )
  await client.end()
}

test('notices are heard in the order of their commits, each by its kind', async () => {
  await say(snapshot(1))
  await say({ kind: 'catalog' })
  await say({ kind: 'inbox' })
  await say(snapshot(2))
  await until(() => heard.length === 3)
  expect(heard).toEqual([snapshot(1), { kind: 'inbox' }, snapshot(2)])
})

test('what was rolled back is not heard', async () => {
  await expect(
    transact(db, async (tx) => {
      await notify(tx, snapshot(1))
      throw new Error('no')
    }),
  ).rejects.toThrow('no')
  await say(snapshot(2))
  await until(() => heard.length > 0)
  expect(heard).toEqual([snapshot(2)])
})

test('who does not listen any more hears nothing', async () => {
  let count = 0
  const end = listener.on('snapshot', () => {
    count++
  })
  await say(snapshot(1))
  await until(() => heard.length === 1)
  end()
  await say(snapshot(2))
  await until(() => heard.length === 2)
  expect(count).toBe(1)
})

test('a lost connection is made again, and said so: notices may have been missed', async () => {
  expect(listener.connected()).toBe(true)
  for (let times = 1; times <= 2; times++) {
    await cutOff()
    await until(() => restored === times && listener.connected())
    await say(snapshot(times))
    await until(() => heard.length === times)
  }
  expect(restored).toBe(2)
  expect(heard).toEqual([snapshot(1), snapshot(2)])
})

test('closing is for good', async () => {
  await listener.close()
  expect(restored).toBe(0)
  await say(snapshot(1))
  expect(heard).toEqual([])
})
