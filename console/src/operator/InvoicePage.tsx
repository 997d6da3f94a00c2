import { useParams } from '@tanstack/react-router'
import { useApi } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { InvoiceDetails } from '../billing/InvoiceDetails.tsx'
import { InvoiceExplained } from '../billing/InvoiceExplained.tsx'
import { useView } from '../search.ts'
import { TextLink } from '../ui/Links.tsx'
import { Page } from '../ui/Page.tsx'
import { StateBlock } from '../ui/StateBlock.tsx'
import { MoneyBackForm } from './MoneyBackForm.tsx'
import { SidePanel } from './SidePanel.tsx'
import { UsageRecords } from './UsageRecords.tsx'

/** One invoice for the house: as the customer sees it, down to the records, and what may be given back (UI-3, INV-4, INV-5). */
export function InvoicePage() {
  const { invoiceId } = useParams({ strict: false }) as { invoiceId: string }
  const invoice = useApi('getInvoice', { params: { invoiceId } }, { refetchInterval: 10_000 })
  const mayGiveBack = useMay('billing:refunds:write')
  const seesRecords = useMay('billing:usage:read')
  const [view, setView] = useView()
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
            <InvoiceExplained
              invoiceId={data.id}
              toRecords={({ lineId, name }) =>
                seesRecords ? (
                  <TextLink
                    to="."
                    search={{ ...view, records: lineId } as never}
                    resetScroll={false}
                    aria-label={`Show the records of ${name}`}
                  >
                    Show the records
                  </TextLink>
                ) : null
              }
            />
            <SidePanel
              opened={seesRecords && view.records !== undefined}
              title="Usage records"
              size={680}
              onClose={() => setView({ records: undefined })}
            >
              {view.records ? <UsageRecords invoiceId={data.id} lineId={view.records} /> : null}
            </SidePanel>
          </>
        )}
      </StateBlock>
    </Page>
  )
}
