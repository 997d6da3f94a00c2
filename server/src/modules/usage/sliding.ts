import type { Micro } from '../../core/quantity.ts'

/**
 * What a sliding window of `hours` is counted by: usage by whole hours (counted from 1970), the newest of which runs. The
 * window holds the hour that runs and the `hours` before it, so that no stretch of that length ever holds more.
 */
export type Sliding = {
  hours: number
  used: Map<number, Micro>
  /** The peak that was worked out last, and for which hour. */
  known: { hour: number; peak: Micro } | null
}

export const hourNumber = (atMs: number): number => Math.floor(atMs / 3_600_000)

/** The most that any window which holds an hour has in it: late usage must fit into all of them. */
export const peakAt = (sliding: Sliding, hour: number): Micro => {
  if (sliding.known?.hour === hour) return sliding.known.peak
  const { hours, used } = sliding
  let sum = 0n
  for (let back = hour - hours; back <= hour; back++) sum += used.get(back) ?? 0n
  let peak = sum
  for (let end = hour + 1; end <= hour + hours; end++) {
    sum += (used.get(end) ?? 0n) - (used.get(end - hours - 1) ?? 0n)
    if (sum > peak) peak = sum
  }
  sliding.known = { hour, peak }
  return peak
}

export const addTo = (sliding: Sliding, hour: number, quantity: Micro): void => {
  sliding.used.set(hour, (sliding.used.get(hour) ?? 0n) + quantity)
  // Every window that was looked at holds that hour.
  if (sliding.known?.hour === hour) sliding.known.peak += quantity
  else sliding.known = null
}

/** Takes over what an hour says, and forgets those that no window from the newest hour on reaches. */
export const setHour = (sliding: Sliding, hour: number, quantity: Micro): void => {
  const before = sliding.used.get(hour)
  sliding.used.set(hour, quantity)
  if (sliding.known?.hour === hour) sliding.known.peak += quantity - (before ?? 0n)
  else sliding.known = null
  if (before !== undefined || sliding.used.size <= sliding.hours + 2) return
  const newest = Math.max(...sliding.used.keys())
  for (const known of sliding.used.keys()) if (known < newest - sliding.hours - 1) sliding.used.delete(known)
}

export const copyOf = ({ hours, used, known }: Sliding): Sliding => ({
  hours,
  used: new Map(used),
  known: known && { ...known },
})
