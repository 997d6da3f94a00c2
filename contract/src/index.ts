export * from './catalog-file.ts'
export type {
  CatalogBillingSettings,
  CatalogPlanBilling,
  CatalogRampStep,
  CatalogUsagePrice,
} from './catalog-prices.ts'
export { type EventType, eventTypes, transitionTriggers } from './events.ts'
export { openApiDocument } from './openapi.ts'
export { may, type Permission, permissions, type Role, roleNames, roles, tenantRoles } from './permissions.ts'
export { type ProblemCode, problemCodes, problems } from './problems.ts'
export type { BodyOf, DataOf, ParamsOf, QueryOf, RouteDefinition } from './route.ts'
export { type RouteName, type Routes, routes } from './routes.ts'
export * from './schemas/billing.ts'
export * from './schemas/catalog.ts'
export * from './schemas/command.ts'
export * from './schemas/credit.ts'
export * from './schemas/customer.ts'
export * from './schemas/entitlement.ts'
export * from './schemas/event.ts'
export * from './schemas/invoice.ts'
export * from './schemas/notice.ts'
export * from './schemas/operator.ts'
export * from './schemas/owner.ts'
export * from './schemas/privacy.ts'
export * from './schemas/rating.ts'
export * from './schemas/reconciliation.ts'
export * from './schemas/usage.ts'
export { apiPrefix, apiVersion } from './version.ts'
