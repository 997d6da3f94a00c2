import type { RouteDefinition } from './route.ts'
import { billingRoutes } from './routes/billing.ts'
import { budgetsRoutes } from './routes/budgets.ts'
import { catalogRoutes } from './routes/catalog.ts'
import { creditsRoutes } from './routes/credits.ts'
import { customersRoutes } from './routes/customers.ts'
import { entitlementsRoutes } from './routes/entitlements.ts'
import { eventsRoutes } from './routes/events.ts'
import { invoicesRoutes } from './routes/invoices.ts'
import { noticesRoutes } from './routes/notices.ts'
import { operatorRoutes } from './routes/operator.ts'
import { ownersRoutes } from './routes/owners.ts'
import { periodsRoutes } from './routes/periods.ts'
import { privacyRoutes } from './routes/privacy.ts'
import { ratingRoutes } from './routes/rating.ts'
import { reconciliationRoutes } from './routes/reconciliation.ts'
import { refundsRoutes } from './routes/refunds.ts'
import { reservationsRoutes } from './routes/reservations.ts'
import { sessionRoutes } from './routes/session.ts'
import { subscriptionsRoutes } from './routes/subscriptions.ts'
import { usageRoutes } from './routes/usage.ts'
import { usageImportRoutes } from './routes/usage-imports.ts'
import { usageRecordRoutes } from './routes/usage-records.ts'
import { webhooksRoutes } from './routes/webhooks.ts'

/** Every route of the API under `/api/v1`: the one source of validation, client types, OpenAPI and the generated route tests. */
export const routes = {
  ...sessionRoutes,
  ...customersRoutes,
  ...ownersRoutes,
  ...privacyRoutes,
  ...billingRoutes,
  ...webhooksRoutes,
  ...subscriptionsRoutes,
  ...entitlementsRoutes,
  ...reservationsRoutes,
  ...usageRoutes,
  ...invoicesRoutes,
  ...usageImportRoutes,
  ...usageRecordRoutes,
  ...periodsRoutes,
  ...refundsRoutes,
  ...ratingRoutes,
  ...creditsRoutes,
  ...budgetsRoutes,
  ...eventsRoutes,
  ...noticesRoutes,
  ...operatorRoutes,
  ...reconciliationRoutes,
  ...catalogRoutes,
} as const satisfies Record<string, RouteDefinition>

export type Routes = typeof routes
export type RouteName = keyof Routes
