/** The only reader of the time. Everything else takes `at` or a `Clock`. */
export type Clock = { now(): Temporal.Instant }

// As fine as the database keeps time, so that what is answered now and read later is the same.
export const systemClock: Clock = {
  now: () => Temporal.Now.instant().round({ smallestUnit: 'microsecond', roundingMode: 'floor' }),
}

/** Runs on from the system's time by what it was moved: for tests, and for trying out what happens next month. */
export const movableClock = (): Clock & { advance(duration: string): void } => {
  let ahead = Temporal.Duration.from({ seconds: 0 })
  return {
    now: () => systemClock.now().add(ahead),
    advance: (duration) => {
      const at = systemClock.now().add(ahead)
      const then = at.toZonedDateTimeISO('UTC').add(duration).toInstant()
      ahead = ahead.add(at.until(then))
    },
  }
}
