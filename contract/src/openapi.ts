import type { TSchema } from 'typebox'
import { may, roleNames } from './permissions.ts'
import { type ProblemCode, problems } from './problems.ts'
import type { RouteDefinition } from './route.ts'
import { routes } from './routes.ts'
import { apiPrefix, apiVersion } from './version.ts'

type Json = Record<string, unknown>

/** Problems that any route with a credential can answer. */
const everywhere: readonly ProblemCode[] = [
  'invalid_request',
  'unauthenticated',
  'not_found',
  'rate_limited',
  'internal_error',
  'unavailable',
]
const withBody: readonly ProblemCode[] = ['malformed_json', 'media_type_unsupported', 'body_too_large']
const withTenant: readonly ProblemCode[] = ['tenant_required']
const onPost: readonly ProblemCode[] = ['idempotency_key_invalid', 'idempotency_key_reused', 'idempotency_key_in_use']

const problemsOf = (definition: RouteDefinition): ProblemCode[] => {
  const codes = new Set<ProblemCode>(definition.problems ?? [])
  for (const code of everywhere) codes.add(code)
  if (definition.permission) codes.add('forbidden')
  if (definition.body) for (const code of withBody) codes.add(code)
  if (definition.tenancy === 'tenant') for (const code of withTenant) codes.add(code)
  if (definition.method === 'POST' && definition.permission) for (const code of onPost) codes.add(code)
  return [...codes]
}

/** The OpenAPI 3.1 document of every route, made from the table that the server validates with (API-2). */
export const openApiDocument = (): Json => {
  const paths: Record<string, Json> = {}
  for (const [operationId, definition] of Object.entries(routes) as [string, RouteDefinition][]) {
    const address = `${apiPrefix}${definition.path}`
    paths[address] = { ...paths[address], [definition.method.toLowerCase()]: operation(operationId, definition) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Turnpike',
      version: apiVersion,
      description: 'Plans, entitlements, usage, subscriptions and events of a software product.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    tags: [...new Set(Object.values(routes).map((definition) => definition.tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key (`tpk_…`) or a JWT of the host product.' },
      },
      schemas: { Problem: problemSchema },
    },
  }
}

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'next', 'retry', 'requestId'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { enum: Object.keys(problems) },
    next: { type: 'string', description: 'What to do about it.' },
    retry: { enum: ['never', 'later', 'after_change'] },
    requestId: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: { field: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
}

const operation = (operationId: string, definition: RouteDefinition): Json => ({
  operationId,
  summary: definition.summary,
  ...(definition.description ? { description: definition.description } : {}),
  tags: [definition.tag],
  ...(definition.permission
    ? {
        'x-permission': definition.permission,
        'x-roles': roleNames.filter((role) => may(role, definition.permission!)),
      }
    : definition.problems?.includes('unauthenticated')
      ? {}
      : { security: [] }),
  parameters: [
    ...parameters('path', definition.params),
    ...parameters('query', definition.query),
    ...((definition.method === 'POST' || definition.method === 'PATCH') && definition.permission
      ? [idempotencyParameter]
      : []),
  ],
  ...(definition.body
    ? { requestBody: { required: true, content: { 'application/json': { schema: definition.body } } } }
    : {}),
  responses: {
    [String(definition.status ?? 200)]: success(definition),
    ...(definition.mayBeQueued ? { '202': success(definition) } : {}),
    ...failures(definition),
  },
})

const idempotencyParameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Same key, same answer; same key with another body is refused.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
}

type ObjectSchema = TSchema & { properties?: Record<string, TSchema>; required?: string[] }

const parameters = (place: 'path' | 'query', schema: TSchema | undefined): Json[] => {
  const { properties = {}, required = [] } = (schema ?? {}) as ObjectSchema
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }))
}

const success = (definition: RouteDefinition): Json => {
  if (definition.kind === 'stream')
    return { description: 'A stream of events.', content: { 'text/event-stream': { schema: definition.response } } }
  if (definition.kind === 'download')
    return { description: 'A file.', content: { 'application/zip': { schema: definition.response } } }
  const meta = {
    type: 'object',
    required: ['requestId', 'apiVersion', ...(definition.kind === 'list' ? ['cursor'] : [])],
    properties: {
      requestId: { type: 'string' },
      apiVersion: { type: 'string' },
      ...(definition.kind === 'list' ? { cursor: { type: ['string', 'null'] } } : {}),
    },
  }
  return {
    description: 'Done.',
    content: {
      'application/json': {
        schema: { type: 'object', required: ['data', 'meta'], properties: { data: definition.response, meta } },
      },
    },
  }
}

const failures = (definition: RouteDefinition): Json => {
  const byStatus = Map.groupBy(problemsOf(definition), (code) => problems[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\`: ${problems[code].detail}`).join('\n\n'),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  )
}
