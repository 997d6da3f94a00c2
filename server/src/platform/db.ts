import pg from 'pg'
import sql, { empty, type Sql } from 'sql-template-tag'
import { Failure, fail } from '../core/errors.ts'
import { passFaultPoint } from './fault-points.ts'
import type { Log } from './log.ts'

export { empty, type Sql, sql }

/** Reads outside a transaction. */
export type Db = { pool: pg.Pool }

declare const inTransaction: unique symbol
/** An open transaction. Every function that writes takes one first, so that a write outside does not compile. */
export type Tx = { client: pg.PoolClient; committed: (() => void)[]; [inTransaction]: true }

// Dates stay text at the edge of the driver: instants are parsed by us, numerics keep every digit.
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => BigInt(text))
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => text)
pg.types.setTypeParser(pg.types.builtins.NUMERIC, (text) => text)

/** Opens a pool. A database restart must not end the process: pool and clients have error listeners. */
export const openDb = (databaseUrl: string, options: { log: Log; max?: number; role?: string }): Db => {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: options.max ?? 10,
    application_name: 'turnpike',
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    options: `-c role=${options.role ?? 'turnpike_app'} -c timezone=UTC -c idle_in_transaction_session_timeout=30000 -c lock_timeout=10000 -c statement_timeout=60000`,
  })
  return { pool: listenToErrors(pool, options.log) }
}

/** A pool of connections as the owner of the database, for a library that has statements of its own. */
export const openOwnerPool = (databaseUrl: string, log: Log, max: number): pg.Pool =>
  listenToErrors(new pg.Pool({ connectionString: databaseUrl, max, application_name: 'turnpike jobs' }), log)

const listenToErrors = (pool: pg.Pool, log: Log): pg.Pool => {
  pool.on('error', (error) => log.warn({ err: error }, 'database connection lost'))
  // The pool reports what goes wrong with idle connections; one in use rejects its query.
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

export const closeDb = (db: Db): Promise<void> => db.pool.end()

type Row = Record<string, unknown>

/** Runs one statement and gives its rows. Works on a pool and in a transaction. */
export const query = async <R = Row>(on: Db | Tx, statement: Sql): Promise<R[]> => {
  const runner = 'pool' in on ? on.pool : on.client
  const result = await runner.query(statement.text, statement.values as unknown[])
  return result.rows as R[]
}

/** The single row of a statement, or null. */
export const queryOne = async <R = Row>(on: Db | Tx, statement: Sql): Promise<R | null> =>
  (await query<R>(on, statement))[0] ?? null

/** As `query`, with a plan that the server prepares once per connection: for the few statements of the hot paths. */
export const queryPrepared = async <R = Row>(on: Db | Tx, name: string, statement: Sql): Promise<R[]> => {
  const runner = 'pool' in on ? on.pool : on.client
  const result = await runner.query({ name, text: statement.text, values: statement.values as unknown[] })
  return result.rows as R[]
}

const retryable = new Set(['40001', '40P01', '55P03'])
const connectionLost = new Set([
  '57P01',
  '57P02',
  '57P03',
  '08006',
  '08003',
  '08001',
  '08000',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  '53300',
])

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '')

/** True when the database could not be reached or went away, so that nothing is known to be wrong with the request. */
export const isConnectionLoss = (error: unknown): boolean => {
  if (error instanceof Failure) return error.code === 'unavailable'
  if (connectionLost.has(codeOf(error))) return true
  // Where nobody listens at a port the system says so; at a Unix socket there is no file, or nobody behind it.
  if ((error as { syscall?: unknown } | null)?.syscall === 'connect') return true
  const message = error instanceof Error ? error.message : ''
  return /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Cannot use a pool after|the database system is/.test(
    message,
  )
}

/** True when a statement of ours found that the database is not as it was told: `expectations_met` of the migrations. */
export const isUnexpected = (error: unknown): boolean => codeOf(error) === 'TP001'

export const isUniqueViolation = (error: unknown, constraint?: string): boolean =>
  codeOf(error) === '23505' &&
  (constraint === undefined || (error as { constraint?: string }).constraint === constraint)

/**
 * Runs `work` in one transaction. Serialisation failures and deadlocks are tried again up to 3 times, so `work` must do
 * nothing but database work. A lost connection becomes the failure `unavailable`; whether a commit that was under way
 * happened is then unknown, which is why every effect is idempotent.
 */
export const transact = <T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> =>
  runAgain(() => runOnce(db, work, 'begin'))

const runAgain = async <T>(run: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run()
    } catch (error) {
      if (retryable.has(codeOf(error)) && attempt < 4) continue
      throw isConnectionLoss(error) ? fail('unavailable', { cause: error }) : error
    }
  }
}

/**
 * As `transact`, but what it did may be lost for a moment yet if the database crashes: its locks are given back before the
 * disk has it. Nobody may be told of it before a flush that began after it (`createFlusher`) has come true.
 */
export const transactUnflushed = <T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> =>
  runAgain(() => runOnce(db, work, 'begin; set local synchronous_commit = off'))

/**
 * The same for a single statement, which is a transaction by itself: one way to the database instead of four. It takes
 * `unflushed` among what it selects.
 */
export const transactAtOnceUnflushed = <T>(db: Db, statement: (db: Db) => Promise<T>): Promise<T> =>
  runAgain(async () => {
    passFaultPoint('before_commit', statement.name)
    const result = await statement(db)
    passFaultPoint('after_commit', statement.name)
    return result
  })
export const unflushed: Sql = sql`set_config('synchronous_commit', 'off', true)`

/** As `transact`, with one unchanging view of the database for all its reads; it cannot write. */
export const readInOneView = <T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> =>
  transact(db, async (tx) => {
    await query(tx, sql`set transaction isolation level repeatable read read only`)
    return work(tx)
  })

/** What this process remembers hears of a change when it is committed, before whoever made it is answered; never otherwise. */
export const whenCommitted = (tx: Tx, tell: () => void): void => {
  tx.committed.push(tell)
}

/** Whether the database answers. */
export const isReachable = (db: Db): Promise<boolean> =>
  query(db, sql`select 1`).then(
    () => true,
    () => false,
  )

const runOnce = async <T>(db: Db, work: (tx: Tx) => Promise<T>, begin: string): Promise<T> => {
  const client = await db.pool.connect()
  let broken: Error | undefined
  try {
    await client.query(begin)
    const tx = { client, committed: [] as (() => void)[] } as Tx
    const result = await work(tx)
    passFaultPoint('before_commit', work.name)
    await client.query('commit')
    passFaultPoint('after_commit', work.name)
    for (const tell of tx.committed) tell()
    return result
  } catch (error) {
    // A connection whose rollback fails is not given back to the pool.
    await client.query('rollback').catch((rollbackError: Error) => {
      broken = rollbackError
    })
    throw error
  } finally {
    client.release(broken)
  }
}
