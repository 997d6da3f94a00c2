import type { CatalogFeature } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { parseSetting } from './setting.ts'

const metered: CatalogFeature = { name: 'Calls', kind: 'metered', meter: 'calls' }
const valued = (type: 'number' | 'string' | 'set'): CatalogFeature => ({ name: 'Value', kind: 'value', type })

test.each([
  [metered, '20,000', { limit: 20_000 }],
  [metered, ' unlimited ', { limit: null }],
  [metered, '-1', null],
  [metered, '1e9', null],
  [metered, '', null],
  [valued('number'), '2.5', { value: 2.5 }],
  [valued('number'), 'many', null],
  [valued('string'), ' eu ', { value: 'eu' }],
  [valued('set'), 'eu, us,', { value: ['eu', 'us'] }],
  [{ name: 'On', kind: 'boolean' }, 'off', { enabled: false }],
  [{ name: 'On', kind: 'boolean' }, '', { enabled: true }],
] as [CatalogFeature, string, unknown][])('%o set to “%s” is %o', (feature, typed, setting) => {
  expect(parseSetting(feature, typed)).toEqual(setting)
})
