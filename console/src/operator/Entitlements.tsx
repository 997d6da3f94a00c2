import type { Entitlement, MeterUsage } from '@turnpike/contract'
import { useApi } from '../api/api.ts'
import { entitlementSentence } from '../format/entitlements.ts'
import { formatQuantity } from '../format/quantity.ts'
import { useView } from '../search.ts'
import { Card } from '../ui/Card.tsx'
import { type Column, DataTable } from '../ui/DataTable.tsx'
import { Instant } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'

type Row = { entitlement: Entitlement; meter: MeterUsage | undefined; tenantId: string; at: string | undefined }

/** What the customer may use, where each value comes from, and how far the counters are; also as it was at a past moment. */
export function Entitlements({ tenantId }: { tenantId: string }) {
  const [view] = useView()
  const { at } = view
  const snapshot = useApi(
    'getEntitlements',
    { query: { tenantId, ...(at ? { at } : {}) } },
    at ? {} : { refetchInterval: 5_000 },
  )
  const usage = useApi('getUsage', { query: { tenantId } }, { enabled: !at, refetchInterval: 5_000 })
  return (
    <Card
      title="Entitlements"
      aside={snapshot.data ? <span className="small dim">Version {snapshot.data.data.version}</span> : null}
    >
      {at ? (
        <p role="note">
          As they were at <Instant at={at} show="seconds" />.{' '}
          <TextLink to="." search={{ ...view, at: undefined } as never} resetScroll={false}>
            Back to now
          </TextLink>
        </p>
      ) : null}
      <StateBlock
        what="entitlements"
        reading={snapshot}
        lines={6}
        empty={({ data }) =>
          data.entitlements.length === 0 ? (
            <Empty title="The catalog has no features">Nothing can be granted.</Empty>
          ) : null
        }
      >
        {({ data }) => (
          <>
            <DataTable
              caption="Entitlements"
              columns={columns}
              rows={data.entitlements.map(
                (entitlement): Row => ({
                  entitlement,
                  meter: at
                    ? undefined
                    : usage.data?.data.meters.find((meter) => meter.feature === entitlement.feature),
                  tenantId,
                  at,
                }),
              )}
              rowKey={({ entitlement }) => entitlement.feature}
            />
            <p className="small dim">
              In force since <Instant at={data.effectiveFrom} />, because of {data.cause.replaceAll('_', ' ')}
              {data.validUntil ? (
                <>
                  , until <Instant at={data.validUntil} />
                </>
              ) : null}
              .
            </p>
          </>
        )}
      </StateBlock>
    </Card>
  )
}

const columns: Column<Row>[] = [
  {
    title: 'Feature',
    cell: ({ entitlement, tenantId, at }) => (
      <TextLink
        to="/operator/explain"
        search={{ tenantId, feature: entitlement.feature, at }}
        title={`Explain ${entitlement.feature}`}
      >
        {entitlement.name}
      </TextLink>
    ),
  },
  {
    title: 'Value',
    cell: ({ entitlement }) => entitlementSentence(entitlement) ?? <span className="dim">not included</span>,
  },
  {
    title: 'Used',
    figures: true,
    cell: ({ meter }) => (meter ? formatQuantity(meter.used) : <span className="dim">–</span>),
  },
  { title: 'From', cell: ({ entitlement }) => <StatusTag group="origin" state={entitlement.origin} /> },
]
