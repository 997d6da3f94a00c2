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
  checkMeters(draft)
  for (const plan of draft.names('plans'))
    for (const feature of draft.names('plans', plan, 'grants')) checkPlanGrant(draft, plan, feature)
  for (const addOn of draft.names('addOns'))
    for (const feature of draft.names('addOns', addOn, 'grants'))
      checkAddOnGrant(draft, ['addOns', addOn, 'grants', feature], feature)
  checkEveryFeatureMapped(draft)
}

const checkMeters = (draft: Draft) => {
  const limited = new Map<string, string>()
  for (const feature of draft.names('features')) {
    const path = ['features', feature]
    const content = draft.sound<CatalogFeature>(...path)
    if (content?.kind === 'value' && content.usedBy !== undefined) checkUsedBy(draft, path, content, content.usedBy)
    if (content?.kind !== 'metered') continue
    if (!draft.mustExist([...path, 'meter'], 'meter', content.meter, 'meters')) continue
    if (draft.sound<CatalogMeter>('meters', content.meter)?.aggregation === 'latest')
      draft.report(
        [...path, 'meter'],
        `Meter "${content.meter}" is a level, which is not consumed: make the feature a number with "usedBy".`,
        'value',
      )
    const other = limited.get(content.meter)
    // One meter, one limit: otherwise a usage record would be allowed and refused at the same time.
    if (other)
      draft.report([...path, 'meter'], `Meter "${content.meter}" is limited by feature "${other}" already.`, 'value')
    else limited.set(content.meter, feature)
  }
}

/** How much of a number is in use is said by a level, and by one meter for one feature. */
const checkUsedBy = (draft: Draft, path: Path, feature: CatalogFeature, meter: string) => {
  const report = (message: string) => draft.report([...path, 'usedBy'], message, 'value')
  if (feature.kind === 'value' && feature.type !== 'number') return report('Only a number can be in use.')
  if (!draft.mustExist([...path, 'usedBy'], 'meter', meter, 'meters')) return
  const aggregation = draft.sound<CatalogMeter>('meters', meter)?.aggregation
  if (aggregation !== undefined && aggregation !== 'latest')
    report(`Meter "${meter}" adds up: what is in use now is told by a meter with aggregation "latest".`)
  const first = draft
    .names('features')
    .find((key) => (draft.sound<CatalogFeature>('features', key) as { usedBy?: string } | undefined)?.usedBy === meter)
  if (first !== undefined && first !== path[1]) report(`Meter "${meter}" counts feature "${first}" already.`)
}

const checkPlanGrant = (draft: Draft, plan: string, feature: string) => {
  const path = ['plans', plan, 'grants', feature]
  if (!draft.mustExist(path, 'feature', feature, 'features', 'key')) return
  const content = draft.sound<CatalogFeature>('features', feature)
  const grant = draft.sound<CatalogGrant>(...path)
  if (!content || grant === undefined) return
  const wanted = misfit(content, grant)
  if (wanted) return draft.report(path, `Feature "${feature}" is ${kindText(content)}: grant ${wanted}.`, 'value')
  if (content.kind === 'metered') checkLimit(draft, plan, path, content.meter, grant as CatalogMeteredGrant)
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
