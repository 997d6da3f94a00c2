import type { CatalogGrant, Counterfactual } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { microOfWhole } from '../../core/quantity.ts'
import type { Catalog } from '../catalog/index.ts'
import { counterfactual } from './counterfactual.ts'
import type { ResolvedEntitlement, SnapshotContent } from './resolve.ts'

const planOf = (rank: number, grant: CatalogGrant, status = 'active') => ({ rank, status, grants: { calls: grant } })
const hard = (limit: number | null) => ({ limit, enforcement: 'hard' as const })
const catalogOf = (plans: Record<string, ReturnType<typeof planOf>>) => ({ file: { plans } }) as unknown as Catalog
const content = (withheld = false) => ({ plan: 'pro', withheld }) as SnapshotContent

const common = { feature: 'calls', name: 'Calls', upgradePlan: null, origin: 'plan' } as const
const metered = (limit: number | null, more: object = {}): ResolvedEntitlement => ({
  ...common,
  kind: 'metered',
  meter: 'calls',
  unit: 'call',
  included: limit,
  limit,
  enforcement: 'hard',
  warnAtPercent: [],
  ...more,
})
const plans = {
  free: planOf(0, hard(10)),
  pro: planOf(1, hard(100)),
  old: planOf(2, hard(500), 'legacy'),
  team: planOf(3, hard(200)),
  enterprise: planOf(4, hard(null)),
}

test.each<[string, ResolvedEntitlement, number, number, number, Counterfactual]>([
  ['one above the limit', metered(100), 100, 0, 1, { allowedQuantity: 0, plan: 'team', override: { limit: 101 } }],
  ['part would have fitted', metered(100), 97, 0, 5, { allowedQuantity: 3, plan: 'team', override: { limit: 102 } }],
  ['some is held for others', metered(100), 90, 8, 5, { allowedQuantity: 2, plan: 'team', override: { limit: 103 } }],
  ['at the next limit', metered(100), 100, 0, 100, { allowedQuantity: 0, plan: 'team', override: { limit: 200 } }],
  [
    'above the next limit',
    metered(100),
    100,
    0,
    101,
    { allowedQuantity: 0, plan: 'enterprise', override: { limit: 201 } },
  ],
  ['a fraction above', metered(100), 99, 0, 1.5, { allowedQuantity: 1, plan: 'team', override: { limit: 101 } }],
  ['a limit that was lowered', metered(50), 70, 0, 1, { allowedQuantity: 0, plan: 'team', override: { limit: 71 } }],
  [
    'not included',
    metered(0, { origin: 'none' }),
    0,
    0,
    1,
    { allowedQuantity: 0, plan: 'free', override: { limit: 1 } },
  ],
])('%s', (_, entitlement, used, reserved, quantity, expected) => {
  const position = { used: microOfWhole(used), reserved: microOfWhole(reserved) }
  const wanted = BigInt(quantity * 1_000_000)
  expect(counterfactual(catalogOf(plans), content(), entitlement, position, wanted, false)).toEqual(expected)
})

const nothing = { used: null, reserved: 0n }
const one = microOfWhole(1)
const granting = (grant: CatalogGrant) => catalogOf({ pro: planOf(1, false), team: planOf(2, grant) })

test.each<[string, ResolvedEntitlement, CatalogGrant, Counterfactual]>([
  [
    'a feature that is off',
    { ...common, kind: 'boolean', value: false },
    true,
    { allowedQuantity: 0, plan: 'team', override: { enabled: true } },
  ],
  [
    'that nobody sells',
    { ...common, kind: 'boolean', value: false },
    false,
    { allowedQuantity: 0, plan: null, override: { enabled: true } },
  ],
  [
    'a number that is too small',
    { ...common, kind: 'value', value: 0 },
    3,
    { allowedQuantity: 0, plan: 'team', override: { value: 1 } },
  ],
  [
    'a set that is empty',
    { ...common, kind: 'value', value: [] },
    ['eu'],
    { allowedQuantity: 0, plan: 'team', override: null },
  ],
])('%s', (_, entitlement, grant, expected) => {
  expect(counterfactual(granting(grant), content(), entitlement, nothing, one, false)).toEqual(expected)
})

test('what was allowed needed nothing else; how much more there was is told', () => {
  const allowed = (entitlement: ResolvedEntitlement) =>
    counterfactual(catalogOf(plans), content(), entitlement, { used: microOfWhole(40), reserved: 0n }, one, true)
  expect(allowed(metered(100))).toEqual({ allowedQuantity: 60, plan: null, override: null })
  expect(allowed(metered(10, { enforcement: 'soft' }))).toEqual({ allowedQuantity: null, plan: null, override: null })
  expect(allowed(metered(null))).toEqual({ allowedQuantity: null, plan: null, override: null })
})

test('while access is withheld, the own plan would be enough', () => {
  const position = { used: microOfWhole(20), reserved: 0n }
  expect(counterfactual(catalogOf(plans), content(true), metered(10), position, one, false).plan).toBe('pro')
})
