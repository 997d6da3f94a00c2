import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet } from '@tanstack/react-router'
import { BillingFrame } from './billing/BillingFrame.tsx'
import { HomePage } from './HomePage.tsx'
import { NotFoundPage } from './NotFoundPage.tsx'
import { SignedIn } from './SignedIn.tsx'
import { parseSearch, stringifySearch } from './search.ts'

const root = createRootRoute({
  component: () => (
    <SignedIn>
      <Outlet />
    </SignedIn>
  ),
  notFoundComponent: NotFoundPage,
})

const home = createRoute({ getParentRoute: () => root, path: '/', component: HomePage })

const billing = createRoute({ getParentRoute: () => root, path: 'billing', component: BillingFrame })
const billingPage = (path: string, load: Parameters<typeof lazyRouteComponent>[0], name: string) =>
  createRoute({ getParentRoute: () => billing, path, component: lazyRouteComponent(load, name) })

const operator = createRoute({
  getParentRoute: () => root,
  path: 'operator',
  component: lazyRouteComponent(() => import('./operator/OperatorFrame.tsx'), 'OperatorFrame'),
})
const operatorPage = (path: string, load: Parameters<typeof lazyRouteComponent>[0], name: string) =>
  createRoute({ getParentRoute: () => operator, path, component: lazyRouteComponent(load, name) })

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    billing.addChildren([
      billingPage('/', () => import('./billing/OverviewPage.tsx'), 'OverviewPage'),
      billingPage('plans', () => import('./billing/PlansPage.tsx'), 'PlansPage'),
      billingPage('usage', () => import('./billing/UsagePage.tsx'), 'UsagePage'),
      billingPage('invoices', () => import('./billing/InvoicesPage.tsx'), 'InvoicesPage'),
      billingPage('invoices/$invoiceId', () => import('./billing/InvoicePage.tsx'), 'InvoicePage'),
      billingPage('change', () => import('./billing/ChangePage.tsx'), 'ChangePage'),
      billingPage('subscription/$command', () => import('./billing/CommandPage.tsx'), 'CommandPage'),
      billingPage('credits', () => import('./billing/CreditsPage.tsx'), 'CreditsPage'),
      billingPage('data', () => import('./billing/DataPage.tsx'), 'DataPage'),
      billingPage('people', () => import('./billing/PeoplePage.tsx'), 'PeoplePage'),
      billingPage('owner-transfers/$transferId', () => import('./billing/OwnerTransferPage.tsx'), 'OwnerTransferPage'),
      billingPage('return', () => import('./billing/ReturnPage.tsx'), 'ReturnPage'),
    ]),
    operator.addChildren([
      operatorPage('/', () => import('./operator/HomePage.tsx'), 'HomePage'),
      operatorPage('customers', () => import('./operator/CustomersPage.tsx'), 'CustomersPage'),
      operatorPage('customers/$customerId', () => import('./operator/CustomerPage.tsx'), 'CustomerPage'),
      operatorPage('invoices/$invoiceId', () => import('./operator/InvoicePage.tsx'), 'InvoicePage'),
      operatorPage('webhooks', () => import('./operator/WebhooksPage.tsx'), 'WebhooksPage'),
      operatorPage('notices', () => import('./operator/NoticesPage.tsx'), 'NoticesPage'),
      operatorPage('notices/templates', () => import('./operator/NoticeTemplatesPage.tsx'), 'NoticeTemplatesPage'),
      operatorPage('approvals', () => import('./operator/ApprovalsPage.tsx'), 'ApprovalsPage'),
      operatorPage('reconciliation', () => import('./operator/ReconciliationPage.tsx'), 'ReconciliationPage'),
      operatorPage('explain', () => import('./operator/ExplainPage.tsx'), 'ExplainPage'),
      operatorPage('catalog', () => import('./operator/CatalogPage.tsx'), 'CatalogPage'),
      operatorPage('audit', () => import('./operator/AuditPage.tsx'), 'AuditPage'),
    ]),
  ]),
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  scrollRestoration: true,
})
