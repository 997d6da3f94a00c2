import { Button } from '@mantine/core'
import type { ReconciliationRun } from '@turnpike/contract'
import { useState } from 'react'
import { useApiChange, useApiPages } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { useMay } from '../api/session.tsx'
import { formatLatency } from '../format/timeline.ts'
import { useView } from '../search.ts'
import { Card } from '../ui/Card.tsx'
import { type Column, DataTable } from '../ui/DataTable.tsx'
import { Instant } from '../ui/Instant.tsx'
import { More } from '../ui/More.tsx'
import { Empty, ProblemNote, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { Actor } from './Actor.tsx'
import { RunProgress } from './RunProgress.tsx'

/** The comparisons: begin one, watch it, and what those before it found. */
export function Runs() {
  const [view] = useView()
  const query = { limit: 5, ...(view.tenantId ? { tenantId: view.tenantId } : {}) }
  const runs = useApiPages('listReconciliations', { query }, { refetchInterval: 2_000 })
  const all = runs.data?.pages.flatMap(({ data }) => data) ?? []
  const running = all.filter((run) => run.state === 'running')
  return (
    <Card title={view.tenantId ? `Runs of ${view.tenantId}` : 'Runs'}>
      <Start tenantId={view.tenantId} busy={running.some((run) => run.tenantId === (view.tenantId ?? null))} />
      {running.map((run) => (
        <RunProgress key={run.id} run={run} />
      ))}
      <StateBlock
        what="the runs"
        reading={runs}
        lines={4}
        empty={() =>
          all.length === 0 ? (
            <Empty title="Nothing was compared yet">A run begins by itself every night, or here at any time.</Empty>
          ) : null
        }
      >
        {() => (
          <>
            <DataTable caption="Runs, newest first" columns={columns} rows={all} rowKey={(run) => run.id} />
            <More reading={runs} />
          </>
        )}
      </StateBlock>
    </Card>
  )
}

function Start({ tenantId, busy }: { tenantId: string | undefined; busy: boolean }) {
  const mayOne = useMay('billing:reconciliation:run')
  const mayAll = useMay('billing:reconciliation:run_all')
  const start = useApiChange('startReconciliation')
  const [asking, setAsking] = useState(false)
  if (!(tenantId ? mayOne : mayAll)) {
    return (
      <p className="dim">
        {mayOne
          ? 'Your role can compare one customer: filter the findings by its tenant, or open the customer.'
          : 'Your role cannot start a run. Ask somebody in support or finance.'}
      </p>
    )
  }
  const begin = (scope: 'all' | 'light') => {
    setAsking(false)
    start.mutate({ body: tenantId ? { tenantId } : { scope } })
  }
  return (
    <>
      <div className="row">
        {tenantId ? (
          <Button loading={start.isPending} disabled={busy} onClick={() => begin('all')}>
            Compare {tenantId} now
          </Button>
        ) : asking ? (
          <>
            <span>Reads every customer and invoice at the provider, within its limits. Nothing is taken away.</span>
            <Button loading={start.isPending} onClick={() => begin('all')}>
              Start the full run
            </Button>
            <Button variant="default" onClick={() => setAsking(false)}>
              Not now
            </Button>
          </>
        ) : (
          <>
            <Button disabled={busy} onClick={() => setAsking(true)}>
              Compare everybody …
            </Button>
            <Button variant="default" loading={start.isPending} disabled={busy} onClick={() => begin('light')}>
              Subscriptions and invoices only
            </Button>
          </>
        )}
        {busy ? <span className="dim small">A run is under way; one at a time is enough.</span> : null}
      </div>
      {start.error ? <ProblemNote problem={describeProblem(start.error)} /> : null}
    </>
  )
}

const scopes = { all: 'Everybody', light: 'Light', tenant: 'One customer' }

const columns: Column<ReconciliationRun>[] = [
  { title: 'Started', cell: (run) => <Instant at={run.startedAt} show="seconds" /> },
  { title: 'Of', cell: (run) => (run.tenantId ? <strong>{run.tenantId}</strong> : scopes[run.scope]) },
  { title: 'State', cell: (run) => <StatusTag group="run" state={run.state} /> },
  {
    title: 'Looked at',
    figures: true,
    cell: (run) => run.progress.reduce((sum, { looked }) => sum + looked, 0).toLocaleString('en'),
  },
  { title: 'Found', figures: true, cell: (run) => run.found },
  { title: 'Repaired', figures: true, cell: (run) => run.repaired },
  {
    title: 'Took',
    figures: true,
    cell: (run) =>
      run.finishedAt ? (
        formatLatency(Date.parse(run.finishedAt) - Date.parse(run.startedAt))
      ) : (
        <span className="dim">–</span>
      ),
  },
  { title: 'By', cell: (run) => run.failure ?? <Actor actor={run.startedBy} /> },
]
