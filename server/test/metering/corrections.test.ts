import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from '../../src/core/canonical.ts'
import { archiveUsage } from '../../src/flows/archive-usage.ts'
import { findCounterDifferences } from '../../src/modules/usage/index.ts'
import { query, sql } from '../../src/platform/db.ts'
import { type Service, startService } from '../support/service.ts'
import { meteringCatalog } from './support.ts'

/** Reports, files and corrections of every aggregation, span and derived meter, against a count of our own (USE-2, USE-4). */

let service: Service
beforeAll(async () => {
  service = await startService({ env: { TURNPIKE_CATALOG: meteringCatalog() } })
})
afterAll(() => service?.stop())

const meters = ['calls', 'jobs', 'people', 'peak', 'projects', 'by_day', 'ever', 'recent', 'carried'] as const
const report = fc.record({
  meter: fc.constantFrom(...meters),
  quantity: fc.integer({ min: 1, max: 20 }),
  minutesAgo: fc.integer({ min: 1, max: 60 * 24 * 30 }),
  user: fc.constantFrom('ana', 'bob', 'cy'),
  model: fc.constantFrom('small', 'large'),
})
const correction = fc.record({ which: fc.nat(), quantity: fc.option(fc.integer({ min: 0, max: 20 })) })

let tenants = 0
const newTenant = async (): Promise<string> => {
  const tenantId = `varied-${++tenants}`
  await service.customer(tenantId)
  return tenantId
}
type Report = (typeof report)['generate'] extends (...all: never[]) => { value: infer R } ? R : never

const bringIn = async (tenantId: string, reports: readonly Report[]) => {
  const now = service.clock.now()
  const text = reports
    .map(({ meter, quantity, minutesAgo, user, model }, n) =>
      JSON.stringify({
        idempotencyKey: `r${n}`,
        at: now.subtract({ minutes: minutesAgo }).toString(),
        meter,
        quantity,
        properties: { user, model, region: user },
      }),
    )
    .join('\n')
  const { data: begun } = await service.operator.createUsageImport({
    body: {
      tenantId,
      name: 'past',
      format: 'ndjson',
      size: Buffer.byteLength(text),
      sha256: sha256(text).toString('hex'),
    },
  })
  const { data } = await service.operator.sendUsageImport({ params: { importId: begun.id }, body: { offset: 0, text } })
  expect(data).toMatchObject({ accepted: reports.length, invalid: 0 })
}

const countersOf = (tenantId: string, meter: string) =>
  query<{ used: number }>(
    service.app.deps.db,
    sql`select used::float8 as used from usage_counters where tenant_id = ${tenantId} and meter = ${meter} and span = 'hour'`,
  )

test('after any reports and corrections every counter says what its records do, also when they are packed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(report, { minLength: 1, maxLength: 15 }),
      fc.array(correction, { maxLength: 10 }),
      async (reports, corrections) => {
        const tenantId = await newTenant()
        await bringIn(tenantId, reports)
        const effective = reports.map(({ quantity }) => quantity)
        for (const [n, { which, quantity }] of corrections.entries()) {
          const index = which % reports.length
          const { meter } = reports[index]!
          const amended = meter === 'jobs' || meter === 'people' ? null : quantity
          await service.operator.correctUsage({
            body: {
              tenantId,
              corrects: `r${index}`,
              reason: 'A test of corrections',
              idempotencyKey: `c${n}`,
              ...(amended === null ? { action: 'void' } : { action: 'amend', quantity: amended }),
            },
          })
          effective[index] = amended ?? 0
        }
        expect(await findCounterDifferences(service.app.deps.db, 10, [tenantId])).toEqual([])
        for (const meter of ['calls', 'by_day', 'ever', 'recent', 'carried']) {
          const sum = (await countersOf(tenantId, meter)).reduce((total, { used }) => total + used, 0)
          expect([meter, sum]).toEqual([
            meter,
            reports.reduce((total, each, index) => total + (each.meter === meter ? effective[index]! : 0), 0),
          ])
        }
        const large = (await countersOf(tenantId, 'large_calls')).reduce((total, { used }) => total + used, 0)
        expect(large).toBe(
          reports.reduce(
            (total, each, index) => total + (each.meter === 'calls' && each.model === 'large' ? effective[index]! : 0),
            0,
          ),
        )
      },
    ),
    { numRuns: 20 },
  )
  service.clock.advance('P4M')
  const { deps } = service.app
  const current = deps.catalog()
  const policies = { ...current.file.policies, usage: { ...current.file.policies.usage, keepDays: 40 } }
  const catalog = { ...current, file: { ...current.file, policies } }
  expect(await archiveUsage({ ...deps, catalog: () => catalog })).toBeGreaterThan(0)
  expect(await findCounterDifferences(deps.db, 10)).toEqual([])
}, 180_000)

test('a history by groups adds up to the history', async () => {
  const tenantId = await newTenant()
  const at = { meter: 'calls' as const, model: 'small' as const }
  await bringIn(tenantId, [
    { ...at, quantity: 3, minutesAgo: 30, user: 'ana' },
    { ...at, quantity: 4, minutesAgo: 40, user: 'bob' },
    { ...at, quantity: 5, minutesAgo: 60 * 24 * 3, user: 'ana' },
  ])
  const { data } = await service.operator.getUsageHistory({ query: { tenantId, meter: 'calls', groupBy: 'region' } })
  expect(data.groups).toEqual(['ana', 'bob', 'other'])
  for (const { used, groups } of data.points)
    expect(Object.values(groups!).reduce((sum, each) => sum + each, 0)).toBe(used)
  expect(data.points.reduce((sum, { groups }) => sum + groups!.ana!, 0)).toBe(8)
})

test('days of the history begin at midnight of the customer’s time zone', async () => {
  const tenantId = await newTenant()
  const [customer] = (await service.operator.listCustomers({ query: { search: tenantId } })).data
  await service.operator.updateCustomer({
    params: { customerId: customer!.id },
    body: { timeZone: 'America/New_York' },
  })
  const { data } = await service.operator.getUsageHistory({ query: { tenantId, meter: 'calls' } })
  expect(data.timeZone).toBe('America/New_York')
  for (const { start } of data.points.slice(1))
    expect(Temporal.Instant.from(start).toZonedDateTimeISO('America/New_York').hour).toBe(0)
})
