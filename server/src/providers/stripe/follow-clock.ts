import { newId } from '../../core/ids.ts'
import { type Clock, followingClock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'

export type ClockFollower = {
  clock: Clock
  /** From now on the clock moves with the sandbox's; `catchUp` does what is due then, before the sandbox goes on. */
  follow(catchUp: () => Promise<void>): void
  stop(): void
}

type Told = { step: string; ahead: number }

/** The sandbox answers after twenty seconds in which nothing was moved, and at once to whoever does not follow yet. */
const patienceMs = 30_000
const firstPatienceMs = 1_000
const firstTries = 10
/** Less than the sandbox waits for us: where there is more to do than that, its next moment must find our clock moved. */
const catchUpMs = 8_000
const pauseMs = 250

/**
 * Follows the time of the sandbox, which people move to see a month go by (PAY-4). It tells of each moment before anything
 * happens in it, and asking again says that what was due is done: so usage is on a renewal's invoice before it is closed, as
 * it is when an hour takes an hour. Answers once the time was asked for; a sandbox that is away takes nothing away: then the
 * real time is kept until it is there.
 */
export const createClockFollower = async (apiBase: string, log: Log): Promise<ClockFollower> => {
  const clock = followingClock()
  const stopping = new AbortController()
  const address = new URL('/sandbox/clock', apiBase)
  const pause = () => new Promise((resolve) => setTimeout(resolve, pauseMs))
  const atMost = (ms: number, work: Promise<void>) =>
    Promise.race([work, new Promise((resolve) => setTimeout(resolve, ms).unref())])

  const ask = async (query: Record<string, string>, withinMs: number): Promise<Told> => {
    address.search = new URLSearchParams(query).toString()
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(withinMs)])
    const response = await fetch(address, { signal })
    const told = response.ok ? ((await response.json()) as Told) : null
    if (!Number.isSafeInteger(told?.ahead)) throw new Error(`no time in an answer with status ${response.status}`)
    clock.beAhead(told!.ahead)
    return told!
  }

  const run = async (catchUp: () => Promise<void>) => {
    const follower = newId('request')
    let done = ''
    let reached = true
    while (!stopping.signal.aborted) {
      try {
        const { step } = await ask({ follower, after: done }, patienceMs)
        reached = true
        if (step === done) await pause()
        else
          await atMost(catchUpMs, catchUp()).catch((error: unknown) =>
            log.warn({ err: error }, 'what is due is done later'),
          )
        done = step
      } catch (error) {
        if (stopping.signal.aborted) return
        if (reached) log.warn({ err: error }, 'the time of the sandbox could not be read; it is asked again')
        reached = false
        await pause()
      }
    }
  }

  for (let tries = 0; tries < firstTries; tries++) {
    const answered = await ask({}, firstPatienceMs).then(
      () => true,
      () => false,
    )
    if (answered) break
    await pause()
  }
  return {
    clock,
    follow: (catchUp) => void run(catchUp),
    stop: () => stopping.abort(),
  }
}
