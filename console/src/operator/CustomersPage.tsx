import type { Customer } from '@turnpike/contract'
import { useApiPages } from '../api/api.ts'
import { useView } from '../search.ts'
import { type Column, DataTable } from '../ui/DataTable.tsx'
import { Id } from '../ui/Id.tsx'
import { Instant } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { More } from '../ui/More.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { FindForm } from './FindForm.tsx'

/** All customers, or those that a search finds (UI-3). */
export function CustomersPage() {
  const [view] = useView()
  const customers = useApiPages('listCustomers', { query: view.search ? { search: view.search } : {} })
  return (
    <Page title="Customers" documentTitle={view.search ? `“${view.search}” · Customers` : 'Customers'} wide>
      <FindForm value={view.search ?? ''} />
      <StateBlock
        what="customers"
        reading={customers}
        lines={10}
        empty={({ pages }) => {
          if (pages.some(({ data }) => data.length > 0)) return null
          return view.search ? (
            <Empty
              title={`No customer matches “${view.search}”`}
              action={<TextLink to="/operator/customers">Show all customers</TextLink>}
            >
              Looked in names, tenants, e-mail addresses and ids.
            </Empty>
          ) : (
            <Empty title="No customers yet">The host product creates them with POST /customers.</Empty>
          )
        }}
      >
        {({ pages }) => (
          <>
            <DataTable
              caption="Customers"
              columns={columns}
              rows={pages.flatMap(({ data }) => data)}
              rowKey={(customer) => customer.id}
            />
            <More reading={customers} />
          </>
        )}
      </StateBlock>
    </Page>
  )
}

const columns: Column<Customer>[] = [
  {
    title: 'Name',
    cell: (customer) => (
      <TextLink to="/operator/customers/$customerId" params={{ customerId: customer.id } as never}>
        {customer.name}
      </TextLink>
    ),
  },
  { title: 'Tenant', cell: (customer) => customer.tenantId },
  { title: 'Id', cell: (customer) => <Id value={customer.id} label="customer id" /> },
  {
    title: 'At the provider',
    cell: (customer) =>
      customer.providerCustomerId ? (
        <Id value={customer.providerCustomerId} label="provider id" />
      ) : (
        <span className="dim">not yet</span>
      ),
  },
  { title: 'E-mail', cell: (customer) => customer.email ?? <span className="dim">none</span> },
  { title: 'Currency', cell: (customer) => customer.currency },
  { title: 'Created', cell: (customer) => <Instant at={customer.createdAt} show="day" /> },
]
