import { apiPrefix, type RouteName, routes } from '@turnpike/contract'
import Fastify, { type FastifyInstance, type onRequestHookHandler } from 'fastify'
import { fail } from '../core/errors.ts'
import { newRequestId } from '../core/ids.ts'
import { systemClock } from '../platform/clock.ts'
import { addRoute, bodyLimitDefault } from './add-route.ts'
import { sendProblem } from './answer.ts'
import type { Authenticator } from './auth.ts'
import type { Handler, Handlers, HttpDeps } from './handler.ts'
import { readJsonBody } from './json-body.ts'
import { addOperationRoutes, type Health } from './operations.ts'
import { servePages } from './pages.ts'
import { failureOf } from './problem.ts'
import { createRateLimit } from './rate-limit.ts'
import { billingHandlers } from './routes/billing.ts'
import { budgetHandlers } from './routes/budgets.ts'
import { catalogHandlers } from './routes/catalog.ts'
import { creditHandlers } from './routes/credits.ts'
import { customerHandlers } from './routes/customers.ts'
import { entitlementHandlers } from './routes/entitlements.ts'
import { eventHandlers } from './routes/events.ts'
import { invoiceHandlers } from './routes/invoices.ts'
import { noticeHandlers } from './routes/notices.ts'
import { operatorHandlers } from './routes/operator.ts'
import { ownerHandlers } from './routes/owners.ts'
import { periodHandlers } from './routes/periods.ts'
import { privacyHandlers } from './routes/privacy.ts'
import { ratingHandlers } from './routes/rating.ts'
import { reconciliationHandlers } from './routes/reconciliation.ts'
import { refundHandlers } from './routes/refunds.ts'
import { reservationHandlers } from './routes/reservations.ts'
import { subscriptionHandlers } from './routes/subscriptions.ts'
import { usageHandlers } from './routes/usage.ts'
import { usageImportHandlers } from './routes/usage-imports.ts'
import { usageRecordHandlers } from './routes/usage-records.ts'
import { webhookHandlers } from './routes/webhooks.ts'
import { pageHeaders } from './security-headers.ts'

const handlers: Handlers = {
  ...billingHandlers,
  ...catalogHandlers,
  ...budgetHandlers,
  ...creditHandlers,
  ...customerHandlers,
  ...entitlementHandlers,
  ...eventHandlers,
  ...invoiceHandlers,
  ...periodHandlers,
  ...noticeHandlers,
  ...operatorHandlers,
  ...ownerHandlers,
  ...privacyHandlers,
  ...ratingHandlers,
  ...reconciliationHandlers,
  ...refundHandlers,
  ...subscriptionHandlers,
  ...reservationHandlers,
  ...usageHandlers,
  ...usageImportHandlers,
  ...usageRecordHandlers,
  ...webhookHandlers,
}

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
    // Answers of the API bring their own.
    if (!request.url.startsWith(apiPrefix)) reply.headers(forPages).header('x-request-id', request.id)
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
    addRoute(app, deps, authenticator, limitRate, name, handlers[name] as Handler<RouteName>)
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
    addRoute(intake, deps, authenticator, limitIntake, 'receiveWebhook', handlers.receiveWebhook as Handler<RouteName>)
  })
  await servePages(app, settings.consoleDir)
  return app
}
