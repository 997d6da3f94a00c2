/** How long after an attempt of the provider its result is waited for. */
const settling = { hours: 1 } as const

/**
 * When a subscription that is due to end may be ended by us. The provider's own attempts come first (DUN-1): while one is
 * planned for an unpaid invoice, or was planned for so short a time ago that its result may be under way, the end waits. The
 * provider stops planning attempts by its own settings, so the wait has an end.
 */
export const cancelAt = (endsAt: Temporal.Instant, attempts: readonly (Temporal.Instant | null)[]): Temporal.Instant =>
  attempts.reduce<Temporal.Instant>((latest, attempt) => {
    const settled = attempt?.add(settling)
    return settled && Temporal.Instant.compare(settled, latest) > 0 ? settled : latest
  }, endsAt)
