/**
 * The time of the service. A browser's clock may be wrong; and next to the sandbox the service lives by the sandbox's, which
 * people move.
 */
let aheadMs = 0
const listeners = new Set<() => void>()

export const serviceNow = (): number => Date.now() + aheadMs

/** What the service said, and when by this browser's clock. */
export function noteServiceTime(said: string, at: number): void {
  aheadMs = Date.parse(said) - at
  for (const listener of listeners) listener()
}

export function onServiceTime(listener: () => void): void {
  listeners.add(listener)
}
