import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { expect, test } from 'vitest'
import { createTestDatabase } from '../src/test-database.ts'

const name = `template_${randomBytes(4).toString('hex')}`
let built = 0
const template = {
  name,
  async build(url: string) {
    built += 1
    await query(url, 'create table seed as select 1 as n')
  },
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query({ text, rowMode: 'array' })).rows.flat()
  } finally {
    await client.end()
  }
}

test('each database is its own copy of a template that is built once', async () => {
  const databases = await Promise.all([createTestDatabase({ template }), createTestDatabase({ template })])
  await query(databases[0]!.url, 'insert into seed values (2)')
  expect(await query(databases[0]!.url, 'select n from seed order by n')).toEqual([1, 2])
  expect(await query(databases[1]!.url, 'select n from seed order by n')).toEqual([1])
  expect(built).toBe(1)
  for (const database of databases) await database.drop()
})

test('dropping ends open sessions and may be repeated', async () => {
  const database = await createTestDatabase({ template })
  const client = new pg.Client(database.url)
  const ended = new Promise((resolve) => client.on('error', resolve))
  await client.connect()
  await database.drop()
  await database.drop()
  await ended
  await expect(query(database.url, 'select 1')).rejects.toMatchObject({ code: '3D000' })
})

test('a template whose build failed is built again', async () => {
  const failing = { name: `${name}_second`, build: () => Promise.reject(new Error('bad migration')) }
  await expect(createTestDatabase({ template: failing })).rejects.toThrow('bad migration')
  const database = await createTestDatabase({ template: { ...template, name: failing.name } })
  expect(await query(database.url, 'select n from seed')).toEqual([1])
  await database.drop()
})
