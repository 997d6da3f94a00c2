import { systemClock } from '../../platform/clock.ts'

/** When the next turn is. A turn is taken by whoever asks, in the order of asking; turns that nobody took are not saved up. */
export type Turns = { nextMs: number }

/** Gives the next turn: how long to wait for it, and when the one after it is. */
export const nextTurn = (turns: Turns, nowMs: number, perSecond: number): { waitMs: number; turns: Turns } => {
  const atMs = Math.max(nowMs, turns.nextMs)
  return { waitMs: atMs - nowMs, turns: { nextMs: atMs + 1_000 / perSecond } }
}

/** Lets at most so many requests a second begin, evenly spread. */
export const createPace = (
  perSecond: number,
  wait: (ms: number) => Promise<void> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  nowMs: () => number = systemClock.nowMs,
): (() => Promise<void>) => {
  let turns: Turns = { nextMs: 0 }
  return async () => {
    const turn = nextTurn(turns, nowMs(), perSecond)
    turns = turn.turns
    if (turn.waitMs > 0) await wait(turn.waitMs)
  }
}
