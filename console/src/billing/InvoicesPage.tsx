import { Anchor } from '@mantine/core'
import { type Invoice, invoiceStatuses, type PaymentMethod } from '@turnpike/contract'
import { useApi, useApiPages } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { words } from '../format/words.ts'
import { useView } from '../search.ts'
import { Card } from '../ui/Card.tsx'
import { type Column, DataTable } from '../ui/DataTable.tsx'
import { FilterLinks } from '../ui/FilterLinks.tsx'
import { Instant, Period } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { Money } from '../ui/Money.tsx'
import { More } from '../ui/More.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { httpAddress } from './httpAddress.ts'
import { NextInvoice } from './NextInvoice.tsx'
import { NotAllowed } from './NotAllowed.tsx'
import { useTenant } from './useTenant.ts'

/** The next invoice, every one before it with its documents, and what pays them (UI-1, INV-2, INV-5). */
export function InvoicesPage() {
  const may = useMay('billing:invoices:read')
  return (
    <Page title="Invoices" lead="What comes next, what was billed, what paid for it, and the documents.">
      {may ? <Invoices /> : <NotAllowed what="see invoices" />}
    </Page>
  )
}

function Invoices() {
  const tenant = useTenant()
  const [view] = useView()
  const maySeeMethods = useMay('billing:payment_methods:read')
  const status = invoiceStatuses.find((each) => each === view.status)
  const invoices = useApiPages('listInvoices', { query: { ...tenant, ...(status ? { status } : {}) } })
  return (
    <>
      <NextInvoice />
      <FilterLinks
        label="Filter by status"
        param="status"
        options={[
          { value: undefined, label: 'All' },
          ...invoiceStatuses.map((each) => ({ value: each, label: words.invoice[each].word })),
        ]}
      />
      <StateBlock
        what="invoices"
        reading={invoices}
        lines={8}
        empty={({ pages }) =>
          pages.some(({ data }) => data.length > 0) ? null : status ? (
            <Empty
              title="No invoice has this status"
              action={
                <TextLink to="/billing/invoices" search={tenant}>
                  Show all invoices
                </TextLink>
              }
            />
          ) : (
            <Empty title="No invoices yet">The first one appears here as soon as a plan is bought.</Empty>
          )
        }
      >
        {({ pages }) => (
          <>
            <DataTable
              caption="Invoices, newest first"
              columns={columns(tenant)}
              rows={pages.flatMap(({ data }) => data)}
              rowKey={(invoice) => invoice.id}
            />
            <More reading={invoices} />
          </>
        )}
      </StateBlock>
      {maySeeMethods ? <PaymentMethods /> : null}
    </>
  )
}

const columns = (tenant: { tenantId?: string | undefined }): Column<Invoice>[] => [
  {
    title: 'Invoice',
    cell: (invoice) => (
      <TextLink to="/billing/invoices/$invoiceId" params={{ invoiceId: invoice.id } as never} search={tenant as never}>
        {invoice.number ?? 'Draft'}
      </TextLink>
    ),
  },
  { title: 'Issued', cell: (invoice) => <Instant at={invoice.finalizedAt ?? invoice.createdAt} show="day" /> },
  { title: 'For', cell: (invoice) => (invoice.period ? <Period value={invoice.period} /> : '–') },
  { title: 'Status', cell: (invoice) => <StatusTag group="invoice" state={invoice.status} /> },
  { title: 'Total', figures: true, cell: (invoice) => <Money value={invoice.total} explicit /> },
  { title: 'Documents', cell: (invoice) => <Documents invoice={invoice} /> },
]

/** The provider's document and page of an invoice; a draft has none yet. */
export function Documents({ invoice }: { invoice: Invoice }) {
  const pdf = httpAddress(invoice.pdfUrl)
  const page = httpAddress(invoice.hostedInvoiceUrl)
  const named = invoice.number ?? invoice.id
  if (!pdf && !page) return <span className="dim small">{invoice.status === 'draft' ? 'Once issued' : 'None'}</span>
  return (
    <span className="row" style={{ '--gap': '10px' } as React.CSSProperties}>
      {pdf ? (
        <Anchor href={pdf} aria-label={`PDF of ${named}`}>
          PDF
        </Anchor>
      ) : null}
      {page ? (
        <Anchor href={page} aria-label={`${invoice.status === 'open' ? 'Pay' : 'See'} ${named}`}>
          {invoice.status === 'open' ? 'Pay' : 'See'}
        </Anchor>
      ) : null}
    </span>
  )
}

function PaymentMethods() {
  const tenant = useTenant()
  const mayChange = useMay('billing:session:create')
  const methods = useApi('listPaymentMethods', { query: tenant })
  return (
    <Card
      title="Payment methods"
      aside={
        mayChange ? (
          <TextLink to="/billing" search={tenant}>
            Change them on the billing page
          </TextLink>
        ) : null
      }
    >
      <StateBlock
        what="payment methods"
        reading={methods}
        lines={2}
        empty={({ data }) => (data.length === 0 ? <p className="dim">None is on file.</p> : null)}
      >
        {({ data }) => (
          <DataTable caption="Payment methods" columns={methodColumns} rows={data} rowKey={(method) => method.id} />
        )}
      </StateBlock>
    </Card>
  )
}

const methodColumns: Column<PaymentMethod>[] = [
  { title: 'Method', cell: (method) => methodName(method) },
  {
    title: 'Expires',
    cell: ({ expiryMonth, expiryYear, expired }) =>
      expiryMonth === null || expiryYear === null
        ? '–'
        : `${String(expiryMonth).padStart(2, '0')}/${expiryYear}${expired ? ' – has expired' : ''}`,
  },
  { title: 'Used for', cell: ({ isDefault }) => (isDefault ? 'New invoices' : 'Only where it is chosen') },
]

type Shown = { type: string; brand: string | null; last4: string | null }

/** `Visa ending in 4242`: how people call a card, without dots that are read out one by one. */
export function methodName({ type, brand, last4 }: Shown): string {
  const name = (brand ?? type).replaceAll('_', ' ')
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}${last4 ? ` ending in ${last4}` : ''}`
}
