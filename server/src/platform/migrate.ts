import { fileURLToPath } from 'node:url'
import { runMigrations } from 'graphile-worker'
import { runner } from 'node-pg-migrate'
import pg from 'pg'

const migrationsDir = fileURLToPath(new URL('../../migrations', import.meta.url))

/**
 * Brings the database to the newest schema, forward only. Safe to run by several processes at once: they wait for each
 * other under an advisory lock. A repeat changes nothing. Runs with the rights of the login, unlike the application.
 */
export const migrate = async (databaseUrl: string): Promise<string[]> => {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'turnpike migrate' })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query("select pg_advisory_lock(hashtext('turnpike migrate'))")
    const applied = await runner({
      dbClient: client,
      dir: migrationsDir,
      direction: 'up',
      migrationsTable: 'schema_migrations',
      checkOrder: true,
      noLock: true,
      singleTransaction: false,
      log: () => {},
    })
    await runMigrations({ pgPool: undefined, connectionString: databaseUrl })
    return applied.map((migration) => migration.name)
  } finally {
    await client.end()
  }
}
