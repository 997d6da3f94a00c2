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
      billingPage('return', () => import('./billing/ReturnPage.tsx'), 'ReturnPage'),
    ]),
    operator.addChildren([
      operatorPage('/', () => import('./operator/HomePage.tsx'), 'HomePage'),
      operatorPage('customers', () => import('./operator/CustomersPage.tsx'), 'CustomersPage'),
      operatorPage('customers/$customerId', () => import('./operator/CustomerPage.tsx'), 'CustomerPage'),
      operatorPage('webhooks', () => import('./operator/WebhooksPage.tsx'), 'WebhooksPage'),
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
