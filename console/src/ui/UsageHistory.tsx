import { NativeSelect } from '@mantine/core'
import type { UsageHistory as History, MeterUsage } from '@turnpike/contract'
import { lazy, Suspense } from 'react'
import { useApi } from '../api/api.ts'
import { anomalySentence, historyLabel, projectionSentence } from '../format/history.ts'
import { formatUnits } from '../format/quantity.ts'
import { useView } from '../search.ts'
import { Card } from './Card.tsx'
import { DataTable } from './DataTable.tsx'
import { FilterLinks } from './FilterLinks.tsx'
import { Empty, Loading, StateBlock } from './StateBlock.tsx'
import styles from './UsageHistory.module.css'

const UsageChart = lazy(() => import('./UsageChart.tsx'))

/** One meter over time, as bars and as a table, with what is unusual and where it is going (USE-6). */
export function UsageHistory({ tenantId, meters }: { tenantId: string | undefined; meters: readonly MeterUsage[] }) {
  const [view, change] = useView()
  const meter = meters.find((each) => each.meter === view.meter) ?? meters[0]
  const step = view.step === 'hour' ? 'hour' : 'day'
  const history = useApi(
    'getUsageHistory',
    { query: { ...(tenantId === undefined ? {} : { tenantId }), meter: meter?.meter ?? '', step } },
    { enabled: meter !== undefined, refetchInterval: 60_000 },
  )
  if (!meter) return null
  const projected = projectionSentence(meter)
  return (
    <Card title="Over time">
      <div className={styles.choices}>
        {meters.length > 1 ? (
          <NativeSelect
            label="Meter"
            size="sm"
            value={meter.meter}
            onChange={(event) => change({ meter: event.currentTarget.value }, { replace: true })}
            data={meters.map((each) => ({ value: each.meter, label: each.name }))}
          />
        ) : null}
        <FilterLinks
          label="Step"
          param="step"
          chosen={step === 'day' ? undefined : 'hour'}
          options={[
            { value: undefined, label: '30 days' },
            { value: 'hour', label: '48 hours' },
          ]}
        />
      </div>
      <StateBlock
        what="the history"
        reading={history}
        lines={8}
        empty={({ data }) =>
          data.points.every(({ used }) => used === 0) ? (
            <Empty title="Nothing was used in this time">Each use appears here within a second.</Empty>
          ) : null
        }
      >
        {({ data }) => <Drawn history={data} />}
      </StateBlock>
      {projected ? <p className="small dim">{projected}</p> : null}
    </Card>
  )
}

function Drawn({ history }: { history: History }) {
  const labelOf = (start: string) => historyLabel(start, history.step, history.timeZone)
  return (
    <>
      {history.anomalies.map((anomaly) => (
        <p key={anomaly.span} className={styles.hint} role="note">
          {anomalySentence(anomaly, history.unit)}
        </p>
      ))}
      <div className={styles.chart}>
        <Suspense fallback={<Loading what="the chart" lines={8} />}>
          <UsageChart history={history} labelOf={labelOf} />
        </Suspense>
      </div>
      <details className={styles.table}>
        <summary className="small">As a table</summary>
        <DataTable
          caption={`${history.name} by ${history.step}`}
          columns={[
            { title: history.step === 'day' ? 'Day' : 'Hour', cell: (point) => labelOf(point.start) },
            { title: history.name, cell: (point) => formatUnits(point.used, history.unit), figures: true },
          ]}
          rows={history.points.toReversed()}
          rowKey={(point) => point.start}
        />
      </details>
    </>
  )
}
