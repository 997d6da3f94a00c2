import { Anchor } from '@mantine/core'
import type { CreditNote, InvoiceDetail, Payment, Refund } from '@turnpike/contract'
import { useApi } from '../api/api.ts'
import { Card, Facts } from '../ui/Card.tsx'
import { type Column, DataTable } from '../ui/DataTable.tsx'
import { Instant, Period } from '../ui/Instant.tsx'
import { Money } from '../ui/Money.tsx'
import { StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { httpAddress } from './httpAddress.ts'
import { Documents, methodName } from './InvoicesPage.tsx'

const isNothing = ({ amountMinor }: { amountMinor: string }) => BigInt(amountMinor) === 0n

/** One invoice: what it is for, how it was paid and what went back. The same for customers and the house. */
export function InvoiceDetails({ invoice }: { invoice: InvoiceDetail }) {
  const { subtotal, discount, tax, total, amountPaid, amountRemaining, credited } = invoice
  return (
    <>
      <Card title="Invoice" hideTitle>
        <Facts
          facts={[
            ['Status', <StatusTag key="status" group="invoice" state={invoice.status} />],
            ['Issued', <Instant key="issued" at={invoice.finalizedAt ?? invoice.createdAt} show="day" />],
            invoice.period ? ['For', <Period key="for" value={invoice.period} />] : null,
            ['Total', <Money key="total" value={total} explicit />],
            ['Paid', <Money key="paid" value={amountPaid} />],
            isNothing(amountRemaining) ? null : ['Still to pay', <Money key="remaining" value={amountRemaining} />],
            isNothing(credited) ? null : ['Credited', <Money key="credited" value={credited} />],
            ['Documents', <Documents key="documents" invoice={invoice} />],
          ]}
        />
      </Card>
      <Card title="What it is for">
        <DataTable
          caption="Lines of the invoice"
          columns={lineColumns}
          rows={invoice.lines}
          rowKey={(line) => line.id}
        />
        <Facts
          facts={[
            isNothing(discount) && isNothing(tax) ? null : ['Subtotal', <Money key="subtotal" value={subtotal} />],
            isNothing(discount) ? null : ['Discount', <Money key="discount" value={discount} />],
            isNothing(tax) ? null : ['Tax', <Money key="tax" value={tax} />],
            ['Total', <Money key="total" value={total} explicit />],
          ]}
        />
      </Card>
      <Card title="Payments">
        {invoice.payments.length === 0 ? (
          <p className="dim">Nothing was charged for it.</p>
        ) : (
          <DataTable
            caption="Payments"
            columns={paymentColumns}
            rows={invoice.payments}
            rowKey={(payment) => payment.id}
          />
        )}
      </Card>
      <MoneyBackList invoiceId={invoice.id} tenantId={invoice.tenantId} />
    </>
  )
}

const lineColumns: Column<InvoiceDetail['lines'][number]>[] = [
  { title: 'Line', cell: (line) => line.description ?? 'Without a description' },
  { title: 'For', cell: (line) => <Period value={line.period} /> },
  { title: 'Quantity', figures: true, cell: (line) => line.quantity ?? '–' },
  { title: 'Amount', figures: true, cell: (line) => <Money value={line.amount} /> },
]

const paymentColumns: Column<Payment>[] = [
  { title: 'Payment', cell: (payment) => (payment.method ? methodName(payment.method) : 'Not known yet') },
  { title: 'Status', cell: (payment) => <StatusTag group="payment" state={payment.status} /> },
  { title: 'When', cell: (payment) => <Instant at={payment.paidAt ?? payment.createdAt} /> },
  { title: 'Amount', figures: true, cell: (payment) => <Money value={payment.amount} /> },
]

type Back = {
  key: string
  what: string
  amount: Refund['amount']
  state: string
  at: string
  note: string
  pdf: string | null
}

/** Refunds and credit notes together, the newest first; nothing where nothing went back. */
function MoneyBackList({ invoiceId, tenantId }: { invoiceId: string; tenantId: string }) {
  const query = { tenantId, invoiceId }
  const refunds = useApi('listRefunds', { query }, { refetchInterval: 10_000 })
  const notes = useApi('listCreditNotes', { query }, { refetchInterval: 10_000 })
  return (
    <StateBlock what="refunds" reading={refunds} lines={1} empty={() => null}>
      {({ data }) => {
        const rows = [...data.map(ofRefund), ...(notes.data?.data ?? []).map(ofNote)].toSorted((a, b) =>
          b.at.localeCompare(a.at),
        )
        return rows.length === 0 ? null : (
          <Card title="Refunds and credit notes">
            <DataTable caption="Refunds and credit notes" columns={backColumns} rows={rows} rowKey={(row) => row.key} />
          </Card>
        )
      }}
    </StateBlock>
  )
}

const why: Record<string, string> = {
  expired_or_canceled_card: 'the card had expired or was closed',
  charge_disputed: 'the bank had taken the payment back already',
  not_executed: 'the provider did not answer in time',
}
const ofRefund = (refund: Refund): Back => ({
  key: refund.id,
  what: 'Refund',
  amount: refund.amount,
  state: refund.state,
  at: refund.requestedAt,
  note: refund.failure ? (why[refund.failure] ?? refund.failure.replaceAll('_', ' ')) : (refund.reasonText ?? ''),
  pdf: null,
})
const ofNote = (note: CreditNote): Back => ({
  key: note.id,
  what: note.number ? `Credit note ${note.number}` : 'Credit note',
  amount: note.amount,
  state: note.state,
  at: note.requestedAt,
  note: note.failure ? (why[note.failure] ?? note.failure.replaceAll('_', ' ')) : (note.reasonText ?? ''),
  pdf: note.pdfUrl,
})

const backColumns: Column<Back>[] = [
  {
    title: 'What',
    cell: (row) => {
      const pdf = httpAddress(row.pdf)
      return pdf ? <Anchor href={pdf}>{row.what}</Anchor> : row.what
    },
  },
  { title: 'State', cell: (row) => <StatusTag group="moneyBack" state={row.state} /> },
  { title: 'Asked for', cell: (row) => <Instant at={row.at} /> },
  { title: 'Note', cell: (row) => row.note || '–' },
  { title: 'Amount', figures: true, cell: (row) => <Money value={row.amount} /> },
]
