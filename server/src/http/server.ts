import { apiPrefix, apiVersion, type RouteDefinition, type RouteName, routes } from '@turnpike/contract'
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type onRequestHookHandler,
} from 'fastify'
import { canonicalJson, sha256 } from '../core/canonical.ts'
import { fail } from '../core/errors.ts'
import { newRequestId } from '../core/ids.ts'
import type { Credential } from '../modules/access/index.ts'
import { systemClock } from '../platform/clock.ts'
import { beginRequest, dropRequest, keepAnswer } from '../platform/idempotency.ts'
import { type Authenticator, actorOf, requirePermission, requireTenant } from './auth.ts'
import type { Context, Handler, Handlers, HttpDeps } from './handler.ts'
import { readJsonBody } from './json-body.ts'
import { addOperationRoutes, type Health } from './operations.ts'
import { servePages } from './pages.ts'
import { failureOf, problemDocument } from './problem.ts'
import { createRateLimit } from './rate-limit.ts'
import { billingHandlers } from './routes/billing.ts'
import { catalogHandlers } from './routes/catalog.ts'
import { customerHandlers } from './routes/customers.ts'
import { entitlementHandlers } from './routes/entitlements.ts'
import { eventHandlers } from './routes/events.ts'
import { noticeHandlers } from './routes/notices.ts'
import { operatorHandlers } from './routes/operator.ts'
import { ownerHandlers } from './routes/owners.ts'
import { privacyHandlers } from './routes/privacy.ts'
import { ratingHandlers } from './routes/rating.ts'
import { reconciliationHandlers } from './routes/reconciliation.ts'
import { subscriptionHandlers } from './routes/subscriptions.ts'
import { usageHandlers } from './routes/usage.ts'
import { webhookHandlers } from './routes/webhooks.ts'
import { apiHeaders, pageHeaders } from './security-headers.ts'
import { compileSchema } from './validate.ts'

const handlers: Handlers = {
  ...billingHandlers,
  ...catalogHandlers,
  ...customerHandlers,
  ...entitlementHandlers,
  ...eventHandlers,
  ...noticeHandlers,
  ...operatorHandlers,
  ...ownerHandlers,
  ...privacyHandlers,
  ...ratingHandlers,
  ...reconciliationHandlers,
  ...subscriptionHandlers,
  ...usageHandlers,
  ...webhookHandlers,
}

/** Routes whose repeat is harmless by what they carry: keys of their own, or nothing that changes. */
const naturallyIdempotent: ReadonlySet<RouteName> = new Set([
  'reportUsage',
  'check',
  'receiveWebhook',
  'validateCatalog',
  'planCatalog',
  'sync',
  'previewNotice',
  'previewRating',
])
/** Fields of answers that are shown once and never kept. */
const shownOnce: Partial<Record<RouteName, string>> = { createApiKey: 'key' }

const json = 'application/json; charset=utf-8'
const bodyLimitDefault = 262_144

export type HttpSettings = {
  rateLimitPerSecond: number
  webhookRateLimitPerSecond: number
  requestTimeoutMs: number
  consoleDir: string | null
  health(): Promise<Health>
}

/** The API, the console's files and the reference page, as one Fastify server. Everything comes from the route table. */
export const createServer = async (
  deps: HttpDeps,
  authenticator: Authenticator,
  settings: HttpSettings,
): Promise<FastifyInstance> => {
  const app = Fastify({
    loggerInstance: undefined,
    genReqId: () => newRequestId(systemClock.nowMs()),
    bodyLimit: bodyLimitDefault,
    // A whole request: one that comes byte by byte ends as 408.
    requestTimeout: settings.requestTimeoutMs,
    http: {
      // Said here too: then Node lets the headers take no longer than the whole, else it mixes up the two.
      requestTimeout: settings.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(settings.requestTimeoutMs, 5_000),
    },
    trustProxy: false,
    exposeHeadRoutes: false,
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 640 },
    // Addresses that the router itself cannot read never reach the error handler.
    frameworkErrors: (error, request, reply) => sendProblem(reply, failureOf(error), request.id),
  })

  app.setErrorHandler((error, request, reply) => {
    const failure = failureOf(error)
    if (failure.code === 'internal_error')
      deps.log.error({ err: error, requestId: request.id, route: request.routeOptions.url }, 'request met a defect')
    sendProblem(reply, failure, request.id)
  })
  app.setNotFoundHandler((request, reply) => sendProblem(reply, fail('not_found'), request.id))
  app.decorateRequest('credential', null)
  const forPages = await pageHeaders()
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(request.url.startsWith('/api/') ? apiHeaders : forPages).header('x-request-id', request.id)
    // No text of ours holds NUL, and the database would not take it.
    if (request.url.includes('%00'))
      done(fail('invalid_request', { errors: [{ field: 'url', message: 'contains a NUL character' }] }))
    else done()
  })
  const allows = createRateLimit(settings.rateLimitPerSecond)
  const limitRate: onRequestHookHandler = (request, _, done) => {
    // Per credential; without one, per address.
    if (allows(request.headers.authorization ?? request.ip, systemClock.nowMs())) done()
    else done(fail('rate_limited'))
  }

  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, readJsonBody(parseJson))

  addOperationRoutes(app, deps, authenticator, settings.health)
  for (const name of Object.keys(routes) as RouteName[]) {
    if (name === 'receiveWebhook') continue
    addRoute(app, deps, authenticator, limitRate, name)
  }
  await app.register(async (intake) => {
    // The signature is over the bytes as they came, so nothing may read them before it was checked.
    intake.removeAllContentTypeParsers()
    intake.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
    // Each address has its share, and whatever is turned away leaves a record: refused signatures leave theirs in the flow.
    const allowsWebhook = createRateLimit(settings.webhookRateLimitPerSecond)
    intake.setErrorHandler(async (error, request, reply) => {
      const failure = failureOf(error)
      if (failure.code === 'internal_error')
        deps.log.error({ err: error, requestId: request.id }, 'intake met a defect')
      else if (failure.code !== 'webhook_signature_invalid') await deps.refusedWebhooks.add(failure.code, request.id)
      sendProblem(reply, failure, request.id)
      return reply
    })
    const limitIntake: onRequestHookHandler = (request, _, done) =>
      allowsWebhook(request.ip, systemClock.nowMs()) ? done() : done(fail('rate_limited'))
    addRoute(intake, deps, authenticator, limitIntake, 'receiveWebhook')
  })
  await servePages(app, settings.consoleDir)
  return app
}

const sendProblem = (reply: FastifyReply, failure: ReturnType<typeof fail>, requestId: string): void => {
  const { status, body } = problemDocument(failure, requestId)
  if (failure.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer')
  if (failure.code === 'unavailable' || failure.code === 'rate_limited' || failure.code === 'overloaded')
    reply.header('retry-after', '1')
  if (failure.code === 'provider_unavailable') reply.header('retry-after', String(failure.extra.retryAfterSeconds ?? 1))
  reply.status(status).header('content-type', 'application/problem+json; charset=utf-8').send(body)
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent the request, once that is proven. */
    credential: Credential | null
  }
}

/** The address of a route in Fastify's spelling. */
const addressOf = (definition: RouteDefinition): string => apiPrefix + definition.path.replaceAll(/\{(\w+)\}/g, ':$1')

const addRoute = (
  app: FastifyInstance,
  deps: HttpDeps,
  authenticator: Authenticator,
  limitRate: onRequestHookHandler,
  name: RouteName,
): void => {
  const definition: RouteDefinition = routes[name]
  const handler = handlers[name] as Handler<RouteName>
  const fitsParams = definition.params && compileSchema(definition.params, 'params')
  const fitsQuery = definition.query && compileSchema(definition.query, 'querystring')
  // Each usage record is judged by itself, so a batch is only checked to be one.
  const fitsBody = definition.body && name !== 'reportUsage' ? compileSchema(definition.body) : null

  const prove = async (request: FastifyRequest): Promise<void> => {
    const credential = await authenticator.authenticate(request.headers, request.id)
    if (definition.permission) await requirePermission(deps, credential, definition.permission, request.id, name)
    request.credential = credential
  }
  const admit: onRequestHookHandler = (request, _, done) => {
    // Whoever was proven a moment ago is not waited for.
    const known = authenticator.recall(request.headers)
    if (known === null || (definition.permission && !known.permissions.has(definition.permission)))
      return void prove(request).then(() => done(), done)
    request.credential = known
    done()
  }
  app.route({
    method: definition.method,
    url: addressOf(definition),
    bodyLimit: definition.bodyLimit ?? bodyLimitDefault,
    // Who asks is settled before a byte of the body is read: strangers cost nothing.
    onRequest: name === 'receiveWebhook' || definition.credential === 'none' ? limitRate : [limitRate, admit],
    handler: async (request, reply) => {
      const { credential } = request
      const params = (request.params ?? {}) as Record<string, unknown>
      const query = (request.query ?? {}) as Record<string, unknown>
      const body = name === 'receiveWebhook' ? undefined : request.body
      if (fitsParams && !fitsParams(params)) throw fail('not_found')
      if (fitsQuery) {
        if (!fitsQuery(query))
          throw Object.assign(new Error('query'), { validation: fitsQuery.errors, validationContext: 'query' })
      } else if (Object.keys(query).length > 0)
        throw fail('invalid_request', {
          errors: [{ field: `query.${Object.keys(query)[0]}`, message: 'is not a known field' }],
        })
      if (fitsBody && !fitsBody(body))
        throw Object.assign(new Error('body'), { validation: fitsBody.errors, validationContext: 'body' })
      if (name === 'reportUsage') checkUsageBody(body)
      if (!definition.body && body !== undefined)
        throw fail('invalid_request', { errors: [{ field: 'body', message: 'is not read here: send none' }] })

      const meant = credential ? tenantOf(deps, definition, credential, query, body, request.id, name) : undefined
      const tenantId = meant instanceof Promise ? await meant : meant
      const context = {
        deps,
        credential,
        actor: credential && actorOf(credential, request.id),
        requestId: request.id,
        tenantId,
        params,
        query,
        body,
        idempotencyKey: idempotencyKeyOf(request),
        own: (owner: string | null | undefined) => requireTenant(deps, credential!, owner ?? '', request.id, name),
        request,
        reply,
      } as unknown as Context<RouteName>
      const isRepeatable =
        (definition.method === 'POST' || definition.method === 'PATCH') &&
        context.idempotencyKey !== null &&
        credential !== null &&
        !naturallyIdempotent.has(name)
      if (isRepeatable)
        context.actor.claim = `${holderOf(credential)} ${context.idempotencyKey} ${requestHash(name, context).toString('hex')}`
      const { status, answer } = isRepeatable
        ? await once(deps, name, definition, handler, context, credential)
        : await answerWithStatus(definition, handler, context)
      if (answer === null) return reply
      return reply.status(status).header('content-type', json).send(answer)
    },
  })
}

/** The success envelope (API-3), or null when the handler has answered by itself. */
const answerOf = async (
  definition: RouteDefinition,
  handler: Handler<RouteName>,
  context: Context<RouteName>,
): Promise<string | null> => {
  const result = await handler(context)
  if (definition.kind === 'stream' || definition.kind === 'download') return null
  const meta: Record<string, unknown> = { requestId: context.requestId, apiVersion }
  if (definition.kind !== 'list') return JSON.stringify({ data: result, meta })
  const { data, cursor } = result as { data: unknown; cursor: string | null }
  return JSON.stringify({ data, meta: { ...meta, cursor } })
}

/** With the status that the route names; a handler that only agreed to do it later has said 202. */
const answerWithStatus = async (
  definition: RouteDefinition,
  handler: Handler<RouteName>,
  context: Context<RouteName>,
): Promise<{ status: number; answer: string | null }> => {
  const answer = await answerOf(definition, handler, context)
  const queued = definition.mayBeQueued === true && context.reply.statusCode === 202
  return { status: queued ? 202 : (definition.status ?? 200), answer }
}

/** Runs a request once per Idempotency-Key and gives repeats the first answer; a failure frees the key for another try. */
const once = async (
  deps: HttpDeps,
  name: RouteName,
  definition: RouteDefinition,
  handler: Handler<RouteName>,
  context: Context<RouteName>,
  credential: Credential,
): Promise<{ status: number; answer: string | null }> => {
  const holder = holderOf(credential)
  const key = context.idempotencyKey!
  const begun = await beginRequest(deps.db, {
    holder,
    key,
    route: name,
    hash: requestHash(name, context),
    at: deps.clock.now(),
  })
  if (begun.kind === 'reused') throw fail('idempotency_key_reused')
  if (begun.kind === 'under_way') throw fail('idempotency_key_in_use')
  if (begun.kind === 'answered') {
    context.reply.header('idempotent-replayed', 'true')
    return { status: begun.kept.status, answer: begun.kept.answer }
  }
  try {
    const { status, answer } = await answerWithStatus(definition, handler, context)
    if (answer !== null) await keepAnswer(deps.db, holder, key, { status, answer: withoutSecrets(name, answer) })
    return { status, answer }
  } catch (error) {
    await dropRequest(deps.db, holder, key)
    throw error
  }
}

/** What was asked, apart from who and when: keys are forgotten after a while, and may then be used for something else. */
const requestHash = (name: RouteName, { body, params }: Context<RouteName>): Buffer =>
  sha256(canonicalJson({ name, body: body ?? null, params: params ?? null }))

const holderOf = (credential: Credential): string => `${credential.kind}:${credential.id}`

const withoutSecrets = (name: RouteName, answer: string): string => {
  const field = shownOnce[name]
  if (!field) return answer
  const parsed = JSON.parse(answer) as { data: Record<string, unknown> }
  parsed.data[field] = '(shown once)'
  return JSON.stringify(parsed)
}

const idempotencyKeyOf = (request: FastifyRequest): string | null => {
  const header = request.headers['idempotency-key']
  if (header === undefined) return null
  if (typeof header !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(header)) throw fail('idempotency_key_invalid')
  return header
}

const checkUsageBody = (body: unknown): void => {
  if (body === null || typeof body !== 'object' || Array.isArray(body))
    throw fail('invalid_request', { errors: [{ field: 'body', message: 'must be one record, or `records`' }] })
  if (!('records' in body)) return
  const { records, ...others } = body as { records: unknown }
  const unknown = Object.keys(others)[0]
  if (unknown !== undefined)
    throw fail('invalid_request', { errors: [{ field: unknown, message: 'is not a known field' }] })
  if (!Array.isArray(records) || records.length < 1 || records.length > 1_000)
    throw fail('invalid_request', { errors: [{ field: 'records', message: 'must be 1 to 1,000 records' }] })
}

/** The tenant that a request means (CUS-2): by credential, or named; another tenant's is not there. */
const tenantOf = (
  deps: HttpDeps,
  definition: RouteDefinition,
  credential: Credential,
  query: Record<string, unknown>,
  body: unknown,
  requestId: string,
  name: RouteName,
): Tenant | Promise<Tenant> => {
  if (definition.tenancy === 'none' || definition.tenancy === 'object') return undefined
  if (definition.tenancy === 'house')
    return credential.tenantId === null
      ? undefined
      : requireTenant(deps, credential, '', requestId, name).then(() => undefined)
  if (name === 'reportUsage') return credential.tenantId
  const source =
    definition.method === 'GET' || definition.method === 'DELETE' ? query : ((body ?? {}) as Record<string, unknown>)
  const named = typeof source.tenantId === 'string' ? source.tenantId : null
  const tenantId = named ?? credential.tenantId
  if (tenantId === null && definition.tenancy === 'tenant') throw fail('tenant_required')
  return named === null || credential.tenantId === null
    ? tenantId
    : requireTenant(deps, credential, named, requestId, name).then(() => tenantId)
}
type Tenant = string | null | undefined
