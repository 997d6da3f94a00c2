import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import {
  CatalogApply,
  CatalogCurrent,
  CatalogDiff,
  CatalogPlanArtifact,
  CatalogPush,
  CatalogSource,
  CatalogValidation,
  CatalogVersion,
} from '../schemas/catalog.ts'

/** Plans as reviewed configuration. */
export const catalogRoutes = {
  getCatalog: route({
    method: 'GET',
    path: '/catalog',
    summary: 'The catalog in force',
    tag: 'Catalog',
    permission: 'billing:catalog:read',
    tenancy: 'none',
    response: CatalogCurrent,
  }),

  listCatalogHistory: route({
    method: 'GET',
    path: '/catalog/history',
    summary: 'Every catalog that was applied, newest first',
    tag: 'Catalog',
    permission: 'billing:catalog:read',
    tenancy: 'none',
    response: Type.Array(CatalogVersion),
  }),

  validateCatalog: route({
    method: 'POST',
    path: '/catalog/validate',
    summary: 'Every mistake of a catalog file with its line',
    tag: 'Catalog',
    permission: 'billing:catalog:read',
    tenancy: 'none',
    body: CatalogSource,
    response: CatalogValidation,
    bodyLimit: 1_048_576,
  }),

  planCatalog: route({
    method: 'POST',
    path: '/catalog/plan',
    summary: 'What applying a catalog file would change',
    tag: 'Catalog',
    permission: 'billing:catalog:write',
    tenancy: 'house',
    body: CatalogSource,
    response: CatalogPlanArtifact,
    problems: ['catalog_invalid'],
    bodyLimit: 1_048_576,
  }),

  applyCatalog: route({
    method: 'POST',
    path: '/catalog/apply',
    summary: 'Apply a planned catalog',
    tag: 'Catalog',
    permission: 'billing:catalog:write',
    tenancy: 'house',
    body: CatalogApply,
    status: 201,
    response: CatalogVersion,
    problems: ['catalog_invalid', 'catalog_stale'],
    bodyLimit: 2_097_152,
  }),

  pushCatalog: route({
    method: 'POST',
    path: '/catalog/push',
    summary: 'Make products and prices at the provider',
    tag: 'Catalog',
    permission: 'billing:catalog:write',
    tenancy: 'house',
    response: CatalogPush,
    problems: ['provider_unavailable'],
  }),

  diffCatalog: route({
    method: 'GET',
    path: '/catalog/diff',
    summary: 'Compare catalog and provider in both directions',
    tag: 'Catalog',
    permission: 'billing:catalog:read',
    tenancy: 'house',
    response: CatalogDiff,
    problems: ['provider_unavailable'],
  }),
} as const satisfies Record<string, RouteDefinition>
