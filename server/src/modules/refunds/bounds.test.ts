import type { Role } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { boundsOf } from './bounds.ts'

const policy = {
  maxMinor: { USD: 50_000 },
  secondPersonAboveMinor: { USD: 20_000 },
  roles: { support: { maxMinor: { USD: 10_000, EUR: 9_000 }, secondPersonAboveMinor: { USD: 0 } }, finance: {} },
}

test.each<[string, Parameters<typeof boundsOf>[0], Role, string, bigint | null, bigint | null]>([
  ['no policy bounds nothing', undefined, 'support', 'USD', null, null],
  ['an empty policy bounds nothing', {}, 'operator', 'USD', null, null],
  ['all roles have the general bounds', policy, 'operator', 'USD', 50_000n, 20_000n],
  ['a role has its own bounds', policy, 'support', 'USD', 10_000n, 0n],
  ['a role without bounds of its own has the general ones', policy, 'finance', 'USD', 50_000n, 20_000n],
  ['a currency that is not named has nothing', policy, 'operator', 'JPY', 0n, 0n],
  ['a currency that only one bound names', policy, 'support', 'EUR', 9_000n, 0n],
  ['a name that every object has is no currency', policy, 'operator', 'constructor', 0n, 0n],
  ['a cap alone asks nobody', { maxMinor: { USD: 1 } }, 'operator', 'USD', 1n, null],
])('%s', (_, given, role, currency, max, secondPersonAbove) => {
  expect(boundsOf(given, role, currency)).toEqual({ max, secondPersonAbove })
})
