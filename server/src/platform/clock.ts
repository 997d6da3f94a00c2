/** The only reader of the time. Everything else takes `at` or a `Clock`. */
export type Clock = { now(): Temporal.Instant }

export const systemClock: Clock = { now: () => Temporal.Now.instant() }

/** A clock that tests move. */
export const movableClock = (start: string): Clock & { set(to: string): void; advance(duration: string): void } => {
  let current = Temporal.Instant.from(start)
  return {
    now: () => current,
    set: (to) => {
      current = Temporal.Instant.from(to)
    },
    advance: (duration) => {
      current = current.toZonedDateTimeISO('UTC').add(duration).toInstant()
    },
  }
}
