import type { Decision, Explanation } from '@turnpike/contract'
import { baselinePlan, type Catalog, findPlan } from '../catalog/index.ts'
import type { SubscriptionRecord } from '../subscriptions/index.ts'
import { type OverrideInForce, overridesAt, type ResolvedEntitlement, type SnapshotContent } from './resolve.ts'

type Step = Explanation['steps'][number]

/**
 * The derivation of one decision in the order of the rule (ENT-5): override, subscription, add-ons, baseline, access,
 * counter, policy. Exactly one of the sources has decided the value; the counter decides metered ones.
 */
export const explain = (
  catalog: Catalog,
  content: SnapshotContent,
  entitlement: ResolvedEntitlement,
  decision: Decision,
  overrides: readonly (OverrideInForce & { reason: string; actor: string })[],
  subscriptions: readonly SubscriptionRecord[],
  at: Temporal.Instant,
): { steps: Step[]; wouldAllow: string[] } => {
  const steps: Step[] = []
  const override = overridesAt(overrides, at).get(entitlement.feature) as
    | (OverrideInForce & { reason: string; actor: string })
    | undefined
  steps.push(
    override
      ? {
          source: 'override',
          decided: entitlement.origin === 'override',
          sentence: `An override by ${override.actor} is in force${override.expiresAt ? ` until ${override.expiresAt}` : ''}: ${override.reason}`,
          detail: {
            overrideId: override.overrideId,
            set: override.set,
            expiresAt: override.expiresAt?.toString() ?? null,
          },
        }
      : { source: 'override', decided: false, sentence: 'No override is in force.', detail: {} },
  )
  const leading = subscriptions.find((subscription) => subscription.subscriptionId === content.subscriptionId) ?? null
  const plan = findPlan(catalog, content.plan, content.planVersion)
  steps.push(
    leading && plan
      ? {
          source: 'subscription',
          decided: entitlement.origin === 'plan',
          sentence: `The subscription is to ${plan.content.name}, version ${plan.version}, and is ${leading.status}.`,
          detail: {
            subscriptionId: leading.subscriptionId,
            plan: plan.key,
            version: plan.version,
            status: leading.status,
            grant: plan.content.grants[entitlement.feature] ?? null,
          },
        }
      : { source: 'subscription', decided: false, sentence: 'There is no live subscription.', detail: {} },
  )
  const addOns =
    leading?.addOns.filter(({ addOn }) => catalog.file.addOns?.[addOn]?.grants[entitlement.feature] !== undefined) ?? []
  if (addOns.length > 0)
    steps.push({
      source: 'add_on',
      decided: entitlement.origin === 'add_on',
      sentence: `Add-ons that touch it: ${addOns.map(({ addOn, quantity }) => `${quantity} × ${addOn}`).join(', ')}.`,
      detail: { addOns },
    })
  const baseline = baselinePlan(catalog)
  steps.push({
    source: 'baseline',
    decided: entitlement.origin === 'baseline' || entitlement.origin === 'none',
    sentence: `The baseline ${baseline.content.name} ${gives(baseline.content.grants[entitlement.feature]) ? 'gives it' : 'does not give it'}.`,
    detail: { plan: baseline.key, grant: baseline.content.grants[entitlement.feature] ?? null },
  })
  steps.push({
    source: 'access',
    decided: content.withheld && !decision.allowed,
    sentence: content.withheld
      ? `Access is ${content.accessLevel}: the plan's grants are withheld.${stageSentence(content)}`
      : `Access is ${content.accessLevel}.${stageSentence(content)}`,
    detail: { accessLevel: content.accessLevel, ...(content.dunning ? { dunning: content.dunning } : {}) },
  })
  if (entitlement.kind === 'metered') {
    steps.push({
      source: 'counter',
      decided: true,
      sentence: `${decision.used} of ${entitlement.limit ?? 'unlimited'} ${entitlement.unit} used${decision.resetsAt ? `; the window ends ${decision.resetsAt}` : ''}.`,
      detail: {
        meter: entitlement.meter,
        used: decision.used,
        limit: entitlement.limit,
        included: entitlement.included,
        window: content.window,
      },
    })
    steps.push({
      source: 'policy',
      decided: !decision.allowed,
      sentence:
        entitlement.enforcement === 'hard'
          ? 'The limit is hard: it refuses.'
          : 'The limit is soft: it warns and lets through.',
      detail: { enforcement: entitlement.enforcement },
    })
  }
  if (entitlement.kind === 'value' && entitlement.usedBy !== undefined && decision.used !== null)
    steps.push({
      source: 'counter',
      decided: typeof entitlement.value === 'number' && entitlement.value > 0,
      sentence: `${decision.used} of ${decision.limit} are in use.`,
      detail: { meter: entitlement.usedBy, used: decision.used, limit: decision.limit },
    })
  if (entitlement.afterDowngrade)
    steps.push({
      source: 'policy',
      decided: decision.reason === 'over_limit_after_downgrade',
      sentence:
        entitlement.afterDowngrade.until === null
          ? 'More was in use than the smaller plan allows: nothing new is let in, nothing is destroyed.'
          : `The old limit stays until ${entitlement.afterDowngrade.until}, so that what is in use can be reduced.`,
      detail: entitlement.afterDowngrade,
    })
  return { steps, wouldAllow: decision.allowed ? [] : waysToYes(catalog, content, entitlement, decision) }
}

/** Which stage of dunning access hangs on (DUN-1). */
const stageSentence = ({ dunning }: SnapshotContent): string =>
  dunning
    ? ` An invoice is unpaid: since ${dunning.since} dunning allows ${dunning.stage}${dunning.nextAt ? `, and less from ${dunning.nextAt} on` : ''}.`
    : ''

const gives = (grant: unknown): boolean => grant !== undefined && grant !== false

const waysToYes = (
  catalog: Catalog,
  content: SnapshotContent,
  entitlement: ResolvedEntitlement,
  decision: Decision,
): string[] => {
  const ways: string[] = []
  if (decision.reason === 'over_limit_after_downgrade' || (entitlement.kind === 'value' && decision.used !== null))
    ways.push('Reduce what is in use.')
  if (content.withheld) ways.push('Settle the payment problem, so that the plan applies again.')
  if (entitlement.upgradePlan)
    ways.push(`Change to ${catalog.file.plans[entitlement.upgradePlan]?.name ?? entitlement.upgradePlan}.`)
  if (entitlement.kind === 'metered' && decision.resetsAt && entitlement.limit !== 0)
    ways.push(`Wait until ${decision.resetsAt}, when the counter starts anew.`)
  for (const [key, addOn] of Object.entries(catalog.file.addOns ?? {}))
    if (addOn.grants[entitlement.feature] !== undefined && addOn.plans.includes(content.plan))
      ways.push(`Add ${addOn.name} (${key}).`)
  ways.push('An operator can grant an override.')
  return ways
}
