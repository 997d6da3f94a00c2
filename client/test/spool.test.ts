import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { UsageOutcome, UsageRecord } from '@turnpike/contract'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createClient } from '../src/index.ts'
import { openSpool, type Spool, type SpoolEvent, type SpoolOptions } from '../src/spool/index.ts'
import { openStore } from '../src/spool/store.ts'
import { breakOff, startWire, type Wire } from './support/wire.ts'

let wire: Wire
let folder: string
let now: number
let events: SpoolEvent[]
/** What the spool wants to do later, and after how long. Nothing happens until a test says so. */
let later: { run: () => void; ms: number }[]
const open: Spool[] = []
beforeEach(async () => {
  wire = await startWire()
  folder = mkdtempSync(join(tmpdir(), 'turnpike-spool-'))
  now = Date.parse('2026-11-21T12:00:00Z')
  events = []
  later = []
})
afterEach(async () => {
  await wire.close()
  await Promise.all(open.splice(0).map((spool) => spool.close(0)))
  rmSync(folder, { recursive: true, force: true })
})

const spoolOf = (options: Partial<SpoolOptions> = {}): Spool => {
  const spool = openSpool({
    folder,
    client: createClient({ baseUrl: wire.url, credential: 'key_1' }),
    now: () => now,
    timer: (run, ms) => {
      const entry = { run, ms }
      later.push(entry)
      return () => {
        later = later.filter((each) => each !== entry)
      }
    },
    onEvent: (event) => events.push(event),
    ...options,
  })
  open.push(spool)
  return spool
}
const record = (n: number, change: Partial<UsageRecord> = {}): UsageRecord => ({
  tenantId: 'ana',
  meter: 'calls',
  idempotencyKey: `key_${n}`,
  ...change,
})
const keysOf = (records: readonly UsageRecord[]) => records.map(({ idempotencyKey }) => idempotencyKey)

/** A service that counts once per key, as the real one does. */
const counting = (judge: (record: UsageRecord) => Partial<UsageOutcome> | null = () => null) => {
  const counted = new Map<string, UsageRecord>()
  const order: string[] = []
  const handler: Wire['handlers']['reportUsage'] = (request) => {
    const { records } = request.body as { records: UsageRecord[] }
    const outcomes = records.map((each, index): UsageOutcome => {
      const known = counted.get(each.idempotencyKey)
      const said = judge(each)
      const reused = known && each.at !== undefined && each.at !== known.at
      if (!known && !said) {
        counted.set(each.idempotencyKey, each)
        order.push(each.idempotencyKey)
      }
      const base = {
        index,
        idempotencyKey: each.idempotencyKey,
        code: null,
        detail: null,
        used: counted.size,
        limit: null,
      }
      if (said) return { ...base, status: 'invalid', allowed: false, ...said }
      if (reused) return { ...base, status: 'invalid', allowed: false, code: 'idempotency_key_reused' }
      return { ...base, status: known ? 'duplicate' : 'accepted', allowed: true }
    })
    return wire.envelope({ accepted: 0, duplicates: 0, refused: 0, invalid: 0, allowed: true, outcomes })
  }
  wire.handlers.reportUsage = handler
  return { counted, order, handler }
}
const outage = () => {
  wire.handlers.reportUsage = breakOff
  wire.handlers.check = breakOff
}
const sent = () => wire.requests.map(({ body }) => (body as { records: UsageRecord[] }).records)
const retry = async (spool: Spool) => {
  const [next] = later.filter(({ ms }) => ms < 60_000)
  next?.run()
  return spool.flush()
}

test('what can be sent is sent at once, and what came together goes together', async () => {
  counting()
  const spool = spoolOf({ service: 'notes' })
  const reports = await Promise.all([1, 2, 3].map((n) => spool.report(record(n))))
  expect(reports).toMatchObject(Array(3).fill({ status: 'answered', outcome: { status: 'accepted' } }))
  expect(sent()).toHaveLength(1)
  expect(sent()[0]).toMatchObject([{ idempotencyKey: 'key_1', service: 'notes' }, {}, {}])
  expect(spool.status()).toMatchObject({ waiting: 0, failures: 0 })
  expect(sent()[0]![0]!.at).toBeUndefined()
})

test('what cannot be sent waits on disk and is told later, in its order, once, and with the time when it was used', async () => {
  outage()
  const spool = spoolOf()
  expect(await spool.report(record(1))).toEqual({ status: 'spooled' })
  now += 5_000
  expect(await spool.report(record(2, { at: '2026-11-20T00:00:00Z' }))).toEqual({ status: 'spooled' })
  expect(wire.requests).toHaveLength(1)
  const { counted, order } = counting()
  expect(await retry(spool)).toBe(true)
  expect(order).toEqual(['key_1', 'key_2'])
  expect([...counted.values()].map(({ at }) => at)).toEqual(['2026-11-21T12:00:00.000Z', '2026-11-20T00:00:00Z'])
  expect(spool.status()).toMatchObject({ waiting: 0, bytes: 0, told: 2, failures: 0, lastError: null })
  expect(await spool.report(record(3))).toMatchObject({ status: 'answered' })
})

test('while older ones of a customer wait, newer ones go behind them', async () => {
  outage()
  const spool = spoolOf()
  await spool.report(record(1))
  const { order, handler } = counting()
  // The answer to what waits is held back until newer ones were reported.
  let answer: (() => void) | undefined
  wire.handlers.reportUsage = (request, reply) => {
    if (answer) return handler!(request, reply)
    return new Promise((resolve) => {
      answer = () => resolve(handler!(request, reply))
    })
  }
  const told = spool.flush()
  await expect.poll(() => answer).toBeDefined()
  expect(await spool.report(record(2))).toEqual({ status: 'spooled' })
  answer!()
  expect(await told).toBe(true)
  expect(order).toEqual(['key_1', 'key_2'])
})

test('another customer does not wait behind those who do, once somebody answers', async () => {
  outage()
  const spool = spoolOf()
  await spool.report(record(1))
  await spool.keep({
    tenantId: 'ana',
    feature: 'exports',
    quantity: 1,
    idempotencyKey: 'use_1',
    at: '2026-11-21T12:00:00Z',
  })
  const { order } = counting()
  // What waits first is told; the answer to the next is a long time coming.
  let answer: (() => void) | undefined
  const decisions = [{ allowed: true }]
  wire.handlers.check = () =>
    new Promise((resolve) => {
      answer = () => resolve(wire.envelope({ tenantId: 'ana', allowed: true, decisions, snapshotVersion: 1 }))
    })
  const told = spool.flush()
  await expect.poll(() => answer).toBeDefined()
  expect(await spool.report(record(9, { tenantId: 'bob' }))).toMatchObject({ status: 'answered' })
  expect(await spool.report(record(2))).toEqual({ status: 'spooled' })
  answer!()
  expect(await told).toBe(true)
  expect(order).toEqual(['key_1', 'key_9', 'key_2'])
})

test('more waits for longer after each failure, and as long as the service asks for', async () => {
  outage()
  const spool = spoolOf()
  await spool.report(record(1))
  for (let n = 0; n < 12; n++) await retry(spool)
  const waits = events.flatMap((event) => (event.type === 'failed' ? [event.retryInMs] : []))
  expect(waits).toHaveLength(13)
  waits.forEach((ms, n) => {
    expect(ms).toBeLessThanOrEqual(Math.min(60_000, 1_000 * 2 ** n))
  })
  wire.handlers.reportUsage = (_request, reply) => wire.fail(reply.header('retry-after', '70'), 'rate_limited')
  await retry(spool)
  expect(later.some(({ ms }) => ms >= 70_000)).toBe(true)
})

test('a credential that is turned down loses nothing', async () => {
  wire.handlers.reportUsage = (_request, reply) => wire.fail(reply, 'unauthenticated')
  const spool = spoolOf()
  expect(await spool.report(record(1))).toEqual({ status: 'spooled' })
  expect(spool.status()).toMatchObject({ waiting: 1, dead: 0, lastError: { code: 'unauthenticated' } })
  const { order } = counting()
  await retry(spool)
  expect(order).toEqual(['key_1'])
})

test('a proxy that knows nothing of the service buries nothing', async () => {
  wire.handlers.reportUsage = (_request, reply) => reply.code(404).type('text/html').send('<h1>nginx</h1>')
  const spool = spoolOf()
  expect(await spool.report(record(1))).toEqual({ status: 'spooled' })
  expect(await retry(spool)).toBe(false)
  expect(spool.status()).toMatchObject({ waiting: 1, dead: 0 })
})

test('what can never be counted is put aside with its reason and holds nothing up', async () => {
  outage()
  const spool = spoolOf()
  for (const n of [1, 2, 3]) await spool.report(record(n))
  const { order } = counting(({ idempotencyKey }) => (idempotencyKey === 'key_2' ? { code: 'meter_unknown' } : null))
  expect(await retry(spool)).toBe(true)
  expect(order).toEqual(['key_1', 'key_3'])
  expect(spool.dead()).toMatchObject([{ reason: 'meter_unknown', entry: { record: { idempotencyKey: 'key_2' } } }])
  expect(events.filter(({ type }) => type === 'dead')).toMatchObject([{ reason: 'meter_unknown' }])
})

test('a request that is turned down as a whole is halved until the one that does not fit stands alone', async () => {
  outage()
  const spool = spoolOf()
  for (let n = 0; n < 9; n++) await spool.report(record(n))
  const { order, handler } = counting()
  wire.handlers.reportUsage = (request, reply) =>
    keysOf((request.body as { records: UsageRecord[] }).records).includes('key_6')
      ? wire.fail(reply, 'invalid_request')
      : handler!(request, reply)
  expect(await retry(spool)).toBe(true)
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 7, 8].map((n) => `key_${n}`))
  expect(spool.dead()).toMatchObject([{ reason: 'invalid_request' }])
})

test('a first try that was counted although its answer was lost is told again and counted once', async () => {
  const { counted, handler } = counting()
  wire.handlers.reportUsage = async (request, reply) => {
    await handler!(request, reply)
    return breakOff(request, reply)
  }
  const spool = spoolOf()
  expect(await spool.report(record(1))).toEqual({ status: 'spooled' })
  expect(counted.size).toBe(1)
  wire.handlers.reportUsage = handler
  expect(await retry(spool)).toBe(true)
  expect([counted.size, spool.dead()]).toEqual([1, []])
})

test('what a fast clock stamped is counted without its time; a time that the sender named is put aside', async () => {
  outage()
  const spool = spoolOf()
  const ahead = new Date(now + 1).toISOString()
  await spool.report(record(1))
  await spool.report(record(2, { at: ahead }))
  await spool.report(record(3))
  const { order, counted, handler } = counting(({ at }) => (at === undefined ? null : { code: 'time_in_future' }))
  // The answer to the first try without a time is lost.
  let lose = true
  wire.handlers.reportUsage = async (request, reply) => {
    const answer = await handler!(request, reply)
    const { records } = request.body as { records: UsageRecord[] }
    if (!lose || records.some(({ at }) => at !== undefined)) return answer
    lose = false
    return breakOff(request, reply)
  }
  expect(await retry(spool)).toBe(false)
  expect(spool.status()).toMatchObject({ waiting: 3, dead: 0 })
  expect(await retry(spool)).toBe(true)
  expect(order).toEqual(['key_1', 'key_3'])
  expect([...counted.values()].map(({ at }) => at)).toEqual([undefined, undefined])
  expect(spool.dead()).toMatchObject([{ reason: 'time_in_future', entry: { record: { at: ahead } } }])
  expect(spool.status()).toMatchObject({ waiting: 0, failures: 0 })
})

test('a full spool says so, and takes again when there is room', async () => {
  outage()
  const spool = spoolOf({ mostBytes: 600 })
  const statuses = []
  for (let n = 0; n < 6; n++) statuses.push(await spool.report(record(n)))
  const kept = statuses.filter(({ status }) => status === 'spooled').length
  expect(kept).toBeGreaterThan(0)
  expect(statuses.slice(kept)).toEqual(Array(6 - kept).fill({ status: 'not_kept', reason: 'spool_full' }))
  expect(spool.status().bytes).toBeLessThanOrEqual(600)
  expect(events.filter(({ type }) => type === 'not_kept')).toHaveLength(6 - kept)
  const { order } = counting()
  await retry(spool)
  expect(order).toHaveLength(kept)
  outage()
  expect(await spool.report(record(9))).toEqual({ status: 'spooled' })
})

test('what waited too long is put aside and not told', async () => {
  outage()
  const spool = spoolOf({ mostAgeMs: 60_000 })
  await spool.report(record(1))
  now += 60_000
  await spool.report(record(2))
  now += 1
  const { order } = counting()
  await retry(spool)
  expect(order).toEqual(['key_2'])
  expect(spool.dead()).toMatchObject([{ reason: 'waited_too_long', entry: { record: { idempotencyKey: 'key_1' } } }])
})

test('the dead are bounded too: the oldest make room', async () => {
  outage()
  const spool = spoolOf({ mostBytes: 1_000 })
  counting(() => ({ code: 'meter_unknown' }))
  for (let n = 0; n < 20; n++) {
    outage()
    await spool.report(record(n))
    counting(() => ({ code: 'meter_unknown' }))
    await retry(spool)
  }
  const kept = spool.dead().map(({ entry }) => (entry.kind === 'record' ? entry.record.idempotencyKey : ''))
  expect(kept.at(-1)).toBe('key_19')
  expect(kept.length).toBeLessThan(10)
})

test('closing tells what can be told; the rest stays for the next process', async () => {
  outage()
  const spool = spoolOf()
  await spool.report(record(1))
  const { order } = counting()
  await spool.close()
  expect(order).toEqual(['key_1'])
  outage()
  const second = spoolOf()
  await second.report(record(2))
  await second.close()
  await expect(second.report(record(3))).rejects.toThrow('closed')
  const again = counting()
  const third = spoolOf()
  expect(await third.flush()).toBe(true)
  expect(again.order).toEqual(['key_2'])
})

test('a service that never answers does not hold a close up', async () => {
  wire.handlers.reportUsage = () => new Promise(() => {})
  const spool = spoolOf({ now: Date.now })
  const report = spool.report(record(1))
  const closing = spool.close(7_000)
  // The time is up.
  for (const { run } of later.filter(({ ms }) => ms === 7_000)) run()
  await closing
  expect(await report).toEqual({ status: 'spooled' })
})

describe('several processes in one folder', () => {
  test('have a file each, and take over what one of them left', async () => {
    outage()
    const first = spoolOf()
    const second = spoolOf()
    await first.report(record(1))
    await second.report(record(2))
    expect(readdirSync(folder).filter((name) => name.endsWith('.sqlite'))).toEqual(['usage-1.sqlite', 'usage-2.sqlite'])
    await first.close(0)
    const { order } = counting()
    // The look round of every minute.
    for (const { run } of later.filter(({ ms }) => ms === 60_000)) run()
    expect(await second.flush()).toBe(true)
    expect(order.toSorted()).toEqual(['key_1', 'key_2'])
    expect(events).toContainEqual({ type: 'adopted', entries: 1 })
  })

  test('do not take what a living one holds', async () => {
    outage()
    const first = spoolOf()
    await first.report(record(1))
    const second = spoolOf()
    expect(second.status().waiting).toBe(0)
    expect(first.status().waiting).toBe(1)
  })
})

describe('consumptions', () => {
  const use = (n: number, tenantId = 'ana') => ({
    tenantId,
    feature: 'exports',
    quantity: 1,
    idempotencyKey: `use_${n}`,
    at: '2026-11-21T11:59:00Z',
  })

  test('wait among the records and are told in their order', async () => {
    outage()
    const spool = spoolOf()
    await spool.report(record(1))
    expect(await spool.keep(use(1))).toEqual({ status: 'spooled' })
    await spool.report(record(2))
    const { order } = counting()
    wire.handlers.check = (request) => {
      const { idempotencyKey, feature, at } = request.body as { idempotencyKey: string; feature: string; at: string }
      order.push(idempotencyKey)
      expect(at).toBe('2026-11-21T11:59:00Z')
      const decision = { allowed: true, feature }
      return wire.envelope({ tenantId: 'ana', allowed: true, decisions: [decision], snapshotVersion: 1 })
    }
    expect(await retry(spool)).toBe(true)
    expect(order).toEqual(['key_1', 'use_1', 'key_2'])
  })

  test('that a fast clock stamped are counted without their time; those of too long ago are put aside', async () => {
    outage()
    const spool = spoolOf()
    for (const n of [1, 2]) await spool.keep(use(n))
    const counted: string[] = []
    wire.handlers.check = (request, reply) => {
      const { idempotencyKey, at } = request.body as { idempotencyKey: string; at?: string }
      const usageCode = idempotencyKey === 'use_1' ? 'time_in_future' : 'time_too_old'
      if (at !== undefined) return wire.fail(reply, 'time_out_of_range', { usageCode })
      counted.push(idempotencyKey)
      return wire.envelope({ tenantId: 'ana', allowed: true, decisions: [{ allowed: true }], snapshotVersion: 1 })
    }
    expect(await spool.flush()).toBe(true)
    expect(counted).toEqual(['use_1'])
    expect(spool.dead()).toMatchObject([{ reason: 'time_out_of_range', entry: { consumption: use(2) } }])
  })

  test('that the limit refuses afterwards are put aside with that reason', async () => {
    outage()
    const spool = spoolOf()
    for (const n of [1, 2]) await spool.keep(use(n))
    wire.handlers.check = (request) => {
      const allowed = (request.body as { idempotencyKey: string }).idempotencyKey === 'use_1'
      const decision = { allowed, reason: allowed ? 'within_limit' : 'limit_reached' }
      return wire.envelope({ tenantId: 'ana', allowed, decisions: [decision], snapshotVersion: 1 })
    }
    expect(await spool.flush()).toBe(true)
    expect(spool.dead()).toMatchObject([
      { reason: 'limit_reached', entry: { consumption: { idempotencyKey: 'use_2' } } },
    ])
  })

  test('of one customer keep their order when the service goes away in between', async () => {
    outage()
    const spool = spoolOf()
    for (const n of [1, 2, 3]) await spool.keep(use(n))
    for (const n of [4, 5]) await spool.keep(use(n, 'bob'))
    const told: string[] = []
    let fails = true
    wire.handlers.check = (request, reply) => {
      const { idempotencyKey } = request.body as { idempotencyKey: string }
      if (fails && idempotencyKey === 'use_2') return breakOff(request, reply)
      told.push(idempotencyKey)
      return wire.envelope({ tenantId: 'x', allowed: true, decisions: [{ allowed: true }], snapshotVersion: 1 })
    }
    expect(await spool.flush()).toBe(false)
    fails = false
    expect(await retry(spool)).toBe(true)
    expect(told.filter((key) => ['use_1', 'use_2', 'use_3'].includes(key))).toEqual(['use_1', 'use_2', 'use_3'])
    expect(new Set(told)).toEqual(new Set([1, 2, 3, 4, 5].map((n) => `use_${n}`)))
  })
})

/** Every byte around the ends of what is written at once, and some between them. */
const stepFrom = (length: number): number => ((length - 32) % 4_120 > 4_118 || (length - 32) % 4_120 < 2 ? 1 : 1_373)

test('a file that was cut off anywhere holds what it held before the last whole commit', () => {
  const store = openStore(folder, 1e9)
  const file = join(folder, 'usage-1.sqlite')
  const sizes: number[] = []
  const log = `${file}-wal`
  for (let n = 0; n < 6; n++) {
    store.append([{ kind: 'record', record: record(n, { properties: { note: 'x'.repeat(900) } }), stamped: false }], n)
    sizes.push(readFileSync(log).length)
  }
  const [base, whole] = [readFileSync(file), readFileSync(log)]
  store.close()
  for (let length = 0; length <= whole.length; length += stepFrom(length)) {
    const cut = mkdtempSync(join(tmpdir(), 'turnpike-cut-'))
    writeFileSync(join(cut, 'usage-1.sqlite'), base)
    writeFileSync(join(cut, 'usage-1.sqlite-wal'), whole.subarray(0, length))
    const reopened = openStore(cut, 1e9)
    const held = reopened
      .first(100, 1e9)
      .map(({ entry }) => (entry.kind === 'record' ? entry.record.idempotencyKey : ''))
    const flushed = sizes.filter((size) => size <= length).length
    expect(held.length).toBeGreaterThanOrEqual(flushed)
    expect(held).toEqual(held.map((_, n) => `key_${n}`))
    reopened.close()
    rmSync(cut, { recursive: true })
  }
})
