import type { CatalogRampStep, CatalogUsagePrice } from '@turnpike/contract'
import { checkAmounts, checkOrder, isLess } from './check-amounts.ts'
import type { Draft } from './draft.ts'
import type { Path } from './read-yaml.ts'

type Model = CatalogUsagePrice['model']
type Field = keyof CatalogUsagePrice

/** What each model reads besides what all read. A field that would be ignored is a mistake. */
const fields: Record<Model, { needed: readonly Field[]; allowed: readonly Field[] }> = {
  flat: { needed: ['unitAmounts'], allowed: [] },
  per_unit: { needed: ['unitAmounts'], allowed: ['tiers', 'quantityRounding'] },
  graduated: { needed: ['tiers'], allowed: ['tierBounds', 'flatAtZero', 'packageRounding', 'quantityRounding'] },
  volume: { needed: ['tiers'], allowed: ['tierBounds', 'flatAtZero', 'packageRounding', 'quantityRounding'] },
  package: { needed: ['unitAmounts', 'packageSize'], allowed: ['packageRounding', 'quantityRounding'] },
  percentage: {
    needed: ['percent'],
    allowed: ['fixedFees', 'transactionMinimums', 'transactionMaximums', 'includedTransactions'],
  },
}
const ofAll: readonly string[] = ['name', 'model', 'minimums', 'maximums', 'prorateBounds', 'ramp', 'fromMonth']
const ofUsage: readonly string[] = [
  'meter',
  'bucket',
  'changesInDay',
  'included',
  'includedMode',
  'includedProrated',
  'rollover',
]
const amountFields = [
  'unitAmounts',
  'fixedFees',
  'transactionMinimums',
  'transactionMaximums',
  'minimums',
  'maximums',
] as const

/** Usage prices: meters that there are, fields that their model reads, tiers that ascend, amounts in every currency on offer. */
export const checkUsagePrices = (draft: Draft, plan: string, currencies: readonly string[] | undefined): void => {
  const path = ['plans', plan, 'usagePrices']
  const names = draft.names(...path)
  // A change of plan within a period brings the prices of both together.
  const everywhere = new Set(draft.names('plans').flatMap((each) => draft.names('plans', each, 'usagePrices')))
  for (const key of names) {
    const here = [...path, key]
    // The provider's lines and those of a later plan in the same period are named so.
    if (key === 'base' || key === 'seats' || key.startsWith('addon_'))
      draft.report(here, 'A usage price is not named "base", "seats" or "addon_…".', 'key')
    const before = /^(.+)_\d+$/.exec(key)?.[1]
    if (before !== undefined && everywhere.has(before))
      draft.report(here, `"${key}" could be taken for "${before}" after a change of plan: give it another name.`, 'key')
    checkMeter(draft, here, key)
    checkModel(draft, here, currencies)
    checkBucket(draft, here)
    checkIncluded(draft, plan, here)
    checkRamp(draft, here, currencies)
  }
}

const meterOf = (draft: Draft, path: Path): { meter: string; aggregation: string | undefined } => {
  const meter = draft.sound<string>(...path, 'meter') ?? String(path.at(-1))
  return { meter, aggregation: draft.sound<string>('meters', meter, 'aggregation') }
}

const checkMeter = (draft: Draft, path: Path, key: string) => {
  const model = draft.sound<Model>(...path, 'model')
  if (model === 'flat') return
  const named = draft.names(...path).includes('meter')
  const { meter, aggregation } = meterOf(draft, path)
  if (named) draft.mustExist([...path, 'meter'], 'meter', meter, 'meters')
  else draft.mustExist(path, 'meter', key, 'meters', 'key')
  if (model === 'percentage' && aggregation !== undefined && aggregation !== 'sum')
    draft.report([...path, 'model'], `A percentage is of a sum, and meter "${meter}" is a ${aggregation}.`, 'value')
}

const checkModel = (draft: Draft, path: Path, currencies: readonly string[] | undefined) => {
  const model = draft.sound<Model>(...path, 'model')
  if (model !== undefined) {
    const known = draft.names(...path)
    const { needed, allowed } = fields[model]
    for (const name of needed)
      if (!known.includes(name) && !(model === 'per_unit' && known.includes('tiers')))
        draft.report(path, `"${name}" is missing for ${model}.`, 'key')
    for (const name of known)
      if (![...ofAll, ...(model === 'flat' ? [] : ofUsage), ...needed, ...allowed].includes(name))
        draft.report([...path, name], `"${name}" is not read by ${model}.`, 'key')
  }
  for (const name of amountFields)
    if (draft.names(...path, name).length > 0) checkAmounts(draft, [...path, name], currencies)
  checkOrder(draft, [...path, 'minimums'], [...path, 'maximums'])
  checkOrder(draft, [...path, 'transactionMinimums'], [...path, 'transactionMaximums'])
  if (isZero(draft.sound(...path, 'packageSize')))
    draft.report([...path, 'packageSize'], 'A package holds more than nothing.', 'value')
  checkTiers(draft, path, model, currencies)
}

const checkTiers = (draft: Draft, path: Path, model: Model | undefined, currencies: readonly string[] | undefined) => {
  const tiers = draft.sound<NonNullable<CatalogUsagePrice['tiers']>>(...path, 'tiers') ?? []
  tiers.forEach((tier, index) => {
    const here = [...path, 'tiers', index]
    const last = index === tiers.length - 1
    const previous = tiers[index - 1]?.upTo
    if (last && tier.upTo !== null)
      draft.report([...here, 'upTo'], 'The last tier has "upTo: null", so that every quantity has a price.', 'value')
    if (!last && tier.upTo === null) draft.report([...here, 'upTo'], 'Only the last tier has "upTo: null".', 'value')
    if (isZero(tier.upTo)) draft.report([...here, 'upTo'], 'A tier ends above zero.', 'value')
    if (tier.upTo !== null && !last && previous != null && !isLess(previous, tier.upTo))
      draft.report([...here, 'upTo'], `Tiers ascend: ${tier.upTo} is not above ${previous}.`, 'value')
    if (tier.unitAmounts) checkAmounts(draft, [...here, 'unitAmounts'], currencies)
    if (tier.flatAmounts) checkAmounts(draft, [...here, 'flatAmounts'], currencies)
    if (tier.unitAmounts && tier.percent !== undefined)
      draft.report([...here, 'percent'], '"percent" stands instead of "unitAmounts": one of the two.', 'key')
    if (!tier.unitAmounts && tier.percent === undefined && !tier.flatAmounts)
      draft.report(here, 'A tier needs "unitAmounts", "percent" or "flatAmounts".', 'key')
    if (isZero(tier.packageSize)) draft.report([...here, 'packageSize'], 'A package holds more than nothing.', 'value')
    if (tier.packageSize !== undefined && !tier.unitAmounts)
      draft.report([...here, 'packageSize'], '"packageSize" is read with "unitAmounts" only.', 'key')
    if (model === 'per_unit' && (tier.packageSize !== undefined || tier.flatAmounts || tier.percent !== undefined))
      draft.report(here, 'A price per unit has "unitAmounts" only; use "graduated" or "volume" for flat parts.', 'key')
  })
  if (model !== 'per_unit' || tiers.length === 0) return
  if (tiers.length > 1)
    draft.report([...path, 'tiers'], 'A price per unit has one tier; use "graduated" or "volume" for several.', 'key')
  if (draft.names(...path).includes('unitAmounts'))
    draft.report([...path, 'tiers'], '"tiers" stand instead of "unitAmounts": one of the two.', 'key')
}

const checkBucket = (draft: Draft, path: Path) => {
  const names = draft.names(...path)
  const { meter, aggregation } = meterOf(draft, path)
  if (names.includes('bucket')) {
    if (draft.sound<Model>(...path, 'model') === 'percentage')
      draft.report([...path, 'bucket'], '"bucket" is not read by percentage.', 'key')
    if (aggregation === 'time_weighted')
      draft.report([...path, 'bucket'], `Meter "${meter}" is weighted by time, which has no buckets.`, 'key')
    const isSingly = draft.sound(...path, 'bucket', 'size') === 'record'
    if (isSingly && aggregation !== undefined && aggregation !== 'sum' && aggregation !== 'count')
      draft.report(
        [...path, 'bucket', 'size'],
        `Records by themselves are of sums and counts, and meter "${meter}" is ${aggregation}.`,
        'value',
      )
    if (names.includes('rollover') && draft.sound(...path, 'bucket', 'priced') !== 'on_sum')
      draft.report([...path, 'rollover'], 'What is priced per bucket carries nothing on: use "priced: on_sum".', 'key')
  }
  if (names.includes('changesInDay') && aggregation !== undefined && aggregation !== 'time_weighted')
    draft.report([...path, 'changesInDay'], `Meter "${meter}" is not weighted by time.`, 'key')
}

const checkIncluded = (draft: Draft, plan: string, path: Path) => {
  const names = draft.names(...path)
  const model = draft.sound<Model>(...path, 'model')
  if (
    draft.sound(...path, 'includedMode') === 'inside' &&
    model !== undefined &&
    model !== 'graduated' &&
    model !== 'volume'
  )
    draft.report([...path, 'includedMode'], `"inside" is not read by ${model}, which has no tiers.`, 'value')
  const { meter } = meterOf(draft, path)
  const grants = draft
    .names('plans', plan, 'grants')
    .filter((feature) => draft.sound('features', feature, 'meter') === meter)
    .map((feature) => draft.names('plans', plan, 'grants', feature))
  // Carried on by both, it would be free twice.
  if (names.includes('rollover') && grants.some((grant) => grant.includes('rollover')))
    draft.report([...path, 'rollover'], `The grant of "${meter}" carries it on already: say it once.`, 'key')
  const granted = grants.some((grant) => grant.includes('included'))
  if (names.includes('included') || granted) return
  for (const name of ['includedMode', 'includedProrated', 'rollover'])
    if (names.includes(name))
      draft.report([...path, name], 'Nothing is included: say how much under "included".', 'key')
}

/** A price may become another of its kin: what rates transactions goes on rating them. */
const kinOf = (model: Model) => (model === 'percentage' || model === 'flat' ? model : 'of a quantity')

const checkRamp = (draft: Draft, path: Path, currencies: readonly string[] | undefined) => {
  const model = draft.sound<Model>(...path, 'model')
  for (let index = 0; index < draft.count(...path, 'ramp'); index++) {
    const here = [...path, 'ramp', index]
    checkModel(draft, here, currencies)
    const step = draft.sound<CatalogRampStep>(...here)
    if (step && model !== undefined && kinOf(step.model) !== kinOf(model))
      draft.report([...here, 'model'], `${step.model} cannot come after ${model}.`, 'value')
    const month = draft.sound<number>(...here, 'fromMonth')
    const before = index === 0 ? 0 : draft.sound<number>(...path, 'ramp', index - 1, 'fromMonth')
    if (month !== undefined && before !== undefined && month <= before)
      draft.report([...here, 'fromMonth'], `Steps follow one another: ${month} is not after month ${before}.`, 'value')
  }
}

const isZero = (value: unknown): boolean => value != null && /^0+(\.0+)?$/.test(String(value))
