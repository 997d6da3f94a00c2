import type { CatalogFeature, CatalogMeter } from '@turnpike/contract'
import type { Draft } from './draft.ts'
import type { Path } from './read-yaml.ts'

type Aggregation = CatalogMeter['aggregation']

const isLevel = (aggregation: Aggregation | undefined): boolean =>
  aggregation === 'latest' || aggregation === 'time_weighted'

/** Meters, those that are derived from others, and the features that are counted by them. */
export const checkMeters = (draft: Draft): void => {
  for (const meter of draft.names('meters')) checkMeter(draft, meter)
  const limited = new Map<string, string>()
  for (const feature of draft.names('features')) {
    const path = ['features', feature]
    const content = draft.sound<CatalogFeature>(...path)
    if (content?.kind === 'value' && content.usedBy !== undefined) checkUsedBy(draft, path, content, content.usedBy)
    if (content?.kind !== 'metered') continue
    if (!draft.mustExist([...path, 'meter'], 'meter', content.meter, 'meters')) continue
    if (isLevel(draft.sound<CatalogMeter>('meters', content.meter)?.aggregation))
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
  if (aggregation !== undefined && !isLevel(aggregation))
    report(`Meter "${meter}" adds up: what is in use now is told by a meter with aggregation "latest".`)
  const first = draft
    .names('features')
    .find((key) => (draft.sound<CatalogFeature>('features', key) as { usedBy?: string } | undefined)?.usedBy === meter)
  if (first !== undefined && first !== path[1]) report(`Meter "${meter}" counts feature "${first}" already.`)
}

/** What can be told of records whose quantities were kept for another aggregation. */
const derivable: Record<Aggregation, readonly Aggregation[]> = {
  sum: ['sum', 'count', 'max', 'unique'],
  count: ['count', 'unique'],
  unique: ['count', 'unique'],
  max: ['max', 'count', 'unique'],
  latest: ['latest', 'time_weighted', 'max'],
  time_weighted: ['latest', 'time_weighted', 'max'],
}
const derivedMax = 20

const checkMeter = (draft: Draft, key: string) => {
  const path = ['meters', key]
  const meter = draft.sound<CatalogMeter>(...path)
  if (!meter) return
  const { aggregation, property, of, filter, fractional } = meter
  const report = (field: string, message: string, at: 'key' | 'value' = 'value') =>
    draft.report([...path, field], message, at)
  if (aggregation === 'unique' && property === undefined)
    draft.report(path, `Meter "${key}" counts unique values: "property" says of what.`, 'key')
  if (aggregation !== 'unique' && property !== undefined)
    report('property', `Values of a property are counted by aggregation "unique", not "${aggregation}".`, 'key')
  if (filter && of === undefined)
    report('filter', 'A filter takes some of the records of another meter: "of" says which.', 'key')
  if (of === undefined || !draft.mustExist([...path, 'of'], 'meter', of, 'meters')) return
  const base = draft.sound<CatalogMeter>('meters', of)
  if (!base) return
  if (base.of !== undefined)
    return report('of', `Meter "${of}" is derived itself${of === key ? '' : `: take "${base.of}"`}.`)
  if (!derivable[base.aggregation].includes(aggregation))
    report(
      'aggregation',
      `A ${aggregation} cannot be told from the records of "${of}", which is a ${base.aggregation}.`,
    )
  if (base.fractional && !fractional && aggregation !== 'count' && aggregation !== 'unique')
    report('of', `Meter "${of}" has fractions, so this one has them too: "fractional: true".`)
  const siblings = draft.names('meters').filter((other) => draft.sound<CatalogMeter>('meters', other)?.of === of)
  if (siblings.length > derivedMax && siblings[derivedMax] === key)
    report(
      'of',
      `At most ${derivedMax} meters are derived from one: each record of "${of}" is looked at for all of them.`,
    )
}
