import { Logger, run as runJobs } from 'graphile-worker'
import { newId } from '../core/ids.ts'
import { alertBudgets, sweepBudgets } from '../flows/alert-budgets.ts'
import { announceUsage } from '../flows/announce-usage.ts'
import { archiveUsage } from '../flows/archive-usage.ts'
import { expireOwnerTransfers } from '../flows/change-owner.ts'
import type { CheckDeps } from '../flows/check-entitlements.ts'
import { closePeriods } from '../flows/close-periods.ts'
import { lapseCreditRequests } from '../flows/decide-credit.ts'
import { expireMoneyBackRequests } from '../flows/decide-money-back.ts'
import { expireOverrideRequests } from '../flows/decide-override.ts'
import { drainInbox } from '../flows/drain-inbox.ts'
import { expireCredits, tellExpiringCredits } from '../flows/expire-credits.ts'
import { followDunningDue } from '../flows/follow-dunning.ts'
import { followRemediationsDue } from '../flows/follow-remediations.ts'
import { followRetentions } from '../flows/follow-retention.ts'
import { lapseDue, resolveWithNewCatalog } from '../flows/lapse-entitlements.ts'
import { makeNotices } from '../flows/make-notices.ts'
import { placeLines } from '../flows/place-lines.ts'
import { forgetDecisions } from '../flows/read-decisions.ts'
import { startRun, workOnRuns } from '../flows/reconcile.ts'
import { remind } from '../flows/remind.ts'
import type { ReconcileDeps } from '../flows/repair-finding.ts'
import { sampleCounters } from '../flows/sample-counters.ts'
import { sendNotices } from '../flows/send-notices.ts'
import { expireReservations } from '../flows/settle-reservation.ts'
import { sweepCheckouts } from '../flows/sweep-checkouts.ts'
import { sweepCommands } from '../flows/sweep-commands.ts'
import { sweepMoneyBack } from '../flows/sweep-money-back.ts'
import { tellContact } from '../flows/tell-contact.ts'
import { hasMoves } from '../modules/usage/index.ts'
import { systemActor } from '../platform/audit.ts'
import { openOwnerPool } from '../platform/db.ts'
import { forgetOldRequests } from '../platform/idempotency.ts'
import type { Listener } from '../platform/notify.ts'
import { placeEvents } from '../platform/outbox.ts'
import { startLoop } from './loop.ts'

export type Worker = {
  /** Another catalog is in force: entitlements are resolved again. */
  catalogChanged(): void
  /** Does what is due by now: after the clock was moved, the schedule, which is by real time, would come too late for it. */
  catchUp(): Promise<void>
  stop(): Promise<void>
}

type Job = { at: string; max: number; work: () => Promise<void> }

/** The jobs by the real clock. `max`: how often each is tried before its next turn. */
const scheduleOf = (deps: CheckDeps & ReconcileDeps, reconciles: boolean): Record<string, Job> => {
  const job = (at: string, max: number, work: () => Promise<unknown>): Job => ({
    at,
    max,
    work: async () => {
      await work()
    },
  })
  const run = (scope: 'light' | 'all') => startRun(deps, systemActor('schedule', newId('request')), { scope })
  return {
    sweep_checkouts: job('* * * * *', 3, () => sweepCheckouts(deps)),
    sweep_commands: job('* * * * *', 3, () => sweepCommands(deps)),
    lapse_entitlements: job('* * * * *', 3, () => lapseDue(deps)),
    follow_dunning: job('* * * * *', 3, () => followDunningDue(deps)),
    follow_remediations: job('* * * * *', 3, () => followRemediationsDue(deps)),
    remind: job('*/5 * * * *', 3, () => remind(deps)),
    expire_override_requests: job('* * * * *', 3, () => expireOverrideRequests(deps)),
    expire_reservations: job('* * * * *', 3, () => expireReservations(deps)),
    sweep_money_back: job('* * * * *', 3, () => sweepMoneyBack(deps)),
    expire_money_back_requests: job('* * * * *', 3, () => expireMoneyBackRequests(deps)),
    follow_retentions: job('13,43 * * * *', 2, () => followRetentions(deps)),
    expire_owner_transfers: job('* * * * *', 3, () => expireOwnerTransfers(deps)),
    expire_credits: job('* * * * *', 3, () => expireCredits(deps)),
    sweep_budgets: job('*/10 * * * *', 2, () => sweepBudgets(deps)),
    tell_expiring_credits: job('*/5 * * * *', 3, () => tellExpiringCredits(deps)),
    lapse_credit_requests: job('* * * * *', 3, () => lapseCreditRequests(deps)),
    tell_contact: job('* * * * *', 3, () => tellContact(deps)),
    ...(reconciles
      ? {
          reconcile_new: job('7 * * * *', 2, () => run('light')),
          reconcile_all: job('29 2 * * *', 2, () => run('all')),
        }
      : {}),
    forget_requests: job('41 3 * * *', 2, () => forgetOldRequests(deps.db, deps.clock.now().subtract({ hours: 48 }))),
    archive_usage: job('17 4 * * *', 2, () => archiveUsage(deps)),
    sample_counters: job('47 4 * * *', 2, () => sampleCounters(deps)),
    forget_decisions: job('51 * * * *', 2, () => forgetDecisions(deps)),
  }
}

/** More than once an hour: what follows the time of customers, not the upkeep of the house. */
const isFrequent = (at: string): boolean => /^\S*[*,]/.test(at)

/**
 * Everything that happens without a request: the drain of the inbox, the relay of the outbox, and the schedule. Several
 * processes may run it on one database: each piece of work claims what it takes.
 */
export const startWorker = async (
  deps: CheckDeps & ReconcileDeps,
  listener: Listener,
  databaseUrl: string,
  /** Without it reconciliation only runs when asked for. */
  options: { reconcile: boolean },
): Promise<Worker> => {
  const { log } = deps
  const inbox = startLoop('inbox', log, 1_000, () => drainInbox(deps))
  const outbox = startLoop('outbox', log, 1_000, () => placeEvents(deps.db))
  // Records are told of by the process that counted them. This is for what it left when it died, and for reservations and
  // corrections, which nobody waits for.
  const usage = startLoop('usage', log, 2_000, async () => {
    if (!(await hasMoves(deps.db))) return 0
    const told = await announceUsage(deps)
    await alertBudgets(deps, told)
    return told.length
  })
  const catalog = startLoop('catalog', log, 10_000, () => resolveWithNewCatalog(deps))
  const reconciliation = startLoop('reconciliation', log, 1_000, () => workOnRuns(deps))
  // Bringing lines to invoices waits for the provider; rating does not wait for that.
  const placing = startLoop('placing', log, 1_000, () => placeLines(deps))
  const periods = startLoop('periods', log, 1_000, async () => {
    const rated = await closePeriods(deps)
    // The draft of a renewal is open for an hour.
    if (rated > 0) placing.wake()
    return rated
  })
  const mail = startLoop('mail', log, 1_000, () => sendNotices(deps))
  const notices = startLoop('notices', log, 1_000, async () => {
    const read = await makeNotices(deps)
    if (read > 0) mail.wake()
    return read
  })
  const unsubscribe = [
    listener.on('inbox', inbox.wake),
    listener.on('outbox', outbox.wake),
    listener.on('events', notices.wake),
  ]

  const schedule = scheduleOf(deps, options.reconcile)

  // A pool of ours, which is closed before anything goes on: the library's own would still be closing when it says that it has.
  const pool = openOwnerPool(databaseUrl, log, 6)
  const jobs = await runJobs({
    pgPool: pool,
    concurrency: 2,
    noHandleSignals: true,
    pollInterval: 5_000,
    logger: new Logger(
      () => (level, message) =>
        log[level === 'warning' ? 'warn' : level === 'error' ? 'error' : 'debug']({ part: 'jobs' }, message),
    ),
    crontab: Object.entries(schedule)
      .map(([name, { at, max }]) => `${at} ${name} ?max=${max}`)
      .join('\n'),
    taskList: Object.fromEntries(Object.entries(schedule).map(([name, { work }]) => [name, () => work()])),
  })
  jobs.events.on('pool:listen:error', ({ error }) => log.warn({ err: error }, 'job worker lost the database'))

  return {
    catalogChanged: catalog.wake,
    catchUp: async () => {
      // In the order in which one builds on the other: what was told, what time brings, what is charged for it, who hears of it.
      await inbox.finish()
      for (const [name, { at, work }] of Object.entries(schedule))
        if (isFrequent(at))
          await work().catch((error: unknown) => log.warn({ err: error, job: name }, 'a job failed; it is done again'))
      for (const loop of [periods, placing, outbox, notices, mail]) await loop.finish()
    },
    stop: async () => {
      for (const end of unsubscribe) end()
      await jobs.stop().catch((error: unknown) => log.warn({ err: error }, 'job worker did not stop cleanly'))
      await pool.end()
      await Promise.all([
        inbox.stop(),
        outbox.stop(),
        usage.stop(),
        catalog.stop(),
        notices.stop(),
        mail.stop(),
        reconciliation.stop(),
        periods.stop(),
        placing.stop(),
      ])
    },
  }
}
