import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import { Page, TenantQuery } from '../schemas/common.ts'
import { ImportParams, NewUsageImport, UsageImport, UsageImportChunk } from '../schemas/usage-import.ts'

/** Usage of the past by file (USE-1, USE-2, OPS-3). */
export const usageImportRoutes = {
  createUsageImport: route({
    method: 'POST',
    path: '/usage-imports',
    summary: 'Begin to bring in a file of past usage, or find the import of this file',
    description:
      'CSV with a heading, or NDJSON. The file is sent in pieces of whole rows. Past usage is a fact: no limit refuses it. A row without a key of its own gets one from the hash of the file and its line, so that a file counts once.',
    tag: 'Usage',
    permission: 'billing:usage:import',
    tenancy: 'tenant_or_house',
    body: NewUsageImport,
    response: UsageImport,
  }),

  sendUsageImport: route({
    method: 'POST',
    path: '/usage-imports/{importId}/chunks',
    summary: 'Send the next piece of the file',
    description:
      'Whole rows, at most 5,000, from the byte where the last piece ended. Its records and the progress are kept in one transaction; with the last byte of the file the import is done. A piece that was taken in already is answered again.',
    tag: 'Usage',
    permission: 'billing:usage:import',
    tenancy: 'object',
    params: ImportParams,
    body: UsageImportChunk,
    response: UsageImport,
    problems: ['import_offset_wrong'],
    bodyLimit: 4_194_304,
  }),

  getUsageImport: route({
    method: 'GET',
    path: '/usage-imports/{importId}',
    summary: 'How far an import is, with its first mistakes',
    tag: 'Usage',
    permission: 'billing:usage:read',
    tenancy: 'object',
    params: ImportParams,
    response: UsageImport,
  }),

  listUsageImports: route({
    method: 'GET',
    path: '/usage-imports',
    summary: 'Imports, newest first',
    tag: 'Usage',
    permission: 'billing:usage:read',
    tenancy: 'tenant_or_house',
    kind: 'list',
    query: Type.Object({ ...TenantQuery.properties, ...Page }, { additionalProperties: false }),
    response: Type.Array(UsageImport),
  }),
} as const satisfies Record<string, RouteDefinition>
