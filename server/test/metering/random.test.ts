import { createClient } from '@turnpike/client'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expireReservations } from '../../src/flows/settle-reservation.ts'
import { findCounterDifferences } from '../../src/modules/usage/index.ts'
import { query, sql } from '../../src/platform/db.ts'
import { type Service, startService } from '../support/service.ts'
import { meteringCatalog } from './support.ts'

/**
 * Whatever is reported, consumed, reserved, committed and corrected, through two processes at once, in whatever order and time:
 * every counter is what its records make, nothing is held that nobody holds, and no window has more than its limit.
 */

let service: Service
let clients: ReturnType<typeof createClient>[]
beforeAll(async () => {
  service = await startService({ env: { TURNPIKE_CATALOG: meteringCatalog() } })
  const other = await service.another()
  const credential = await service.keyOf('operator')
  clients = [service.app.url, other.url].map((baseUrl) => createClient({ baseUrl, credential }))
})
afterAll(() => service?.stop())

const limits: Record<string, number> = {
  calls: 100,
  large_calls: 20,
  callers: 3,
  jobs: 5,
  people: 3,
  peak: 10,
  by_hour: 10,
  by_day: 10,
  by_week: 10,
  by_month: 10,
  by_year: 10,
  ever: 10,
  recent: 10,
}
const reported = [
  'calls',
  'jobs',
  'people',
  'peak',
  'storage',
  'projects',
  'by_hour',
  'by_day',
  'by_week',
  'by_month',
  'ever',
  'recent',
]
const reservable = ['calls', 'by_hour', 'by_day', 'by_month', 'ever', 'recent']

const record = fc.record({
  meter: fc.constantFrom(...reported),
  quantity: fc.integer({ min: 0, max: 6 }),
  hoursAgo: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 100 })),
  user: fc.constantFrom('ana', 'ben', 'cyd', 'dan'),
  model: fc.constantFrom('small', 'large', 'huge'),
})
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constant('report' as const),
      records: fc.array(record, { minLength: 1, maxLength: 12 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('consume' as const),
      features: fc.uniqueArray(fc.constantFrom(...reservable), { minLength: 1, maxLength: 3 }),
      quantity: fc.integer({ min: 0, max: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('reserve' as const),
      features: fc.uniqueArray(fc.constantFrom(...reservable), { minLength: 1, maxLength: 3 }),
      quantity: fc.integer({ min: 0, max: 5 }),
      ending: fc.constantFrom('commit', 'part', 'release', 'nothing'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('correct' as const),
      pick: fc.nat(),
      action: fc.constantFrom('void' as const, 'amend' as const),
      quantity: fc.integer({ min: 0, max: 3 }),
    }),
  },
)
const story = fc.record({
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/St_Johns'),
  rounds: fc.array(
    fc.record({ later: fc.integer({ min: 0, max: 30 }), together: fc.array(step, { minLength: 1, maxLength: 6 }) }),
    { minLength: 1, maxLength: 5 },
  ),
})

let stories = 0
const play = async ({ timeZone, rounds }: { timeZone: string; rounds: { later: number; together: Step[] }[] }) => {
  const tenantId = `story-${++stories}`
  await service.operator.createCustomer({ body: { tenantId, name: tenantId, timeZone } })
  const kept: string[] = []
  let keys = 0
  const one = async (next: Step, client: (typeof clients)[number]) => {
    const key = `${tenantId}-${++keys}`
    if (next.what === 'report') {
      const records = next.records.map(({ meter, quantity, hoursAgo, user, model }, index) => ({
        tenantId,
        meter,
        quantity,
        idempotencyKey: `${key}-${index}`,
        ...(hoursAgo === 0 ? {} : { at: service.clock.now().subtract({ hours: hoursAgo }).toString() }),
        properties: { user, model },
      }))
      const { data } = await client.reportUsage({ body: { records } })
      kept.push(
        ...data.outcomes.filter(({ status }) => status === 'accepted').map((outcome) => outcome.idempotencyKey!),
      )
    }
    if (next.what === 'consume') {
      const body = { tenantId, features: next.features, quantity: next.quantity, consume: true, idempotencyKey: key }
      await client.check({ body })
    }
    if (next.what === 'reserve') {
      const features = next.features.map((feature) => ({ feature, quantity: next.quantity }))
      const { data } = await client.createReservation({
        body: { tenantId, features, idempotencyKey: key, expiresInSeconds: 60 },
      })
      const reservationId = data.reservation?.id
      if (!reservationId) return
      if (next.ending === 'release') await client.releaseReservation({ params: { reservationId } })
      if (next.ending === 'commit') await client.commitReservation({ params: { reservationId }, body: {} })
      const part = Object.fromEntries(next.features.map((feature) => [feature, Math.floor(next.quantity / 2)]))
      if (next.ending === 'part')
        await client.commitReservation({ params: { reservationId }, body: { quantities: part } })
    }
    if (next.what === 'correct' && kept.length > 0) {
      const { action, quantity } = next
      const corrects = kept[next.pick % kept.length]!
      // A correction says what was, and is no use: only what takes back is played, so that limits can be looked at.
      await client
        .correctUsage({
          body: {
            tenantId,
            corrects,
            action,
            ...(action === 'amend' ? { quantity: Math.min(quantity, 0) } : {}),
            reason: 'It was not so',
            idempotencyKey: key,
          },
        })
        .catch((error: { status?: number }) => expect(error.status).toBeLessThan(500))
    }
  }
  for (const { later, together } of rounds) {
    service.clock.advance(`PT${later}H`)
    await expireReservations(service.app.deps)
    await Promise.all(together.map((next, index) => one(next, clients[index % clients.length]!)))
  }
  service.clock.advance('PT2M')
  await expireReservations(service.app.deps)
  return tenantId
}
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

test('counters are what their records make, and no limit is passed (USE-3, USE-4, ENT-6)', async () => {
  await fc.assert(
    fc.asyncProperty(story, async (told) => {
      const tenantId = await play(told)
      const { db } = service.app.deps
      expect(await findCounterDifferences(db, 5, [tenantId])).toEqual([])
      const rows = await query<{ meter: string; span: string; used: number; reserved: number }>(
        db,
        sql`select meter, span, used::float8 as used, reserved::float8 as reserved from usage_counters where tenant_id = ${tenantId}`,
      )
      for (const { meter, span, used, reserved } of rows) {
        expect(reserved).toBe(0)
        const limited = meter.startsWith('by_')
          ? span !== 'hour' && span !== 'period'
          : meter === 'ever'
            ? span === 'lifetime'
            : span === 'period' && meter !== 'recent'
        if (limited && limits[meter] !== undefined) expect(used, `${meter} ${span}`).toBeLessThanOrEqual(limits[meter])
      }
      // A sliding window is looked at anew, from the records alone: no three hours and the one that runs have more.
      const [widest] = await query<{ most: number }>(
        db,
        sql`with hours as (select date_bin('1 hour', at, timestamptz 'epoch') as hour, sum(quantity) as used from usage_records where tenant_id = ${tenantId} and meter = 'recent' group by 1)
            select coalesce(max(s.used), 0)::float8 as most from (select sum(b.used) as used from hours a join hours b on b.hour <= a.hour and b.hour >= a.hour - interval '3 hours' group by a.hour) s`,
      )
      expect(widest!.most).toBeLessThanOrEqual(10)
      const seen = await query<{ meter: string }>(
        db,
        sql`select c.meter from usage_counters c where c.tenant_id = ${tenantId} and c.aggregation like 'unique:%'
              and c.used <> (select count(*) from usage_seen s where s.tenant_id = c.tenant_id and s.meter = c.meter and s.span = c.span and s.window_start = c.window_start)`,
      )
      expect(seen).toEqual([])
    }),
    { numRuns: 25 },
  )
})
