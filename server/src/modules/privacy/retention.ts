export type RetentionRecord = {
  tenantId: string
  endedAt: Temporal.Instant
  readOnlyUntil: Temporal.Instant | null
  deleteAfter: Temporal.Instant
  /** Days before the deletion of the reminders that were sent. */
  reminded: number[]
  readOnlyOver: boolean
  state: 'waiting' | 'deleting' | 'reactivated' | 'deleted'
}

export type RetentionPolicy = { retentionDays: number; exportReminderDays?: number[] }

export type RetentionStep =
  | { kind: 'read_only_over' }
  /** The customer was here meanwhile: the days are counted anew. */
  | { kind: 'postpone'; deleteAfter: Temporal.Instant }
  /** `deleteAfter` is later than it was when reminders were missed: nobody is deleted without a warning in time. */
  | { kind: 'remind'; days: number; reminded: number[]; deleteAfter: Temporal.Instant }
  | { kind: 'erase' }

const after = (at: Temporal.Instant, days: number): Temporal.Instant => at.add({ hours: 24 * days })
const isDue = (due: Temporal.Instant, at: Temporal.Instant): boolean => Temporal.Instant.compare(at, due) >= 0

/** The days of reminders that this policy has room for, the earliest reminder first. */
export const reminderDays = (policy: RetentionPolicy): number[] =>
  [...new Set(policy.exportReminderDays ?? [30, 7])].filter((days) => days < policy.retentionDays).sort((a, b) => b - a)

/**
 * What is to be done now with a customer who has left (SUB-6); null for nothing. One step at a time: whoever takes it asks
 * again. Reminders that were missed are not made up for one after the other: only the most urgent is sent.
 */
export const nextRetentionStep = (
  retention: RetentionRecord,
  policy: RetentionPolicy,
  lastUsage: Temporal.Instant | null,
  at: Temporal.Instant,
): RetentionStep | null => {
  if (retention.state === 'deleting') return { kind: 'erase' }
  if (retention.state !== 'waiting') return null
  if (retention.readOnlyUntil && !retention.readOnlyOver && isDue(retention.readOnlyUntil, at))
    return { kind: 'read_only_over' }
  const days = reminderDays(policy)
  const due = days.filter((day) => !retention.reminded.includes(day) && isDue(after(retention.deleteAfter, -day), at))
  const over = isDue(retention.deleteAfter, at)
  if (due.length === 0 && !over) return null
  // What services still report on the day of the end belongs to the leaving; later usage says that somebody is here.
  if (lastUsage && isDue(after(retention.endedAt, 1), lastUsage)) {
    const kept = after(lastUsage, policy.retentionDays)
    if (Temporal.Instant.compare(kept, retention.deleteAfter) > 0) return { kind: 'postpone', deleteAfter: kept }
  }
  const last = days.at(-1)
  if (due.length === 0 || last === undefined) return { kind: 'erase' }
  const missed = over && due.includes(last)
  if (over && !missed) return { kind: 'erase' }
  return {
    kind: 'remind',
    days: due.at(-1)!,
    reminded: [...retention.reminded, ...due],
    deleteAfter: missed ? after(at, last) : retention.deleteAfter,
  }
}
