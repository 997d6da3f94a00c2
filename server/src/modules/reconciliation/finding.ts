import type { FindingKind, ReconciliationPhase, Repair } from '@turnpike/contract'

type Detail = Record<string, unknown>

/** A difference that one look has seen. `object` names what differs, by our id where we have one. */
export type Difference = {
  kind: FindingKind
  object: string
  here: Detail | null
  there: Detail | null
  repair: Repair
}

/** A difference that was still there on a second look. It is open once per tenant, kind and object. */
export type FindingRecord = Difference & {
  findingId: string
  /** Null for what belongs to nobody here, such as the catalog. */
  tenantId: string | null
  state: 'open' | 'repaired' | 'accepted' | 'dismissed' | 'gone'
  firstSeenAt: Temporal.Instant
  lastSeenAt: Temporal.Instant
  closedAt: Temporal.Instant | null
  closedBy: string | null
  reason: string | null
  firstRunId: string | null
  lastRunId: string | null
}

export type PhaseProgress = { phase: ReconciliationPhase; looked: number; total: number | null; done: boolean }

export type RunRecord = {
  runId: string
  scope: 'all' | 'light' | 'tenant'
  tenantId: string | null
  state: 'running' | 'done' | 'failed' | 'stopped'
  phase: ReconciliationPhase | null
  cursor: string | null
  progress: PhaseProgress[]
  found: number
  repaired: number
  waitsFor: 'provider' | null
  startedBy: string
  startedAt: Temporal.Instant
  finishedAt: Temporal.Instant | null
  failure: string | null
}
