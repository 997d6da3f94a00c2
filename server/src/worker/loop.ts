import type { Log } from '../platform/log.ts'

export type Loop = {
  wake(): void
  /** Wakes it, and settles when runs that began after this found nothing more to do, or failed. */
  finish(): Promise<void>
  stop(): Promise<void>
}

/**
 * Runs `work` when woken and at least every `idleMs`, one run at a time; a run that answers more than 0 is followed by
 * another at once. A wake during a run is not lost. Failures are logged and tried again at the next beat.
 */
export const startLoop = (name: string, log: Log, idleMs: number, work: () => Promise<number>): Loop => {
  let stopped = false
  let woken = true
  let rouse = () => {}
  let waiting: (() => void)[] = []
  const run = async () => {
    while (!stopped) {
      woken = false
      const told = waiting.length
      let done = 0
      try {
        done = await work()
      } catch (error) {
        log.warn({ err: error, loop: name }, 'a run failed; it is tried again')
      }
      if (done > 0 && !stopped) continue
      for (const settle of waiting.splice(0, told)) settle()
      if (woken || stopped) continue
      await new Promise<void>((resolve) => {
        rouse = resolve
        setTimeout(resolve, idleMs).unref()
        if (woken || stopped) resolve()
      })
    }
  }
  const finished = run().finally(() => {
    for (const settle of waiting) settle()
    waiting = []
  })
  const wake = () => {
    woken = true
    rouse()
  }
  return {
    wake,
    finish: () => {
      if (stopped) return finished
      const settled = new Promise<void>((resolve) => waiting.push(resolve))
      wake()
      return settled
    },
    stop: () => {
      stopped = true
      rouse()
      return finished
    },
  }
}
