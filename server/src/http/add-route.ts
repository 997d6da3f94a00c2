import { apiPrefix, apiVersion, type RouteDefinition, type RouteName, routes } from '@turnpike/contract'
import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'
import { canonicalJson, sha256 } from '../core/canonical.ts'
import { fail } from '../core/errors.ts'
import type { Credential } from '../modules/access/index.ts'
import { beginRequest, dropRequest, keepAnswer } from '../platform/idempotency.ts'
import { announce, sendAnswer } from './answer.ts'
import { type Authenticator, actorOf, requirePermission, requireTenant } from './auth.ts'
import type { Context, Handler, HttpDeps } from './handler.ts'
import { compileSchema } from './validate.ts'

/** Routes whose repeat is harmless by what they carry: keys of their own, or nothing that changes. */
const naturallyIdempotent: ReadonlySet<RouteName> = new Set([
  'reportUsage',
  'createUsageImport',
  'sendUsageImport',
  'correctUsage',
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

export const bodyLimitDefault = 262_144

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent the request, once that is proven. */
    credential: Credential | null
  }
}

/** The address of a route in Fastify's spelling. */
const addressOf = (definition: RouteDefinition): string => apiPrefix + definition.path.replaceAll(/\{(\w+)\}/g, ':$1')

/**
 * One route of the table: who asks, what was sent and whose it is are settled before the handler runs, and a repeat under the
 * same Idempotency-Key gets the first answer.
 */
export const addRoute = (
  app: FastifyInstance,
  deps: HttpDeps,
  authenticator: Authenticator,
  limitRate: onRequestHookHandler,
  name: RouteName,
  handler: Handler<RouteName>,
): void => {
  const definition: RouteDefinition = routes[name]
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
    handler: (request, reply) => {
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

      const handle = (tenantId: Tenant): unknown => {
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
        if (!isRepeatable)
          return andThen(answerOf(definition, handler, context), ({ status, answer }): unknown => {
            // What the handler goes on sending is not to be ended here.
            if (answer === null) return reply
            sendAnswer(reply, status, answer)
            return
          })
        context.actor.claim = `${holderOf(credential)} ${context.idempotencyKey} ${requestHash(name, context).toString('hex')}`
        return once(deps, name, definition, handler, context, credential).then(({ status, answer, isReplay }) => {
          if (answer !== null) sendAnswer(reply, status, answer, isReplay ? ['idempotent-replayed', 'true'] : [])
        })
      }
      return andThen(
        credential ? tenantOf(deps, definition, credential, query, body, request.id, name) : undefined,
        handle,
      )
    },
  })
}

/** Goes on at once where there is nothing to wait for: most answers of the hot routes come from memory. */
const andThen = <T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> =>
  value instanceof Promise ? value.then(next) : next(value)

/** What is sent: `answer` is null when the handler has answered by itself. */
type Answered = { status: number; answer: string | null }

/**
 * The success envelope (API-3) with the status that the route names; a handler that only agreed to do it later has said 202.
 */
const answerOf = (
  definition: RouteDefinition,
  handler: Handler<RouteName>,
  context: Context<RouteName>,
): Answered | Promise<Answered> => {
  // These write their answer themselves, and may begin at once.
  if (definition.kind === 'stream' || definition.kind === 'download') announce(context.reply)
  return andThen(handler(context), (result): Answered => {
    if (definition.kind === 'stream' || definition.kind === 'download') return { status: 200, answer: null }
    const isQueued = definition.mayBeQueued === true && context.reply.statusCode === 202
    const status = isQueued ? 202 : (definition.status ?? 200)
    const meta: Record<string, unknown> = { requestId: context.requestId, apiVersion }
    if (definition.kind !== 'list') return { status, answer: JSON.stringify({ data: result, meta }) }
    const { data, cursor } = result as { data: unknown; cursor: string | null }
    return { status, answer: JSON.stringify({ data, meta: { ...meta, cursor } }) }
  })
}

/** Runs a request once per Idempotency-Key and gives repeats the first answer; a failure frees the key for another try. */
const once = async (
  deps: HttpDeps,
  name: RouteName,
  definition: RouteDefinition,
  handler: Handler<RouteName>,
  context: Context<RouteName>,
  credential: Credential,
): Promise<Answered & { isReplay: boolean }> => {
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
  if (begun.kind === 'answered') return { status: begun.kept.status, answer: begun.kept.answer, isReplay: true }
  try {
    const { status, answer } = await answerOf(definition, handler, context)
    if (answer !== null) await keepAnswer(deps.db, holder, key, { status, answer: withoutSecrets(name, answer) })
    return { status, answer, isReplay: false }
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
