import { createTestDatabase, type TestDatabase } from '@turnpike/local/test-database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from '../core/canonical.ts'
import { closeDb, type Db, openDb } from './db.ts'
import { beginRequest, dropRequest, forgetOldRequests, keepAnswer } from './idempotency.ts'
import { createLog } from './log.ts'

let database: TestDatabase
let db: Db
beforeAll(async () => {
  database = await createTestDatabase()
  db = openDb(database.url, { log: createLog('silent'), max: 20 })
})
afterAll(async () => {
  await closeDb(db)
  await database?.drop()
})

const start = Temporal.Instant.from('2026-01-31T10:00:00Z')
const request = (key: string, more: { holder?: string; route?: string; body?: string; seconds?: number } = {}) => ({
  holder: more.holder ?? 'key:1',
  key,
  route: more.route ?? 'createOverride',
  hash: sha256(more.body ?? 'body'),
  at: start.add({ seconds: more.seconds ?? 0 }),
})
const begin = (...given: Parameters<typeof request>) => beginRequest(db, request(...given))

test('the first does the work, others wait, then get its answer', async () => {
  expect(await begin('a')).toEqual({ kind: 'first' })
  expect(await begin('a')).toEqual({ kind: 'under_way' })
  await keepAnswer(db, 'key:1', 'a', { status: 201, answer: '{"data":1}' })
  expect(await begin('a')).toEqual({ kind: 'answered', kept: { status: 201, answer: '{"data":1}' } })
})

test('of 50 at once exactly one is first', async () => {
  const kinds = (await Promise.all(Array.from({ length: 50 }, () => begin('rush')))).map(({ kind }) => kind)
  expect(kinds.filter((kind) => kind === 'first')).toHaveLength(1)
  expect(kinds.filter((kind) => kind === 'under_way')).toHaveLength(49)
})

test('another body or another address is another request, done or not', async () => {
  await begin('b')
  expect(await begin('b', { body: 'other' })).toEqual({ kind: 'reused' })
  expect(await begin('b', { route: 'createCustomer' })).toEqual({ kind: 'reused' })
  await keepAnswer(db, 'key:1', 'b', { status: 200, answer: '{}' })
  expect(await begin('b', { body: 'other' })).toEqual({ kind: 'reused' })
})

test('a key belongs to its holder', async () => {
  await begin('c')
  expect(await begin('c', { holder: 'key:2' })).toEqual({ kind: 'first' })
})

test('what failed may be tried again, an answer stays', async () => {
  await begin('d')
  await dropRequest(db, 'key:1', 'd')
  expect(await begin('d')).toEqual({ kind: 'first' })
  await keepAnswer(db, 'key:1', 'd', { status: 200, answer: '{}' })
  await dropRequest(db, 'key:1', 'd')
  expect(await begin('d')).toMatchObject({ kind: 'answered' })
})

test('a request that died is taken over after a minute, by the same request only, and by one', async () => {
  await begin('e')
  expect(await begin('e', { seconds: 60 })).toEqual({ kind: 'under_way' })
  expect(await begin('e', { seconds: 61, body: 'other' })).toEqual({ kind: 'reused' })
  const kinds = (await Promise.all(Array.from({ length: 10 }, () => begin('e', { seconds: 61 })))).map(
    ({ kind }) => kind,
  )
  expect(kinds.filter((kind) => kind === 'first')).toHaveLength(1)
})

test('an answer is never taken over', async () => {
  await begin('f')
  await keepAnswer(db, 'key:1', 'f', { status: 200, answer: '{}' })
  expect(await begin('f', { seconds: 86_400 })).toMatchObject({ kind: 'answered' })
})

test('old keys are forgotten, younger ones are not', async () => {
  await begin('old')
  await begin('young', { seconds: 10 })
  await forgetOldRequests(db, start.add({ seconds: 10 }))
  expect(await begin('old')).toEqual({ kind: 'first' })
  expect(await begin('young', { seconds: 10 })).toEqual({ kind: 'under_way' })
})
