import { useApi } from '../api/api.ts'
import { Card } from '../ui/Card.tsx'
import { Instant } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { Money } from '../ui/Money.tsx'
import { StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import styles from './Overrides.module.css'

/** The last invoices of a customer, each leading to what may be given back of it. */
export function CustomerInvoices({ tenantId }: { tenantId: string }) {
  const invoices = useApi('listInvoices', { query: { tenantId, limit: 6 } }, { refetchInterval: 10_000 })
  return (
    <Card
      title="Invoices"
      aside={
        <TextLink to="/billing/invoices" search={{ tenantId } as never}>
          All of this customer
        </TextLink>
      }
    >
      <StateBlock
        what="the invoices"
        reading={invoices}
        lines={3}
        empty={({ data }) => (data.length === 0 ? <p className="dim">None was made.</p> : null)}
      >
        {({ data }) => (
          <ul className={styles.list}>
            {data.map((invoice) => (
              <li key={invoice.id} className={styles.item}>
                <div className="row spread">
                  <TextLink to="/operator/invoices/$invoiceId" params={{ invoiceId: invoice.id } as never}>
                    {invoice.number ?? 'Draft'}
                  </TextLink>
                  <StatusTag group="invoice" state={invoice.status} />
                </div>
                <span className="small dim">
                  <Money value={invoice.total} explicit /> ·{' '}
                  <Instant at={invoice.finalizedAt ?? invoice.createdAt} show="day" />
                </span>
              </li>
            ))}
          </ul>
        )}
      </StateBlock>
    </Card>
  )
}
