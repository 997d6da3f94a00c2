import { movableClock, systemClock } from '../../src/platform/clock.ts'

/**
 * A clock that starts at ten in the morning of the fourth of next month. Wherever a test runs, a month later is a month
 * later: no midnight is near, and no month is too short to have that day. What happens on such days has tests of its own,
 * which say the date. It is ahead by whole seconds, which is all that the sandbox's clock can be.
 */
export const testClock = () => {
  const now = systemClock.now().toZonedDateTimeISO('UTC')
  const start = now.with({ day: 4, hour: 10, minute: 0, second: 0 }).add({ months: 1 })
  return movableClock(start.toInstant().toString())
}
