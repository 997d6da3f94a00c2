import type { ReconciliationPhase } from '@turnpike/contract'
import { reconciliationPhases } from '@turnpike/contract'
import { Failure } from '../core/errors.ts'
import { idFor } from '../core/ids.ts'
import {
  addSuspects,
  countSuspects,
  findRun,
  findRunUnderWay,
  forgetWorkings,
  insertRun,
  leaveRun,
  markSeen,
  nextSuspects,
  type PhaseProgress,
  type RunRecord,
  removeSuspects,
  runsToContinue,
  type Suspect,
  saveCounts,
  saveRun,
  stopRun,
  suspectOpenFindings,
  takeRun,
} from '../modules/reconciliation/index.ts'
import { type Actor, appendAudit, systemActor } from '../platform/audit.ts'
import { type Tx, transact } from '../platform/db.ts'
import type { Deps } from './deps.ts'
import { isAutomatic, type ReconcileDeps, repairAutomatically } from './repair-finding.ts'
import { type Kept, keepFindings } from './steps/keep-findings.ts'
import { lookAtCatalog, lookAtDeadWebhooks, lookAtStranger } from './steps/look-at-house.ts'
import { type Look, lookAtTenant } from './steps/look-at-tenant.ts'
import { type Page, pagers } from './steps/reconcile-pages.ts'
import { reconciliationPolicy } from './steps/reconciliation-policy.ts'

const phasesOf: Record<RunRecord['scope'], readonly ReconciliationPhase[]> = {
  all: reconciliationPhases,
  // Comparing all counters reads all records: too much for each hour. The sample of each day does it for some of everybody.
  light: ['provider_subscriptions', 'provider_invoices', 'waiting', 'second_look'],
  tenant: ['second_look'],
}

/** Begins a run, or answers the one of this scope that is under way. It is worked on in the background. */
export const startRun = async (
  deps: Deps,
  actor: Actor,
  scope: { scope: 'all' | 'light' } | { scope: 'tenant'; tenantId: string },
): Promise<RunRecord> => {
  const tenantId = scope.scope === 'tenant' ? scope.tenantId : null
  const run: RunRecord = {
    runId: idFor('run', actor.claim),
    scope: scope.scope,
    tenantId,
    state: 'running',
    phase: phasesOf[scope.scope][0]!,
    cursor: null,
    progress: [],
    found: 0,
    repaired: 0,
    waitsFor: null,
    startedBy: actor.id,
    startedAt: deps.clock.now(),
    finishedAt: null,
    failure: null,
  }
  for (;;) {
    const begun = await transact(deps.db, async (tx) => {
      // A repeat whose first answer was lost gets what the first has begun.
      const made = actor.claim === undefined ? null : await findRun(tx, run.runId)
      if (made) return made
      if (!(await insertRun(tx, run))) return findRunUnderWay(tx, run.scope, tenantId)
      if (tenantId !== null) await addSuspects(tx, run.runId, [{ tenantId, providerCustomerId: null }])
      await audit(tx, deps, actor, 'reconciliation.started', run)
      return run
    })
    // Null: the other one has ended between the two looks.
    if (begun) return begun
  }
}

/** Ends a run after its current page; false when it had ended already. */
export const stopReconciliation = (deps: Deps, actor: Actor, run: RunRecord): Promise<boolean> =>
  transact(deps.db, async (tx) => {
    if (!(await stopRun(tx, run.runId, deps.clock.now()))) return false
    await forgetWorkings(tx, run.runId)
    await audit(tx, deps, actor, 'reconciliation.stopped', run)
    return true
  })

const leaseSeconds = 120
const suspectsAtOnce = 10

/** Goes on with every run for a few pages each. Answers how many pages were done: 0 when there is nothing to do now. */
export const workOnRuns = async (deps: ReconcileDeps): Promise<number> => {
  let pages = 0
  for (const runId of await runsToContinue(deps.db, deps.clock.now())) pages += await continueRun(deps, runId, 5)
  return pages
}

/**
 * Takes a run in hand for so many pages. Its place is kept with each page in one transaction, so that nothing is lost and
 * nothing is done twice when the process ends; a provider that does not answer makes it wait where it is. Answers how many
 * pages it did.
 */
export const continueRun = async (deps: ReconcileDeps, runId: string, pagesMax: number): Promise<number> => {
  const taken = await takeRun(deps.db, runId, deps.presence, deps.clock.now(), leaseSeconds)
  if (!taken) return 0
  let { run } = taken
  let pages = 0
  try {
    while (run.state === 'running' && pages < pagesMax) {
      const next = await nextPage(deps, run, taken.fence)
      if (next === null) break
      run = next
      if (run.waitsFor !== null) break
      pages++
    }
  } finally {
    await leaveRun(deps.db, runId, taken.fence).catch(() => {})
  }
  return pages
}

/** The run after one more page; null when it was stopped or taken over. */
const nextPage = async (deps: ReconcileDeps, run: RunRecord, fence: bigint): Promise<RunRecord | null> => {
  const until = () => deps.clock.now().add({ seconds: leaseSeconds })
  const save = (after: RunRecord, work: (tx: Tx) => Promise<void> = async () => {}) =>
    transact(deps.db, async (tx) => {
      if (!(await saveRun(tx, after, fence, until()))) return null
      await work(tx)
      // What the work has counted is kept with it.
      await saveCounts(tx, after, fence)
      return after
    })
  const asksProvider = run.phase !== 'snapshots' && run.phase !== 'counters'
  if (asksProvider && deps.provider.availability().circuit === 'open') return save({ ...run, waitsFor: 'provider' })
  try {
    if (run.phase === 'second_look') return await secondLooks(deps, run, save)
    if (run.phase === 'catalog') {
      const look = await lookAtCatalog(deps)
      const after = advance(run, { after: null, looked: 1, suspects: [] })
      return await save(after, async (tx) => {
        const kept = await keepFindings(tx, deps, look, run.runId, actorOf(run))
        after.found += kept.opened.length
      })
    }
    const page = await pagers[run.phase!](deps, run)
    const after = advance(run, page)
    const dead = run.phase === 'waiting' ? await lookAtDeadWebhooks(deps) : null
    return await save(after, async (tx) => {
      if (page.seen) await markSeen(tx, run.runId, page.seen.kind, page.seen.objects)
      await addSuspects(tx, run.runId, page.suspects)
      if (after.phase === 'second_look') await suspectOpenFindings(tx, run.runId)
      if (dead) after.found += (await keepFindings(tx, deps, dead, run.runId, actorOf(run))).opened.length
    })
  } catch (error) {
    if (isOutage(error)) return save({ ...run, waitsFor: 'provider' })
    // The object that the place in a list was named by is gone: the list is begun again.
    if (error instanceof Failure && error.code === 'provider_refused' && run.cursor !== null)
      return save({ ...run, cursor: null, waitsFor: null })
    deps.log.error({ err: error, runId: run.runId, phase: run.phase }, 'a reconciliation run met a defect')
    const failed: RunRecord = {
      ...run,
      state: 'failed',
      finishedAt: deps.clock.now(),
      failure: error instanceof Failure ? error.code : 'internal_error',
    }
    return save(failed, (tx) => forgetWorkings(tx, run.runId))
  }
}

const isOutage = (error: unknown): boolean =>
  error instanceof Failure && (error.code === 'provider_unavailable' || error.code === 'unavailable')

/** A handful of suspects, each looked at alone. Whoever cannot be looked at for a reason of their own does not stop the rest. */
const secondLooks = async (
  deps: ReconcileDeps,
  run: RunRecord,
  save: (after: RunRecord, work?: (tx: Tx) => Promise<void>) => Promise<RunRecord | null>,
): Promise<RunRecord | null> => {
  const suspects = await nextSuspects(deps.db, run.runId, suspectsAtOnce)
  const left = await countSuspects(deps.db, run.runId)
  const looked: Suspect[] = []
  let [found, repaired] = [run.found, run.repaired]
  let outage = false
  for (const suspect of suspects) {
    try {
      const kept = await lookAgain(deps, run, suspect)
      found += kept.found
      repaired += kept.repaired
    } catch (error) {
      if (isOutage(error)) {
        outage = true
        break
      }
      deps.log.error(
        { err: error, runId: run.runId, ...suspect },
        'a suspect could not be looked at; it is passed over',
      )
    }
    looked.push(suspect)
  }
  const page: Page = {
    after: left > looked.length ? 'more' : null,
    looked: looked.length,
    total: (progressOf(run, 'second_look')?.looked ?? 0) + left,
    suspects: [],
  }
  const after: RunRecord = {
    ...(outage && looked.length === 0 ? run : advance(run, page)),
    found,
    repaired,
    waitsFor: outage ? 'provider' : null,
  }
  if (after.state === 'done') after.finishedAt = deps.clock.now()
  return save(after, async (tx) => {
    await removeSuspects(tx, run.runId, looked)
    if (after.state !== 'done') return
    await forgetWorkings(tx, run.runId)
    await audit(tx, deps, actorOf(run), 'reconciliation.finished', after)
  })
}

const lookAgain = async (
  deps: ReconcileDeps,
  run: RunRecord,
  suspect: Suspect,
): Promise<{ found: number; repaired: number }> => {
  const actor = actorOf(run)
  const { tenantId } = suspect
  if (tenantId === null) {
    const look = await lookAtStranger(deps, suspect.providerCustomerId!)
    const kept = await transact(deps.db, (tx) => keepFindings(tx, deps, look, run.runId, actor))
    return { found: kept.opened.length, repaired: 0 }
  }
  let look = await lookAtTenant(deps, tenantId)
  // Who was not seen in the lists is looked at twice here.
  if (look && run.scope === 'tenant' && look.differences.length > 0)
    look = inBoth(look, await lookAtTenant(deps, tenantId))
  // Somebody works on this customer at this moment; the next run looks again.
  if (!look) return { found: 0, repaired: 0 }
  const seen = { tenantId, ...look }
  const kept: Kept = await transact(deps.db, (tx) => keepFindings(tx, deps, seen, run.runId, actor))
  const { automatic } = reconciliationPolicy(deps)
  const toRepair = kept.open.filter((finding) => isAutomatic(finding, automatic))
  if (toRepair.length === 0) return { found: kept.opened.length, repaired: 0 }
  const after = await repairAutomatically(deps, actor, tenantId, toRepair, run.runId)
  return {
    found: kept.opened.length + (after?.opened.length ?? 0),
    repaired: after?.closed.filter((finding) => finding.state === 'repaired').length ?? 0,
  }
}

const inBoth = (first: Look, second: Look | null): Look | null => {
  if (!second) return null
  const names = new Set(first.differences.map(({ kind, object }) => `${kind} ${object}`))
  return {
    covered: second.covered.filter((kind) => first.covered.includes(kind)),
    differences: second.differences.filter(({ kind, object }) => names.has(`${kind} ${object}`)),
  }
}

const progressOf = (run: RunRecord, phase: ReconciliationPhase | null): PhaseProgress | undefined =>
  run.progress.find((entry) => entry.phase === phase)

/** The run after a page: its place and numbers, the next phase at the end of one, done at the end of the last. */
const advance = (run: RunRecord, page: Page): RunRecord => {
  const phase = run.phase!
  const before = progressOf(run, phase)
  const entry: PhaseProgress = {
    phase,
    looked: (before?.looked ?? 0) + page.looked,
    total: page.total ?? before?.total ?? null,
    done: page.after === null,
  }
  const progress = [...run.progress.filter((other) => other.phase !== phase), entry]
  const moved = { ...run, progress, waitsFor: null }
  if (page.after !== null) return { ...moved, cursor: phase === 'second_look' ? null : page.after }
  const phases = phasesOf[run.scope]
  const next = phases[phases.indexOf(phase) + 1]
  if (next !== undefined) return { ...moved, phase: next, cursor: null }
  return { ...moved, state: 'done', phase: null, cursor: null, finishedAt: null }
}

const actorOf = (run: RunRecord): Actor => systemActor('reconciliation', run.runId)

const audit = (tx: Tx, deps: Deps, actor: Actor, action: string, run: RunRecord): Promise<void> =>
  appendAudit(tx, deps.clock, {
    tenantId: run.tenantId,
    actor,
    action,
    object: run.runId,
    after: { scope: run.scope, found: run.found, repaired: run.repaired },
  })
