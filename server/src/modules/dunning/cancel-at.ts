/** How long after an attempt of the provider its result is waited for. */
const settling = { hours: 1 } as const

/**
 * When a subscription that is due to end may be ended by us. The provider's own attempts come first (DUN-1): while one is
 * planned for the invoice of the case, or was planned for so short a time ago that its result may be under way, the end waits.
 * The provider stops planning attempts for one invoice by its own settings, so the wait has an end; attempts for later
 * invoices, of which each renewal brings one, do not count.
 */
export const cancelAt = (endsAt: Temporal.Instant, nextAttempt: Temporal.Instant | null): Temporal.Instant => {
  const settled = nextAttempt?.add(settling) ?? endsAt
  return Temporal.Instant.compare(settled, endsAt) > 0 ? settled : endsAt
}
