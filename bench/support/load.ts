import { fork } from 'node:child_process'

/** What the requests of a load carry. Each `n` is a number that grows by one with every request. */
export type Traffic =
  | { kind: 'fixed'; body: string }
  /** Checks one feature of tenants in rotation, `prefix` and a number. */
  | { kind: 'checks'; prefix: string; tenants: number; feature: string }
  /** One usage record each, every one with a key of its own. */
  | { kind: 'records'; prefix: string; tenants: number; meter: string; run: string }
  /** Batches of usage records, each spread over the tenants. */
  | { kind: 'batches'; prefix: string; tenants: number; meter: string; run: string; size: number }
  /** Takes one of a limited feature each, of one tenant. */
  | { kind: 'consumption'; tenantId: string; feature: string; run: string }
  /** Signed webhooks, every one with an event id of its own. */
  | { kind: 'webhooks'; secret: string; run: string }

export type LoadOrder = {
  port: number
  path: string
  headers: Record<string, string>
  connections: number
  traffic: Traffic
  /** Requests before this count for nothing. */
  warmupMs: number
  durationMs: number
  /** Ends earlier when so many requests were answered; then every request counts. */
  requestsMax?: number
}

export type LoadResult = {
  requests: number
  /** Answers with a status outside 200 to 299. */
  failed: number
  /** The first answer that failed, to be shown. */
  failure: string | null
  seconds: number
  perSecond: number
  p50Ms: number
  p99Ms: number
  answerBytes: number
  /** Answers of consumption with `"consumed":true`. */
  consumed: number
}

/** A process of its own that sends requests over plain sockets, so that making load costs little beside serving it. */
export const startLoad = async () => {
  const child = fork(new URL('./load-process.ts', import.meta.url), { stdio: 'inherit' })
  let next: { resolve(result: LoadResult): void; reject(error: Error): void } | null = null
  child.on('message', (result: LoadResult | { error: string }) => {
    if ('error' in result) next?.reject(new Error(result.error))
    else next?.resolve(result)
    next = null
  })
  child.on('exit', (code) => next?.reject(new Error(`the load process ended with ${code}`)))

  /** Runs one load after the other; a load whose answers are not all good is an error. */
  const run = async (order: LoadOrder): Promise<LoadResult> => {
    const result = await new Promise<LoadResult>((resolve, reject) => {
      next = { resolve, reject }
      child.send(order)
    })
    if (result.failed > 0)
      throw new Error(`${result.failed} of ${result.requests} requests to ${order.path} failed: ${result.failure}`)
    return result
  }
  return { run, stop: () => child.kill() }
}
