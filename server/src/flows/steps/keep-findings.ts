import type { FindingKind } from '@turnpike/contract'
import { newId } from '../../core/ids.ts'
import {
  type Difference,
  type FindingRecord,
  lockStandingFindings,
  saveFinding,
  settle,
} from '../../modules/reconciliation/index.ts'
import { type Actor, appendAudit } from '../../platform/audit.ts'
import type { Tx } from '../../platform/db.ts'
import type { Deps } from '../deps.ts'

export type Kept = { opened: FindingRecord[]; open: FindingRecord[]; closed: FindingRecord[] }

/**
 * Keeps what a complete second look has seen: new findings, those seen again, and those whose difference is gone; each
 * opening and closing with audit. Tenants are not told: a difference is the operator's matter, what its repair changes has
 * events of its own. `repairedBy`: who has just repaired which, so that these are closed as repaired.
 */
export const keepFindings = async (
  tx: Tx,
  deps: Pick<Deps, 'clock'>,
  look: {
    tenantId: string | null
    covered: readonly FindingKind[]
    differences: readonly Difference[]
    /** Only findings about this object are covered. */
    object?: string
  },
  runId: string | null,
  actor: Actor,
  repaired: { findingIds: ReadonlySet<string>; reason: string } | null = null,
): Promise<Kept> => {
  const at = deps.clock.now()
  const standing = (await lockStandingFindings(tx, look.tenantId, look.covered)).filter(
    (finding) => look.object === undefined || finding.object === look.object,
  )
  const settled = settle(standing, look.differences)
  const opened: FindingRecord[] = []
  for (const difference of settled.opened) {
    const finding: FindingRecord = {
      ...difference,
      tenantId: look.tenantId,
      findingId: newId('finding'),
      state: 'open',
      firstSeenAt: at,
      lastSeenAt: at,
      closedAt: null,
      closedBy: null,
      reason: null,
      firstRunId: runId,
      lastRunId: runId,
    }
    await saveFinding(tx, finding)
    await audit(tx, deps, actor, 'finding.opened', finding, null)
    opened.push(finding)
  }
  const open = [...opened]
  for (const { finding, now, reopened } of settled.seenAgain) {
    const seen: FindingRecord = {
      ...finding,
      ...now,
      lastSeenAt: at,
      lastRunId: runId ?? finding.lastRunId,
      ...(reopened ? { state: 'open', closedAt: null, closedBy: null, reason: null } : {}),
    }
    await saveFinding(tx, seen)
    if (reopened) await audit(tx, deps, actor, 'finding.reopened', seen, null)
    if (seen.state === 'open') open.push(seen)
  }
  const closed: FindingRecord[] = []
  for (const finding of settled.gone) {
    const wasRepaired = repaired?.findingIds.has(finding.findingId) ?? false
    closed.push(
      await closeFinding(
        tx,
        deps,
        actor,
        finding,
        wasRepaired ? 'repaired' : 'gone',
        wasRepaired ? repaired!.reason : null,
      ),
    )
  }
  return { opened, open, closed }
}

/** Ends a finding, with audit. */
export const closeFinding = async (
  tx: Tx,
  deps: Pick<Deps, 'clock'>,
  actor: Actor,
  finding: FindingRecord,
  state: Exclude<FindingRecord['state'], 'open'>,
  reason: string | null,
): Promise<FindingRecord> => {
  const closed: FindingRecord = { ...finding, state, closedAt: deps.clock.now(), closedBy: actor.id, reason }
  await saveFinding(tx, closed)
  await audit(tx, deps, actor, `finding.${state}`, closed, reason)
  return closed
}

const audit = (
  tx: Tx,
  deps: Pick<Deps, 'clock'>,
  actor: Actor,
  action: string,
  finding: FindingRecord,
  reason: string | null,
): Promise<void> =>
  appendAudit(tx, deps.clock, {
    tenantId: finding.tenantId,
    actor,
    action,
    object: finding.findingId,
    before: finding.here,
    after: { kind: finding.kind, object: finding.object, there: finding.there, repair: finding.repair },
    reason,
  })
