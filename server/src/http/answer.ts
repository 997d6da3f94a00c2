import { apiPrefix } from '@turnpike/contract'
import type { FastifyReply } from 'fastify'
import type { Failure } from '../core/errors.ts'
import { problemDocument } from './problem.ts'
import { apiHeaders } from './security-headers.ts'

const json = 'application/json; charset=utf-8'
const ofEveryAnswer = [...Object.entries(apiHeaders), ['content-type', json] as const].flat()

/**
 * Sends an answer of the API as JSON text, headers and body in one write. Written to the connection itself: the framework's
 * own way looks at each header and the body again, which costs more than answering a check.
 */
export const sendAnswer = (reply: FastifyReply, status: number, text: string, more: readonly string[] = []): void => {
  reply.hijack()
  reply.raw.writeHead(status, [
    ...ofEveryAnswer,
    ...more,
    'x-request-id',
    reply.request.id,
    'content-length',
    String(Buffer.byteLength(text)),
  ])
  reply.raw.end(text)
}

/** The headers of an answer that its handler writes by itself. */
export const announce = (reply: FastifyReply): void => {
  reply.headers(apiHeaders).header('x-request-id', reply.request.id)
}

/** Sends a failure as a problem document (RFC 9457), with what tells a caller to come again. */
export const sendProblem = (reply: FastifyReply, failure: Failure, requestId: string): void => {
  const { status, body } = problemDocument(failure, requestId)
  if (reply.request.url.startsWith(apiPrefix)) announce(reply)
  if (failure.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer')
  if (failure.code === 'unavailable' || failure.code === 'rate_limited' || failure.code === 'overloaded')
    reply.header('retry-after', '1')
  if (failure.code === 'provider_unavailable') reply.header('retry-after', String(failure.extra.retryAfterSeconds ?? 1))
  reply.status(status).header('content-type', 'application/problem+json; charset=utf-8').send(body)
}
