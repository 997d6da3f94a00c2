import type { UsageSummary } from '@turnpike/contract'
import { microOfWhole, numberOfMicro } from '../core/quantity.ts'
import {
  counterName,
  counterNow,
  type LiveWindow,
  levelNow,
  meterState,
  windowAt,
} from '../modules/entitlements/index.ts'
import { countRefusals, isLevel, lifetime } from '../modules/usage/index.ts'
import { liveCustomer } from './check-entitlements.ts'
import type { Deps } from './deps.ts'
import { type Unprojected, withProjections } from './steps/with-projections.ts'

/** Used, limit and state of every meter of the catalog, now (USE-6). */
export const readUsage = async (deps: Deps, tenantId: string): Promise<UsageSummary> => {
  const at = deps.clock.now()
  const live = await liveCustomer(deps, tenantId, at.epochMilliseconds)
  const atMs = at.epochMilliseconds
  const window = windowAt(live.content.window, at)
  const meters = Object.entries(deps.catalog().file.meters).map(([meter, definition]): Unprojected => {
    const entitlement = live.content.entitlements.find(
      (candidate) => candidate.kind === 'metered' && candidate.meter === meter,
    )
    const levelled = live.content.entitlements.find(
      (candidate) => candidate.kind === 'value' && candidate.usedBy === meter,
    )
    const level = isLevel(definition.aggregation)
    const counting = entitlement?.kind === 'metered' ? live.countings.get(entitlement.feature) : undefined
    const counter = counting ? counterNow(live, counting, atMs) : null
    const used = level
      ? (levelNow(live, meter) ?? 0n)
      : (counter?.used ?? live.counters.get(counterName(meter, window.start.epochMilliseconds))?.used ?? 0n)
    const base = {
      meter,
      name: definition.name,
      unit: definition.unit,
      used: numberOfMicro(used),
      refusedAttempts: 0,
      window: level
        ? { start: lifetime.start, end: lifetime.end }
        : counting?.windowAt
          ? periodOf(counting.windowAt(atMs))
          : { start: window.start.toString(), end: window.end.toString() },
    }
    if (levelled?.kind === 'value' && typeof levelled.value === 'number') {
      const allowed = BigInt(Math.round(levelled.value * 1_000_000))
      return {
        ...base,
        name: levelled.name,
        feature: levelled.feature,
        included: levelled.value,
        limit: levelled.value,
        remaining: numberOfMicro(allowed > used ? allowed - used : 0n),
        percent: allowed === 0n ? null : Number((used * 1_000n) / allowed) / 10,
        overage: numberOfMicro(used > allowed ? used - allowed : 0n),
        enforcement: 'hard',
        state: used < allowed ? 'available' : levelled.upgradePlan ? 'upgrade_available' : 'blocked',
        upgradePlan: levelled.upgradePlan,
      }
    }
    if (entitlement?.kind !== 'metered')
      return {
        ...base,
        feature: null,
        included: null,
        limit: null,
        remaining: null,
        percent: null,
        overage: 0,
        enforcement: null,
        state: 'available',
        upgradePlan: null,
      }
    const { limit, included } = entitlement
    const reserved = counter?.reserved ?? 0n
    const left = limit === null ? null : microOfWhole(limit) - used - reserved
    const overage = included === null ? 0n : used - microOfWhole(included)
    return {
      ...base,
      name: entitlement.name,
      feature: entitlement.feature,
      included,
      limit,
      remaining: left === null ? null : numberOfMicro(left > 0n ? left : 0n),
      // Down to a tenth of a percent: what is shown as 100 % is 100 %.
      percent: limit === null || limit === 0 ? null : Number((used * 1_000n) / microOfWhole(limit)) / 10,
      overage: numberOfMicro(overage > 0n ? overage : 0n),
      enforcement: entitlement.enforcement,
      state: meterState(entitlement, used + reserved),
      upgradePlan: entitlement.upgradePlan,
    }
  })
  // Refused attempts are those of the window that is shown, which is each meter's own.
  const windows = meters.map(({ meter, window: { start, end } }) => ({ meter, start, end }))
  const refusals = await countRefusals(deps.db, tenantId, windows)
  const counted = meters.map((meter) => ({ ...meter, refusedAttempts: refusals.get(meter.meter) ?? 0 }))
  const projected = await withProjections(deps, tenantId, counted, at)
  return { tenantId, snapshotVersion: live.version, meters: projected, asOf: at.toString() }
}

const periodOf = ({ startMs, resetsAt }: LiveWindow) => ({
  start: Temporal.Instant.fromEpochMilliseconds(startMs).toString(),
  end: resetsAt,
})
