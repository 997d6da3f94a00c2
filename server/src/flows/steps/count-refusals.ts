import { addCheckRefusals } from '../../modules/entitlements/index.ts'
import type { Db } from '../../platform/db.ts'
import type { Log } from '../../platform/log.ts'

/** Counts refused checks in memory and writes them once a second: a check itself writes nothing (ENT-4, ENT-7). */
export type RefusalCount = {
  add(tenantId: string, feature: string, reason: string, atMs: number): void
  flush(): Promise<void>
}

const hourMs = 3_600_000
const entriesMax = 10_000

export const createRefusalCount = (db: Db, log: Log): RefusalCount => {
  let counts = new Map<string, { tenantId: string; feature: string; reason: string; hour: string; attempts: number }>()
  return {
    add: (tenantId, feature, reason, atMs) => {
      const hourStart = atMs - (atMs % hourMs)
      const name = `${tenantId}\n${feature}\n${reason}\n${hourStart}`
      const known = counts.get(name)
      if (known) known.attempts++
      else if (counts.size < entriesMax)
        counts.set(name, { tenantId, feature, reason, hour: new Date(hourStart).toISOString(), attempts: 1 })
    },
    flush: async () => {
      if (counts.size === 0) return
      const taken = counts
      counts = new Map()
      try {
        await addCheckRefusals(db, [...taken.values()])
      } catch (error) {
        log.warn({ err: error }, 'refused checks could not be counted; they are counted later')
        for (const [name, entry] of taken) {
          const known = counts.get(name)
          if (known) known.attempts += entry.attempts
          else counts.set(name, entry)
        }
      }
    },
  }
}
