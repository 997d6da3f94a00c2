import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '@turnpike/client'
import type { UsageRecord } from '@turnpike/contract'

/** A catalog with every aggregation and every window, in a file of its own. */
export const meteringCatalog = (): string => {
  const file = join(mkdtempSync(join(tmpdir(), 'turnpike-metering-')), 'catalog.yaml')
  writeFileSync(
    file,
    `catalog: metering
currencies: [USD]
baseline: free
meters:
  calls: { name: Calls, unit: call, aggregation: sum, fractional: true, groupBy: [region] }
  large_calls: { name: Calls of large models, unit: call, aggregation: sum, fractional: true, of: calls, filter: { model: [large, huge] } }
  callers: { name: Callers, unit: person, aggregation: unique, property: user, of: calls }
  longest_call: { name: Longest call, unit: second, aggregation: max, fractional: true, of: calls }
  long_calls: { name: Calls by number, unit: call, aggregation: count, of: calls, groupBy: [region] }
  jobs: { name: Jobs, unit: job, aggregation: count, groupBy: [region] }
  people: { name: People, unit: person, aggregation: unique, property: user, groupBy: [region] }
  peak: { name: Highest, unit: connection, aggregation: max, groupBy: [region] }
  storage: { name: Storage, unit: gigabyte, aggregation: time_weighted, groupBy: [region] }
  projects: { name: Projects, unit: project, aggregation: latest, groupBy: [region] }
  by_hour: { name: By the hour, unit: call, aggregation: sum }
  by_day: { name: By the day, unit: call, aggregation: sum }
  by_week: { name: By the week, unit: call, aggregation: sum }
  by_month: { name: By the month, unit: call, aggregation: sum }
  by_year: { name: By the year, unit: call, aggregation: sum }
  ever: { name: Ever, unit: call, aggregation: sum }
  recent: { name: In the last hours, unit: call, aggregation: sum }
  carried: { name: Carried, unit: call, aggregation: sum }
features:
  calls: { name: Calls, kind: metered, meter: calls }
  large_calls: { name: Calls of large models, kind: metered, meter: large_calls }
  callers: { name: Callers, kind: metered, meter: callers }
  jobs: { name: Jobs, kind: metered, meter: jobs }
  people: { name: People, kind: metered, meter: people }
  peak: { name: Highest, kind: metered, meter: peak }
  storage: { name: Storage, kind: value, type: number, usedBy: storage }
  by_hour: { name: By the hour, kind: metered, meter: by_hour }
  by_day: { name: By the day, kind: metered, meter: by_day }
  by_week: { name: By the week, kind: metered, meter: by_week }
  by_month: { name: By the month, kind: metered, meter: by_month }
  by_year: { name: By the year, kind: metered, meter: by_year }
  ever: { name: Ever, kind: metered, meter: ever }
  recent: { name: In the last hours, kind: metered, meter: recent }
  carried: { name: Carried, kind: metered, meter: carried }
plans:
  free:
    name: Free
    status: active
    rank: 0
    model: free
    grants:
      calls: { limit: 100, enforcement: hard, warnAtPercent: [80] }
      large_calls: { limit: 20, enforcement: hard }
      callers: { limit: 3, enforcement: hard }
      jobs: { limit: 5, enforcement: hard }
      people: { limit: 3, enforcement: hard }
      peak: { limit: 10, enforcement: hard }
      storage: 50
      by_hour: { limit: 10, enforcement: hard, window: hour }
      by_day: { limit: 10, enforcement: hard, window: day, warnAtPercent: [50] }
      by_week: { limit: 10, enforcement: hard, window: week }
      by_month: { limit: 10, enforcement: hard, window: month }
      by_year: { limit: 10, enforcement: hard, window: year }
      ever: { limit: 10, enforcement: hard, window: lifetime }
      recent: { limit: 10, enforcement: hard, window: { slidingHours: 3 }, warnAtPercent: [50] }
      carried: { limit: 10, enforcement: hard, window: day, rollover: { capUnits: 8, expiresAfterPeriods: 2 } }
policies:
  access: { trialing: full, active: full, past_due: grace }
  changes: { upgrade: immediate, downgrade: period_end, proration: always_invoice }
  cancellation: { timing: period_end, readOnlyDays: 0, retentionDays: 365 }
  dunning: { stages: [{ afterDays: 0, access: grace }], cancelAfterDays: 30 }
  usage: { acceptLateDays: 35, acceptFutureSeconds: 300 }
`,
  )
  return file
}

/** Reports and checks of one tenant in few words. */
export const metered = (client: Client, tenantId: string) => {
  let keys = 0
  return {
    report: async (meter: string, quantity: number, more: Partial<UsageRecord> = {}) => {
      const { data } = await client.reportUsage({
        body: { tenantId, meter, quantity, idempotencyKey: `${tenantId}-${++keys}`, ...more },
      })
      return data.outcomes[0]!
    },
    consume: async (features: string[], quantity: number, idempotencyKey = `${tenantId}-consumed-${++keys}`) =>
      (await client.check({ body: { tenantId, features, quantity, consume: true, idempotencyKey } })).data,
    allows: async (feature: string, quantity: number) =>
      (await client.check({ body: { tenantId, feature, quantity } })).data.decisions[0]!,
    used: async (meter: string) =>
      (await client.getUsage({ query: { tenantId } })).data.meters.find((entry) => entry.meter === meter)!.used,
  }
}
