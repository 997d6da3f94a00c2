import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import scalar from '@scalar/fastify-api-reference'
import { apiPrefix, openApiDocument } from '@turnpike/contract'
import type { FastifyInstance } from 'fastify'
import { fail } from '../core/errors.ts'
import { problemDocument } from './problem.ts'

/** The console's files with every page address answering its index, the OpenAPI document and its reference page. */
export const servePages = async (app: FastifyInstance, consoleDir: string | null): Promise<void> => {
  const document = JSON.stringify(openApiDocument())
  app.get(`${apiPrefix}/openapi.json`, (_, reply) =>
    reply.header('content-type', 'application/json; charset=utf-8').send(document),
  )
  await app.register(async (reference) => {
    // The reference page brings an inline script of its own; it shows no data and holds no credential.
    reference.addHook('onSend', async (_, reply) => {
      reply.header(
        'content-security-policy',
        "default-src 'self' 'unsafe-inline' data: blob:; connect-src 'self'; frame-ancestors 'none'",
      )
    })
    await reference.register(scalar, {
      routePrefix: '/reference',
      configuration: { content: document, title: 'Turnpike API', withDefaultFonts: false, telemetry: false } as never,
    })
  })

  if (consoleDir === null || !existsSync(join(consoleDir, 'index.html'))) return
  const index = readFileSync(join(consoleDir, 'index.html'))
  await app.register(fastifyStatic, { root: consoleDir, wildcard: false, index: false, maxAge: '1y', immutable: true })
  const page = (
    _: unknown,
    reply: {
      header(name: string, value: string): { header(name: string, value: string): { send(body: Buffer): unknown } }
    },
  ) => reply.header('content-type', 'text/html; charset=utf-8').header('cache-control', 'no-cache').send(index)
  app.get('/', page)
  app.get('/*', (request, reply) => {
    if (request.url.startsWith('/api/') || request.url.startsWith('/health/')) {
      const { status, body } = problemDocument(fail('not_found'), request.id)
      return reply.status(status).header('content-type', 'application/problem+json; charset=utf-8').send(body)
    }
    return page(request, reply)
  })
}
