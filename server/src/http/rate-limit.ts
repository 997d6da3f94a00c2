/**
 * Counts the requests of each caller in the running second (SEC-4): true while they are not more than allowed. One lookup a
 * request; what was counted is forgotten with the second, so that callers who made themselves up fill no memory.
 */
export const createRateLimit = (perSecond: number): ((caller: string, nowMs: number) => boolean) => {
  let second = 0
  let counts = new Map<string, number>()
  return (caller, nowMs) => {
    const running = Math.floor(nowMs / 1_000)
    if (running !== second) {
      second = running
      counts = new Map()
    }
    const count = (counts.get(caller) ?? 0) + 1
    counts.set(caller, count)
    return count <= perSecond
  }
}
