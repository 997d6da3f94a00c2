import type { UsageOutcome, UsageRecord } from '@turnpike/contract'
import type { TurnpikeError } from '../errors.ts'
import { backoffMs } from '../transport.ts'
import { type Consumption, type DeadEntry, openStore, type SpoolEntry } from './store.ts'
import { type TellOptions, tell } from './tell.ts'

/**
 * What became of a report. `answered`: the service said so. `spooled`: it is on this machine's disk and will be told once.
 * `not_kept`: the spool is full or its disk fails; nothing will be told, and the caller decides what to do.
 */
export type Report =
  | { status: 'answered'; outcome: UsageOutcome }
  | { status: 'spooled' }
  | { status: 'not_kept'; reason: 'spool_full' | 'disk_failed' }

export type SpoolEvent =
  | { type: 'spooled' | 'told' | 'adopted'; entries: number }
  | { type: 'dead'; entry: SpoolEntry; reason: string }
  | { type: 'not_kept'; entry: SpoolEntry; reason: 'spool_full' | 'disk_failed'; error: unknown }
  /** The service could not be told; `error` may be one of the credential, which only the host can mend. */
  | { type: 'failed'; error: unknown; retryInMs: number }

export type SpoolOptions = {
  /** Of this machine. Processes may share it. */
  folder: string
  client: TellOptions['client']
  /** How much may wait, 256 MiB unless told; as much again is kept of what could never be counted. */
  mostBytes?: number
  /** What waits longer is put aside, 30 days unless told: the service does not take older usage anyway. */
  mostAgeMs?: number
  /** Named in records as the service that reported. */
  service?: string
  /** For one request; 5 s unless told. */
  timeoutMs?: number
  /** For metrics and logs. Must not throw. */
  onEvent?: (event: SpoolEvent) => void
  now?: () => number
  /** Runs something later and answers how to call it off. Tests give their own, so that nothing sleeps. */
  timer?: (run: () => void, ms: number) => () => void
}

const recordsPerRequest = 1_000
const consumptionsPerTurn = 50
const textPerRequest = 2_000_000
const lookRoundMs = 60_000
const dayMs = 86_400_000

export type Spool = ReturnType<typeof openSpool>

/**
 * Reports usage, and keeps on disk what could not be reported, until it is (ENT-9). Told in its order and once: every entry
 * has a key, under which the service counts once, however often it is told after crashes and lost answers.
 */
export const openSpool = (options: SpoolOptions) => {
  const { client, service, timeoutMs = 5_000, now = Date.now, timer = unheldTimer } = options
  const { mostBytes = 268_435_456, mostAgeMs = 30 * dayMs } = options
  const emit = (event: SpoolEvent) => options.onEvent?.(event)
  const store = openStore(options.folder, mostBytes)
  const stop = new AbortController()
  const asking: TellOptions = { client, timeoutMs, signal: stop.signal }

  const reports: { record: UsageRecord; answer: (report: Report) => void; fail: (error: unknown) => void }[] = []
  const keeping: { entry: SpoolEntry; answer: (report: Report) => void }[] = []
  let sending: Promise<void> | null = null
  let delivering: Promise<boolean> | null = null
  let cancelRetry = () => {}
  let closed = false
  let failures = 0
  let lastError: unknown = null
  let retryAt: number | null = null
  let told = 0

  /** Everything that waits to be kept goes to the disk with one flush, in the order in which it came. */
  const keepAll = () => {
    const asked = keeping.splice(0)
    if (asked.length === 0) return
    let kept: boolean[] = []
    let error: unknown = null
    try {
      const at = now()
      kept = store.append(
        asked.map(({ entry }) => entry),
        at,
      )
    } catch (cause) {
      error = cause
    }
    const reason = error === null ? 'spool_full' : 'disk_failed'
    asked.forEach(({ entry, answer }, index) => {
      if (!kept[index]) emit({ type: 'not_kept', entry, reason, error })
      answer(kept[index] ? { status: 'spooled' } : { status: 'not_kept', reason })
    })
    const entries = kept.filter(Boolean).length
    if (entries === 0) return
    emit({ type: 'spooled', entries })
    if (failures === 0 && !delivering && !closed) retryLater(null)
  }
  const keep = (entry: SpoolEntry): Promise<Report> =>
    new Promise((answer) => {
      keeping.push({ entry, answer })
      if (keeping.length === 1) setImmediate(keepAll)
    })

  const spooledRecord = (record: UsageRecord): SpoolEntry =>
    record.at === undefined
      ? { kind: 'record', record: { ...record, at: new Date(now()).toISOString() }, stamped: true }
      : { kind: 'record', record, stamped: false }

  /** Sends what came together in one request, one request at a time, so that nobody's records overtake each other. */
  const sendAll = async (): Promise<void> => {
    // What is reported in one turn goes together.
    await null
    while (reports.length > 0) {
      const taken = reports.splice(0, recordsPerRequest)
      // While older ones of the customer wait, or nobody answers, the way leads over the disk.
      const waits = ({ record }: { record: UsageRecord }) => failures > 0 || store.holds(record.tenantId ?? '')
      const [toKeep, toSend] = [taken.filter(waits), taken.filter((each) => !waits(each))]
      const batch = toSend.map((each) => ({
        each,
        entry: { kind: 'record', record: each.record, stamped: false } as const,
      }))
      const { told: answered, error } = await tell(asking, batch)
      for (const { waiting, outcome, reason } of answered) {
        if (outcome) waiting.each.answer({ status: 'answered', outcome })
        else waiting.each.fail(new Error(`The record was turned down: ${reason}`))
      }
      const unanswered = new Set(batch.map(({ each }) => each))
      for (const { waiting } of answered) unanswered.delete(waiting.each)
      for (const { record, answer } of [...toKeep, ...unanswered])
        keeping.push({ entry: spooledRecord(record), answer })
      if (error !== null) retryLater(error)
      keepAll()
    }
    // At once, or who reports right after the last answer would find nobody sending.
    sending = null
  }

  const retryLater = (error: unknown) => {
    cancelRetry()
    if (closed) return
    const asked = (error as TurnpikeError | null)?.retryAfterMs ?? 0
    const retryInMs = error === null ? 0 : asked + backoffMs(failures, 1_000, 60_000)
    if (error !== null) {
      failures++
      lastError = error
      emit({ type: 'failed', error, retryInMs })
    }
    retryAt = now() + retryInMs
    cancelRetry = timer(() => void deliver(), retryInMs)
  }

  const deliverAll = async (): Promise<boolean> => {
    cancelRetry()
    try {
      for (const entry of store.expire(now() - mostAgeMs, now()))
        emit({ type: 'dead', entry, reason: 'waited_too_long' })
      for (;;) {
        const [head] = store.first(1, 0)
        if (!head) break
        const most = head.entry.kind === 'record' ? recordsPerRequest : consumptionsPerTurn
        const { told: answered, error } = await tell(asking, store.first(most, textPerRequest))
        if (answered.length > 0) store.settle(answered, now())
        told += answered.length
        if (answered.length > 0) emit({ type: 'told', entries: answered.length })
        for (const { waiting, reason } of answered)
          if (reason !== null) emit({ type: 'dead', entry: waiting.entry, reason })
        if (error !== null) throw error
        failures = 0
      }
      failures = 0
      lastError = null
      retryAt = null
      return true
    } catch (error) {
      retryLater(error)
      return false
    }
  }
  const deliver = (): Promise<boolean> => {
    delivering ??= deliverAll().finally(() => {
      delivering = null
    })
    return delivering
  }

  /** Looks for what other processes of the folder left behind, now and every minute. */
  let cancelLook = () => {}
  const lookRound = () => {
    try {
      const entries = store.adopt()
      if (entries > 0) emit({ type: 'adopted', entries })
    } catch (error) {
      emit({ type: 'failed', error, retryInMs: lookRoundMs })
    }
    if (store.waiting().entries > 0 && failures === 0) void deliver()
    cancelLook = timer(lookRound, lookRoundMs)
  }
  lookRound()

  return {
    /** Reports one record: at once when the service can be asked and nothing older of the customer waits. */
    report: (record: UsageRecord): Promise<Report> =>
      new Promise((answer, fail) => {
        if (closed) throw new Error('The spool is closed.')
        reports.push({ record: { ...(service === undefined ? {} : { service }), ...record }, answer, fail })
        sending ??= sendAll()
      }),

    /** Keeps a use of a feature that was let through while the service could not be asked. */
    keep: (consumption: Consumption): Promise<Report> => keep({ kind: 'consumption', consumption }),

    /** Tells the service now of all that waits; false when it could not be told. */
    flush: async (): Promise<boolean> => {
      await sending
      keepAll()
      return deliver()
    },

    status: () => {
      const { entries, bytes, since } = store.waiting()
      const oldestMs = since === null ? 0 : now() - since
      return {
        waiting: entries,
        bytes,
        mostBytes,
        oldestMs,
        told,
        dead: store.deadCount(),
        failures,
        lastError,
        retryAt,
      }
    },

    /** What could never be counted, with the reason, oldest first. */
    dead: (): DeadEntry[] => store.dead(),

    /** Tells what can be told within a time (5 s unless told), and leaves the rest on disk for the next process. */
    close: async (withinMs = 5_000): Promise<void> => {
      if (closed) return
      closed = true
      const cancelStop = timer(() => stop.abort(), withinMs)
      await sending
      keepAll()
      await deliver()
      cancelStop()
      cancelRetry()
      cancelLook()
      store.close()
    },
  }
}

const unheldTimer = (run: () => void, ms: number): (() => void) => {
  // What waits is on disk: it keeps no process running.
  const handle = setTimeout(run, ms).unref()
  return () => clearTimeout(handle)
}
