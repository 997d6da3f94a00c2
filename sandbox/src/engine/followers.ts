import { randomUUID } from 'node:crypto'

/** How long a clock that is moved waits for a follower; one that is silent for longer is not waited for until it asks again. */
const patienceMs = 10_000
/** A question is answered after so long even when nothing was moved. */
const heldMs = 20_000

export type Followers = ReturnType<typeof createFollowers>

/**
 * Programs that live by this clock. They ask for the time and get an answer at its next step; asking again says that they
 * have done what was due by the last answer. There is a step when a moment comes, and another when all has happened in it.
 */
export function createFollowers() {
  // A step is told together with the run: the answers of a sandbox that was started again are new to everybody.
  const run = randomUUID()
  let steps = 0
  let told = 0
  let stopped = false
  const heard = new Map<string, string>()
  const listeners = new Set<() => void>()

  const step = (): string => `${run}-${steps}`
  const announce = () => {
    for (const listener of [...listeners]) listener()
  }
  const until = (holds: () => boolean, ms: number, given?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer)
        listeners.delete(check)
        given?.removeEventListener('abort', finish)
        resolve()
      }
      const check = () => {
        if (stopped || given?.aborted || holds()) finish()
      }
      const timer = setTimeout(finish, ms)
      listeners.add(check)
      given?.addEventListener('abort', finish)
      check()
    })

  return {
    step,
    /** What was answered is promised: the clock does not fall behind it. */
    tell: (ahead: number): number => {
      told = Math.max(told, ahead)
      return ahead
    },
    told: (): number => told,
    /** Settles when the clock has left `after`. A follower that hangs up is none any more. */
    ask: async (follower: string, after: string, gone: AbortSignal): Promise<void> => {
      heard.set(follower, after)
      announce()
      await until(() => step() !== after, heldMs, gone)
      if (gone.aborted && heard.get(follower) === after) {
        heard.delete(follower)
        announce()
      }
    },
    /** A step: settles when all who follow have done what was due by now, and says whether anybody follows. */
    moved: async (): Promise<boolean> => {
      steps++
      announce()
      const waiting = () => [...heard].filter(([, after]) => after !== step())
      await until(() => waiting().length === 0, patienceMs)
      // The rest of the way is for the next run: what followers were not asked about has not come yet.
      if (stopped) throw new Error('The sandbox stops; the clock is where it came to.')
      for (const [follower] of waiting()) heard.delete(follower)
      return heard.size > 0
    },
    stop: () => {
      stopped = true
      announce()
    },
  }
}
