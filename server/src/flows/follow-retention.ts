import { newId } from '../core/ids.ts'
import { instantOfRow } from '../core/period.ts'
import { findCommandUnderWay } from '../modules/commands/index.ts'
import { lockCustomer, updateCustomer } from '../modules/customers/index.ts'
import { canStillBePaid, findUnfinishedCheckouts } from '../modules/payments/index.ts'
import { isCloseDue } from '../modules/periods/index.ts'
import {
  findRetention,
  nextRetentionStep,
  type RetentionRecord,
  reminderDays,
  retentionsToFollow,
  saveRetention,
} from '../modules/privacy/index.ts'
import { type Actor, appendAudit, systemActor } from '../platform/audit.ts'
import { type Tx, transact } from '../platform/db.ts'
import { erasedName, erasures, lastUsageOf } from '../platform/erase.ts'
import { appendEvents, type NewEvent } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { lapse } from './lapse-entitlements.ts'
import { refreshEntitlements } from './steps/refresh-entitlements.ts'
import { sayFarewell } from './steps/say-farewell.ts'
import { syncTenant } from './sync-customer.ts'

type Size = { batch: number; batches: number }

/**
 * Takes the customers who have left on to their next step: the end of the read-only time, reminders, deletion (SUB-6).
 * Run by the schedule. Each step is a transaction, so that it may be killed anywhere and a repeat goes on: `batches` bounds
 * how much of a deletion one run does. Answers how many steps were taken.
 */
export const followRetentions = async (deps: Deps, size: Size = { batch: 1_000, batches: 10_000 }): Promise<number> => {
  const at = deps.clock.now()
  const actor = systemActor('retention', newId('request'))
  const before = { hours: 24 * (reminderDays(deps.catalog().file.policies.cancellation)[0] ?? 0) }
  let steps = 0
  let from: RetentionRecord | null = null
  for (;;) {
    const page: RetentionRecord[] = await retentionsToFollow(deps.db, at, before, from, 200)
    for (const { tenantId } of page)
      try {
        steps += await followOne(deps, tenantId, actor, size)
      } catch (error) {
        // One customer whose deletion fails does not hold up the others.
        deps.log.error({ err: error, tenantId }, 'a retention could not be followed; the next run tries again')
      }
    from = page.at(-1) ?? null
    if (page.length < 200) return steps
  }
}

const followOne = async (deps: Deps, tenantId: string, actor: Actor, size: Size): Promise<number> => {
  const due = await findRetention(deps.db, tenantId)
  // What is deleted cannot be given back: whoever has bought again, and of whom we have not heard, is asked about first.
  if (due && Temporal.Instant.compare(due.deleteAfter, deps.clock.now()) <= 0) await syncTenant(deps, tenantId, actor)
  for (let steps = 0; ; steps++) {
    const taken = await nextStep(deps, tenantId, actor)
    if (taken === null) return steps
    if (taken === 'read_only_over') await lapse(deps, tenantId, 'the read-only time is over')
    if (taken === 'erase') return steps + (await erase(deps, tenantId, actor, size))
  }
}

/** Decides and writes down one step, with its audit and event. */
const nextStep = (deps: Deps, tenantId: string, actor: Actor): Promise<string | null> =>
  transact(deps.db, async (tx) => {
    const customer = await lockCustomer(tx, tenantId)
    const retention = await findRetention(tx, tenantId)
    if (!customer || !retention) return null
    const at = deps.clock.now()
    const lastUsage = await lastUsageOf(tx, tenantId)
    const policy = deps.catalog().file.policies.cancellation
    const step = nextRetentionStep(retention, policy, lastUsage === null ? null : instantOfRow(lastUsage), at)
    if (step === null) return null
    if (step.kind === 'erase') {
      if (await isBuying(tx, tenantId, at)) return null
      if (retention.state === 'deleting') return step.kind
      // What was used is charged before it is forgotten, also when we stood still for as long as it was to be kept.
      if (await isCloseDue(tx, tenantId, at)) return null
      await saveRetention(tx, { ...retention, state: 'deleting' }, at)
      await appendAudit(tx, deps.clock, { tenantId, actor, action: 'retention.deleting', object: customer.customerId })
      return step.kind
    }
    const after: RetentionRecord =
      step.kind === 'read_only_over'
        ? { ...retention, readOnlyOver: true }
        : step.kind === 'postpone'
          ? { ...retention, deleteAfter: step.deleteAfter, reminded: [] }
          : { ...retention, deleteAfter: step.deleteAfter, reminded: step.reminded }
    await saveRetention(tx, after, at)
    const deleteAt = after.deleteAfter.toString()
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: {
        read_only_over: 'retention.read_only_over',
        postpone: 'retention.postponed',
        remind: 'retention.reminded',
      }[step.kind],
      before: { deleteAt: retention.deleteAfter.toString() },
      after: { deleteAt, ...(step.kind === 'remind' ? { days: step.days } : {}) },
    })
    const events: NewEvent[] =
      step.kind === 'remind' ? [{ type: 'retention.export_ending', data: { deleteAt, days: step.days } }] : []
    await appendEvents(tx, deps.clock, customer, actor.requestId, events)
    return step.kind
  })

/** Whether a page is open that could be paid, or a subscription is being made: then its end is waited for. */
const isBuying = async (tx: Tx, tenantId: string, at: Temporal.Instant): Promise<boolean> =>
  (await findCommandUnderWay(tx, tenantId)) !== null ||
  (await findUnfinishedCheckouts(tx, tenantId)).some((checkout) => canStillBePaid(checkout, at))

/** Deletes batch by batch; who buys again between two of them keeps the rest. */
const erase = async (deps: Deps, tenantId: string, actor: Actor, size: Size): Promise<number> => {
  let batches = 0
  for (const [what, take] of Object.entries(erasures))
    for (;;) {
      if (batches >= size.batches) return batches
      const erased = await transact(deps.db, async (tx) => {
        await lockCustomer(tx, tenantId)
        if ((await findRetention(tx, tenantId))?.state !== 'deleting') return null
        return take(tx, tenantId, size.batch)
      })
      if (erased === null) return batches
      if (erased === 0) break
      batches++
      deps.log.info({ tenantId, what, erased }, 'erased at the end of retention')
    }
  await finish(deps, tenantId, actor)
  return batches + 1
}

/** The customer's own name last: once it is gone, everything else is. */
const finish = (deps: Deps, tenantId: string, actor: Actor): Promise<void> =>
  transact(deps.db, async (tx) => {
    const customer = await lockCustomer(tx, tenantId)
    const retention = await findRetention(tx, tenantId)
    if (!customer || retention?.state !== 'deleting') return
    const at = deps.clock.now()
    await sayFarewell(tx, deps, customer, at)
    await updateCustomer(tx, { ...customer, name: erasedName, email: null, updatedAt: at })
    await saveRetention(tx, { ...retention, state: 'deleted' }, at)
    const refreshed = await refreshEntitlements(tx, deps, customer, at, 'retention has ended', actor.requestId)
    await erasures.snapshots!(tx, tenantId, 1_000)
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'retention.deleted',
      object: customer.customerId,
      after: { state: 'deleted' },
    })
    await appendEvents(
      tx,
      deps.clock,
      customer,
      actor.requestId,
      [...refreshed.events, { type: 'retention.deleted', data: { deletedAt: at.toString() } }],
      refreshed.budgetNow,
    )
  })
