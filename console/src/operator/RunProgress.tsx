import { Button } from '@mantine/core'
import { type ReconciliationRun, reconciliationPhases } from '@turnpike/contract'
import { useApiChange } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { useMay } from '../api/session.tsx'
import { formatQuantity } from '../format/quantity.ts'
import { Instant } from '../ui/Instant.tsx'
import { ProblemNote } from '../ui/StateBlock.tsx'
import styles from './RunProgress.module.css'

/** A run under way, phase by phase, as the server counts it (OPS-3). */
export function RunProgress({ run }: { run: ReconciliationRun }) {
  const mayStop = useMay(run.tenantId === null ? 'billing:reconciliation:run_all' : 'billing:reconciliation:run')
  const stop = useApiChange('stopReconciliation')
  const begun = new Map(run.progress.map((each) => [each.phase, each]))
  // Only a run of everything goes through all of them.
  const phases = run.scope === 'all' ? reconciliationPhases : run.progress.map(({ phase }) => phase)
  const place = run.phase ? reconciliationPhases.indexOf(run.phase) + 1 : 0
  return (
    <div className={styles.run}>
      <div className="row spread">
        <p>
          <strong>Comparing {run.tenantId ?? 'everybody'}</strong>{' '}
          <span className="dim small">
            since <Instant at={run.startedAt} show="seconds" distance />
          </span>
        </p>
        {mayStop ? (
          <Button
            size="compact-md"
            variant="default"
            loading={stop.isPending}
            onClick={() => stop.mutate({ params: { runId: run.id } })}
          >
            Stop after this page
          </Button>
        ) : null}
      </div>
      <p role="status" className="small dim">
        {run.waitsFor === 'provider'
          ? 'Waiting: the payment provider does not answer. It goes on by itself.'
          : run.phase
            ? `${run.scope === 'all' ? `Step ${place} of ${phases.length}: ` : 'Now: '}${phaseWords[run.phase].toLowerCase()}. Found ${run.found} so far.`
            : 'About to begin.'}
      </p>
      <ul className={styles.phases}>
        {phases.map((phase) => {
          const progress = begun.get(phase)
          const share = !progress
            ? 0
            : progress.done
              ? 100
              : progress.total
                ? Math.min(100, (100 * progress.looked) / progress.total)
                : 5
          const text = !progress
            ? 'not begun'
            : `${formatQuantity(progress.looked)}${progress.total === null ? '' : ` of ${formatQuantity(progress.total)}`}${progress.done ? ', done' : ''}`
          return (
            <li
              key={phase}
              className={styles.phase}
              data-done={progress?.done || undefined}
              data-waits={!progress || undefined}
            >
              <span>
                {phaseWords[phase]}: <span className="figures">{text}</span>
              </span>
              <span className={styles.bar} aria-hidden>
                <span className={styles.fill} style={{ display: 'block', inlineSize: `${share}%` }} />
              </span>
            </li>
          )
        })}
      </ul>
      {stop.error ? <ProblemNote problem={describeProblem(stop.error)} /> : null}
    </div>
  )
}

const phaseWords: Record<(typeof reconciliationPhases)[number], string> = {
  provider_subscriptions: 'Subscriptions there',
  our_subscriptions: 'Subscriptions here',
  provider_invoices: 'Invoices there',
  our_invoices: 'Invoices here',
  provider_refunds: 'Refunds there',
  provider_credit_notes: 'Credit notes there',
  provider_customers: 'Customers there',
  our_customers: 'Customers here',
  catalog: 'Catalog',
  snapshots: 'Entitlements',
  counters: 'Counters',
  waiting: 'What waits',
  second_look: 'Second look',
}
