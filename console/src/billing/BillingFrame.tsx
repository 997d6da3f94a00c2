import { Button, TextInput } from '@mantine/core'
import { Outlet } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { useSession } from '../api/session.tsx'
import { useView } from '../search.ts'
import { TextLink } from '../ui/Links.tsx'
import { Page } from '../ui/Page.tsx'
import { NavItem, Shell } from '../ui/Shell.tsx'
import styles from './BillingFrame.module.css'
import { useTenant } from './useTenant.ts'

/** The frame of the customer's pages, also for people of the house who look at one customer. */
export function BillingFrame() {
  const session = useSession()
  const tenant = useTenant()
  const [view] = useView()
  const search = { tenantId: tenant.tenantId }
  // The return page knows its customer by the checkout, so it needs none named.
  const unnamed = session.house && tenant.tenantId === undefined && session.tenantId === null && !view.checkout
  return (
    <Shell
      nav={
        <>
          <NavItem to="/billing" search={search} exact>
            Overview
          </NavItem>
          <NavItem to="/billing/plans" search={search}>
            Plans
          </NavItem>
          <NavItem to="/billing/usage" search={search}>
            Usage
          </NavItem>
          <NavItem to="/billing/credits" search={search}>
            Credit
          </NavItem>
          <NavItem to="/billing/invoices" search={search}>
            Invoices
          </NavItem>
          <NavItem to="/billing/people" search={search}>
            People
          </NavItem>
          <NavItem to="/billing/data" search={search}>
            Data
          </NavItem>
          {session.house ? <NavItem to="/operator">Operator</NavItem> : null}
        </>
      }
    >
      {session.house && tenant.tenantId ? (
        <p className={styles.looking} role="note">
          You are looking at the billing page of <strong>{tenant.tenantId}</strong> as {session.role}.{' '}
          <TextLink to="/operator/customers" search={{ search: tenant.tenantId }}>
            Back to customers
          </TextLink>
        </p>
      ) : null}
      {unnamed ? <WhosePage /> : <Outlet />}
    </Shell>
  )
}

function WhosePage() {
  const [, setView] = useView()
  const [tenantId, setTenantId] = useState('')
  const open = (event: FormEvent) => {
    event.preventDefault()
    if (tenantId.trim()) setView({ tenantId: tenantId.trim() })
  }
  return (
    <Page
      title="Whose billing page?"
      lead="Your credential serves several tenants. Name one, or find it among the customers."
    >
      <form className="row" style={{ alignItems: 'flex-end' }} onSubmit={open}>
        <TextInput label="Tenant" value={tenantId} onChange={(event) => setTenantId(event.currentTarget.value)} />
        <Button type="submit">Open</Button>
        <TextLink to="/operator/customers">All customers</TextLink>
      </form>
    </Page>
  )
}
