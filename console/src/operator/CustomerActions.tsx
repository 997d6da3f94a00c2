import { Button } from '@mantine/core'
import type { Customer, ReconciliationRun } from '@turnpike/contract'
import { useApi, useApiChange } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { useMay } from '../api/session.tsx'
import { plural } from '../format/quantity.ts'
import { ButtonLink, TextLink } from '../ui/Links.tsx'
import { ProblemNote } from '../ui/StateBlock.tsx'

/** Asking the provider again, and comparing everything of one customer, each with what came of it. */
export function CustomerActions({ customer }: { customer: Customer }) {
  const maySync = useMay('billing:sync:run')
  const mayCompare = useMay('billing:reconciliation:run')
  const sync = useApiChange('sync')
  const compare = useApiChange('startReconciliation')
  const begun = compare.data?.data
  const synced = sync.data?.data
  return (
    <div className="stack" style={{ '--gap': '6px' } as React.CSSProperties}>
      <div className="row">
        <ButtonLink to="/billing" search={{ tenantId: customer.tenantId }} variant="default">
          Open billing page
        </ButtonLink>
        {maySync ? (
          <Button
            variant="default"
            loading={sync.isPending}
            onClick={() => sync.mutate({ body: { tenantId: customer.tenantId } })}
          >
            Ask the provider again
          </Button>
        ) : null}
        {mayCompare ? (
          <Button
            variant="default"
            loading={compare.isPending}
            onClick={() => compare.mutate({ body: { tenantId: customer.tenantId } })}
          >
            Reconcile
          </Button>
        ) : null}
      </div>
      <p role="status" className="small dim">
        {synced
          ? `${synced.changed ? 'Something had changed and is applied' : 'Nothing had changed'}: ${synced.subscriptions} ${plural(synced.subscriptions, 'subscription')}, ${synced.invoices} ${plural(synced.invoices, 'invoice')} read.`
          : ''}
      </p>
      {begun ? <Run key={begun.id} begun={begun} /> : null}
      {sync.error ? <ProblemNote problem={describeProblem(sync.error)} /> : null}
      {compare.error ? <ProblemNote problem={describeProblem(compare.error)} /> : null}
    </div>
  )
}

/** The run is looked at until the server says that it has ended. */
function Run({ begun }: { begun: ReconciliationRun }) {
  const reading = useApi('getReconciliation', { params: { runId: begun.id } }, { refetchInterval: 1_000 })
  const run = reading.data?.data ?? begun
  const tenantId = run.tenantId ?? ''
  return (
    <p role="status" className="small dim">
      {run.state === 'running' ? (
        run.waitsFor === 'provider' ? (
          'Waiting: the provider does not answer. The comparison goes on by itself.'
        ) : (
          'Comparing with the provider …'
        )
      ) : run.state === 'done' && run.found === 0 ? (
        'Compared: everything agrees.'
      ) : run.state === 'done' ? (
        <>
          Compared: {run.found} {plural(run.found, 'difference')}, {run.repaired} repaired.{' '}
          <TextLink to="/operator/reconciliation" search={{ tenantId, state: 'all' } as never}>
            Look at them
          </TextLink>
        </>
      ) : (
        `The comparison ${run.state === 'failed' ? 'failed' : 'was stopped'}${run.failure ? `: ${run.failure}` : ''}.`
      )}
    </p>
  )
}
