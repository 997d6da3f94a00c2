import { useParams } from '@tanstack/react-router'
import { useApi } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { TextLink } from '../ui/Links.tsx'
import { Page } from '../ui/Page.tsx'
import { StateBlock } from '../ui/StateBlock.tsx'
import { InvoiceDetails } from './InvoiceDetails.tsx'
import { InvoiceExplained } from './InvoiceExplained.tsx'
import { NotAllowed } from './NotAllowed.tsx'
import { useTenant } from './useTenant.ts'

/** One invoice as its customer sees it, and how it came about (UI-1, INV-2, INV-5). */
export function InvoicePage() {
  const { invoiceId } = useParams({ strict: false }) as { invoiceId: string }
  const tenant = useTenant()
  const may = useMay('billing:invoices:read')
  const invoice = useApi('getInvoice', { params: { invoiceId } }, { enabled: may })
  const number = invoice.data?.data.number
  return (
    <Page
      title={number ? `Invoice ${number}` : 'Invoice'}
      documentTitle={`${number ?? 'Invoice'} · Invoices`}
      lead={
        <TextLink to="/billing/invoices" search={tenant}>
          All invoices
        </TextLink>
      }
    >
      {may ? (
        <StateBlock what="the invoice" reading={invoice} lines={10}>
          {({ data }) => (
            <>
              <InvoiceDetails invoice={data} />
              <InvoiceExplained invoiceId={data.id} />
            </>
          )}
        </StateBlock>
      ) : (
        <NotAllowed what="see invoices" />
      )}
    </Page>
  )
}
