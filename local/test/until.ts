import { setTimeout as delay } from 'node:timers/promises'

/** Waits for a condition to hold. Gives up after half a minute: a machine under load is slow, a broken promise is for ever. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`never came true: ${holds}`)
    await delay(10)
  }
}
