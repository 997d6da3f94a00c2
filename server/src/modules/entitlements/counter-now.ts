import type { Micro } from '../../core/quantity.ts'
import { hourNumber, lifetime, peakAt } from '../usage/index.ts'
import type { Counting } from './counting.ts'
import { counterName, type LiveCustomer } from './live.ts'
import type { LiveWindow } from './window.ts'

/** The window of a metered feature that holds a time. */
export const countingWindow = (live: Pick<LiveCustomer, 'windowAt'>, counting: Counting, atMs: number): LiveWindow =>
  counting.windowAt ? counting.windowAt(atMs) : live.windowAt(atMs)

/** What a metered feature has used at a time, from memory; the recorder decides on the same numbers. */
export const counterNow = (
  live: LiveCustomer,
  counting: Counting,
  atMs: number,
): { used: Micro; reserved: Micro; resetsAt: string } => {
  const { meter } = counting.entitlement
  const { startMs, resetsAt } = countingWindow(live, counting, atMs)
  if (counting.slidingHours === null) {
    const counter = live.counters.get(counterName(meter, startMs, counting.span))
    return counter ? { used: counter.used, reserved: counter.reserved, resetsAt } : { used: 0n, reserved: 0n, resetsAt }
  }
  const held = live.counters.get(counterName(meter, lifetime.startMs, counting.span))
  const hours = live.sliding.get(counting.span + meter)
  return { used: hours ? peakAt(hours, hourNumber(atMs)) : 0n, reserved: held?.reserved ?? 0n, resetsAt }
}

/** How much of a level there is. */
export const levelNow = (live: LiveCustomer, meter: string): Micro | null =>
  live.counters.get(counterName(meter, lifetime.startMs))?.used ?? null
