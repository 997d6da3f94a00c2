import { createTestDatabase, type TestDatabase } from '@turnpike/local/test-database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../core/ids.ts'
import { hashKey, insertApiKey, newKeySecret, revokeApiKey } from '../modules/access/index.ts'
import { movableClock } from '../platform/clock.ts'
import { closeDb, type Db, openDb, transact } from '../platform/db.ts'
import { createLog } from '../platform/log.ts'
import { createAuthenticator } from './auth.ts'

const log = createLog('silent')
let database: TestDatabase
let reachable: Db
let away: Db
beforeAll(async () => {
  database = await createTestDatabase()
  reachable = openDb(database.url, { log })
  // Nobody listens on the port of nothing.
  away = openDb('postgres://nobody@127.0.0.1:1/none', { log })
})
afterAll(async () => {
  await Promise.all([closeDb(reachable), closeDb(away)])
  await database.drop()
})

const start = async () => {
  const secret = newKeySecret()
  const clock = movableClock('2026-01-15T12:00:00Z')
  const keyId = newId('key')
  const key = {
    keyId,
    name: 'a service',
    role: 'service',
    tenantId: null,
    permissions: null,
    prefix: secret.slice(0, 8),
  }
  await transact(reachable, (tx) =>
    insertApiKey(
      tx,
      {
        ...key,
        role: 'service',
        createdBy: 'test',
        createdAt: clock.now(),
        expiresAt: null,
        lastUsedAt: null,
        revokedAt: null,
      },
      hashKey(secret),
    ),
  )
  const deps = { db: reachable, clock, log }
  const authenticator = createAuthenticator(deps, async () => null)
  const ask = (bearer = secret) => authenticator.authenticate({ authorization: `Bearer ${bearer}` }, 'request_1')
  return { ask, authenticator, clock, deps, keyId }
}

test('while the database is away, who was proven before is believed for a quarter of an hour (SEC-1, ENT-9)', async () => {
  const { ask, clock, deps, keyId } = await start()
  expect((await ask()).id).toBe(keyId)
  deps.db = away
  clock.advance('PT14M')
  expect((await ask()).id).toBe(keyId)
  clock.advance('PT2M')
  await expect(ask()).rejects.toThrow()
})

test('while the database is away, nobody else is believed', async () => {
  const { ask, authenticator, deps } = await start()
  deps.db = away
  await expect(ask()).rejects.toThrow()
  deps.db = reachable
  await ask()
  // What was forgotten because a key was revoked somewhere does not come back.
  authenticator.forget()
  deps.db = away
  await expect(ask()).rejects.toThrow()
})

test('with the database, a revoked key is not believed beyond its moment', async () => {
  const { ask, clock, deps, keyId } = await start()
  await ask()
  await transact(reachable, (tx) => revokeApiKey(tx, keyId, clock.now()))
  clock.advance('PT16S')
  await expect(ask()).rejects.toMatchObject({ code: 'unauthenticated' })
  expect(deps.db).toBe(reachable)
})
