import type { ExcessItem } from '@turnpike/contract'
import { instantOf } from '../../core/period.ts'
import { findPlan } from '../../modules/catalog/index.ts'
import type { Decision } from '../../modules/commands/index.ts'
import type { CustomerRecord } from '../../modules/customers/index.ts'
import {
  deadlineOf,
  findExcess,
  limitOf,
  type OverLimitPolicy,
  overLimitPolicy,
} from '../../modules/downgrades/index.ts'
import { findOverrides } from '../../modules/entitlements/index.ts'
import type { SubscriptionRecord } from '../../modules/subscriptions/index.ts'
import type { Db, Tx } from '../../platform/db.ts'
import type { Deps } from '../deps.ts'
import { usageAt, windowOf } from './usage-at.ts'

type Terms = Pick<SubscriptionRecord, 'plan' | 'planVersion' | 'seats' | 'addOns'>
export type DowngradeFindings = {
  findings: ExcessItem[]
  policy: OverLimitPolicy['overLimit']
  /** Until when the old limits would stay. */
  deadline: string | null
  blocked: boolean
}

const none: DowngradeFindings = { findings: [], policy: 'block', deadline: null, blocked: false }

/**
 * Limits of the wanted terms that are exceeded by what is in use, and whether policy forbids the change for them (SUB-5). What
 * the change does not lower does not stand in its way. Nothing is written: a remediation begins with the provider's fact.
 */
export const guardDowngrade = async (
  on: Db | Tx,
  deps: Pick<Deps, 'catalog' | 'clock'>,
  {
    held,
    decision,
  }: { customer: CustomerRecord; held: SubscriptionRecord | null; decision: Pick<Decision, 'after' | 'effectiveAt'> },
): Promise<DowngradeFindings> => {
  if (!held || !decision.after) return none
  const effectiveAt = instantOf(decision.effectiveAt)
  const lowered = await loweredItems(on, deps, held, decision.after, effectiveAt)
  const plan = findPlan(deps.catalog(), decision.after.plan, decision.after.planVersion)
  if (lowered.length === 0 || !plan) return none
  const policy = overLimitPolicy(deps.catalog(), plan)
  return {
    findings: lowered.map(({ oldLimit: _, ...item }) => item),
    policy: policy.overLimit,
    deadline: policy.overLimit === 'cleanup_window' ? deadlineOf(effectiveAt, policy).toString() : null,
    blocked: policy.overLimit === 'block',
  }
}

/** What is in use above the new terms and was allowed by the old ones. */
export const loweredItems = async (
  on: Db | Tx,
  deps: Pick<Deps, 'catalog' | 'clock'>,
  before: SubscriptionRecord,
  after: Terms,
  effectiveAt: Temporal.Instant,
): Promise<(ExcessItem & { oldLimit: number | null })[]> => {
  const catalog = deps.catalog()
  const [from, to] = [
    findPlan(catalog, before.plan, before.planVersion),
    findPlan(catalog, after.plan, after.planVersion),
  ]
  if (!from || !to) return []
  const overrides = await findOverrides(on, before.tenantId)
  const usage = await usageAt(on, before.tenantId, windowOf(catalog, before), deps.clock.now(), effectiveAt)
  return findExcess(catalog, to, after.addOns, after.seats, usage, effectiveAt, overrides).flatMap((item) => {
    const oldLimit = limitOf(catalog, from, before.addOns, item.feature, effectiveAt)
    return oldLimit === null || oldLimit > item.limit ? [{ ...item, oldLimit }] : []
  })
}
