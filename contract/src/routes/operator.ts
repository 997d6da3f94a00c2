import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import { ApiKey, ApiKeyCreate, ApiKeyCreated, ApiKeyParams, AuditEntry, AuditQuery } from '../schemas/operator.ts'

/** Audit and credentials. */
export const operatorRoutes = {
  listAudit: route({
    method: 'GET',
    path: '/audit',
    summary: 'The audit trail, newest first',
    tag: 'Audit',
    permission: 'billing:audit:read',
    tenancy: 'tenant_or_house',
    kind: 'list',
    query: AuditQuery,
    response: Type.Array(AuditEntry),
  }),

  createApiKey: route({
    method: 'POST',
    path: '/api-keys',
    summary: 'Create an API key; the secret is shown once',
    tag: 'API keys',
    permission: 'billing:keys:write',
    tenancy: 'house',
    body: ApiKeyCreate,
    status: 201,
    response: ApiKeyCreated,
  }),

  listApiKeys: route({
    method: 'GET',
    path: '/api-keys',
    summary: 'The API keys, newest first',
    tag: 'API keys',
    permission: 'billing:keys:read',
    tenancy: 'house',
    response: Type.Array(ApiKey),
  }),

  revokeApiKey: route({
    method: 'DELETE',
    path: '/api-keys/{keyId}',
    summary: 'Revoke an API key at once',
    tag: 'API keys',
    permission: 'billing:keys:write',
    tenancy: 'house',
    params: ApiKeyParams,
    response: ApiKey,
  }),
} as const satisfies Record<string, RouteDefinition>
