import { DatabaseSync, type StatementSync } from 'node:sqlite'

/** What the store knows of an object besides its body: how to find it again and when something falls due. */
export type Index = {
  type: string
  customer: string | null
  /** The object that it belongs to: an item's subscription, a line's invoice, a price's product … */
  parent: string | null
  /** The test clock that it lives on; '' is the sandbox's own clock. */
  clock: string
  /** Unix seconds at which the engine must look at it again, null when nothing is pending. */
  due: number | null
  /** Order among things due in the same second, smallest first. */
  rank: number
}

export type Delivery = {
  seq: number
  event: string
  endpoint: string
  status: 'pending' | 'held' | 'delivered' | 'failed' | 'dropped'
  due: number
  attempts: DeliveryAttempt[]
}

type DeliveryAttempt = { at: number; status: number | null; error: string | null; ms: number }

export type Store = ReturnType<typeof openStore>

const schema = `
create table if not exists objects (
  seq integer primary key autoincrement, id text not null unique, type text not null, customer text, parent text,
  clock text not null default '', due integer, rank integer not null default 0, body text not null);
create index if not exists objects_by_type on objects (type, seq);
create index if not exists objects_by_customer on objects (customer, type, seq);
create index if not exists objects_by_parent on objects (parent, type, seq);
create index if not exists objects_due on objects (clock, due, rank, seq) where due is not null;
create table if not exists deliveries (
  seq integer primary key autoincrement, event text not null, endpoint text not null, status text not null,
  due integer not null, attempts text not null default '[]');
create index if not exists deliveries_pending on deliveries (status, due, seq);
create index if not exists deliveries_by_event on deliveries (event);
drop table if exists idempotency;
create table if not exists request_keys (
  key text primary key, made_at integer not null, fingerprint text not null, status integer not null, body text not null, headers text not null);
create table if not exists meta (key text primary key, value text not null);
`

/** One SQLite file holds everything; ':memory:' keeps nothing. Every call is synchronous, so a transaction cannot interleave. */
export function openStore(file: string) {
  const db = new DatabaseSync(file)
  db.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma busy_timeout = 5000;')
  db.exec(schema)
  const prepared = new Map<string, StatementSync>()
  const sql = (text: string): StatementSync => {
    let statement = prepared.get(text)
    if (!statement) {
      statement = db.prepare(text)
      prepared.set(text, statement)
    }
    return statement
  }
  let savepoints = 0

  return {
    begin: () => db.exec('begin immediate'),
    commit: () => db.exec('commit'),
    rollback: () => db.exec('rollback'),
    savepoint: () => {
      const name = `s${++savepoints}`
      db.exec(`savepoint ${name}`)
      return name
    },
    release: (name: string) => db.exec(`release ${name}`),
    rollbackTo: (name: string) => db.exec(`rollback to ${name}; release ${name}`),
    close: () => db.close(),

    find: (id: string): { type: string; body: string } | undefined =>
      sql('select type, body from objects where id = ?').get(id) as { type: string; body: string } | undefined,
    write: (id: string, index: Index, body: string): void => {
      sql(
        `insert into objects (id, type, customer, parent, clock, due, rank, body) values (?, ?, ?, ?, ?, ?, ?, ?)
         on conflict (id) do update set customer = excluded.customer, parent = excluded.parent, clock = excluded.clock,
         due = excluded.due, rank = excluded.rank, body = excluded.body`,
      ).run(id, index.type, index.customer, index.parent, index.clock, index.due, index.rank, body)
    },
    remove: (id: string): void => {
      sql('delete from objects where id = ?').run(id)
    },
    /** Newest first. */
    list: (type: string, by: { customer?: string; parent?: string } = {}): string[] => {
      const rows = by.parent
        ? sql('select body from objects where parent = ? and type = ? order by seq desc').all(by.parent, type)
        : by.customer
          ? sql('select body from objects where customer = ? and type = ? order by seq desc').all(by.customer, type)
          : sql('select body from objects where type = ? order by seq desc').all(type)
      return rows.map((row) => row.body as string)
    },
    /** Objects of a type one after the other, newest first or oldest first, from (not including) a cursor. */
    *scan(type: string, order: 'desc' | 'asc', from?: string): Generator<string> {
      const size = 100
      let at = from
        ? (sql('select seq from objects where id = ?').get(from)?.seq as number)
        : order === 'desc'
          ? Number.MAX_SAFE_INTEGER
          : 0
      for (;;) {
        const rows =
          order === 'desc'
            ? sql('select seq, body from objects where type = ? and seq < ? order by seq desc limit ?').all(
                type,
                at,
                size,
              )
            : sql('select seq, body from objects where type = ? and seq > ? order by seq limit ?').all(type, at, size)
        for (const row of rows) yield row.body as string
        if (rows.length < size) return
        at = rows.at(-1)!.seq as number
      }
    },
    nextDue: (clock: string, until: number): { id: string; due: number } | undefined =>
      sql('select id, due from objects where clock = ? and due <= ? order by due, rank, seq limit 1').get(
        clock,
        until,
      ) as { id: string; due: number } | undefined,
    count: (): Record<string, number> =>
      Object.fromEntries(
        sql('select type, count(*) as n from objects group by type order by type')
          .all()
          .map((row) => [row.type as string, row.n as number]),
      ),

    addDelivery: (event: string, endpoint: string, status: Delivery['status'], due: number): number =>
      Number(
        sql('insert into deliveries (event, endpoint, status, due) values (?, ?, ?, ?)').run(
          event,
          endpoint,
          status,
          due,
        ).lastInsertRowid,
      ),
    updateDelivery: (delivery: Delivery): void => {
      sql('update deliveries set status = ?, due = ?, attempts = ? where seq = ?').run(
        delivery.status,
        delivery.due,
        JSON.stringify(delivery.attempts),
        delivery.seq,
      )
    },
    deliveries: (where: { status?: Delivery['status']; event?: string } = {}, limit = 1000): Delivery[] => {
      const rows = where.event
        ? sql('select * from deliveries where event = ? order by seq').all(where.event)
        : where.status
          ? sql('select * from deliveries where status = ? order by due, seq limit ?').all(where.status, limit)
          : sql('select * from deliveries order by seq desc limit ?').all(limit)
      return rows.map((row) => ({ ...row, attempts: JSON.parse(row.attempts as string) }) as Delivery)
    },
    dueDeliveries: (until: number, limit: number): Delivery[] =>
      sql(`select * from deliveries where status = 'pending' and due <= ? order by due, seq limit ?`)
        .all(until, limit)
        .map((row) => ({ ...row, attempts: JSON.parse(row.attempts as string) }) as Delivery),
    dropDeliveriesTo: (endpoint: string): void => {
      sql(`update deliveries set status = 'dropped' where endpoint = ? and status in ('pending', 'held')`).run(endpoint)
    },

    /** What was answered to a key that was first used after a time. */
    recall: (key: string, since: number) =>
      sql('select fingerprint, status, body, headers from request_keys where key = ? and made_at > ?').get(
        key,
        since,
      ) as { fingerprint: string; status: number; body: string; headers: string } | undefined,
    remember: (
      key: string,
      answer: { madeAt: number; fingerprint: string; status: number; body: string; headers: string },
    ): void => {
      sql(
        'insert or replace into request_keys (key, made_at, fingerprint, status, body, headers) values (?, ?, ?, ?, ?, ?)',
      ).run(key, answer.madeAt, answer.fingerprint, answer.status, answer.body, answer.headers)
    },
    meta: (key: string): string | undefined =>
      sql('select value from meta where key = ?').get(key)?.value as string | undefined,
    setMeta: (key: string, value: string): void => {
      sql('insert or replace into meta (key, value) values (?, ?)').run(key, value)
    },
  }
}
