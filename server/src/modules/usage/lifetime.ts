/** The one window of a level, which is kept until it changes: epoch milliseconds, as counters name theirs. */
export const lifetime = {
  startMs: 0,
  endMs: Date.parse('9999-12-31T00:00:00Z'),
  start: '1970-01-01T00:00:00Z',
  end: '9999-12-31T00:00:00Z',
} as const
