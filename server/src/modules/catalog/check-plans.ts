import type { CatalogDunning, CatalogFeature, CatalogPlan, CatalogPolicies, CatalogRouting } from '@turnpike/contract'
import { checkExpression } from './check-expression.ts'
import type { Draft } from './draft.ts'
import { intervalOf, isLongerThanMonth } from './price.ts'
import type { Path } from './read-yaml.ts'

/** Plans as a whole: model, baseline, routing, add-ons that refer to them, policies. */
export const checkPlans = (draft: Draft): void => {
  checkBaseline(draft)
  for (const plan of draft.names('plans')) {
    checkModel(draft, plan)
    checkUsageInterval(draft, plan)
    checkGateway(draft, plan)
    // The provider's id of a plan's product is made of both names and must not be that of an add-on or a product.
    if (/^(?:addon|product)_/.test(plan))
      draft.report(['plans', plan], 'A plan is not named "addon_…" or "product_…".', 'key')
  }
  for (const addOn of draft.names('addOns'))
    draft.sound<string[]>('addOns', addOn, 'plans')?.forEach((plan, index) => {
      draft.mustExist(['addOns', addOn, 'plans', index], 'plan', plan, 'plans')
    })
  checkPolicies(draft)
}

const checkBaseline = (draft: Draft) => {
  const baseline = draft.sound<string>('baseline')
  if (baseline === undefined || !draft.mustExist(['baseline'], 'plan', baseline, 'plans')) return
  const model = draft.sound<string>('plans', baseline, 'model')
  const status = draft.sound<string>('plans', baseline, 'status')
  const report = (message: string) =>
    draft.report(['baseline'], `${message}, so it cannot be what everybody starts with.`, 'value')
  if (model !== undefined && model !== 'free') report(`Plan "${baseline}" is not free`)
  if (status !== undefined && status !== 'active') report(`Plan "${baseline}" is ${status}`)
}

const checkModel = (draft: Draft, key: string) => {
  const path = ['plans', key]
  const model = draft.sound<CatalogPlan['model']>(...path, 'model')
  const prices = draft.names(...path, 'prices').length > 0
  const usage = draft.names(...path, 'usagePrices').length > 0
  const report = (message: string) => draft.report([...path, 'model'], message, 'value')
  if (model === 'free') {
    for (const part of ['prices', 'usagePrices', 'trial'] as const)
      if (draft.names(...path, part).length > 0) draft.report([...path, part], `A free plan has no "${part}".`, 'key')
  }
  if ((model === 'subscription' || model === 'hybrid' || model === 'one_time') && !prices)
    report(`A plan of model "${model}" needs at least one price under "prices".`)
  if ((model === 'usage' || model === 'hybrid') && !usage)
    report(`A plan of model "${model}" needs at least one price under "usagePrices".`)
  if (model === 'subscription' && usage) report('A subscription with usage prices is of model "hybrid".')
  if (
    draft.sound<string>(...path, 'trial', 'paymentMethod') === 'required' &&
    draft.names(...path, 'trial').includes('withoutPaymentMethod')
  )
    draft.report(
      [...path, 'trial', 'withoutPaymentMethod'],
      'A payment method is required, so no trial ends without one.',
      'key',
    )
  if (model === 'usage' && prices) report('A usage plan with a base price is of model "hybrid".')
}

const checkUsageInterval = (draft: Draft, plan: string) => {
  const path = ['plans', plan]
  if (draft.sound<CatalogPlan['usageInterval']>(...path, 'usageInterval') !== 'month') return
  const prices = draft.sound<NonNullable<CatalogPlan['prices']>>(...path, 'prices')
  if (prices && !Object.values(prices).some((price) => isLongerThanMonth(intervalOf(price))))
    draft.report([...path, 'usageInterval'], 'No price of the plan is for longer than a month.', 'key')
}

const checkGateway = (draft: Draft, plan: string) => {
  const path = ['plans', plan, 'gateway']
  const feature = draft.sound<string>(...path, 'budgetFeature')
  if (feature !== undefined && draft.mustExist([...path, 'budgetFeature'], 'feature', feature, 'features')) {
    const content = draft.sound<CatalogFeature>('features', feature)
    if (content && content.kind !== 'metered')
      draft.report([...path, 'budgetFeature'], `A budget is counted, and feature "${feature}" is not metered.`, 'value')
    else if (!draft.names('plans', plan, 'grants').includes(feature))
      draft.report([...path, 'budgetFeature'], `Plan "${plan}" does not grant "${feature}".`, 'value')
  }
  const ids = new Set<string>()
  const rules = draft.count(...path, 'routing')
  for (let index = 0; index < rules; index++) {
    const here = [...path, 'routing', index]
    const rule = draft.sound<CatalogRouting>(...here)
    if (!rule) continue
    if (ids.has(rule.id)) draft.report([...here, 'id'], `"${rule.id}" is already the id of a rule above.`, 'value')
    ids.add(rule.id)
    const mistake = checkExpression(rule.match)
    if (mistake) draft.report([...here, 'match'], `The match expression cannot be read: ${mistake}`, 'value')
    if (rule.strategy === 'refuse' && rule.targets.length > 0)
      draft.report([...here, 'targets'], 'A rule that refuses has no targets: write [].', 'key')
    if (rule.strategy !== 'refuse' && rule.targets.length === 0)
      draft.report([...here, 'targets'], `Strategy "${rule.strategy}" needs at least one target.`, 'key')
    if (rule.strategy === 'weighted')
      rule.targets.forEach((target, at) => {
        if (target.weight === undefined)
          draft.report([...here, 'targets', at], 'A weighted target needs a "weight".', 'value')
      })
  }
}

// Statuses in which nothing was paid, or nothing is paid any more (SUB-2).
const unpaid = ['incomplete', 'incomplete_expired', 'canceled'] as const

const checkPolicies = (draft: Draft) => {
  const features = draft.sound<string[]>('policies', 'overrides', 'secondPerson', 'features') ?? []
  for (const [index, feature] of features.entries())
    draft.mustExist(['policies', 'overrides', 'secondPerson', 'features', index], 'feature', feature, 'features')
  const access = draft.sound<CatalogPolicies['access']>('policies', 'access')
  if (access && !access.active)
    draft.report(['policies', 'access'], '"active" is missing: customers who pay would have no access.', 'key')
  for (const status of access ? unpaid : []) {
    const level = access?.[status]
    if (level === 'full' || level === 'grace')
      draft.report(
        ['policies', 'access', status],
        `"${level}" would give paid access without a paid subscription.`,
        'value',
      )
  }
  checkDunning(draft, ['policies', 'dunning'])
  for (const plan of draft.names('plans')) {
    if (draft.names('plans', plan).includes('dunning')) checkDunning(draft, ['plans', plan, 'dunning'])
    checkCleanup(draft, ['plans', plan, 'changes'])
  }
  checkCleanup(draft, ['policies', 'changes'])
  checkCancellation(draft, ['policies', 'cancellation'])
  const usage = draft.sound<CatalogPolicies['usage']>('policies', 'usage')
  if (usage?.keepDays !== undefined && usage.keepDays < usage.acceptLateDays)
    draft.report(
      ['policies', 'usage', 'keepDays'],
      `Usage is accepted ${usage.acceptLateDays} days late: its window must not be archived before.`,
      'value',
    )
}

const checkCancellation = (draft: Draft, path: Path) => {
  const policy = draft.sound<CatalogPolicies['cancellation']>(...path)
  if (!policy) return
  if (policy.readOnlyDays > policy.retentionDays)
    draft.report(
      [...path, 'readOnlyDays'],
      `Nobody looks on at what was deleted after ${policy.retentionDays} days.`,
      'value',
    )
  policy.exportReminderDays?.forEach((day, index) => {
    if (day >= policy.retentionDays)
      draft.report(
        [...path, 'exportReminderDays', index],
        `A reminder comes within the ${policy.retentionDays} days until the deletion.`,
        'value',
      )
  })
}

const strength = { full: 4, grace: 3, restricted: 2, read_only: 1, none: 0 } as const

const checkDunning = (draft: Draft, path: Path) => {
  const policy = draft.sound<CatalogDunning>(...path)
  if (!policy) return
  policy.stages.forEach((stage, index) => {
    const before = policy.stages[index - 1]
    if (!before) return
    if (stage.afterDays <= before.afterDays)
      draft.report(
        [...path, 'stages', index, 'afterDays'],
        `Stages follow one another: this one begins after more than ${before.afterDays} days.`,
        'value',
      )
    if (strength[stage.access] >= strength[before.access])
      draft.report(
        [...path, 'stages', index, 'access'],
        `Each stage allows less than the one before, which is "${before.access}".`,
        'value',
      )
  })
  const last = policy.stages.at(-1)?.afterDays ?? 0
  if (policy.cancelAfterDays !== null && policy.cancelAfterDays <= last)
    draft.report(
      [...path, 'cancelAfterDays'],
      `A subscription is canceled after its last stage has begun, which is after ${last} days.`,
      'value',
    )
  policy.reminders?.forEach((day, index) => {
    if (policy.cancelAfterDays !== null && day >= policy.cancelAfterDays)
      draft.report(
        [...path, 'reminders', index],
        `Nobody is reminded after the end, which is after ${policy.cancelAfterDays} days.`,
        'value',
      )
  })
}

const checkCleanup = (draft: Draft, path: Path) => {
  const cleanupDays = draft.sound<number>(...path, 'cleanupDays') ?? 14
  draft.sound<number[]>(...path, 'cleanupReminderDays')?.forEach((day, index) => {
    if (day >= cleanupDays)
      draft.report(
        [...path, 'cleanupReminderDays', index],
        `A reminder comes within the cleanup window of ${cleanupDays} days.`,
        'value',
      )
  })
}
