import type { UsageOutcome, UsageRecord } from '@turnpike/contract'
import type { Client } from '../client.ts'
import { isTurnedDown, TurnpikeError } from '../errors.ts'
import { type SpoolEntry, tenantOf } from './store.ts'

/** What the service said of one: `reason` is null when it is counted, otherwise why it never will be. */
type Told<W> = { waiting: W; reason: string | null; outcome: UsageOutcome | null }
/** `error`: why the rest could not be told now. */
type Telling<W> = { told: Told<W>[]; error: unknown }
type Wait = { entry: SpoolEntry }
export type TellOptions = {
  client: Pick<Client, 'reportUsage' | 'check'>
  timeoutMs: number
  signal: AbortSignal
}

/** Tells the service of entries of one kind, in their order. Never throws. */
export const tell = async <W extends Wait>(options: TellOptions, waiting: readonly W[]): Promise<Telling<W>> => {
  if (waiting.length === 0) return { told: [], error: null }
  return waiting[0]!.entry.kind === 'consumption' ? tellConsumptions(options, waiting) : tellRecords(options, waiting)
}

/**
 * One request for all. Should it be turned down as a whole, halves of it are sent, until the one that does not fit stands
 * alone: it costs the others nothing.
 */
const tellRecords = async <W extends Wait>(options: TellOptions, waiting: readonly W[]): Promise<Telling<W>> => {
  try {
    const outcomes = await report(options, waiting.map(recordOf))
    const told = waiting.map((each, index) => toldOf(each, outcomes[index]!))
    return { told: await askAgainWithoutTime(options, told), error: null }
  } catch (error) {
    if (!isTurnedDown(error)) return { told: [], error }
    if (waiting.length === 1)
      return { told: [{ waiting: waiting[0]!, reason: error.code, outcome: null }], error: null }
    const middle = Math.ceil(waiting.length / 2)
    const first = await tellRecords(options, waiting.slice(0, middle))
    if (first.error !== null) return first
    const second = await tellRecords(options, waiting.slice(middle))
    return { told: [...first.told, ...second.told], error: second.error }
  }
}

const betterWithoutTime: ReadonlySet<string> = new Set(['idempotency_key_reused', 'time_in_future'])

/**
 * A record whose sender named no time got one when it began to wait. If its first try was counted and only the answer was
 * lost, that one had no time, and the key seems to be used for another record: without the time it is the repeat it is. A time
 * in the future says that the clock here is fast: without it the record counts now, as it would have if it had not waited.
 */
const askAgainWithoutTime = async <W extends Wait>(options: TellOptions, told: Told<W>[]): Promise<Told<W>[]> => {
  const places = told.flatMap(({ waiting: { entry }, reason }, index) =>
    reason !== null && betterWithoutTime.has(reason) && entry.kind === 'record' && entry.stamped ? [index] : [],
  )
  if (places.length === 0) return told
  const records = places.map((place) => ({ ...recordOf(told[place]!.waiting), at: undefined }))
  const outcomes = await report(options, records)
  const again = new Map(places.map((place, index) => [place, toldOf(told[place]!.waiting, outcomes[index]!)]))
  return told.map((each, index) => again.get(index) ?? each)
}

/** One request each: every answer depends on the one before. Customers do not wait for each other. */
const tellConsumptions = async <W extends Wait>(
  { client, timeoutMs, signal }: TellOptions,
  waiting: readonly W[],
): Promise<Telling<W>> => {
  const told: Told<W>[] = []
  let failure: unknown = null
  const ofOne = async (mine: readonly W[]): Promise<void> => {
    for (const each of mine) {
      if (failure !== null || each.entry.kind !== 'consumption') return
      const { consumption } = each.entry
      try {
        const { idempotencyKey } = consumption
        const check = (at: string | undefined) => {
          const body = { ...consumption, at, consume: true }
          return client.check({ body, idempotencyKey, timeoutMs, signal, retries: 0 })
        }
        // Its time is always by the clock here, which is fast where the service calls it the future.
        const { data } = await check(consumption.at).catch((error) => {
          if (!isInFuture(error)) throw error
          return check(undefined)
        })
        const [decision] = data.decisions
        told.push({ waiting: each, reason: decision!.allowed ? null : decision!.reason, outcome: null })
      } catch (error) {
        if (isTurnedDown(error)) told.push({ waiting: each, reason: error.code, outcome: null })
        else failure ??= error
      }
    }
  }
  await Promise.all([...Map.groupBy(waiting, ({ entry }) => tenantOf(entry)).values()].map(ofOne))
  return { told, error: failure }
}

const isInFuture = (error: unknown): boolean =>
  error instanceof TurnpikeError &&
  error.code === 'time_out_of_range' &&
  error.problem.usageCode === ('time_in_future' satisfies UsageOutcome['code'])

const report = async (
  { client, timeoutMs, signal }: TellOptions,
  records: readonly UsageRecord[],
): Promise<UsageOutcome[]> => {
  const { data } = await client.reportUsage({ body: { records: [...records] }, timeoutMs, signal, retries: 0 })
  if (data.outcomes.length !== records.length)
    throw new TurnpikeError('unexpected_answer', 'The answer does not name an outcome for each record.')
  return data.outcomes
}

const recordOf = ({ entry }: Wait): UsageRecord => (entry as Extract<SpoolEntry, { kind: 'record' }>).record

const toldOf = <W>(waiting: W, outcome: UsageOutcome): Told<W> => ({
  waiting,
  outcome,
  reason: outcome.status === 'accepted' || outcome.status === 'duplicate' ? null : (outcome.code ?? outcome.status),
})
