import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import pg from 'pg'

/** How the template that test databases are copied from is made. */
export type TestTemplate = {
  /** Letters, digits and underscores; another content needs another name. */
  name: string
  build(url: string): Promise<unknown>
}

export type TestDatabase = { url: string; drop(): Promise<void> }

/**
 * A fresh database in the shared server of this test run: a copy of a template with all migrations applied, which the
 * first caller of the run builds. Dropping ends sessions that are still open; a repeat does nothing.
 */
export async function createTestDatabase(options: { template?: TestTemplate } = {}): Promise<TestDatabase> {
  const server = process.env.TURNPIKE_TEST_POSTGRES
  if (!server)
    throw new Error('TURNPIKE_TEST_POSTGRES is not set: run the tests by "npm test" or "npx vitest" in the root folder')
  const template = options.template ?? migratedTemplate()
  const name = `test_${randomBytes(8).toString('hex')}`
  await withClient(server, async (client) => {
    await ensureTemplate(client, server, template)
    await client.query(`create database ${name} template ${template.name}`)
  })
  return {
    url: databaseUrl(server, name),
    drop: () =>
      withClient(server, (client) => client.query(`drop database if exists ${name} with (force)`)).then(() => {}),
  }
}

async function ensureTemplate(client: pg.Client, server: string, template: TestTemplate): Promise<void> {
  const exists = async () =>
    (await client.query('select 1 from pg_database where datname = $1', [template.name])).rowCount
  if (await exists()) return
  // Test files run in several processes: one builds, the others wait and find it done.
  await client.query('select pg_advisory_lock(hashtext($1))', [template.name])
  try {
    if (await exists()) return
    const unfinished = `${template.name}_unfinished`
    await client.query(`drop database if exists ${unfinished} with (force)`)
    await client.query(`create database ${unfinished}`)
    await template.build(databaseUrl(server, unfinished))
    await client.query(`alter database ${unfinished} rename to ${template.name}`)
  } finally {
    await client.query('select pg_advisory_unlock(hashtext($1))', [template.name])
  }
}

function migratedTemplate(): TestTemplate {
  const server = fileURLToPath(new URL('../../server/', import.meta.url))
  const migrations = join(server, 'migrations')
  const hash = createHash('sha256')
  for (const file of existsSync(migrations) ? readdirSync(migrations).sort() : []) {
    hash.update(`${file}\0`).update(readFileSync(join(migrations, file)))
  }
  return {
    name: `template_${hash.digest('hex').slice(0, 16)}`,
    // Found at run time, because the server's own tests use this file.
    async build(url) {
      const { migrate } = await import(pathToFileURL(join(server, 'src/platform/migrate.ts')).href)
      await migrate(url)
    },
  }
}

function databaseUrl(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
