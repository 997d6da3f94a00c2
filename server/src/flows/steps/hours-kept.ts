/** So long hour counters are kept: a year and a month, so that this month can be drawn beside that of last year. */
export const hoursKeptDays = 400

/** From when on hours are compared with records: a little later than what the next run will drop. */
export const hoursComparedSince = (at: Temporal.Instant): Temporal.Instant =>
  at.subtract({ hours: 24 * (hoursKeptDays - 2) })
