import type { Catalog, PlanVersion } from '../catalog/index.ts'

export type OverLimitPolicy = {
  overLimit: 'block' | 'cleanup_window' | 'soft_lock'
  cleanupDays: number
  /** How many days before the deadline, most first. */
  reminderDays: number[]
}

/** What a change to a plan does when more is in use than it allows: its own rule over that of the policies over the default. */
export const overLimitPolicy = (catalog: Catalog, plan: PlanVersion): OverLimitPolicy => {
  const rules = { ...catalog.file.policies.changes, ...plan.content.changes }
  const cleanupDays = rules.cleanupDays ?? 14
  return {
    overLimit: rules.overLimit ?? 'block',
    cleanupDays,
    reminderDays: (rules.cleanupReminderDays ?? [7, 1]).filter((day) => day < cleanupDays).sort((a, b) => b - a),
  }
}

/** When a cleanup window ends: days of 24 hours after the change has taken effect. */
export const deadlineOf = (effectiveAt: Temporal.Instant, policy: OverLimitPolicy): Temporal.Instant =>
  effectiveAt.add({ hours: 24 * policy.cleanupDays })
