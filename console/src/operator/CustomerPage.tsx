import { Button } from '@mantine/core'
import { useParams } from '@tanstack/react-router'
import type { Customer } from '@turnpike/contract'
import { useApi, useApiChange } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { useMay } from '../api/session.tsx'
import { plural } from '../format/quantity.ts'
import { Card, Facts } from '../ui/Card.tsx'
import { Id } from '../ui/Id.tsx'
import { Instant } from '../ui/Instant.tsx'
import { ButtonLink } from '../ui/Links.tsx'
import { Page } from '../ui/Page.tsx'
import { ProblemNote, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import styles from './CustomerPage.module.css'
import { Entitlements } from './Entitlements.tsx'
import { Overrides } from './Overrides.tsx'
import { SubscriptionCard } from './SubscriptionCard.tsx'
import { Timeline } from './Timeline.tsx'

/** Everything about one customer on one page, with everything that ever happened to it (UI-3). */
export function CustomerPage() {
  const { customerId } = useParams({ strict: false }) as { customerId: string }
  const customer = useApi('getCustomer', { params: { customerId } })
  return (
    <Page
      title={customer.data?.data.name ?? 'Customer'}
      documentTitle={`${customer.data?.data.name ?? 'Customer'} · Customers`}
      wide
      aside={customer.data ? <Actions customer={customer.data.data} /> : null}
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
            {({ data }) => <SubscriptionCard status={data} />}
          </StateBlock>
          <Entitlements tenantId={customer.tenantId} />
          {mayRead ? <Overrides tenantId={customer.tenantId} /> : null}
        </div>
        <Timeline customer={customer} />
      </div>
    </>
  )
}

function Actions({ customer }: { customer: Customer }) {
  const maySync = useMay('billing:sync:run')
  const sync = useApiChange('sync')
  const result = sync.data?.data
  return (
    <div className="stack" style={{ '--gap': '6px' } as React.CSSProperties}>
      <div className="row">
        <ButtonLink to="/billing" search={{ tenantId: customer.tenantId }} variant="default">
          Open billing page
        </ButtonLink>
        {maySync ? (
          <Button
            variant="default"
            loading={sync.isPending}
            onClick={() => sync.mutate({ body: { tenantId: customer.tenantId } })}
          >
            Ask the provider again
          </Button>
        ) : null}
      </div>
      <p role="status" className="small dim">
        {result
          ? `${result.changed ? 'Something had changed and is applied' : 'Nothing had changed'}: ${result.subscriptions} ${plural(result.subscriptions, 'subscription')}, ${result.invoices} ${plural(result.invoices, 'invoice')} read.`
          : ''}
      </p>
      {sync.error ? <ProblemNote problem={describeProblem(sync.error)} /> : null}
    </div>
  )
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
