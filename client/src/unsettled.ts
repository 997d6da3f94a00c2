import { isOutage, isTurnedDown, type TurnpikeError } from './errors.ts'

/** A use that a policy let through while the service could not be asked. */
export type LetThrough = { tenantId: string; feature: string; quantity: number; idempotencyKey: string }

/** Where uses wait to be counted. `keep` answers whether there was room. */
export type Keeper<C> = { keep(use: C): Promise<boolean>; settle(): Promise<unknown>; waiting(): number }

/** More than this is a long outage: the oldest stay, new ones are refused. */
const mostUnsettled = 10_000

/** Uses that wait in memory, and end with the process: for hosts without a disk of their own. */
export const createUnsettled = <C extends LetThrough>(options: {
  tell: (use: C) => Promise<unknown>
  onOutage: (error: unknown) => void
  onUncounted: ((use: C, error: TurnpikeError) => void) | undefined
}): Keeper<C> => {
  const unsettled: C[] = []
  let settling: Promise<void> | null = null

  const settleAll = async (): Promise<void> => {
    while (unsettled.length > 0) {
      const next = unsettled[0]!
      try {
        await options.tell(next)
      } catch (error) {
        if (isOutage(error)) options.onOutage(error)
        // Only what the service understood and turned down is given up; a missing right may come back.
        if (!isTurnedDown(error)) return
        options.onUncounted?.(next, error)
      }
      unsettled.shift()
    }
  }

  return {
    keep: async (use) => {
      if (unsettled.length >= mostUnsettled) return false
      unsettled.push(use)
      return true
    },
    settle: () => {
      settling ??= settleAll().finally(() => {
        settling = null
      })
      return settling
    },
    waiting: () => unsettled.length,
  }
}
