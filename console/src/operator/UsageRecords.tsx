import type { InvoiceExplanation, RecordedUsage } from '@turnpike/contract'
import { useApi, useApiPages } from '../api/api.ts'
import { recordsOf } from '../format/calculation.ts'
import { formatQuantity } from '../format/quantity.ts'
import { type Column, DataTable } from '../ui/DataTable.tsx'
import { Instant } from '../ui/Instant.tsx'
import { More } from '../ui/More.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'

/** The very records that a line of an invoice was made of, as they were kept (INV-5, USE-2). */
export function UsageRecords({ invoiceId, lineId }: { invoiceId: string; lineId: string }) {
  const explanation = useApi('explainInvoice', { params: { invoiceId } })
  return (
    <StateBlock what="the line" reading={explanation} lines={6}>
      {({ data }) => {
        const lines = [
          ...data.lines.flatMap(({ usage }) => usage ?? []),
          ...data.creditNotes.flatMap((note) => note.lines),
        ]
        const records = lines.find((line) => line.lineId === lineId)?.records
        return records ? (
          <Records tenantId={data.tenantId} records={records} />
        ) : (
          <Empty title="This line was made of no records" />
        )
      }}
    </StateBlock>
  )
}

type Query = NonNullable<NonNullable<InvoiceExplanation['lines'][number]['usage']>['records']>

function Records({ tenantId, records }: { tenantId: string; records: Query }) {
  const { meter, from, to } = records
  const list = useApiPages('listUsageRecords', { query: { tenantId, meter, from, to } })
  return (
    <>
      <p>
        {recordsOf(records)}, from <Instant at={from} show="seconds" /> until <Instant at={to} show="seconds" />.
      </p>
      <StateBlock
        what="the records"
        reading={list}
        lines={8}
        empty={({ pages }) =>
          pages.some(({ data }) => data.length > 0) ? null : (
            <Empty title="No record is kept here any more">What is old is packed into archives.</Empty>
          )
        }
      >
        {({ pages }) => (
          <>
            <DataTable
              caption="Usage records, by the time of use"
              columns={columns}
              rows={pages.flatMap(({ data }) => data)}
              rowKey={(record) => record.idempotencyKey}
            />
            <More reading={list} />
          </>
        )}
      </StateBlock>
    </>
  )
}

const columns: Column<RecordedUsage>[] = [
  { title: 'Used at', cell: (record) => <Instant at={record.at} show="seconds" /> },
  { title: 'Quantity', figures: true, cell: (record) => formatQuantity(record.quantity) },
  { title: 'Key', cell: (record) => <code>{record.idempotencyKey}</code> },
  {
    title: 'What',
    cell: ({ correction, corrects, corrections, service }) =>
      correction
        ? `${correction === 'void' ? 'Takes back' : 'Corrects'} ${corrects}`
        : `${service ? `Reported by ${service}` : 'Reported'}${corrections.length > 0 ? ', corrected later' : ''}`,
  },
]
