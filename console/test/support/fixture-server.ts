import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { apiPrefix, type ProblemCode, problems, type RouteDefinition, type RouteName, routes } from '@turnpike/contract'
import { Value } from 'typebox/value'
import { answers, type Question, Refusal } from './fixtures.ts'

/**
 * Serves the built console and the API from fixed answers, so that every state of every page can be seen at will. The
 * credential names the state; every answer is checked against the contract, so that a fixture cannot drift from it.
 */
export async function startFixtureServer(
  dist: string,
): Promise<{ url: string; failures: string[]; stop: () => Promise<void> }> {
  const failures: string[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://fixture')
    if (url.pathname.startsWith(apiPrefix)) return void answer(request, response, url, failures)
    if (url.pathname === '/health') return health(response)
    serveFile(response, dist, url.pathname)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    failures,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** What the service says of itself beside the API: here the provider is silent. */
function health(response: ServerResponse) {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ status: 'degraded', parts: { provider: { circuit: 'open', retryAfterSeconds: 24 } } }))
}

async function answer(request: IncomingMessage, response: ServerResponse, url: URL, failures: string[]) {
  const requestId = 'req_01jd3v7h9x8k2m4n6p0q1r5s3t'
  const send = (status: number, body: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': requestId })
    response.end(JSON.stringify(body))
  }
  const refuse = (code: ProblemCode, more: object = {}) =>
    send(problems[code].status, { type: 'about:blank', ...problems[code], code, requestId, ...more })

  const found = findRoute(request.method ?? 'GET', url.pathname.slice(apiPrefix.length))
  if (!found) return refuse('not_found')
  const { name, params } = found
  const query = Object.fromEntries(url.searchParams)
  const state = (request.headers.authorization ?? '').replace('Bearer ', '')
  const text = (await Array.fromAsync(request)).join('')
  const question: Question = { state, params, query, body: text === '' ? {} : JSON.parse(text) }
  const make = answers[name]
  if (!make) return refuse('not_found')
  if (state.endsWith('.broken') && name !== 'whoami') return refuse('internal_error')
  try {
    const data = make(question)
    const route: RouteDefinition = routes[name]
    const [mistake] = Value.Errors(route.response, data)
    if (mistake) failures.push(`${name} (${state}): ${mistake.instancePath} ${mistake.message}`)
    send(route.status ?? 200, {
      data,
      meta: { requestId, apiVersion: 'fixture', ...(route.kind === 'list' ? { cursor: null } : {}) },
    })
  } catch (refusal) {
    if (refusal instanceof Refusal) return refuse(refusal.code, refusal.more)
    failures.push(String(refusal))
    refuse('internal_error')
  }
}

function findRoute(method: string, path: string): { name: RouteName; params: Record<string, string> } | null {
  // As the service does: a path without parameters comes before one with them.
  const all = (Object.entries(routes) as [RouteName, RouteDefinition][]).toSorted(
    ([, a], [, b]) => Number(a.path.includes('{')) - Number(b.path.includes('{')),
  )
  for (const [name, route] of all) {
    if (route.method !== method) continue
    const pattern = new RegExp(`^${route.path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`)
    const match = pattern.exec(path)
    if (match) return { name, params: { ...match.groups } }
  }
  return null
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

function serveFile(response: ServerResponse, dist: string, path: string) {
  const wanted = join(dist, path)
  const file =
    path !== '/' && wanted.startsWith(dist) && existsSync(wanted) && extname(wanted) ? wanted : join(dist, 'index.html')
  response.writeHead(200, {
    'content-type': types[extname(file)] ?? 'application/octet-stream',
    // What the service sends with these files; a page that needs more would fail here.
    'content-security-policy': "default-src 'self'; style-src 'self' 'unsafe-inline'",
    'cache-control': extname(file) === '.html' ? 'no-cache' : 'public, max-age=31536000, immutable',
  })
  response.end(readFileSync(file))
}
