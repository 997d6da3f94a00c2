import { fail } from '../core/errors.ts'
import { type Db, isConnectionLoss, query, sql } from './db.ts'

/**
 * One flush to the disk for all that was committed before it by `transactUnflushed`. The log of the database is written in
 * its order, so that the commit of a record of no meaning, which waits for the disk, brings everything before it there.
 * `flushed` comes true when all is on the disk that was committed when it was asked; whoever asks while a flush is under
 * way shares the next one. Where the database goes away meanwhile it is unknown what it kept: `unavailable`.
 */
export const createFlusher = (db: Db): { flushed(): Promise<void> } => {
  let underway: Promise<void> | null = null
  let next: Promise<void> | null = null
  const start = (): Promise<void> => {
    underway = flush(db).finally(() => {
      underway = null
    })
    return underway
  }
  return {
    flushed: () => {
      if (!underway) return start()
      next ??= underway
        .catch(() => {})
        .then(() => {
          next = null
          return start()
        })
      return next
    },
  }
}

const flush = (db: Db): Promise<void> =>
  query(db, sql`select pg_logical_emit_message(true, 'turnpike', '')`).then(
    () => {},
    (error: unknown) => {
      throw isConnectionLoss(error) ? fail('unavailable', { cause: error }) : error
    },
  )
