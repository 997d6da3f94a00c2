import { type Static, Type } from 'typebox'
import { CatalogFile } from '../catalog-file.ts'
import { Instant, Key, Money, Nullable, strict, Text } from './common.ts'

export const CatalogVersion = strict({
  version: Type.Integer(),
  hash: Type.String(),
  appliedAt: Instant,
  appliedBy: Type.String(),
  summary: Type.String(),
  plans: Type.Record(Type.String(), Type.Integer()),
})
export type CatalogVersion = Static<typeof CatalogVersion>
export const CatalogCurrent = strict({ ...CatalogVersion.properties, content: CatalogFile })
export type CatalogCurrent = Static<typeof CatalogCurrent>

export const catalogChangeKinds = ['add', 'update', 'archive', 'remove', 'blocked'] as const
export const CatalogChange = strict({
  kind: Type.Enum(catalogChangeKinds),
  object: Type.Enum(['meter', 'feature', 'plan', 'price', 'add_on', 'product', 'coupon', 'policy', 'catalog']),
  key: Type.String(),
  sentence: Type.String(),
  before: Type.Unknown(),
  after: Type.Unknown(),
})

/** What applying would do, bound to the state that it was made from (CAT-2). */
export const CatalogPlanArtifact = strict({
  /** Hash of the catalog that was current; `apply` refuses when it is not current any more. */
  baseHash: Type.String(),
  /** Hash of the file to be applied. */
  targetHash: Type.String(),
  changes: Type.Array(CatalogChange),
  affectedCustomers: Type.Array(
    strict({ plan: Key, version: Type.Integer(), customers: Type.Integer(), staysOnVersion: Type.Boolean() }),
  ),
  recurringRevenueDelta: Type.Array(Money),
  losses: Type.Array(strict({ plan: Key, feature: Key, customers: Type.Integer(), sentence: Type.String() })),
  blocked: Type.Boolean(),
})
export type CatalogPlanArtifact = Static<typeof CatalogPlanArtifact>

export const CatalogProblem = strict({
  line: Type.Integer(),
  column: Type.Integer(),
  path: Type.String(),
  message: Type.String(),
})
export type CatalogProblem = Static<typeof CatalogProblem>
/** The file's text, so that every mistake is named with its line. */
export const CatalogSource = strict({ source: Type.String({ minLength: 1, maxLength: 1_000_000 }) })
export const CatalogValidation = strict({ valid: Type.Boolean(), problems: Type.Array(CatalogProblem) })
export const CatalogApply = strict({
  source: Type.String({ minLength: 1, maxLength: 1_000_000 }),
  artifact: CatalogPlanArtifact,
  reason: Type.Optional(Nullable(Text(500))),
})

export const ProviderDifference = strict({
  kind: Type.Enum(['missing_at_provider', 'unknown_to_catalog', 'differs', 'inactive_at_provider']),
  object: Type.Enum(['product', 'price', 'coupon']),
  key: Type.String(),
  field: Nullable(Type.String()),
  ours: Nullable(Type.String()),
  theirs: Nullable(Type.String()),
  sentence: Type.String(),
})
export type ProviderDifference = Static<typeof ProviderDifference>
export const CatalogDiff = strict({ inSync: Type.Boolean(), differences: Type.Array(ProviderDifference) })
export type CatalogDiff = Static<typeof CatalogDiff>
export const CatalogPush = strict({
  created: Type.Array(Type.String()),
  updated: Type.Array(Type.String()),
  unchanged: Type.Integer(),
})
export type CatalogPush = Static<typeof CatalogPush>
