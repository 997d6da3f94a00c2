import type { Entitlement } from '@turnpike/contract'
import { type ResolvedEntitlement, type SnapshotContent, windowAt } from '../../modules/entitlements/index.ts'

/** A resolved entitlement as the API shows it, with the window that counts at a time. */
export const entitlementView = (
  content: SnapshotContent,
  { upgradePlan: _, afterDowngrade: __, ...entitlement }: ResolvedEntitlement,
  at: Temporal.Instant,
): Entitlement => {
  if (entitlement.kind !== 'metered') return entitlement as Entitlement
  const window = windowAt(content.window, at)
  return { ...entitlement, window: { start: window.start.toString(), end: window.end.toString() } } as Entitlement
}
