import { createTestDatabase, type TestDatabase } from '@turnpike/local/test-database'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { closeDb, type Db, openDb, query, queryOne, sql, transactUnflushed } from './db.ts'
import { createFlusher } from './flush.ts'
import { createLog } from './log.ts'

let database: TestDatabase
let db: Db
beforeEach(async () => {
  database = await createTestDatabase()
  const open = () => openDb(database.url, { log: createLog('silent'), role: 'none' })
  // The server of the tests does not wait for its disk; this database does, as a real one.
  const first = open()
  const { name } = (await queryOne<{ name: string }>(first, sql`select current_database() as name`))!
  await first.pool.query(`alter database ${name} set synchronous_commit = on`)
  await closeDb(first)
  db = open()
  await query(db, sql`create table written (n int)`)
})
afterEach(async () => {
  await closeDb(db)
  await database.drop()
})

const write = (n: number) =>
  transactUnflushed(db, async (tx) => {
    await query(tx, sql`insert into written values (${n})`)
    return n
  })
const logEnd = async () => (await queryOne<{ at: string }>(db, sql`select pg_current_wal_insert_lsn()::text as at`))!.at
const isOnDisk = async (at: string) =>
  (await queryOne<{ on_disk: boolean }>(db, sql`select pg_current_wal_flush_lsn() >= ${at}::pg_lsn - 8192 as on_disk`))!
    .on_disk

test('what was committed before is on the disk when the flush has come true, whoever asked for it', async () => {
  const flusher = createFlusher(db)
  for (let round = 0; round < 20; round++) {
    // The first is under way when the others ask: they share the next.
    const first = flusher.flushed()
    await Promise.all(Array.from({ length: 40 }, (_, n) => write(n)))
    const end = await logEnd()
    await Promise.all([first, flusher.flushed(), flusher.flushed()])
    expect(await isOnDisk(end)).toBe(true)
  }
  expect(await query(db, sql`select from written`)).toHaveLength(800)
})

test('what is asked for while the database is away is unknown, and the next flush works again', async () => {
  const flusher = createFlusher(db)
  await write(1)
  const breaking = query(
    db,
    sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()`,
  ).catch(() => {})
  const outcomes = await Promise.allSettled([flusher.flushed(), flusher.flushed(), breaking])
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'unavailable' })
  await flusher.flushed()
})
