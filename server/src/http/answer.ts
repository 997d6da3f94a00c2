import { apiPrefix } from '@turnpike/contract'
import type { FastifyReply } from 'fastify'
import type { Failure } from '../core/errors.ts'
import { problemDocument } from './problem.ts'
import { apiHeaders } from './security-headers.ts'

const json = 'application/json; charset=utf-8'
const ofEveryAnswer = [...Object.entries(apiHeaders), ['content-type', json] as const].flat()

type Answer = { reply: FastifyReply; status: number; text: string; more: readonly string[] }
let ready: Answer[] = []

/**
 * Sends an answer of the API as JSON text. Answers that are ready in the same turn of the loop are written one after the
 * other at its end: between two requests a write has to wake whoever waits for it, and that takes as long as answering a
 * check; of many writes in a row only the first does.
 */
export const sendAnswer = (reply: FastifyReply, status: number, text: string, more: readonly string[] = []): void => {
  reply.hijack()
  if (ready.push({ reply, status, text, more }) === 1) setImmediate(writeReady)
}

const writeReady = (): void => {
  const answers = ready
  ready = []
  for (const answer of answers) write(answer)
}

/**
 * Headers and body in one write, to the connection itself: the framework's own way looks at each header and the body again.
 * A connection that is gone by now takes it without a word, as it does any answer.
 */
const write = ({ reply, status, text, more }: Answer): void => {
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
