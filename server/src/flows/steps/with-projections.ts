import type { MeterUsage } from '@turnpike/contract'
import { own } from '../../core/own.ts'
import { microOf, numberOfMicro } from '../../core/quantity.ts'
import { paceHours, paceOf, projectUsage, readPaces } from '../../modules/usage/index.ts'
import type { Deps } from '../deps.ts'

export type Unprojected = Omit<MeterUsage, 'projection'>

const hourMs = 3_600_000
/** Windows that end in another age do not end for anybody who asks. */
const longestMs = 400 * 24 * hourMs

/** Adds to each meter where it is going by the end of its window, at the pace of the last week (USE-6). */
export const withProjections = async (
  deps: Pick<Deps, 'db' | 'catalog'>,
  tenantId: string,
  meters: readonly Unprojected[],
  at: Temporal.Instant,
): Promise<MeterUsage[]> => {
  const atMs = at.epochMilliseconds
  const end = Math.floor(atMs / hourMs) * hourMs
  const { meters: definitions } = deps.catalog().file
  const addsUp = (meter: string) => ['sum', 'count'].includes(own(definitions, meter)?.aggregation ?? '')
  const names = [...new Set(meters.map(({ meter }) => meter).filter(addsUp))]
  const paces = await readPaces(deps.db, tenantId, names, end - paceHours * hourMs, end)
  return meters.map((meter) => {
    const known = paces.get(meter.meter)
    const endMs = Temporal.Instant.from(meter.window.end).epochMilliseconds
    const pace = known && endMs - atMs < longestMs ? paceOf(known.used, known.firstMs, atMs) : null
    if (!pace) return { ...meter, projection: null }
    const projected = projectUsage(microOf(meter.used) ?? 0n, pace, { endMs }, atMs, {
      fractional: own(definitions, meter.meter)?.fractional ?? false,
      limit: meter.limit === null ? null : microOf(meter.limit),
    })
    return {
      ...meter,
      projection: {
        used: numberOfMicro(projected.used),
        limitReachedAt:
          projected.limitReachedAtMs === null
            ? null
            : Temporal.Instant.fromEpochMilliseconds(projected.limitReachedAtMs).toString(),
      },
    }
  })
}
