import { recordDenial } from '../../platform/audit.ts'
import { type Clock, systemClock } from '../../platform/clock.ts'
import type { Db } from '../../platform/db.ts'
import type { Log } from '../../platform/log.ts'
import { counter } from '../../platform/telemetry.ts'

/**
 * Keeps the refusals of webhooks as security events (WEB-1): the first ten of each reason in a minute are in the audit at
 * once, the rest of the minute as one row with their count. So nobody can fill the audit by being refused: at most eleven
 * rows a minute for each of a handful of reasons.
 */
export type RefusedWebhooks = {
  add(reason: string, requestId: string): Promise<void>
  /** Writes the counts of minutes that are over; of the running one too when told that it ends here. */
  flush(ends?: boolean): Promise<void>
}

const minuteMs = 60_000
export const rowsAMinute = 10
const refused = counter('turnpike_webhooks_refused', 'Webhooks refused, by reason')

export const createRefusedWebhooks = (db: Db, clock: Clock, log: Log): RefusedWebhooks => {
  const running = new Map<string, { minute: number; written: number; more: number; requestId: string }>()
  const write = (reason: string, requestId: string, after: Record<string, unknown> | null): Promise<void> =>
    recordDenial(db, clock, {
      tenantId: null,
      actor: { kind: 'anonymous', id: 'webhook sender', requestId },
      action: 'webhook.receive',
      object: 'webhook intake',
      reason,
      after,
    }).catch((error: unknown) => log.error({ err: error, reason }, 'a refused webhook could not be recorded'))

  const close = async (reason: string): Promise<void> => {
    const entry = running.get(reason)
    running.delete(reason)
    if (entry && entry.more > 0)
      await write(reason, entry.requestId, {
        moreInTheMinute: entry.more,
        minute: Temporal.Instant.fromEpochMilliseconds(entry.minute * minuteMs).toString(),
      })
  }
  return {
    add: async (reason, requestId) => {
      refused({ reason })
      const minute = Math.floor(systemClock.nowMs() / minuteMs)
      const entry = running.get(reason)
      // All in the table before anything is awaited, so that many at once are counted as such.
      if (entry?.minute === minute && entry.written >= rowsAMinute) {
        entry.more++
        entry.requestId = requestId
        return
      }
      if (entry?.minute === minute) entry.written++
      else {
        const before = entry ? close(reason) : null
        running.set(reason, { minute, written: 1, more: 0, requestId })
        await before
      }
      log.warn({ refusal: reason, requestId, security: true }, 'webhook refused')
      await write(reason, requestId, null)
    },
    flush: async (ends = false) => {
      const minute = Math.floor(systemClock.nowMs() / minuteMs)
      for (const [reason, entry] of [...running]) if (ends || entry.minute < minute) await close(reason)
    },
  }
}
