import type { CatalogMeter, UsageHistory } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { own } from '../core/own.ts'
import { numberOfMicro } from '../core/quantity.ts'
import { findCustomer } from '../modules/customers/index.ts'
import {
  anomalySince,
  findAnomalies,
  firstHour,
  type Hour,
  isLevel,
  type Joined,
  joinHours,
  lastHourBefore,
  readGroupedHours,
  readHours,
  stepsBetween,
} from '../modules/usage/index.ts'
import type { Deps } from './deps.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const pointsMax = 800
const groupedDaysMax = 31
const groupsMax = 8
const others = 'other'

type Asked = { meter: string; step: 'hour' | 'day'; from: string | null; to: string | null; groupBy: string | null }

/** What a meter counted over time, in steps, with hints about what is unusual now (USE-6). */
export const readHistory = async (deps: Deps, tenantId: string, asked: Asked): Promise<UsageHistory> => {
  const at = deps.clock.now()
  const customer = await findCustomer(deps.db, tenantId)
  if (!customer) throw fail('not_found')
  const meter = own(deps.catalog().file.meters, asked.meter)
  if (!meter) throw fail('meter_unknown')
  const { groupBy, step } = asked
  if (groupBy !== null && !(meter.groupBy ?? []).includes(groupBy))
    throw fail('invalid_request', {
      errors: [{ field: 'groupBy', message: `is not one of: ${(meter.groupBy ?? []).join(', ') || 'none'}` }],
    })
  if (groupBy !== null && !addsUpByGroup(meter)) throw fail('group_by_no_sum')
  const zone = customer.timeZone
  const atMs = at.epochMilliseconds
  const toMs = asked.to === null ? atMs : Temporal.Instant.from(asked.to).epochMilliseconds
  const days = step === 'hour' ? 2 : 30
  const fromMs = asked.from === null ? toMs - days * dayMs : Temporal.Instant.from(asked.from).epochMilliseconds
  const longest = groupBy === null ? pointsMax * (step === 'hour' ? hourMs : dayMs) : groupedDaysMax * dayMs
  if (toMs <= fromMs || toMs - fromMs > longest)
    throw fail('invalid_request', {
      errors: [{ field: 'from', message: `must be before \`to\`, and at most ${Math.floor(longest / dayMs)} days` }],
    })
  const steps = stepsBetween(step, zone, fromMs, toMs)
  const how = joinedBy(meter.aggregation)
  const since = anomalySince(atMs)
  const [before, hours, first, recent, grouped] = await Promise.all([
    // A level stays what it was until it is reported again.
    how === 'last' ? lastHourBefore(deps.db, tenantId, asked.meter, steps[0] ?? fromMs) : null,
    readHours(deps.db, tenantId, asked.meter, steps[0] ?? fromMs, toMs),
    firstHour(deps.db, tenantId, asked.meter),
    how === 'sum' ? readHours(deps.db, tenantId, asked.meter, since, atMs) : [],
    groupBy === null ? null : readGroupedHours(deps.db, tenantId, asked.meter, groupBy, steps[0] ?? fromMs, toMs),
  ])
  const groups = grouped && groupsOf(grouped)
  const series = groups?.map((value) => ({
    value,
    points: joinHours(
      steps,
      grouped!.filter((each) => groupOf(groups, each.value) === value),
      how,
    ),
  }))
  return {
    tenantId,
    meter: asked.meter,
    name: meter.name,
    unit: meter.unit,
    step,
    timeZone: zone,
    points: joinHours(steps, before ? [before, ...hours] : hours, how).map(({ startMs, used }, index) => ({
      start: isoOf(startMs),
      used: numberOfMicro(used),
      ...(series
        ? { groups: Object.fromEntries(series.map(({ value, points }) => [value, numberOfMicro(points[index]!.used)])) }
        : {}),
    })),
    groups,
    anomalies:
      how === 'sum'
        ? findAnomalies(recent, first, atMs).map(({ span, startMs, endMs, kind, value, expected }) => ({
            span,
            start: isoOf(startMs),
            end: isoOf(endMs),
            kind,
            value: numberOfMicro(value),
            expected: numberOfMicro(expected),
          }))
        : [],
    asOf: at.toString(),
  }
}

const isoOf = (ms: number): string => Temporal.Instant.fromEpochMilliseconds(ms).toString()

/** Of unique values and of means there is no sum: the highest hour is shown. */
const joinedBy = (aggregation: CatalogMeter['aggregation']): Joined =>
  aggregation === 'sum' || aggregation === 'count' ? 'sum' : isLevel(aggregation) ? 'last' : 'max'

/** Whether the quantities of the records add up to what is shown. A derived count has those of another meter. */
const addsUpByGroup = ({ aggregation, of }: CatalogMeter): boolean =>
  aggregation === 'sum' || (aggregation === 'count' && of === undefined)

/** The values that were used most, and one name for all others. */
const groupsOf = (hours: readonly (Hour & { value: string | null })[]): string[] => {
  const sums = new Map<string, bigint>()
  for (const { value, used } of hours)
    if (value !== null && value !== others) sums.set(value, (sums.get(value) ?? 0n) + used)
  const most = [...sums].sort(([a, x], [b, y]) => (x === y ? (a < b ? -1 : 1) : x > y ? -1 : 1)).map(([value]) => value)
  return [...most.slice(0, groupsMax), others]
}

const groupOf = (groups: readonly string[], value: string | null): string =>
  value !== null && groups.includes(value) ? value : others
