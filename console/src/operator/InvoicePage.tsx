import { useParams } from '@tanstack/react-router'
import { useApi } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { InvoiceDetails } from '../billing/InvoiceDetails.tsx'
import { TextLink } from '../ui/Links.tsx'
import { Page } from '../ui/Page.tsx'
import { StateBlock } from '../ui/StateBlock.tsx'
import { MoneyBackForm } from './MoneyBackForm.tsx'

/** One invoice for the house: as the customer sees it, and what may be given back of it (UI-3, INV-4). */
export function InvoicePage() {
  const { invoiceId } = useParams({ strict: false }) as { invoiceId: string }
  const invoice = useApi('getInvoice', { params: { invoiceId } }, { refetchInterval: 10_000 })
  const mayGiveBack = useMay('billing:refunds:write')
  const found = invoice.data?.data
  return (
    <Page
      title={found?.number ? `Invoice ${found.number}` : 'Invoice'}
      documentTitle={`${found?.number ?? 'Invoice'} · ${found?.tenantId ?? 'Invoices'}`}
      lead={
        found ? (
          <>
            of{' '}
            <TextLink to="/operator/customers" search={{ search: found.tenantId }}>
              {found.tenantId}
            </TextLink>
          </>
        ) : null
      }
    >
      <StateBlock what="the invoice" reading={invoice} lines={10}>
        {({ data }) => (
          <>
            {mayGiveBack ? <MoneyBackForm invoiceId={data.id} /> : null}
            <InvoiceDetails invoice={data} />
          </>
        )}
      </StateBlock>
    </Page>
  )
}
