import { setImmediate } from 'node:timers/promises'

/** Waits for a condition to hold, looking again after every turn of the event loop. */
export const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 30_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`never came true: ${holds}`)
    await setImmediate()
  }
}
