import type {
  CatalogAddOnGrant,
  CatalogFeature,
  CatalogGrant,
  CatalogMeter,
  CatalogMeteredGrant,
  CatalogPlan,
} from '@turnpike/contract'
import type { Draft } from './draft.ts'
import { isRecord } from './explain-shape.ts'
import { allowancePrice, rates } from './price.ts'
import type { Path } from './read-yaml.ts'

/** Features, their meters and what plans and add-ons grant: every entitlement is mapped (GAT-A). */
export const checkGrants = (draft: Draft): void => {
  for (const plan of draft.names('plans'))
    for (const feature of draft.names('plans', plan, 'grants')) checkPlanGrant(draft, plan, feature)
  for (const addOn of draft.names('addOns'))
    for (const feature of draft.names('addOns', addOn, 'grants'))
      checkAddOnGrant(draft, ['addOns', addOn, 'grants', feature], feature)
  checkEveryFeatureMapped(draft)
}

const checkPlanGrant = (draft: Draft, plan: string, feature: string) => {
  const path = ['plans', plan, 'grants', feature]
  if (!draft.mustExist(path, 'feature', feature, 'features', 'key')) return
  const content = draft.sound<CatalogFeature>('features', feature)
  const grant = draft.sound<CatalogGrant>(...path)
  if (!content || grant === undefined) return
  const wanted = misfit(content, grant)
  if (wanted) return draft.report(path, `Feature "${feature}" is ${kindText(content)}: grant ${wanted}.`, 'value')
  if (content.kind !== 'metered') return
  checkLimit(draft, plan, path, content.meter, grant as CatalogMeteredGrant)
  checkWindow(draft, path, content.meter, grant as CatalogMeteredGrant)
}

/** What a grant of this feature must look like, when this one does not. */
const misfit = (feature: CatalogFeature, grant: CatalogGrant): string | null => {
  if (feature.kind === 'boolean') return typeof grant === 'boolean' ? null : 'true or false'
  if (feature.kind === 'metered') return isRecord(grant) ? null : 'a group with "limit" and "enforcement"'
  if (feature.type === 'set') return Array.isArray(grant) ? null : 'a list of texts'
  if (feature.type === 'number') return typeof grant === 'number' ? null : 'a number'
  return typeof grant === 'string' ? null : 'a text'
}

const kindText = (feature: CatalogFeature): string => {
  if (feature.kind === 'boolean') return 'on or off'
  return feature.kind === 'metered' ? 'metered' : `a ${feature.type}`
}

const checkLimit = (draft: Draft, plan: string, path: Path, meter: string, grant: CatalogMeteredGrant) => {
  const { included, limit } = grant
  if (included === undefined) return
  if (included === null && limit !== null)
    return draft.report(
      [...path, 'included'],
      'Nothing above the limit can be included: give a number, or "limit: null".',
      'value',
    )
  if (included !== null && limit !== null && included > limit)
    return draft.report([...path, 'included'], `${included} included is more than the limit of ${limit}.`, 'value')
  if (included === null || included === limit) return
  if (!draft.names('meters').includes(meter)) return
  // What is no group is reported elsewhere, and rates the meter of its name.
  const prices = Object.fromEntries(
    draft.entries('plans', plan, 'usagePrices').map(([key, price]) => [key, isRecord(price) ? price : {}]),
  )
  const carrier = allowancePrice(prices, meter)
  if (carrier === null && Object.entries(prices).some(([key, price]) => rates(key, price, meter)))
    return draft.report(
      [...path, 'included'],
      `Several usage prices rate "${meter}": name one of them "${meter}", so that the ${included} included are those of it.`,
      'value',
    )
  const usagePath = ['plans', plan, 'usagePrices', carrier ?? meter]
  if (carrier === null)
    return draft.report(path, `Usage above the ${included} included has no price under "usagePrices.${meter}".`, 'key')
  const price = draft.sound<NonNullable<CatalogPlan['usagePrices']>[string]>(...usagePath)
  if (price?.included !== undefined && price.included !== included)
    draft.report(
      [...usagePath, 'included'],
      `${price.included} does not agree with the ${included} included in the grant.`,
      'value',
    )
}

/** What a window can count, and what can be left over at its end. */
const checkWindow = (draft: Draft, path: Path, meter: string, grant: CatalogMeteredGrant) => {
  const { window = 'billing_period', rollover, included, limit } = grant
  const aggregation = draft.sound<CatalogMeter>('meters', meter)?.aggregation
  const addsUp = aggregation === undefined || aggregation === 'sum' || aggregation === 'count'
  const slides = typeof window === 'object'
  if (slides && !addsUp)
    draft.report([...path, 'window'], `Only sums and counts slide, and meter "${meter}" is a ${aggregation}.`, 'value')
  if (window !== 'billing_period' && typeof included === 'number' && included !== limit)
    draft.report(
      [...path, 'window'],
      'Usage above what is included is charged by the billing period, so it is counted by it.',
      'value',
    )
  if (!rollover) return
  const report = (message: string, field?: string) =>
    draft.report(field ? [...path, 'rollover', field] : [...path, 'rollover'], message, field ? 'value' : 'key')
  if (slides || window === 'lifetime') report('Nothing is left over at the end of a window that has no end.')
  if (!addsUp) report(`Only sums and counts are used up, and meter "${meter}" is a ${aggregation}.`)
  // Else what the limit leaves over would make usage free that was charged in the period before.
  if (included === undefined && hasPrice(draft, String(path[1]), meter))
    report(`Usage of "${meter}" is charged: say how much of it is included, which is what is left over.`)
  if ((included === undefined ? limit : included) === null) report('Of an unlimited amount nothing is left over.')
  if (rollover.capUnits !== undefined && rollover.capPercent !== undefined)
    report('Give "capUnits" or "capPercent", not both.', 'capPercent')
}

const hasPrice = (draft: Draft, plan: string, meter: string): boolean =>
  draft
    .names('plans', plan, 'usagePrices')
    .some((key) => (draft.sound<string>('plans', plan, 'usagePrices', key, 'meter') ?? key) === meter)

const checkAddOnGrant = (draft: Draft, path: Path, feature: string) => {
  if (!draft.mustExist(path, 'feature', feature, 'features', 'key')) return
  const content = draft.sound<CatalogFeature>('features', feature)
  const grant = draft.sound<CatalogAddOnGrant>(...path)
  if (!content || grant === undefined) return
  const wanted = addOnMisfit(content)
  if (wanted === null) draft.report(path, `Feature "${feature}" is a text: an add-on cannot add to it.`, 'key')
  else if (wanted === 'true' ? grant !== true : !isRecord(grant) || !Object.hasOwn(grant, wanted))
    draft.report(
      path,
      `Feature "${feature}" is ${kindText(content)}: an add-on grants ${wanted === 'true' ? 'true' : `"${wanted}"`}.`,
      'value',
    )
}

const addOnMisfit = (feature: CatalogFeature): 'true' | 'add' | 'join' | 'addLimit' | null => {
  if (feature.kind === 'boolean') return 'true'
  if (feature.kind === 'metered') return 'addLimit'
  return { number: 'add', set: 'join', string: null }[feature.type] as 'add' | 'join' | null
}

const checkEveryFeatureMapped = (draft: Draft) => {
  const mapped = new Set(
    ['plans', 'addOns'].flatMap((group) => draft.names(group).flatMap((key) => draft.names(group, key, 'grants'))),
  )
  for (const feature of draft.names('features'))
    if (!mapped.has(feature))
      draft.report(['features', feature], `No plan and no add-on says what it grants of "${feature}".`, 'key')
}
