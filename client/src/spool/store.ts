import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { UsageRecord } from '@turnpike/contract'

/** A use of a feature that a policy let through while the service was away. `at`: an RFC 3339 time. */
export type Consumption = {
  tenantId: string
  feature: string
  quantity: number
  idempotencyKey: string
  at: string
  service?: string
}

/** What waits. `stamped`: the time of the record is when it began to wait, because its sender named none. */
export type SpoolEntry =
  | { kind: 'record'; record: UsageRecord; stamped: boolean }
  | { kind: 'consumption'; consumption: Consumption }
export type Waiting = { seq: number; bytes: number; entry: SpoolEntry }
/** What can never be counted, with the code of the reason. */
export type DeadEntry = { entry: SpoolEntry; reason: string; at: number }

const schemaVersion = 1
const schema = `
  create table waiting (
    seq integer primary key autoincrement, kind text not null, tenant_id text not null, since integer not null,
    bytes integer not null, entry text not null
  ) strict;
  create table dead (
    seq integer primary key autoincrement, at integer not null, reason text not null, bytes integer not null,
    entry text not null
  ) strict;
  pragma user_version = ${schemaVersion};
`

type Size = { entries: number; bytes: number }
type Row = { seq: number; kind: string; tenant_id: string; since: number; bytes: number; entry: string }

/** What an entry takes: its text, and its row around it. */
const bytesOf = (text: string): number => Buffer.byteLength(text) + 64

/**
 * The waiting usage of one process, on disk. A folder may be shared: every process has a file of its own, `usage-1.sqlite`,
 * `usage-2.sqlite` and so on, and holds it with a lock that the kernel lets go of when the process dies. The next that opens
 * the folder, or looks round in it (`adopt`), takes over what a dead one left.
 */
export const openStore = (folder: string, mostBytes: number) => {
  mkdirSync(folder, { recursive: true })
  const { db, name } = openFreeFile(folder)
  const insert = db.prepare('insert into waiting (kind, tenant_id, since, bytes, entry) values (?, ?, ?, ?, ?)')
  const remove = db.prepare('delete from waiting where seq = ?')
  const bury = db.prepare('insert into dead (at, reason, bytes, entry) values (?, ?, ?, ?)')
  const page = db.prepare('select seq, kind, tenant_id, since, bytes, entry from waiting order by seq limit ?')
  const old = db.prepare('select seq, tenant_id, bytes, entry from waiting where since < ? order by seq limit 1000')
  const oldest = db.prepare('select since from waiting order by seq limit 1')
  const deadRows = db.prepare('select seq, at, reason, bytes, entry from dead order by seq')
  const forget = db.prepare('delete from dead where seq = (select min(seq) from dead) returning bytes')

  const sizeOf = (table: 'waiting' | 'dead'): Size =>
    db.prepare(`select count(*) as entries, coalesce(sum(bytes), 0) as bytes from ${table}`).get() as Size
  const waiting = sizeOf('waiting')
  const dead = sizeOf('dead')
  const byTenant = new Map<string, number>(
    db
      .prepare('select tenant_id, count(*) as n from waiting group by tenant_id')
      .all()
      .map((row) => [row.tenant_id as string, row.n as number]),
  )
  const count = (tenantId: string, by: number) => {
    const n = (byTenant.get(tenantId) ?? 0) + by
    if (n > 0) byTenant.set(tenantId, n)
    else byTenant.delete(tenantId)
  }

  const add = (row: Pick<Row, 'kind' | 'tenant_id' | 'since' | 'bytes' | 'entry'>) => {
    insert.run(row.kind, row.tenant_id, row.since, row.bytes, row.entry)
  }
  const counted = (row: Pick<Row, 'tenant_id' | 'bytes'>, by: 1 | -1) => {
    waiting.entries += by
    waiting.bytes += by * row.bytes
    count(row.tenant_id, by)
  }

  /** Moves what can never be counted aside. The oldest of the dead make room: they are kept to be looked at, and hold nothing up. */
  const buryAll = (rows: readonly { text: string; reason: string }[], at: number) => {
    for (const { text, reason } of rows) {
      const bytes = bytesOf(text)
      bury.run(at, reason, bytes, text)
      dead.entries++
      dead.bytes += bytes
    }
    while (dead.bytes > mostBytes) {
      const gone = forget.get() as { bytes: number }
      dead.entries--
      dead.bytes -= gone.bytes
    }
  }

  return {
    file: join(folder, name),

    /** Keeps entries in their order, all with one flush to the disk; answers for each whether there was room. */
    append: (entries: readonly SpoolEntry[], at: number): boolean[] => {
      let room = mostBytes - waiting.bytes
      const rows = entries.map((entry) => {
        const row = rowOf(entry, at)
        if (row.bytes > room) return null
        room -= row.bytes
        return row
      })
      const kept = rows.filter((row) => row !== null)
      if (kept.length > 0) transact(db, () => kept.forEach(add))
      for (const row of kept) counted(row, 1)
      return rows.map((row) => row !== null)
    },

    /** The oldest entries of one kind, in their order. */
    first: (limit: number, mostText: number): Waiting[] => {
      const rows = page.all(limit) as Row[]
      let text = 0
      const fitting = rows.findIndex((row, index) => {
        text += row.bytes
        return index > 0 && (row.kind !== rows[0]!.kind || text > mostText)
      })
      return (fitting === -1 ? rows : rows.slice(0, fitting)).map((row) => ({
        seq: row.seq,
        bytes: row.bytes,
        entry: JSON.parse(row.entry) as SpoolEntry,
      }))
    },

    /** Takes entries out that were told, and moves those aside that never can be. */
    settle: (told: readonly { waiting: Waiting; reason: string | null }[], at: number): void => {
      const lost = told.flatMap(({ waiting: { entry }, reason }) =>
        reason === null ? [] : [{ text: JSON.stringify(entry), reason }],
      )
      transact(db, () => {
        for (const { waiting } of told) remove.run(waiting.seq)
        buryAll(lost, at)
      })
      for (const { waiting } of told) counted({ tenant_id: tenantOf(waiting.entry), bytes: waiting.bytes }, -1)
    },

    /** Moves aside what has waited since before a time; answers what that was. */
    expire: (before: number, at: number): SpoolEntry[] => {
      const gone: SpoolEntry[] = []
      for (;;) {
        const rows = old.all(before) as Pick<Row, 'seq' | 'tenant_id' | 'bytes' | 'entry'>[]
        if (rows.length === 0) return gone
        transact(db, () => {
          for (const { seq } of rows) remove.run(seq)
          buryAll(
            rows.map(({ entry }) => ({ text: entry, reason: 'waited_too_long' })),
            at,
          )
        })
        for (const row of rows) {
          counted(row, -1)
          gone.push(JSON.parse(row.entry) as SpoolEntry)
        }
      }
    },

    /** Takes over what processes left that are no more, as far as there is room; answers how many entries. */
    adopt: (): number => {
      let adopted = 0
      for (const other of readdirSync(folder)) {
        if (!fileName.test(other) || other === name) continue
        const left = openFile(join(folder, other))
        if (!left) continue
        try {
          const rows = left
            .prepare('select kind, tenant_id, since, bytes, entry from waiting order by seq')
            .all() as Row[]
          if (rows.length === 0 || rows.reduce((sum, row) => sum + row.bytes, waiting.bytes) > mostBytes) continue
          // Kept here before it is given up there: a process that dies in between tells it twice, under the same keys.
          transact(db, () => rows.forEach(add))
          for (const row of rows) counted(row, 1)
          left.exec('delete from waiting')
          adopted += rows.length
        } finally {
          left.close()
        }
      }
      return adopted
    },

    holds: (tenantId: string): boolean => byTenant.has(tenantId),
    waiting: (): Size & { since: number | null } => ({
      ...waiting,
      since: (oldest.get()?.since as number | undefined) ?? null,
    }),
    dead: (): DeadEntry[] =>
      deadRows.all().map((row) => ({
        entry: JSON.parse(row.entry as string) as SpoolEntry,
        reason: row.reason as string,
        at: row.at as number,
      })),
    deadCount: () => dead.entries,
    close: () => db.close(),
  }
}

export const tenantOf = (entry: SpoolEntry): string =>
  // A record without a tenant is one of the key's own tenant.
  (entry.kind === 'record' ? entry.record.tenantId : entry.consumption.tenantId) ?? ''

const rowOf = (entry: SpoolEntry, at: number): Omit<Row, 'seq'> => {
  const text = JSON.stringify(entry)
  return { kind: entry.kind, tenant_id: tenantOf(entry), since: at, bytes: bytesOf(text), entry: text }
}

const fileName = /^usage-\d+\.sqlite$/
const mostFiles = 1_000

const openFreeFile = (folder: string): { db: DatabaseSync; name: string } => {
  for (let n = 1; n <= mostFiles; n++) {
    const name = `usage-${n}.sqlite`
    const db = openFile(join(folder, name))
    if (db) return { db, name }
  }
  throw new Error(`${folder} is in use by ${mostFiles} processes: give others another folder.`)
}

/** Opens and holds a file; null when another process holds it. */
const openFile = (path: string): DatabaseSync | null => {
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    // An exclusive lock is kept until the file is closed or its process dies, whatever kills it. What is committed is
    // flushed to the disk; a commit that was cut off anywhere has a wrong checksum and is no commit.
    db.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full; begin immediate')
    const { user_version: version } = db.prepare('pragma user_version').get() as { user_version: number }
    if (version === 0) db.exec(schema)
    else if (version !== schemaVersion) throw new Error(`${path} was written by another version of this library.`)
    db.exec('commit')
    return db
  } catch (error) {
    db.close()
    // SQLITE_BUSY; extended codes carry it in the lower byte.
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === 5) return null
    throw error
  }
}

const transact = (db: DatabaseSync, work: () => void): void => {
  db.exec('begin immediate')
  try {
    work()
    db.exec('commit')
  } catch (error) {
    if (db.isTransaction) db.exec('rollback')
    throw error
  }
}
