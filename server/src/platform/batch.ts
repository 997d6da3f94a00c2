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
  /** Items of different lanes do not wait for each other: under load each batch is of one, and the next of another. */
  lanes?: { count: number; of: (item: I) => number }
  work: (items: I[]) => Promise<R[]>
  beforeTold?: () => Promise<void>
}): { add(item: I): Promise<R>; idle(): Promise<void> } => {
  type Waiting = {
    item: I
    weight: number
    lane: number
    resolve: (result: R) => void
    reject: (error: unknown) => void
  }
  let waiting: Waiting[] = []
  let waitingWeight = 0
  let running = 0
  const runningIn = new Array<number>(options.lanes?.count ?? 1).fill(0)
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
      while (mayRun()) {
        const lane = laneToRun()
        void run(take(lane), lane)
      }
    })
  }

  /** The lane with the fewest batches under way, of these the one in which most waits; null: whatever waits, together. */
  const laneToRun = (): number | null => {
    if (!options.lanes || waitingWeight < (options.alongsideFrom ?? 0)) return null
    const weights = new Map<number, number>()
    for (const { lane, weight } of waiting) weights.set(lane, (weights.get(lane) ?? 0) + weight)
    return [...weights].sort(([a, heavy], [b, heavier]) => runningIn[a]! - runningIn[b]! || heavier - heavy)[0]![0]
  }

  const take = (lane: number | null): Waiting[] => {
    const batch: Waiting[] = []
    const left: Waiting[] = []
    let weight = 0
    let full = false
    for (const entry of waiting) {
      const wanted = !full && (lane === null || entry.lane === lane)
      // In the order in which they came: what is too much now closes the batch for what came later.
      if (wanted && batch.length > 0 && weight + entry.weight > options.weightMax) full = true
      if (!wanted || full) {
        left.push(entry)
        continue
      }
      batch.push(entry)
      weight += entry.weight
    }
    waiting = left
    waitingWeight -= weight
    return batch
  }

  const run = async (batch: Waiting[], lane: number | null) => {
    running++
    if (lane !== null) runningIn[lane]!++
    untold++
    const outcomes = await outcomesOf(batch)
    running--
    if (lane !== null) runningIn[lane]!--
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
        waiting.push({ item, weight, lane: options.lanes?.of(item) ?? 0, resolve, reject })
        waitingWeight += weight
        schedule()
      }),
    idle: () => (isIdle() ? Promise.resolve() : new Promise((done) => whenIdle.push(done))),
  }
}
