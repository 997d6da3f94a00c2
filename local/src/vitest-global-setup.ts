import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from './postgres.ts'

/**
 * One PostgreSQL for the whole test run, thrown away afterwards; TURNPIKE_TEST_POSTGRES names another one to use. And one
 * folder for what Node compiles: services that tests start, kill and start again would compile everything in every life.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const compiled = mkdtempSync(join(tmpdir(), 'turnpike-compiled-'))
  process.env.TURNPIKE_TEST_COMPILED = compiled
  const stopPostgres = process.env.TURNPIKE_TEST_POSTGRES ? undefined : await startTestPostgres()
  return async () => {
    await stopPostgres?.()
    rmSync(compiled, { recursive: true, force: true })
  }
}

async function startTestPostgres(): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'turnpike-test-'))
  const postgres = await startPostgres({
    dataDir,
    // Nothing here outlives the run, so nothing has to survive a power cut.
    settings: { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', max_connections: '300' },
  })
  process.env.TURNPIKE_TEST_POSTGRES = postgres.url
  return async () => {
    delete process.env.TURNPIKE_TEST_POSTGRES
    await postgres.stop('immediate')
    rmSync(dataDir, { recursive: true, force: true })
  }
}
