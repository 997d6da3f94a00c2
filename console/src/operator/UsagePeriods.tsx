import type { UsagePeriod } from '@turnpike/contract'
import { useApiPages } from '../api/api.ts'
import { formatExact } from '../format/exact.ts'
import { Banner } from '../ui/Banner.tsx'
import { Card } from '../ui/Card.tsx'
import { type Column, DataTable } from '../ui/DataTable.tsx'
import { Instant, Period } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { Money } from '../ui/Money.tsx'
import { More } from '../ui/More.tsx'
import { StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import styles from './Overrides.module.css'

/** The usage periods of a customer, what each came to, where its lines are, and what keeps them back (INV-6, UI-3). */
export function UsagePeriods({ tenantId }: { tenantId: string }) {
  const periods = useApiPages('listUsagePeriods', { query: { tenantId, limit: 4 } }, { refetchInterval: 10_000 })
  return (
    <Card
      title="Usage periods"
      aside={
        <TextLink to="/billing/usage" search={{ tenantId } as never}>
          Cost so far
        </TextLink>
      }
    >
      <StateBlock
        what="the usage periods"
        reading={periods}
        lines={4}
        empty={({ pages }) =>
          pages.some(({ data }) => data.length > 0) ? null : <p className="dim">No subscription pays for usage.</p>
        }
      >
        {({ pages }) => (
          <>
            <ul className={styles.list}>
              {pages
                .flatMap(({ data }) => data)
                .map((period) => (
                  <Item key={period.id} period={period} />
                ))}
            </ul>
            <More reading={periods} />
          </>
        )}
      </StateBlock>
    </Card>
  )
}

function Item({ period: { period, state, amount, ratedAt, lateUntil, failure, lines } }: { period: UsagePeriod }) {
  return (
    <li className={styles.item} data-over={state === 'settled' || undefined}>
      <div className="row spread">
        <strong>
          <Period value={period} />
        </strong>
        <StatusTag group="usagePeriod" state={state} />
      </div>
      <span className="small dim">
        {amount ? <Money value={amount} explicit /> : ratedAt ? 'Nothing was used' : 'Not rated yet'}
        {ratedAt ? (
          <>
            {' '}
            · rated <Instant at={ratedAt} />
          </>
        ) : null}
        {lateUntil && state !== 'settled' ? (
          <>
            {' '}
            · later usage until <Instant at={lateUntil} />
          </>
        ) : null}
      </span>
      {failure ? (
        <Banner tone="warning" title="Not on an invoice yet">
          The last attempt failed: {failure} It is tried again by itself.
        </Banner>
      ) : null}
      {lines.length > 0 ? (
        <DataTable
          caption="What is charged for this period"
          columns={columns}
          rows={lines}
          rowKey={(line) => line.id}
        />
      ) : null}
    </li>
  )
}

const columns: Column<UsagePeriod['lines'][number]>[] = [
  { title: 'Charge', cell: (line) => (line.kind === 'late_usage' ? `${line.name}, later usage` : line.name) },
  { title: 'Quantity', figures: true, cell: (line) => formatExact(line.quantity) },
  { title: 'Amount', figures: true, cell: (line) => <Money value={line.amount} /> },
  {
    title: 'Where',
    cell: (line) =>
      line.invoiceId ? (
        <TextLink to="/operator/invoices/$invoiceId" params={{ invoiceId: line.invoiceId } as never}>
          On an invoice
        </TextLink>
      ) : (
        <StatusTag group="chargeLine" state={line.state} />
      ),
  },
]
