import { type Finding, findingKinds, type ReconciliationRun, repairs } from '@turnpike/contract'
import { fail } from '../../core/errors.ts'
import { readReconciliationFigures } from '../../flows/read-reconciliation.ts'
import { startRun, stopReconciliation } from '../../flows/reconcile.ts'
import { closeByHand, repairFinding } from '../../flows/repair-finding.ts'
import {
  type FindingRecord,
  findFinding,
  findRun,
  listFindings,
  listRuns,
  type RunRecord,
} from '../../modules/reconciliation/index.ts'
import { requirePermission } from '../auth.ts'
import { type Context, decodeCursor, encodeCursor, type Handlers } from '../handler.ts'

const runView = (run: RunRecord): ReconciliationRun => ({
  id: run.runId,
  scope: run.scope,
  tenantId: run.tenantId,
  state: run.state,
  phase: run.phase,
  progress: run.progress,
  found: run.found,
  repaired: run.repaired,
  waitsFor: run.waitsFor,
  startedBy: run.startedBy,
  startedAt: run.startedAt.toString(),
  finishedAt: run.finishedAt?.toString() ?? null,
  failure: run.failure,
})

const findingView = (finding: FindingRecord, at: Temporal.Instant): Finding => ({
  id: finding.findingId,
  tenantId: finding.tenantId,
  kind: finding.kind,
  severity: findingKinds[finding.kind].severity,
  meaning: findingKinds[finding.kind].meaning,
  object: finding.object,
  here: finding.here,
  there: finding.there,
  repair: finding.repair,
  repairMeaning: repairs[finding.repair],
  state: finding.state,
  firstSeenAt: finding.firstSeenAt.toString(),
  lastSeenAt: finding.lastSeenAt.toString(),
  ageSeconds: Math.max(0, Math.floor(finding.firstSeenAt.until(finding.closedAt ?? at).total('seconds'))),
  closedAt: finding.closedAt?.toString() ?? null,
  closedBy: finding.closedBy,
  reason: finding.reason,
  firstRunId: finding.firstRunId,
  lastRunId: finding.lastRunId,
})

const isId = (value: unknown): value is string => typeof value === 'string' && /^[a-z_0-9]{1,60}$/.test(value)
const after = <T>(rows: readonly T[], limit: number, id: (row: T) => string): string | null =>
  rows.length === limit ? encodeCursor(id(rows.at(-1)!)) : null

const ownRun = async ({
  deps,
  params,
  own,
}: Pick<Context<'getReconciliation'>, 'deps' | 'params' | 'own'>): Promise<RunRecord> => {
  const run = await findRun(deps.db, params.runId)
  await own(run && (run.tenantId ?? ''))
  if (!run) throw fail('not_found')
  return run
}

const ownFinding = async ({
  deps,
  params,
  own,
}: Pick<Context<'getFinding'>, 'deps' | 'params' | 'own'>): Promise<FindingRecord> => {
  const finding = await findFinding(deps.db, params.findingId)
  await own(finding && (finding.tenantId ?? ''))
  if (!finding) throw fail('not_found')
  return finding
}

export const reconciliationHandlers: Handlers<
  | 'startReconciliation'
  | 'listReconciliations'
  | 'getReconciliation'
  | 'stopReconciliation'
  | 'getReconciliationFigures'
  | 'listFindings'
  | 'getFinding'
  | 'repairFinding'
  | 'acceptFinding'
  | 'dismissFinding'
> = {
  startReconciliation: async ({ deps, actor, credential, requestId, tenantId, body }) => {
    if (tenantId !== null) return runView(await startRun(deps, actor, { scope: 'tenant', tenantId }))
    await requirePermission(deps, credential, 'billing:reconciliation:run_all', requestId, 'startReconciliation')
    return runView(await startRun(deps, actor, { scope: body.scope ?? 'all' }))
  },

  listReconciliations: async ({ deps, tenantId, query }) => {
    const limit = query.limit ?? 50
    const rows = await listRuns(deps.db, { tenantId, before: decodeCursor(query.cursor, isId), limit })
    return { data: rows.map(runView), cursor: after(rows, limit, (row) => row.runId) }
  },

  getReconciliation: async (context) => runView(await ownRun(context)),

  stopReconciliation: async (context) => {
    const run = await ownRun(context)
    const { deps, actor, credential, requestId } = context
    if (run.tenantId === null)
      await requirePermission(deps, credential, 'billing:reconciliation:run_all', requestId, 'stopReconciliation')
    await stopReconciliation(deps, actor, run)
    return runView((await findRun(deps.db, run.runId))!)
  },

  getReconciliationFigures: ({ deps }) => readReconciliationFigures(deps.db, deps.clock.now()),

  listFindings: async ({ deps, tenantId, query }) => {
    const limit = query.limit ?? 50
    const rows = await listFindings(deps.db, {
      tenantId,
      kind: query.kind ?? null,
      state: query.state ?? null,
      before: decodeCursor(query.cursor, isId),
      limit,
    })
    const at = deps.clock.now()
    return { data: rows.map((row) => findingView(row, at)), cursor: after(rows, limit, (row) => row.findingId) }
  },

  getFinding: async (context) => findingView(await ownFinding(context), context.deps.clock.now()),

  repairFinding: async (context) => {
    const { findingId } = await ownFinding(context)
    const { deps, actor, body } = context
    return findingView(await repairFinding(deps, actor, findingId, body.reason), deps.clock.now())
  },

  acceptFinding: async (context) => {
    const { findingId } = await ownFinding(context)
    const { deps, actor, body } = context
    return findingView(await closeByHand(deps, actor, findingId, 'accepted', body.reason), deps.clock.now())
  },

  dismissFinding: async (context) => {
    const { findingId } = await ownFinding(context)
    const { deps, actor, body } = context
    return findingView(await closeByHand(deps, actor, findingId, 'dismissed', body.reason), deps.clock.now())
  },
}
