import type { BodyOf, CatalogFeature, Routes } from '@turnpike/contract'

type Setting = BodyOf<Routes['createOverride']>['set']

/** What a person typed as the new setting of a feature, or null where it does not fit the feature. */
export function parseSetting(feature: CatalogFeature, typed: string): Setting | null {
  const text = typed.trim()
  if (feature.kind === 'boolean') return { enabled: text !== 'off' }
  if (feature.kind === 'metered') {
    if (/^(unlimited|no limit)$/i.test(text)) return { limit: null }
    const limit = parseNumber(text)
    return limit === null || limit < 0 ? null : { limit }
  }
  if (text === '') return null
  if (feature.type === 'number') {
    const value = parseNumber(text)
    return value === null ? null : { value }
  }
  if (feature.type === 'string') return { value: text }
  return {
    value: text
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== ''),
  }
}

/** Grouping commas and spaces are allowed: `20,000`. */
function parseNumber(text: string): number | null {
  const plain = text.replaceAll(/[,\s_]/g, '')
  return /^-?\d{1,15}(\.\d{1,6})?$/.test(plain) ? Number(plain) : null
}
