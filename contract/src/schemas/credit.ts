import { type Static, Type } from 'typebox'
import { Currency, Id, Instant, Key, Money, Nullable, Page, strict, TenantId, Text } from './common.ts'

export const creditCategories = ['paid', 'promotional'] as const
export const creditStates = [
  'waiting_for_approval',
  'active',
  'used_up',
  'expired',
  'voided',
  'rejected',
  'lapsed',
] as const

/** Prepaid credit: given by the house or bought, burnt when a usage period closes (INV-3). */
export const CreditGrant = strict({
  id: Id('grant'),
  tenantId: TenantId,
  state: Type.Enum(creditStates),
  category: Type.Enum(creditCategories),
  amount: Money,
  /** What is left of it now. */
  left: Money,
  /** What was paid for it. */
  paid: Money,
  /** What could go back for what is left: the share that was paid. */
  refundable: Money,
  /** A lower number is burnt first. */
  priority: Type.Integer(),
  /** The charges that it may pay; null: everything. */
  charges: Nullable(Type.Array(Key)),
  grantedAt: Instant,
  expiresAt: Nullable(Instant),
  reason: Type.String(),
  grantedBy: Type.String(),
  /** The purchase that gave it; null where somebody granted it. */
  checkoutId: Nullable(Id('checkout')),
  /** Until when a waiting one can be decided. */
  requestExpiresAt: Nullable(Instant),
  decidedBy: Nullable(Type.String()),
  decidedAt: Nullable(Instant),
  decisionReason: Nullable(Type.String()),
  voidedAt: Nullable(Instant),
})
export type CreditGrant = Static<typeof CreditGrant>

export const CreditGrantCreate = strict({
  tenantId: Type.Optional(TenantId),
  amount: Money,
  category: Type.Optional(Type.Enum(creditCategories, { default: 'promotional' })),
  /** What was paid for it, of paid credit that was not bought here; the whole amount where left out. */
  paid: Type.Optional(Money),
  priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000, default: 50 })),
  charges: Type.Optional(Type.Array(Key, { minItems: 1, maxItems: 50, uniqueItems: true })),
  expiresAt: Type.Optional(Nullable(Instant)),
  reason: Text(500, 3),
})
export type CreditGrantCreate = Static<typeof CreditGrantCreate>
export const CreditDecision = strict({ reason: Type.Optional(Text(500, 3)) })
export const CreditVoid = strict({
  reason: Text(500, 3),
  /** `refund`: what was paid for the rest is to go back. The ledger says how much; the refund itself is asked for at its payment. */
  as: Type.Optional(Type.Enum(['void', 'refund'], { default: 'void' })),
})
export const CreditParams = strict({ grantId: Type.String({ maxLength: 120 }) })
export const CreditsQuery = strict({ tenantId: Type.Optional(TenantId), ...Page })

/** What a customer has of one currency. */
export const CreditBalance = strict({
  currency: Currency,
  /** Usable now. */
  available: Money,
  paid: Money,
  promotional: Money,
  /** The next end of something that is left. */
  nextExpiry: Nullable(strict({ at: Instant, amount: Money })),
  /** Since the beginning: burnt for usage, ended unused, and taken away to be paid back. */
  burnt: Money,
  expired: Money,
  refunded: Money,
})
export const Credits = strict({ tenantId: TenantId, balances: Type.Array(CreditBalance), asOf: Instant })
export type Credits = Static<typeof Credits>

export const ledgerAccounts = [
  'credit',
  'funding_paid',
  'funding_promotional',
  'revenue',
  'breakage',
  'refunded',
] as const
export const ledgerKinds = ['grant', 'burn', 'give_back', 'expire', 'void', 'refund'] as const
/** One side of a movement; those with the same `postingId` sum to zero. */
export const LedgerEntry = strict({
  number: Type.String({ pattern: '^[0-9]{1,19}$' }),
  postingId: Id('posting'),
  kind: Type.Enum(ledgerKinds),
  account: Type.Enum(ledgerAccounts),
  grantId: Nullable(Id('grant')),
  amount: Money,
  /** When it counts. */
  at: Instant,
  recordedAt: Instant,
  /** The grant, or the usage period that was paid. */
  reference: Type.String(),
  reason: Nullable(Type.String()),
  actor: Type.String(),
})
export type LedgerEntry = Static<typeof LedgerEntry>
export const LedgerQuery = strict({
  tenantId: Type.Optional(TenantId),
  grantId: Type.Optional(Type.String({ maxLength: 120 })),
  ...Page,
})

/** Something that was bought once. */
export const Purchase = strict({
  id: Id('purchase'),
  tenantId: TenantId,
  checkoutId: Id('checkout'),
  product: Key,
  name: Type.String(),
  amount: Money,
  purchasedAt: Instant,
  /** The credit that came with it. */
  creditGrantId: Nullable(Id('grant')),
  /** What of the payment went back, or is on its way back. */
  refunded: Money,
  /** What of its credit went with that. */
  creditTaken: Money,
  /** What would have gone too, had it not been used up or ended before. */
  creditKept: Money,
})
export type Purchase = Static<typeof Purchase>
