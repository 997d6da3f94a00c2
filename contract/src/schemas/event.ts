import { type Static, Type } from 'typebox'
import { Cursor, Id, Instant, Key, Nullable, Quantity, strict, TenantId } from './common.ts'

/** A CloudEvents 1.0 envelope (EVT-1). `sequence` counts per customer from 1 without gaps; `position` is the place in the feed. */
export const EventEnvelope = strict({
  specversion: Type.Literal('1.0'),
  id: Id('event'),
  source: Type.String(),
  type: Type.String(),
  subject: Type.String({ description: 'The customer id.' }),
  time: Instant,
  datacontenttype: Type.Literal('application/json'),
  dataschema: Type.String({ description: 'Schema and version of `data`.' }),
  tenantid: TenantId,
  sequence: Type.Integer({ minimum: 1 }),
  position: Type.String({ description: 'Cursor of this event in the feed.' }),
  correlationid: Nullable(Type.String()),
  data: Type.Record(Type.String(), Type.Unknown()),
})
export type EventEnvelope = Static<typeof EventEnvelope>

export const FeedQuery = strict({
  tenantId: Type.Optional(TenantId),
  after: Type.Optional(Cursor),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 200 })),
})

export const Budget = strict({
  tenantId: TenantId,
  customerId: Id('customer'),
  subscriptionId: Nullable(Type.String()),
  planId: Key,
  feature: Nullable(Key),
  /** Units of the budget's meter; null is unlimited. */
  totalBudget: Nullable(Quantity),
  currentSpend: Quantity,
  periodStart: Instant,
  periodEnd: Instant,
  /** Per-customer event sequence that this row includes. */
  sequence: Type.Integer({ minimum: 0 }),
})
export type Budget = Static<typeof Budget>

export const RoutingPolicy = strict({
  id: Type.String(),
  planId: Key,
  priority: Type.Integer(),
  /** CEL over `request`, `budget` and `tenant`. */
  matchExpression: Type.String(),
  strategy: Type.Enum(['first', 'weighted', 'cheapest', 'refuse']),
  targets: Type.Array(strict({ target: Type.String(), weight: Type.Optional(Type.Integer({ minimum: 1 })) })),
})
export type RoutingPolicy = Static<typeof RoutingPolicy>

/** Everything a gateway replica needs to begin: apply events after `position` to it (EVT-4). */
export const GatewaySnapshot = strict({
  position: Type.String(),
  budgets: Type.Array(Budget),
  routingPolicies: Type.Array(RoutingPolicy),
  cursor: Nullable(Type.String()),
})
export type GatewaySnapshot = Static<typeof GatewaySnapshot>
