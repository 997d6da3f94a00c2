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
import { tenantsToAnnounce } from '../modules/usage/index.ts'
import { systemActor } from '../platform/audit.ts'
import { openOwnerPool } from '../platform/db.ts'
import { forgetOldRequests } from '../platform/idempotency.ts'
import type { Listener } from '../platform/notify.ts'
import { placeEvents } from '../platform/outbox.ts'
import { startLoop } from './loop.ts'

export type Worker = {
  /** Another catalog is in force: entitlements are resolved again. */
  catalogChanged(): void
  stop(): Promise<void>
}

/**
 * Everything that happens without a request: the drain of the inbox, the relay of the outbox, and the schedule. Several
 * processes may run it on one database: each piece of work claims what it takes.
 */
export const startWorker = async (
  deps: CheckDeps & ReconcileDeps,
  listener: Listener,
  databaseUrl: string,
  /** Without it reconciliation only runs when asked for. */
  schedule: { reconcile: boolean },
): Promise<Worker> => {
  const { log } = deps
  const inbox = startLoop('inbox', log, 1_000, () => drainInbox(deps))
  const outbox = startLoop('outbox', log, 1_000, () => placeEvents(deps.db))
  // Waits for the announcements of processes that died: the living announce their own.
  const usage = startLoop('usage', log, 2_000, async () => {
    const waiting = await tenantsToAnnounce(deps.db, 200)
    if (waiting.length > 0) {
      await announceUsage(deps, waiting)
      await alertBudgets(deps, waiting)
    }
    return 0
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
    crontab: [
      '* * * * * sweep_checkouts ?max=3',
      '* * * * * sweep_commands ?max=3',
      '* * * * * lapse_entitlements ?max=3',
      '* * * * * follow_dunning ?max=3',
      '* * * * * follow_remediations ?max=3',
      '*/5 * * * * remind ?max=3',
      '* * * * * expire_override_requests ?max=3',
      '* * * * * expire_reservations ?max=3',
      '* * * * * sweep_money_back ?max=3',
      '* * * * * expire_money_back_requests ?max=3',
      '13,43 * * * * follow_retentions ?max=2',
      '* * * * * expire_owner_transfers ?max=3',
      '* * * * * expire_credits ?max=3',
      '*/10 * * * * sweep_budgets ?max=2',
      '*/5 * * * * tell_expiring_credits ?max=3',
      '* * * * * lapse_credit_requests ?max=3',
      '* * * * * tell_contact ?max=3',
      ...(schedule.reconcile ? ['7 * * * * reconcile_new ?max=2', '29 2 * * * reconcile_all ?max=2'] : []),
      '41 3 * * * forget_requests ?max=2',
      '17 4 * * * archive_usage ?max=2',
      '47 4 * * * sample_counters ?max=2',
      '51 * * * * forget_decisions ?max=2',
    ].join('\n'),
    taskList: {
      sweep_checkouts: async () => void (await sweepCheckouts(deps)),
      expire_reservations: async () => void (await expireReservations(deps)),
      sweep_commands: async () => void (await sweepCommands(deps)),
      lapse_entitlements: async () => void (await lapseDue(deps)),
      follow_dunning: async () => void (await followDunningDue(deps)),
      follow_remediations: async () => void (await followRemediationsDue(deps)),
      remind: async () => void (await remind(deps)),
      sweep_money_back: async () => void (await sweepMoneyBack(deps)),
      expire_money_back_requests: async () => void (await expireMoneyBackRequests(deps)),
      expire_override_requests: async () => void (await expireOverrideRequests(deps)),
      expire_owner_transfers: async () => void (await expireOwnerTransfers(deps)),
      sweep_budgets: () => sweepBudgets(deps),
      expire_credits: async () => void (await expireCredits(deps)),
      tell_expiring_credits: async () => void (await tellExpiringCredits(deps)),
      lapse_credit_requests: async () => void (await lapseCreditRequests(deps)),
      tell_contact: async () => void (await tellContact(deps)),
      follow_retentions: async () => void (await followRetentions(deps)),
      reconcile_new: async () =>
        void (await startRun(deps, systemActor('schedule', newId('request')), { scope: 'light' })),
      reconcile_all: async () =>
        void (await startRun(deps, systemActor('schedule', newId('request')), { scope: 'all' })),
      archive_usage: async () => void (await archiveUsage(deps)),
      sample_counters: async () => void (await sampleCounters(deps)),
      forget_decisions: async () => void (await forgetDecisions(deps)),
      forget_requests: () => forgetOldRequests(deps.db, deps.clock.now().subtract({ hours: 48 })),
    },
  })
  jobs.events.on('pool:listen:error', ({ error }) => log.warn({ err: error }, 'job worker lost the database'))

  return {
    catalogChanged: catalog.wake,
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
