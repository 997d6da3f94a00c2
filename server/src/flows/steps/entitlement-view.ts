import type { Entitlement } from '@turnpike/contract'
import {
  countingOf,
  type ResolvedEntitlement,
  rememberWindow,
  type SnapshotContent,
} from '../../modules/entitlements/index.ts'

/** A resolved entitlement as the API shows it, with the window that counts at a time. */
export const entitlementView = (
  content: SnapshotContent,
  resolved: ResolvedEntitlement,
  at: Temporal.Instant,
): Entitlement => {
  const { upgradePlan: _, afterDowngrade: __, ...entitlement } = resolved
  if (entitlement.kind !== 'metered' || resolved.kind !== 'metered') return entitlement as Entitlement
  const { highest: ___, window: ____, carried, ...metered } = entitlement
  const counting = countingOf(resolved)
  const { startMs, resetsAt } = (counting.windowAt ?? rememberWindow(content.window))(at.epochMilliseconds)
  return {
    ...metered,
    ...(counting.windowAt ? { countedBy: counting.span } : {}),
    ...(carried && carried.lots.length > 0 ? { carried: carried.lots } : {}),
    window: { start: isoOf(startMs), end: resetsAt },
  } as Entitlement
}

const isoOf = (ms: number): string => Temporal.Instant.fromEpochMilliseconds(ms).toString()
