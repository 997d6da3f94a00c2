// Quick at first, because most confirmations are there within a second, then ever calmer.
const waitsMs = [300, 500, 1_000, 2_000, 5_000, 15_000]
const patienceMs = 120_000

/** The wait before look number `look` (from 1) after `waitedMs` of waiting; null when the customer decides when to look. */
export function nextWaitMs(look: number, waitedMs: number): number | null {
  if (waitedMs >= patienceMs) return null
  return waitsMs[Math.min(look, waitsMs.length) - 1] ?? null
}
