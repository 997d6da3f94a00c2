import { type FindingKind, findingKinds, type ReconciliationFigures } from '@turnpike/contract'
import { findingFigures } from '../modules/reconciliation/index.ts'
import type { Db } from '../platform/db.ts'

/** Open findings, the oldest, drift rate and time to correct, for the console, metrics and alerts (REC-4). */
export const readReconciliationFigures = async (db: Db, at: Temporal.Instant): Promise<ReconciliationFigures> => {
  const figures = await findingFigures(db, at.subtract({ hours: 24 * 30 }))
  const openBySeverity: Record<string, number> = {}
  for (const [kind, open] of Object.entries(figures.openByKind)) {
    const { severity } = findingKinds[kind as FindingKind]
    openBySeverity[severity] = (openBySeverity[severity] ?? 0) + open
  }
  const { oldestOpenAt } = figures
  return {
    openFindings: Object.values(figures.openByKind).reduce((sum, open) => sum + open, 0),
    openBySeverity,
    openByKind: figures.openByKind,
    oldestOpenAt: oldestOpenAt?.toString() ?? null,
    oldestOpenSeconds: oldestOpenAt && Math.max(0, Math.floor(oldestOpenAt.until(at).total('seconds'))),
    driftPerThousandCustomers: figures.customers === 0 ? 0 : (figures.firstSeen / figures.customers) * 1_000,
    medianSecondsToCorrect: figures.medianSecondsToCorrect,
    lastRunFinishedAt: figures.lastRunFinishedAt?.toString() ?? null,
    lastFullRunFinishedAt: figures.lastFullRunFinishedAt?.toString() ?? null,
  }
}
