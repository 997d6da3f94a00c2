import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ApiFault } from '../control/faults.ts'
import { advanceTestClock } from '../engine/clock.ts'
import { renderObject } from '../objects/render.ts'
import type { Stored } from '../objects/types.ts'
import { apiVersion } from '../objects/webhookEndpoint.ts'
import { newId } from '../store/ids.ts'
import { type Tx, transact } from '../store/transact.ts'
import { clockNow, type World } from '../world.ts'
import type { Endpoint } from './endpoints.ts'
import { invalid, StripeError } from './errors.ts'
import { expand } from './expand.ts'
import { decodeForm, type Form } from './form.ts'
import { coerce } from './parameters.ts'

type Answer = { status: number; body: string; headers: Record<string, string>; ran: boolean }

/** Stripe keeps keys for a day at least; whoever relies on more finds out here. */
const keysKeptSeconds = 86_400

/** Serves every `/v1/…` URL as Stripe does: authentication, faults, idempotency, parameters, work, expansion. */
export function serve(app: FastifyInstance, world: World, endpoints: Endpoint[]): void {
  app.all('/v1/*', (request, reply) => answer(world, endpoints, request, reply))
  app.all('/v2/*', (request, reply) => answer(world, endpoints, request, reply))
}

async function answer(
  world: World,
  endpoints: Endpoint[],
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const requestId = newId('req', 14)
  const [path = '', query = ''] = request.url.split('?', 2)
  const raw = typeof request.body === 'string' ? request.body : ''
  const key = request.method === 'POST' ? headerOf(request, 'idempotency-key') : null
  reply.header('request-id', requestId)
  reply.header('stripe-version', headerOf(request, 'stripe-version') ?? apiVersion)
  if (key) reply.header('idempotency-key', key)
  const send = (result: Answer) => {
    if (request.method === 'POST') reply.header('original-request', result.headers['original-request'] ?? requestId)
    return reply
      .code(result.status)
      .headers(result.headers)
      .header('content-type', 'application/json')
      .send(result.body)
  }

  const fault = world.faults.onApi(request.method, path)
  if (fault && fault.action === 'slow') await new Promise((resolve) => setTimeout(resolve, fault.ms))
  const spoils = fault?.action === 'truncate' || fault?.action === 'garbage' || fault?.action === 'patch'
  if (fault && fault.action !== 'slow' && !fault.after && !spoils) return breakDown(fault, reply, send)

  const refused = authenticate(request)
  if (refused) return send(failed(refused, requestId))
  const fingerprint = createHash('sha256').update(`${request.method} ${path}\n${raw}`).digest('hex')
  const madeAt = clockNow(world)
  const earlier = key ? world.store.recall(key, madeAt - keysKeptSeconds) : undefined
  if (earlier) {
    if (earlier.fingerprint !== fingerprint) return send(failed(reusedKey(key!), requestId))
    return send({
      status: earlier.status,
      body: earlier.body,
      headers: { ...(JSON.parse(earlier.headers) as Record<string, string>), 'idempotent-replayed': 'true' },
      ran: false,
    })
  }
  const result = perform(world, endpoints, request, { path, query, raw, key, requestId })
  if (key && result.ran)
    world.store.remember(key, {
      madeAt,
      fingerprint,
      status: result.status,
      body: result.body,
      headers: JSON.stringify({ ...result.headers, 'original-request': requestId }),
    })
  if (fault && spoils) return spoil(fault, reply, send, result)
  if (fault && fault.action !== 'slow') return breakDown(fault, reply, send)
  return send(result)
}

type Call = { path: string; query: string; raw: string; key: string | null; requestId: string }

function perform(world: World, endpoints: Endpoint[], request: FastifyRequest, call: Call): Answer {
  const strict = headerOf(request, 'stripe-version') === apiVersion
  const writes = request.method !== 'GET'
  const headers: Record<string, string> = writes ? { 'stripe-should-retry': 'false' } : {}
  try {
    const endpoint = endpoints.find((each) => each.method === request.method && each.pattern.test(call.path))
    if (!endpoint)
      throw invalid(
        `Unrecognized request URL (${request.method}: ${call.path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`,
        undefined,
        undefined,
        404,
      )
    const ids = endpoint.pattern.exec(call.path)!.slice(1).map(decodeURIComponent)
    const form = formOf(request, call)
    const params = endpoint.shape ? coerce(form, endpoint.shape, strict) : form
    const paths = expandOf(params.expand)
    const body = transact(world, { id: call.requestId, idempotencyKey: call.key }, (tx) => {
      const result = endpoint.handle(tx, params as never, ...ids)
      return JSON.stringify(present(tx, result, paths))
    })
    afterwards(world, endpoint, body)
    return { status: 200, body, headers, ran: true }
  } catch (error) {
    if (error instanceof StripeError) return failed(error, call.requestId)
    world.app.log.error(error)
    const broken = new StripeError(500, { type: 'api_error', message: 'An unknown error occurred' })
    return failed(broken, call.requestId)
  }
}

// Advancing a test clock answers at once and goes on by itself, as Stripe's does.
function afterwards(world: World, endpoint: Endpoint, body: string): void {
  if (endpoint.path !== '/v1/test_helpers/test_clocks/{id}/advance') return
  const clock = JSON.parse(body) as { id: string; status_details: { advancing: { target_frozen_time: number } } }
  advanceTestClock(world, clock.id, clock.status_details.advancing.target_frozen_time).catch((error) =>
    world.app.log.error(error),
  )
}

function present(tx: Tx, result: unknown, paths: string[]): unknown {
  if (typeof result !== 'object' || result === null) return result
  const stored = result as Stored
  const isList = stored.object === 'list' || stored.object === 'search_result'
  // Handlers hand back stored objects or ready answers; only the former carry the engine's notes or need inner lists.
  const rendered =
    isList || stored.deleted === true || typeof stored.id !== 'string'
      ? (result as Record<string, unknown>)
      : renderObject(tx, stored)
  return expand(tx, rendered, isList ? null : stored, paths)
}

function formOf(request: FastifyRequest, call: Call): { [key: string]: Form } {
  const inQuery = decodeForm(call.query)
  if (request.method !== 'POST') return inQuery
  const type = headerOf(request, 'content-type') ?? ''
  if (type.includes('application/json')) return call.raw === '' ? {} : (JSON.parse(call.raw) as { [key: string]: Form })
  return { ...inQuery, ...decodeForm(call.raw) }
}

function expandOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : typeof value === 'string' && value !== '' ? [value] : []
}

function authenticate(request: FastifyRequest): StripeError | null {
  const header = headerOf(request, 'authorization')
  const key = header?.startsWith('Bearer ')
    ? header.slice(7)
    : header?.startsWith('Basic ')
      ? Buffer.from(header.slice(6), 'base64').toString('utf8').split(':')[0]
      : undefined
  if (!key)
    return new StripeError(
      401,
      {
        type: 'invalid_request_error',
        message:
          "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.",
      },
      { ran: false },
    )
  if (/^[sr]k_test_/.test(key)) return null
  const shown = key.length > 8 ? `${key.slice(0, 8)}${'*'.repeat(Math.max(0, key.length - 12))}${key.slice(-4)}` : key
  return new StripeError(
    401,
    { type: 'invalid_request_error', message: `Invalid API Key provided: ${shown}` },
    { ran: false },
  )
}

function failed(error: StripeError, requestId: string): Answer {
  const body = { error: { ...error.body, request_log_url: `https://dashboard.stripe.com/test/logs/${requestId}` } }
  return { status: error.status, body: `${JSON.stringify(body, null, 2)}\n`, headers: error.headers, ran: error.ran }
}

function reusedKey(key: string): StripeError {
  return new StripeError(
    400,
    {
      type: 'idempotency_error',
      message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
    },
    { ran: false },
  )
}

/** The work is done; only what the caller hears of it is wrong. */
function spoil(fault: ApiFault, reply: FastifyReply, send: (answer: Answer) => FastifyReply, result: Answer) {
  if (fault.action === 'garbage') return send({ ...result, body: '<html>Bad Gateway</html>' })
  if (fault.action === 'patch') {
    const body = { ...(JSON.parse(result.body) as object), ...fault.patch }
    return send({ ...result, body: JSON.stringify(body) })
  }
  reply.hijack()
  const bytes = Buffer.from(result.body)
  reply.raw.writeHead(result.status, { 'content-type': 'application/json', 'content-length': bytes.length })
  reply.raw.write(bytes.subarray(0, bytes.length >> 1), () => reply.raw.destroy())
  return reply
}

function breakDown(fault: ApiFault, reply: FastifyReply, send: (answer: Answer) => FastifyReply): FastifyReply {
  if (fault.action === 'reset') {
    reply.hijack()
    reply.raw.destroy()
    return reply
  }
  if (fault.action === 'hang') return reply.hijack()
  if (fault.action === 'status') {
    const message = `Ordered by a fault: ${fault.status ?? 500}.`
    const type = (fault.status ?? 500) < 500 ? 'invalid_request_error' : 'api_error'
    return send(failed(new StripeError(fault.status ?? 500, { type, message }), 'req_fault'))
  }
  const kinds: Record<string, StripeError> = {
    outage: new StripeError(503, { type: 'api_error', message: 'The service is temporarily unavailable.' }),
    error: new StripeError(500, { type: 'api_error', message: 'An unknown error occurred' }),
    rate_limit: new StripeError(
      429,
      { type: 'invalid_request_error', code: 'rate_limit', message: 'Request rate limit exceeded.' },
      { headers: { 'stripe-rate-limited-reason': 'global-rate' } },
    ),
    lock_timeout: new StripeError(429, {
      type: 'invalid_request_error',
      code: 'lock_timeout',
      message:
        'This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If you see this error intermittently, retry the request.',
    }),
  }
  return send(failed(kinds[fault.action]!, 'req_fault'))
}

function headerOf(request: FastifyRequest, name: string): string | null {
  const value = request.headers[name]
  return (Array.isArray(value) ? value[0] : value) ?? null
}
