/** The only reader of the time. Everything else takes `at` or a `Clock`. */
export type Clock = {
  now(): Temporal.Instant
  /** The same in epoch milliseconds, for hot paths that need no more. */
  nowMs(): number
}

// As fine as the database keeps time, so that what is answered now and read later is the same.
export const systemClock: Clock = {
  now: () => Temporal.Now.instant().round({ smallestUnit: 'microsecond', roundingMode: 'floor' }),
  nowMs: Date.now,
}

/** Runs on from a start, or from the system's time, by what it was moved: for tests, and for trying out next month. */
export const movableClock = (start?: string): Clock & { advance(duration: string): void } => {
  let ahead =
    start === undefined ? Temporal.Duration.from({ seconds: 0 }) : systemClock.now().until(Temporal.Instant.from(start))
  return {
    now: () => systemClock.now().add(ahead),
    nowMs: () => systemClock.now().add(ahead).epochMilliseconds,
    advance: (duration) => {
      const at = systemClock.now().add(ahead)
      const then = at.toZonedDateTimeISO('UTC').add(duration).toInstant()
      ahead = ahead.add(at.until(then))
    },
  }
}

/**
 * Ahead of the system's time by whole seconds, which somebody else says; it never goes back. For a service whose provider is
 * a stand-in with a time of its own.
 */
export const followingClock = (): Clock & { beAhead(seconds: number): void } => {
  let ahead = 0
  return {
    now: () => systemClock.now().add({ seconds: ahead }),
    nowMs: () => systemClock.nowMs() + ahead * 1_000,
    beAhead: (seconds) => {
      ahead = Math.max(ahead, seconds)
    },
  }
}
