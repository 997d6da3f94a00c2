import { Outlet } from '@tanstack/react-router'
import { useMay, useSession } from '../api/session.tsx'
import { TextLink } from '../ui/Links.tsx'
import { Page } from '../ui/Page.tsx'
import { NavItem, Shell } from '../ui/Shell.tsx'
import { Empty } from '../ui/StateBlock.tsx'
import './operator.css'

/** The frame of the operator's pages: only what the role may see is in the navigation. */
export function OperatorFrame() {
  const session = useSession()
  const sees = {
    customers: useMay('billing:timeline:read'),
    webhooks: useMay('billing:webhooks:read'),
    notices: useMay('billing:notices:read'),
    reconciliation: useMay('billing:reconciliation:read'),
    explain: useMay('billing:entitlements:read'),
    catalog: useMay('billing:catalog:read'),
    audit: useMay('billing:audit:read'),
  }
  return (
    <Shell
      nav={
        session.house ? (
          <>
            <NavItem to="/operator" exact>
              Home
            </NavItem>
            {sees.customers ? <NavItem to="/operator/customers">Customers</NavItem> : null}
            {sees.webhooks ? <NavItem to="/operator/webhooks">Webhooks</NavItem> : null}
            {sees.notices ? <NavItem to="/operator/notices">Notices</NavItem> : null}
            {sees.reconciliation ? <NavItem to="/operator/reconciliation">Reconciliation</NavItem> : null}
            {sees.explain ? <NavItem to="/operator/explain">Explain</NavItem> : null}
            {sees.catalog ? <NavItem to="/operator/catalog">Catalog</NavItem> : null}
            {sees.audit ? <NavItem to="/operator/audit">Audit</NavItem> : null}
          </>
        ) : (
          <NavItem to="/billing">Billing</NavItem>
        )
      }
    >
      {session.house ? <Outlet /> : <ForTheHouse />}
    </Shell>
  )
}

function ForTheHouse() {
  return (
    <Page title="Not found">
      <Empty title="Nothing is known under this address" action={<TextLink to="/billing">Go to billing</TextLink>} />
    </Page>
  )
}
