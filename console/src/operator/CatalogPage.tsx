import { Button } from '@mantine/core'
import type { CatalogCurrent, CatalogPlan, CatalogVersion, ProviderDifference } from '@turnpike/contract'
import { useState } from 'react'
import { useApi } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { perInterval } from '../format/interval.ts'
import { formatMoney } from '../format/money.ts'
import { plural } from '../format/quantity.ts'
import { Banner } from '../ui/Banner.tsx'
import { Card, Facts } from '../ui/Card.tsx'
import { type Column, DataTable } from '../ui/DataTable.tsx'
import { Id } from '../ui/Id.tsx'
import { Instant } from '../ui/Instant.tsx'
import { Json } from '../ui/Json.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, Loading, ProblemNote, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'

/** The plans in force, every catalog before them, and whether the provider agrees (CAT-2, CAT-3). */
export function CatalogPage() {
  const catalog = useApi('getCatalog', {})
  const history = useApi('listCatalogHistory', {})
  return (
    <Page title="Catalog" lead="Plans are configuration: they change by applying a reviewed file, never here." wide>
      <StateBlock what="the catalog" reading={catalog} lines={8}>
        {({ data }) => <Current catalog={data} />}
      </StateBlock>
      <ProviderCheck />
      <section className="stack" aria-labelledby="history">
        <h2 id="history">History</h2>
        <StateBlock
          what="the history"
          reading={history}
          empty={({ data }) => (data.length === 0 ? <Empty title="No catalog was applied yet" /> : null)}
        >
          {({ data }) => (
            <DataTable
              caption="Catalogs that were applied, newest first"
              columns={historyColumns}
              rows={data}
              rowKey={(version) => `${version.version}`}
            />
          )}
        </StateBlock>
      </section>
    </Page>
  )
}

type PlanRow = { key: string; version: number | undefined; plan: CatalogPlan }

function Current({ catalog }: { catalog: CatalogCurrent }) {
  const rows = Object.entries(catalog.content.plans)
    .map(([key, plan]): PlanRow => ({ key, version: catalog.plans[key], plan }))
    .sort((a, b) => a.plan.rank - b.plan.rank)
  return (
    <>
      <Card title={`Version ${catalog.version}`}>
        <Facts
          facts={[
            ['Name', catalog.content.catalog],
            ['Applied', <Instant key="at" at={catalog.appliedAt} distance />],
            ['By', catalog.appliedBy],
            ['Hash', <Id key="hash" value={catalog.hash} label="hash" />],
            ['Currencies', catalog.content.currencies.join(', ')],
            [
              'Without a subscription',
              catalog.content.plans[catalog.content.baseline]?.name ?? catalog.content.baseline,
            ],
          ]}
        />
        <Json value={catalog.content} label="The whole file" />
      </Card>
      <DataTable caption="Plans" columns={planColumns} rows={rows} rowKey={(row) => row.key} />
    </>
  )
}

const planColumns: Column<PlanRow>[] = [
  { title: 'Plan', cell: ({ plan }) => <strong>{plan.name}</strong> },
  { title: 'Key', cell: ({ key }) => <code>{key}</code> },
  { title: 'Status', cell: ({ plan }) => <StatusTag group="planStatus" state={plan.status} /> },
  { title: 'Version', figures: true, cell: ({ version }) => version ?? '–' },
  {
    title: 'Prices',
    cell: ({ plan }) => {
      const prices = Object.entries(plan.prices ?? {})
      if (prices.length === 0) return <span className="dim">none</span>
      return (
        <ul>
          {prices.map(([key, price]) => (
            <li key={key}>
              {Object.entries(price.amounts)
                .map(([currency, minor]) => formatMoney({ amountMinor: String(minor), currency }))
                .join(' / ')}{' '}
              {perInterval(
                typeof price.interval === 'string' ? price.interval : `${price.interval.count} ${price.interval.unit}`,
              )}
            </li>
          ))}
        </ul>
      )
    },
  },
  {
    title: 'Grants',
    cell: ({ plan }) => {
      const count = Object.values(plan.grants).filter((grant) => grant !== false).length
      return `${count} ${plural(count, 'feature')}`
    },
  },
]

const historyColumns: Column<CatalogVersion>[] = [
  { title: 'Version', cell: (version) => version.version },
  { title: 'Applied', cell: (version) => <Instant at={version.appliedAt} /> },
  { title: 'By', cell: (version) => version.appliedBy },
  { title: 'What changed', cell: (version) => version.summary },
  { title: 'Hash', cell: (version) => <Id value={version.hash} label="hash" /> },
]

/** Asked on demand, because it reads everything at the provider. */
function ProviderCheck() {
  const [asked, setAsked] = useState(false)
  const diff = useApi('diffCatalog', {}, { enabled: asked })
  return (
    <Card
      title="At the provider"
      aside={
        <Button
          variant="default"
          size="compact-md"
          loading={diff.isFetching}
          onClick={() => (asked ? diff.refetch() : setAsked(true))}
        >
          Compare with the provider
        </Button>
      }
    >
      <div role="status" className="stack">
        {!asked ? (
          <p className="dim">Compares products and prices in both directions. Nothing is changed.</p>
        ) : diff.error ? (
          <ProblemNote problem={describeProblem(diff.error)} onRetry={() => diff.refetch()} busy={diff.isFetching} />
        ) : diff.data ? (
          diff.data.data.inSync ? (
            <Banner tone="ok" title="Catalog and provider agree">
              Compared just now, in both directions.
            </Banner>
          ) : (
            <>
              <Banner
                tone="warning"
                title={`${diff.data.data.differences.length} ${plural(diff.data.data.differences.length, 'difference')}`}
              >
                Push the catalog to make what is missing: <code>turnpike catalog push</code>
              </Banner>
              <DataTable
                caption="Differences"
                columns={differenceColumns}
                rows={diff.data.data.differences}
                rowKey={(difference) => `${difference.object} ${difference.key} ${difference.field} ${difference.kind}`}
              />
            </>
          )
        ) : (
          <Loading what="the comparison" />
        )}
      </div>
    </Card>
  )
}

const differenceColumns: Column<ProviderDifference>[] = [
  { title: 'What', cell: (difference) => difference.sentence },
  { title: 'Object', cell: (difference) => `${difference.object} ${difference.key}` },
  { title: 'Ours', cell: (difference) => difference.ours ?? <span className="dim">–</span> },
  { title: 'Theirs', cell: (difference) => difference.theirs ?? <span className="dim">–</span> },
]
