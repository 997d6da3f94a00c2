import { type FindingKind, safeFindingKinds } from '@turnpike/contract'
import type { Deps } from '../deps.ts'

export type ReconciliationPolicy = { automatic: readonly FindingKind[]; patienceMinutes: number; invoiceDays: number }

/** What the catalog says about reconciliation, with what holds where it says nothing. */
export const reconciliationPolicy = (deps: Pick<Deps, 'catalog'>): ReconciliationPolicy => {
  const stated = deps.catalog().file.policies.reconciliation
  return {
    automatic: stated?.automatic ?? safeFindingKinds,
    patienceMinutes: stated?.patienceMinutes ?? 15,
    invoiceDays: stated?.invoiceDays ?? 45,
  }
}
