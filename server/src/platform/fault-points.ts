/**
 * Places where a process may die and where that matters: around every commit, every request to the provider and every
 * mail. Flows do not name them; the few functions that all flows go through do. Nothing happens there in production: a
 * test listens, counts, and ends the process at the n-th.
 */
export type FaultPoint =
  | 'before_commit'
  | 'after_commit'
  | 'before_provider_request'
  | 'after_provider_request'
  | 'before_mail'
  | 'after_mail'

let listener: ((point: FaultPoint, what: string) => void) | null = null

/** Passes a place; `what` tells which, such as the name of the provider's operation. */
export const passFaultPoint = (point: FaultPoint, what: string): void => listener?.(point, what)

/** For tests of crashes only: hears of every place that is passed. `null` ends it. */
export const onFaultPoint = (hear: typeof listener): void => {
  listener = hear
}
