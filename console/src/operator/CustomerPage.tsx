import { useParams } from '@tanstack/react-router'
import type { Customer } from '@turnpike/contract'
import { useApi } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { Card, Facts } from '../ui/Card.tsx'
import { Id } from '../ui/Id.tsx'
import { Instant } from '../ui/Instant.tsx'
import { Page } from '../ui/Page.tsx'
import { StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { UsageHistory } from '../ui/UsageHistory.tsx'
import { Credits } from './Credits.tsx'
import { CustomerActions } from './CustomerActions.tsx'
import { CustomerInvoices } from './CustomerInvoices.tsx'
import { CustomerNotices } from './CustomerNotices.tsx'
import styles from './CustomerPage.module.css'
import { Entitlements } from './Entitlements.tsx'
import { Lifecycle } from './Lifecycle.tsx'
import { Overrides } from './Overrides.tsx'
import { Exports, People } from './People.tsx'
import { SubscriptionCard } from './SubscriptionCard.tsx'
import { Timeline } from './Timeline.tsx'
import { UsagePeriods } from './UsagePeriods.tsx'

/** Everything about one customer on one page, with everything that ever happened to it (UI-3). */
export function CustomerPage() {
  const { customerId } = useParams({ strict: false }) as { customerId: string }
  const customer = useApi('getCustomer', { params: { customerId } })
  return (
    <Page
      title={customer.data?.data.name ?? 'Customer'}
      documentTitle={`${customer.data?.data.name ?? 'Customer'} · Customers`}
      wide
      aside={customer.data ? <CustomerActions customer={customer.data.data} /> : null}
    >
      <StateBlock what="the customer" reading={customer} lines={3}>
        {({ data }) => <CustomerView customer={data} />}
      </StateBlock>
    </Page>
  )
}

function CustomerView({ customer }: { customer: Customer }) {
  const tenant = { tenantId: customer.tenantId }
  const status = useApi('getStatus', { query: tenant }, { refetchInterval: 5_000 })
  const mayRead = useMay('billing:overrides:read')
  const seesCredits = useMay('billing:credits:read')
  const sees = {
    invoices: useMay('billing:invoices:read'),
    notices: useMay('billing:notices:read'),
    owners: useMay('billing:owners:read'),
  }
  return (
    <>
      <Card title="Customer" hideTitle>
        <Facts
          facts={[
            [
              'Status',
              status.data ? <StatusTag key="status" group="subscription" state={status.data.data.status} /> : '…',
            ],
            [
              'Access',
              status.data ? <StatusTag key="access" group="access" state={status.data.data.accessLevel} /> : '…',
            ],
            ['Id', <Id key="id" value={customer.id} label="customer id" />],
            ['Tenant', <Id key="tenant" value={customer.tenantId} label="tenant" full />],
            [
              'At the provider',
              customer.providerCustomerId ? (
                <Id key="provider" value={customer.providerCustomerId} label="provider id" />
              ) : (
                'not yet'
              ),
            ],
            ['E-mail', customer.email ? <Email key="email" address={customer.email} /> : 'none'],
            ['Currency', customer.currency],
            ['Created', <Instant key="created" at={customer.createdAt} show="day" distance />],
          ]}
        />
      </Card>
      <div className={styles.columns}>
        <div className="stack" style={{ '--gap': '20px' } as React.CSSProperties}>
          <StateBlock what="the subscription" reading={status}>
            {({ data }) => (
              <>
                <SubscriptionCard status={data} />
                <Lifecycle status={data} />
              </>
            )}
          </StateBlock>
          <Entitlements tenantId={customer.tenantId} />
          <CustomerUsage tenantId={customer.tenantId} />
          {sees.invoices ? <CustomerInvoices tenantId={customer.tenantId} /> : null}
          {sees.invoices ? <UsagePeriods tenantId={customer.tenantId} /> : null}
          {mayRead ? <Overrides tenantId={customer.tenantId} /> : null}
          {seesCredits ? <Credits customer={customer} /> : null}
          {sees.notices ? <CustomerNotices tenantId={customer.tenantId} /> : null}
          {sees.owners ? <People customer={customer} /> : null}
          <Exports customer={customer} />
        </div>
        <Timeline customer={customer} />
      </div>
    </>
  )
}

/** What the customer used over time; entitlements above say how far each counter is. */
function CustomerUsage({ tenantId }: { tenantId: string }) {
  const usage = useApi('getUsage', { query: { tenantId } }, { refetchInterval: 5_000 })
  return usage.data ? <UsageHistory tenantId={tenantId} meters={usage.data.data.meters} /> : null
}

/** Breaks at the sign, if it must break. */
function Email({ address }: { address: string }) {
  const [name, host] = address.split('@')
  return (
    <>
      {name}@<wbr />
      {host}
    </>
  )
}
