import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { apiPrefix, type ProblemCode, problems, type RouteDefinition, type RouteName, routes } from '@turnpike/contract'
import { Value } from 'typebox/value'

type Asked = {
  route: RouteName
  params: Record<string, string>
  query: Record<string, string>
  body: unknown
  credential: string
}
type Reply =
  | { data: unknown }
  | { problem: ProblemCode; errors?: { field: string; message: string }[] }
  | { events: unknown[] }
export type ContractServer = {
  url: string
  asked: Asked[]
  /** What a route answers from now on; it must have the shape of the contract. */
  answer(route: RouteName, reply: Reply): void
  close(): Promise<void>
}

/**
 * Speaks the contract and nothing else: requests and answers that do not fit the route table fail. So a command is shown
 * to ask what the service understands, with answers that the service could give.
 */
export const startContractServer = async (): Promise<ContractServer> => {
  const asked: Asked[] = []
  const replies = new Map<RouteName, Reply>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://localhost')
      const found = match(request.method ?? '', url.pathname.slice(apiPrefix.length))
      const refuse = (code: ProblemCode, errors: { field: string; message: string }[] = []) => {
        const { status, title, detail, next, retry } = problems[code]
        response.writeHead(status, { 'content-type': 'application/problem+json' })
        response.end(
          JSON.stringify({
            type: 'about:blank',
            status,
            title,
            detail,
            next,
            retry,
            code,
            errors,
            requestId: 'request_1',
          }),
        )
      }
      if (!found) return refuse('not_found')
      const text = Buffer.concat(chunks).toString()
      const body = text === '' ? undefined : JSON.parse(text)
      const query = Object.fromEntries(url.searchParams)
      const misfits = [
        ...(found.definition.body ? Value.Errors(found.definition.body, body) : []),
        ...(found.definition.query
          ? Value.Errors(found.definition.query, Value.Convert(found.definition.query, { ...query }))
          : []),
      ]
      if (misfits.length > 0)
        return refuse(
          'invalid_request',
          misfits.map((misfit) => ({ field: misfit.instancePath, message: misfit.message })),
        )
      const credential = request.headers.authorization ?? ''
      asked.push({ route: found.name, params: found.params, query, body, credential })
      const reply = replies.get(found.name)
      if (!reply) return refuse('unauthenticated')
      if ('problem' in reply) return refuse(reply.problem, reply.errors)
      if ('events' in reply) {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        for (const event of reply.events)
          response.write(`id: ${(event as { position: string }).position}\ndata: ${JSON.stringify(event)}\n\n`)
        return
      }
      response.writeHead(found.definition.status ?? 200, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify({ data: reply.data, meta: { requestId: 'request_1', apiVersion: '2026-11-21', cursor: null } }),
      )
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer: (route, reply) => {
      const [misfit] = 'data' in reply ? Value.Errors(routes[route].response, reply.data) : []
      if (misfit) throw new Error(`${route} does not answer that: ${misfit.instancePath} ${misfit.message}`)
      replies.set(route, reply)
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

const match = (
  method: string,
  path: string,
): { name: RouteName; definition: RouteDefinition; params: Record<string, string> } | null => {
  for (const [name, definition] of Object.entries(routes) as [RouteName, RouteDefinition][]) {
    const pattern = new RegExp(`^${definition.path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`)
    const params = definition.method === method ? pattern.exec(path)?.groups : undefined
    if (params || (definition.method === method && definition.path === path))
      return { name, definition, params: { ...params } }
  }
  return null
}
