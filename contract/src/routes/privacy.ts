import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import { CustomerParams } from '../schemas/customer.ts'
import { Export, ExportLinkParams } from '../schemas/privacy.ts'

/** Archives of what is kept about a customer (SUB-6, PRV-1). */
export const privacyRoutes = {
  createExport: route({
    method: 'POST',
    path: '/customers/{customerId}/exports',
    summary: 'Make a link to a complete archive of a customer',
    description:
      'The archive holds everything that is kept about the customer at the moment it is fetched: a ZIP file with one NDJSON file per kind of record and a manifest with counts and SHA-256 sums.',
    tag: 'Privacy',
    permission: 'billing:exports:write',
    tenancy: 'object',
    params: CustomerParams,
    status: 201,
    response: Export,
  }),

  listExports: route({
    method: 'GET',
    path: '/customers/{customerId}/exports',
    summary: 'List the archives that were made of a customer, newest first',
    tag: 'Privacy',
    permission: 'billing:exports:write',
    tenancy: 'object',
    kind: 'list',
    params: CustomerParams,
    response: Type.Array(Export),
  }),

  downloadExport: route({
    method: 'GET',
    path: '/exports/{token}',
    summary: 'Fetch an archive by its link',
    description: 'The link is the credential: it was sealed for one archive and ends by itself.',
    tag: 'Privacy',
    permission: null,
    credential: 'none',
    tenancy: 'none',
    kind: 'download',
    params: ExportLinkParams,
    response: Type.String({ description: 'A ZIP archive.' }),
  }),
} as const satisfies Record<string, RouteDefinition>
