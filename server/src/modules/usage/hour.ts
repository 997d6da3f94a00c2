const hourMs = 3_600_000

/** The hour in UTC that holds a time: epoch milliseconds, the end exclusive. */
export const hourAt = (atMs: number): { startMs: number; endMs: number } => {
  const startMs = Math.floor(atMs / hourMs) * hourMs
  return { startMs, endMs: startMs + hourMs }
}
