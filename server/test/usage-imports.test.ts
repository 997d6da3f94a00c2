import type { Client } from '@turnpike/client'
import type { NewUsageImport, UsageImport } from '@turnpike/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256 } from '../src/core/canonical.ts'
import { findCounterDifferences } from '../src/modules/usage/index.ts'
import { query, sql } from '../src/platform/db.ts'
import { onFaultPoint } from '../src/platform/fault-points.ts'
import { type Service, startService } from './support/service.ts'

/** Files of past usage through HTTP on real PostgreSQL (USE-1, USE-2, OPS-3): counted once, whatever happens on the way. */

let service: Service
let importer: Client
beforeAll(async () => {
  service = await startService()
  importer = service.operator
})
afterAll(async () => {
  onFaultPoint(null)
  const differences = service && (await findCounterDifferences(service.app.deps.db, 10))
  await service?.stop()
  expect(differences).toEqual([])
})

let tenants = 0
const newTenant = async (): Promise<string> => {
  const tenantId = `past-${++tenants}`
  await service.customer(tenantId)
  return tenantId
}
const daysAgo = (days: number) =>
  service.clock
    .now()
    .subtract({ hours: 24 * days })
    .toString()
const describeFile = (text: string, more: Partial<NewUsageImport> = {}): NewUsageImport => ({
  name: 'past.csv',
  format: 'csv',
  size: Buffer.byteLength(text),
  sha256: sha256(text).toString('hex'),
  ...more,
})
const begin = async (text: string, more: Partial<NewUsageImport> = {}): Promise<UsageImport> =>
  (await importer.createUsageImport({ body: describeFile(text, more) })).data
const send = async (importId: string, offset: number, text: string): Promise<UsageImport> =>
  (await importer.sendUsageImport({ params: { importId }, body: { offset, text } })).data
const whole = async (text: string, more: Partial<NewUsageImport> = {}): Promise<UsageImport> => {
  const { id } = await begin(text, more)
  return send(id, 0, text)
}
const counted = async (tenantId: string) =>
  (
    await query<{ records: number; used: number }>(
      service.app.deps.db,
      sql`select count(*)::int as records, coalesce(sum(quantity), 0)::float8 as used from usage_records where tenant_id = ${tenantId}`,
    )
  )[0]!

test('a file is counted in the windows of its rows, and once, however often it is sent', async () => {
  const tenantId = await newTenant()
  const text = `at,meter,quantity,idempotencyKey\n${daysAgo(300)},api_calls,5,a\n${daysAgo(1)},api_calls,7,b\n${daysAgo(1)},api_calls,7,b\n`
  expect(await whole(text, { tenantId })).toMatchObject({
    state: 'done',
    offset: Buffer.byteLength(text),
    lines: 4,
    accepted: 2,
    duplicates: 1,
    invalid: 0,
  })
  // The same file is the same import; under another name it is another one, and its keys are known.
  expect((await begin(text, { tenantId })).state).toBe('done')
  expect(await whole(text, { tenantId, name: 'again.csv' })).toMatchObject({ accepted: 0, duplicates: 3 })
  expect(await counted(tenantId)).toEqual({ records: 2, used: 12 })
  const windows = await query(
    service.app.deps.db,
    sql`select used::float8 as used from usage_counters where tenant_id = ${tenantId} and meter = 'api_calls' and window_end - window_start > interval '2 days' order by window_start`,
  )
  expect(windows).toEqual([{ used: 5 }, { used: 7 }])
})

test('rows without a key have one of their line, so that a file counts once', async () => {
  const tenantId = await newTenant()
  const text = `at,meter\n${daysAgo(2)},api_calls\n${daysAgo(2)},api_calls\n`
  expect(await whole(text, { tenantId })).toMatchObject({ accepted: 2 })
  expect(await whole(text, { tenantId, name: 'again.csv' })).toMatchObject({ accepted: 0, duplicates: 2 })
})

test('no hard limit refuses what was used', async () => {
  const tenantId = await newTenant()
  await service.operator.createOverride({
    body: { tenantId, feature: 'api_calls', set: { limit: 3 }, reason: 'The limit of a test' },
  })
  expect(await whole(`at,meter,quantity\n${daysAgo(0)},api_calls,10\n`, { tenantId })).toMatchObject({ accepted: 1 })
  const { data } = await service.operator.check({ body: { tenantId, feature: 'api_calls' } })
  expect(data.decisions[0]).toMatchObject({ allowed: false, used: 10, limit: 3 })
})

test('each row that does not fit is named by its line, and costs the others nothing', async () => {
  const tenantId = await newTenant()
  const text = [
    'at,meter,quantity,tenantId',
    `${daysAgo(1)},api_calls,1,`,
    `${daysAgo(1)},nothing_known,1,`,
    `${daysAgo(1)},api_calls,-1,`,
    `${daysAgo(1)},api_calls,x,`,
    `${daysAgo(500)},api_calls,1,`,
    `${daysAgo(-9)},api_calls,1,`,
    `yesterday,api_calls,1,`,
    `${daysAgo(1)},api_calls,1,somebody-else`,
    `${daysAgo(1)},api_calls,"1`,
  ].join('\n')
  const { mistakes, ...after } = await whole(text, { tenantId })
  expect(after).toMatchObject({ state: 'done', lines: 10, accepted: 1, invalid: 8 })
  expect(mistakes.map(({ line, code }) => [line, code])).toEqual([
    [3, 'meter_unknown'],
    [4, 'quantity_negative'],
    [5, 'unreadable'],
    [6, 'time_too_old'],
    [7, 'time_in_future'],
    [8, 'time_invalid'],
    [9, 'customer_unknown'],
    [10, 'unreadable'],
  ])
})

test('stray quotes cost their own rows, also where the file is cut between them', async () => {
  const tenantId = await newTenant()
  const row = (note: string) => `${daysAgo(1)},api_calls,1,${note}\n`
  const parts = [
    `at,meter,quantity,note\n${row('15" screen')}${row('x').repeat(50)}`,
    row('x').repeat(50) + row('17" screen'),
  ]
  const { id } = await begin(parts.join(''), { tenantId })
  await send(id, 0, parts[0]!)
  const after = await send(id, parts[0]!.length, parts[1]!)
  expect(after).toMatchObject({ state: 'done', lines: 103, accepted: 100, invalid: 2 })
  expect(after.mistakes.map(({ line }) => line)).toEqual([2, 103])
})

test('a file whose lines end with carriage returns alone is refused, and says so', async () => {
  const text = `at,meter\n${daysAgo(1)},api_calls\n${daysAgo(1)},api_calls\n`.replaceAll('\n', '\r')
  await expect(whole(text, { tenantId: await newTenant() })).rejects.toMatchObject({
    code: 'invalid_request',
    problem: { errors: [{ field: 'text', message: expect.stringMatching(/carriage return alone/) }] },
  })
})

test('a piece of more rows than are taken is refused, and nothing of it is kept', async () => {
  const tenantId = await newTenant()
  const { id } = await begin('x'.repeat(30_000), { tenantId })
  await expect(send(id, 0, 'x\n'.repeat(5_001))).rejects.toMatchObject({
    problem: { errors: [{ message: 'must have at most 5000 rows' }] },
  })
  expect((await importer.getUsageImport({ params: { importId: id } })).data.offset).toBe(0)
})

test('rows of many tenants, as NDJSON', async () => {
  const [one, two] = [await newTenant(), await newTenant()]
  const row = (tenantId: string | undefined, quantity: number) =>
    JSON.stringify({ at: daysAgo(3), meter: 'tokens', quantity, tenantId })
  const text = [row(one, 1.5), row(two, 2), row('nobody-knows', 3), row(undefined, 4), row(two, 5)].join('\n')
  const after = await whole(text, { format: 'ndjson', name: 'past.ndjson' })
  expect(after).toMatchObject({ state: 'done', accepted: 2, invalid: 3, tenantId: null })
  expect(await counted(two)).toEqual({ records: 2, used: 7 })
  expect(after.mistakes.map(({ line, code }) => [line, code])).toEqual([
    [1, 'quantity_not_whole'],
    [3, 'customer_unknown'],
    [4, 'tenant_required'],
  ])
})

describe('the place', () => {
  const rows = (n: number) => `at,meter,quantity\n${`${daysAgo(1)},api_calls,1\n`.repeat(n)}`

  test('a piece that is not the next one is told where to go on; the last one is answered again', async () => {
    const tenantId = await newTenant()
    const text = rows(3)
    const { id } = await begin(text, { tenantId })
    const middle = text.indexOf('\n', 30) + 1
    const first = await send(id, 0, text.slice(0, middle))
    expect(await send(id, 0, text.slice(0, middle))).toEqual(first)
    for (const wrong of [0, middle + 1, text.length])
      await expect(send(id, wrong, 'x\n')).rejects.toMatchObject({
        code: 'import_offset_wrong',
        problem: { expectedOffset: middle },
      })
    expect(await send(id, middle, text.slice(middle))).toMatchObject({ state: 'done', accepted: 3 })
    await expect(send(id, text.length, 'x\n')).rejects.toMatchObject({ code: 'import_offset_wrong' })
    expect(await counted(tenantId)).toEqual({ records: 3, used: 3 })
  })

  test.each([
    ['ends within a row', 0, 30],
    ['ends within a quote', 0, 21],
    ['is longer than the file', 0, 1_000],
  ])('a piece that %s is refused whole', async (_, from, to) => {
    const tenantId = await newTenant()
    const text = `at,meter,quantity,note\n${daysAgo(1)},api_calls,1,"a\nb"\n${daysAgo(1)},api_calls,1,c\n`
    const { id } = await begin(text, { tenantId })
    await expect(send(id, from, text.padEnd(2_000, 'x').slice(from, to))).rejects.toMatchObject({
      code: 'invalid_request',
    })
    expect(await send(id, 0, text)).toMatchObject({ accepted: 2 })
  })

  test('the same piece from two senders at once counts once', async () => {
    const tenantId = await newTenant()
    const text = rows(200)
    const { id } = await begin(text, { tenantId })
    const answers = await Promise.all(Array.from({ length: 5 }, () => send(id, 0, text)))
    for (const answer of answers)
      expect(answer).toMatchObject({ state: 'done', lines: 201, accepted: 200, duplicates: 0 })
    expect(await counted(tenantId)).toEqual({ records: 200, used: 200 })
  })

  test('broken off before or after each commit, it goes on where it was and comes out the same', async () => {
    const text = rows(9)
    const lines = text.split('\n').filter((line) => line !== '')
    const pieces = [0, 3, 6, 9].map((from) =>
      lines
        .slice(from, from + 3)
        .map((line) => `${line}\n`)
        .join(''),
    )
    const play = async (dieAt: number | null): Promise<{ passed: number; deaths: number }> => {
      const tenantId = await newTenant()
      const { id } = await begin(text, { tenantId, name: `played ${dieAt}` })
      let [passed, deaths] = [0, 0]
      onFaultPoint(() => {
        // The worker passes places of its own.
        if (!new Error().stack?.includes('import-usage.ts') || ++passed !== dieAt) return
        deaths++
        throw new Error('died here')
      })
      let offset = 0
      try {
        for (const piece of pieces) {
          const after = await send(id, offset, piece).catch(() => send(id, offset, piece))
          offset = after.offset
        }
      } finally {
        onFaultPoint(null)
      }
      expect((await importer.getUsageImport({ params: { importId: id } })).data).toMatchObject({
        state: 'done',
        lines: 10,
        accepted: 9,
        duplicates: 0,
        invalid: 0,
      })
      expect(await counted(tenantId)).toEqual({ records: 9, used: 9 })
      return { passed, deaths }
    }
    const { passed } = await play(null)
    expect(passed).toBe(2 * pieces.length)
    let died = 0
    for (let place = 1; place <= passed; place++) died += (await play(place)).deaths
    expect(died).toBe(passed)
  })
})

test('who may: the permission is one of its own, and a tenant sees only its own imports', async () => {
  const [mine, theirs] = [await newTenant(), await newTenant()]
  const text = `at,meter\n${daysAgo(1)},api_calls\n`
  const { id } = await begin(text, { tenantId: mine })
  const services = await service.as('service')
  await expect(services.createUsageImport({ body: describeFile(text, { tenantId: mine }) })).rejects.toMatchObject({
    code: 'forbidden',
  })
  const member = await service.as('member', theirs)
  await expect(member.getUsageImport({ params: { importId: id } })).rejects.toMatchObject({ code: 'not_found' })
  const seen = await (await service.as('member', mine)).listUsageImports({ query: {} })
  expect(seen.data.map((each) => each.id)).toEqual([id])
})
