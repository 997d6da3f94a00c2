import { createHash } from 'node:crypto'
import type { Micro } from '../../core/quantity.ts'
import { addCheckDecisions, addCheckRefusals, type CheckDecision } from '../../modules/entitlements/index.ts'
import type { Db } from '../../platform/db.ts'
import type { Log } from '../../platform/log.ts'

/** A refusal as it was decided. `used` and `windowStart` (epoch milliseconds) are null for what counts nothing. */
type RefusedCheck = {
  tenantId: string
  feature: string
  reason: string
  quantity: Micro
  snapshotVersion: number
  used: Micro | null
  reserved: Micro
  windowStart: number | null
  /** The other feature of an all-or-nothing question that was refused. */
  because: string | null
}

/**
 * Keeps refused checks in memory and writes them once a second: a check itself writes nothing (ENT-4). How many there were
 * by hour (ENT-7), and each different one as a decision (ENT-5). What does not fit into memory within a second is counted by
 * hour only.
 */
export type RefusalCount = {
  count(tenantId: string, feature: string, reason: string, atMs: number): void
  /** Keeps the decision of one that has no record of its own. */
  keep(refused: RefusedCheck, atMs: number): void
  flush(): Promise<void>
}

const hourMs = 3_600_000
const entriesMax = 10_000

type Counted = { tenantId: string; feature: string; reason: string; hour: string; attempts: number }
type Kept = RefusedCheck & { firstMs: number; atMs: number; attempts: number }

export const createRefusalCount = (db: Db, log: Log): RefusalCount => {
  let counts = new Map<string, Counted>()
  let decisions = new Map<string, Kept>()

  const count = (tenantId: string, feature: string, reason: string, atMs: number) => {
    const hourStart = atMs - (atMs % hourMs)
    const name = `${tenantId}\n${feature}\n${reason}\n${hourStart}`
    const known = counts.get(name)
    if (known) known.attempts++
    else if (counts.size < entriesMax)
      counts.set(name, { tenantId, feature, reason, hour: new Date(hourStart).toISOString(), attempts: 1 })
  }

  /** Writes what is there; what cannot be written goes back, to be added to what came in the meantime. */
  const write = async (): Promise<void> => {
    const [taken, kept] = [counts, decisions]
    counts = new Map()
    decisions = new Map()
    try {
      if (taken.size > 0) await addCheckRefusals(db, [...taken.values()])
      taken.clear()
      if (kept.size > 0) await addCheckDecisions(db, [...kept].map(rowOf))
    } catch (error) {
      log.warn({ err: error }, 'refused checks could not be written; they are written later')
      for (const [name, entry] of taken) {
        const known = counts.get(name)
        if (known) known.attempts += entry.attempts
        else counts.set(name, entry)
      }
      for (const [name, entry] of kept) {
        const known = decisions.get(name)
        if (known) Object.assign(known, { attempts: known.attempts + entry.attempts, firstMs: entry.firstMs })
        else if (decisions.size < entriesMax) decisions.set(name, entry)
      }
    }
  }

  return {
    count,
    keep: (refused, atMs) => {
      const { tenantId, feature, reason, quantity, snapshotVersion, used, reserved, windowStart, because } = refused
      const name = `${tenantId}\n${feature}\n${reason}\n${quantity}\n${snapshotVersion}\n${used}\n${reserved}\n${windowStart}\n${because}\n${atMs - (atMs % hourMs)}`
      const known = decisions.get(name)
      if (known) {
        known.attempts++
        known.atMs = atMs
      } else if (decisions.size < entriesMax) decisions.set(name, { ...refused, firstMs: atMs, atMs, attempts: 1 })
    },
    flush: async () => {
      if (counts.size > 0 || decisions.size > 0) await write()
    },
  }
}

const instantOf = (ms: number) => Temporal.Instant.fromEpochMilliseconds(ms)

const rowOf = ([name, { firstMs, atMs, windowStart, ...kept }]: [string, Kept]): CheckDecision => ({
  ...kept,
  key: createHash('sha256').update(name).digest('hex').slice(0, 32),
  windowStart: windowStart === null ? null : instantOf(windowStart),
  firstAt: instantOf(firstMs),
  at: instantOf(atMs),
})
