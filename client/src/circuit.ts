import { TurnpikeError } from './errors.ts'

/**
 * Leaves a service that is away alone (ENT-9). After a failure nobody asks for a while, or for as long as the service said
 * (Retry-After); then one may, while the others still do without, and its answer decides for all.
 */
export const createCircuit = (retryAfterMs: number, now: () => number) => {
  let openUntil: number | null = null
  let asking = false

  return {
    /** Whether to ask now. Who is let in tells how it went. */
    enter: (): boolean => {
      if (openUntil === null) return true
      if (asking || now() < openUntil) return false
      asking = true
      return true
    },
    /** Answers whether the service had been away. */
    succeeded: (): boolean => {
      const wasOpen = openUntil !== null
      openUntil = null
      asking = false
      return wasOpen
    },
    failed: (error: unknown): void => {
      const asked = error instanceof TurnpikeError ? (error.retryAfterMs ?? 0) : 0
      openUntil = now() + Math.max(retryAfterMs, asked)
      asking = false
    },
    /** When it will be asked again. */
    waitMs: (): number => (openUntil === null ? 0 : Math.max(0, openUntil - now())),
  }
}
