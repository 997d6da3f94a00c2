import { setTimeout as delay } from 'node:timers/promises'

/** Waits for a condition to hold. Gives up in the end: a machine under load is slow, a broken promise is for ever. */
export async function until(holds: () => boolean | Promise<boolean>, seconds = 30): Promise<void> {
  const deadline = Date.now() + seconds * 1_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`never came true: ${holds}`)
    await delay(10)
  }
}
