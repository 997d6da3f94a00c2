import { type Static, Type } from 'typebox'
import { Instant, Key, Nullable, Quantity, strict, TenantId, TenantQuery } from './common.ts'

export const historySteps = ['hour', 'day'] as const

export const HistoryQuery = strict({
  ...TenantQuery.properties,
  meter: Key,
  step: Type.Optional(Type.Enum(historySteps, { default: 'day' })),
  /** 30 days, or two for hours, where left out. */
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
  /** A property that the meter names under `groupBy`. */
  groupBy: Type.Optional(Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_.-]{0,62}$' })),
})

const Anomaly = strict({
  span: Type.Enum(['hour', 'day']),
  start: Instant,
  end: Instant,
  kind: Type.Enum(['high', 'low']),
  value: Quantity,
  /** The median of the same hour or day of past weeks. */
  expected: Quantity,
})

/** Usage over time, for charts (USE-6). */
export const UsageHistory = strict({
  tenantId: TenantId,
  meter: Key,
  name: Type.String(),
  unit: Type.String(),
  step: Type.Enum(historySteps),
  /** In which days begin. */
  timeZone: Type.String(),
  points: Type.Array(
    strict({
      start: Instant,
      used: Quantity,
      groups: Type.Optional(Type.Record(Type.String(), Quantity)),
    }),
  ),
  /** The values of the property, the most used first; the others are `other`. Null where nothing is grouped. */
  groups: Nullable(Type.Array(Type.String())),
  /** What is unusual in the last whole hour and in the last 24: hints for people, which decide nothing. */
  anomalies: Type.Array(Anomaly),
  asOf: Instant,
})
export type UsageHistory = Static<typeof UsageHistory>
