import { fail } from '../core/errors.ts'
import { isConnectionLoss } from './db.ts'

/**
 * Group commit: items that arrive while a batch is under way form the next one, so that many requests share one
 * transaction and its one flush to disk. `work` answers one result per item, in order. When a batch fails, its items are
 * worked on one by one, so that one bad item costs nobody else; when the database is away, all of them are told at once.
 * `beforeTold` is waited for before the items of a batch are told, while the next batch is already under way.
 */
export const createBatcher = <I, R>(options: {
  weightMax: number
  concurrency: number
  /** A batch runs beside another only when at least this weight is waiting; any unless told. */
  alongsideFrom?: number
  /** More than this weight does not wait: what comes then fails as `overloaded`, and nothing of it is kept. */
  waitingMax?: number
  weigh?: (item: I) => number
  work: (items: I[]) => Promise<R[]>
  beforeTold?: () => Promise<void>
}): { add(item: I): Promise<R>; idle(): Promise<void> } => {
  type Waiting = { item: I; weight: number; resolve: (result: R) => void; reject: (error: unknown) => void }
  let waiting: Waiting[] = []
  let waitingWeight = 0
  let running = 0
  let untold = 0
  let scheduled = false
  const whenIdle: (() => void)[] = []

  const mayRun = () =>
    waiting.length > 0 &&
    running < options.concurrency &&
    (running === 0 || waitingWeight >= (options.alongsideFrom ?? 0))

  const schedule = () => {
    if (scheduled || !mayRun()) return
    scheduled = true
    // The rest of this turn's requests still join.
    setImmediate(() => {
      scheduled = false
      while (mayRun()) void run(take())
    })
  }

  const take = (): Waiting[] => {
    let weight = 0
    let count = 0
    while (count < waiting.length && (count === 0 || weight + waiting[count]!.weight <= options.weightMax))
      weight += waiting[count++]!.weight
    const batch = waiting.slice(0, count)
    waiting = waiting.slice(count)
    waitingWeight -= weight
    return batch
  }

  const run = async (batch: Waiting[]) => {
    running++
    untold++
    const outcomes = await outcomesOf(batch)
    running--
    schedule()
    const untellable = await options.beforeTold?.().then(
      () => null,
      (reason: unknown) => ({ status: 'rejected' as const, reason }),
    )
    for (const [index, entry] of batch.entries()) {
      const outcome = outcomes[index]!
      const told = outcome.status === 'fulfilled' ? (untellable ?? outcome) : outcome
      if (told.status === 'fulfilled') entry.resolve(told.value)
      else entry.reject(told.reason)
    }
    untold--
    if (isIdle()) for (const done of whenIdle.splice(0)) done()
  }

  const outcomesOf = async (batch: Waiting[]): Promise<PromiseSettledResult<R>[]> => {
    try {
      return (await options.work(batch.map(({ item }) => item))).map((value) => ({ status: 'fulfilled', value }))
    } catch (reason) {
      if (batch.length === 1 || isConnectionLoss(reason)) return batch.map(() => ({ status: 'rejected', reason }))
      const outcomes: PromiseSettledResult<R>[] = []
      for (const { item } of batch)
        outcomes.push(...(await Promise.allSettled([options.work([item]).then(([result]) => result!)])))
      return outcomes
    }
  }

  const isIdle = () => untold === 0 && waiting.length === 0

  return {
    add: (item) =>
      new Promise<R>((resolve, reject) => {
        const weight = options.weigh?.(item) ?? 1
        if (waitingWeight + weight > (options.waitingMax ?? Number.POSITIVE_INFINITY)) return reject(fail('overloaded'))
        waiting.push({ item, weight, resolve, reject })
        waitingWeight += weight
        schedule()
      }),
    idle: () => (isIdle() ? Promise.resolve() : new Promise((done) => whenIdle.push(done))),
  }
}
