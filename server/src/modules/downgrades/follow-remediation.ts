import type { ExcessItem } from '@turnpike/contract'

/** What is to be reduced, and what was allowed before (`null`: as much as one likes). */
type RemediationItem = Pick<ExcessItem, 'feature' | 'name' | 'kind' | 'limit'> & { oldLimit: number | null }

export type Remediation = {
  tenantId: string
  remediationId: string
  subscriptionId: string
  kind: 'cleanup_window' | 'soft_lock'
  plan: string
  planVersion: number
  items: RemediationItem[]
  startedAt: Temporal.Instant
  /** Until when the old limits stay; null for a soft lock. */
  deadline: Temporal.Instant | null
  /** How many days before the deadline the customer is reminded. */
  reminders: number[]
  remindedUntil: Temporal.Instant
  enforcedAt: Temporal.Instant | null
  closedAt: Temporal.Instant | null
  outcome: 'met' | 'replaced' | 'ended' | null
}

export type RemediationStep = { kind: 'reminded' | 'met' | 'enforced'; at: Temporal.Instant }

const isUpTo = (a: Temporal.Instant, b: Temporal.Instant): boolean => Temporal.Instant.compare(a, b) <= 0

/**
 * What is due for a remediation at a time, in order (SUB-5). `isOver`: whether anything is in use above the new limits now.
 * Who fits has met it, also on the day of the deadline. A reminder that nobody was there to send is left out once the
 * deadline has passed: what is enforced says more.
 */
export const followRemediation = (
  remediation: Pick<Remediation, 'deadline' | 'reminders' | 'remindedUntil' | 'enforcedAt'>,
  isOver: boolean,
  at: Temporal.Instant,
): RemediationStep[] => {
  const { deadline, enforcedAt } = remediation
  if (!isOver) return [{ kind: 'met', at }]
  if (deadline === null || enforcedAt !== null) return []
  if (isUpTo(deadline, at)) return [{ kind: 'enforced', at: deadline }]
  return [...remediation.reminders]
    .sort((a, b) => b - a)
    .map((days) => deadline.subtract({ hours: 24 * days }))
    .filter((due) => isUpTo(due, at) && !isUpTo(due, remediation.remindedUntil))
    .map((due) => ({ kind: 'reminded', at: due }))
}
