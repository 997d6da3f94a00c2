import { createTestDatabase, type TestDatabase } from '@turnpike/local/test-database'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { appendAudit, recordDenial, systemActor } from './audit.ts'
import { movableClock } from './clock.ts'
import { closeDb, type Db, openDb, query, sql, transact } from './db.ts'
import { createLog } from './log.ts'
import { readAudit } from './read-audit.ts'

let database: TestDatabase
let db: Db
let owner: pg.Client
const clock = movableClock('2026-01-31T10:00:00Z')
const actor = systemActor('test', 'request_1')
beforeAll(async () => {
  database = await createTestDatabase()
  db = openDb(database.url, { log: createLog('silent') })
  owner = new pg.Client(database.url)
  await owner.connect()
  await transact(db, (tx) => appendAudit(tx, clock, { tenantId: 'ana', actor, action: 'test.write', after: { a: 1 } }))
})
afterAll(async () => {
  await owner?.end()
  await closeDb(db)
  await database?.drop()
})

const everything = { tenantId: null, result: null, action: null, before: null, limit: 100 }

test('the application works with fewer rights than its login', async () => {
  expect(await query(db, sql`select current_user`)).toEqual([{ current_user: 'turnpike_app' }])
  await expect(query(db, sql`create table mine (a int)`)).rejects.toMatchObject({ code: '42501' })
  await expect(query(db, sql`alter table audit_log disable trigger all`)).rejects.toMatchObject({ code: '42501' })
})

const attempts: [name: string, statement: string, ownerMay?: 'owner may'][] = [
  ['update', "update audit_log set action = 'nothing'"],
  ['update of no row', "update audit_log set action = 'nothing' where false", 'owner may'],
  ['delete', 'delete from audit_log'],
  ['truncate', 'truncate audit_log'],
  [
    'update through a conflict',
    "insert into audit_log (audit_id, at, actor, actor_kind, action, result) overriding system value select audit_id, at, actor, actor_kind, 'x', result from audit_log on conflict (audit_id) do update set action = 'nothing'",
  ],
]

describe('the audit trail is append-only (AUD-1)', () => {
  test.each(attempts)('for the application: %s is refused by its rights', async (_, statement) => {
    await expect(db.pool.query(statement)).rejects.toMatchObject({
      code: '42501',
      message: expect.stringMatching(/permission denied/),
    })
    expect(await readAudit(db, everything)).toHaveLength(1)
  })

  test.each(attempts.filter(([, , may]) => !may))('for the owner: %s is refused by a trigger', async (_, statement) => {
    await expect(owner.query(statement)).rejects.toMatchObject({ message: 'audit_log is append-only' })
    expect(await readAudit(db, everything)).toMatchObject([{ action: 'test.write', after: { a: 1 } }])
  })
})

test('a record goes with its transaction, a denial stands by itself', async () => {
  await expect(
    transact(db, async (tx) => {
      await appendAudit(tx, clock, { tenantId: 'bob', actor, action: 'test.undone' })
      throw new Error('changed my mind')
    }),
  ).rejects.toThrow('changed my mind')
  await recordDenial(db, clock, { tenantId: 'bob', actor, action: 'test.denied', reason: 'may not' })
  expect(await readAudit(db, { ...everything, tenantId: 'bob' })).toMatchObject([
    { action: 'test.denied', result: 'denied', reason: 'may not', request_id: 'request_1' },
  ])
})
