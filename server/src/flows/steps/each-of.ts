import type { Deps } from '../deps.ts'

/**
 * Works on each for itself: one that fails is named in the log and does not hold up those behind it, at this run or at any
 * later one; so `all` holds ids and nothing else. Answers how many went well.
 */
export const eachOf = async <T>(
  { log }: Pick<Deps, 'log'>,
  what: string,
  all: readonly T[],
  work: (one: T) => Promise<unknown>,
): Promise<number> => {
  let done = 0
  for (const one of all)
    try {
      await work(one)
      done++
    } catch (error) {
      log.warn({ err: error, what, about: one }, 'one of many could not be worked on; the next run tries again')
    }
  return done
}
