import { type Static, Type } from 'typebox'
import { AnyId, Currency, Email, Id, Instant, Nullable, strict, TenantId, Text, TimeZone } from './common.ts'
import { OwnerInput } from './owner.ts'

export const Customer = strict({
  id: Id('customer'),
  tenantId: TenantId,
  name: Type.String(),
  email: Nullable(Type.String()),
  currency: Currency,
  /** Where the customer's hours, days, weeks, months and years begin, for limits that count by them. */
  timeZone: TimeZone,
  /** A reference only; the provider's record is the provider's (CUS-1). */
  providerCustomerId: Nullable(Type.String()),
  createdAt: Instant,
  updatedAt: Instant,
})
export type Customer = Static<typeof Customer>

export const CustomerCreate = strict({
  tenantId: Type.Optional(TenantId),
  name: Text(200),
  email: Type.Optional(Nullable(Email)),
  currency: Type.Optional(Currency),
  /** UTC where left out. */
  timeZone: Type.Optional(TimeZone),
  /** The first billing owner (CUS-3). */
  owner: Type.Optional(OwnerInput),
})

export const CustomerUpdate = strict(
  {
    name: Type.Optional(Text(200)),
    email: Type.Optional(Nullable(Email)),
    timeZone: Type.Optional(TimeZone),
  },
  { minProperties: 1 },
)

export const CustomerParams = strict({ customerId: Type.String({ maxLength: 120 }) })

/** One thing that happened to a customer, from any of our records, in order (UI-3). */
export const TimelineEntry = strict({
  id: Type.String(),
  at: Instant,
  kind: Type.Union([
    Type.Literal('webhook'),
    Type.Literal('decision'),
    Type.Literal('event'),
    Type.Literal('audit'),
    Type.Literal('snapshot'),
  ]),
  title: Type.String(),
  /** The operation that caused it: entries of one chain share it. */
  correlationId: Nullable(Type.String()),
  actor: Nullable(Type.String()),
  object: Nullable(AnyId),
  detail: Type.Record(Type.String(), Type.Unknown()),
})
export type TimelineEntry = Static<typeof TimelineEntry>
