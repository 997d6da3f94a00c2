import type { Tx } from '../store/transact.ts'
import { type Shape, shapeOf } from './parameters.ts'

/** Params are typed by each handler: the table of parameters has already made them what the SDK's declarations say. */
type Handler = (tx: Tx, params: never, ...ids: string[]) => unknown

export type Endpoint = {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  shape: Shape | undefined
  handle: Handler
  pattern: RegExp
}

export type Endpoints = Record<string, Handler>

/** `'POST /v1/customers/{id}': handler` lines become endpoints; fixed words win over placeholders. */
export function endpointsOf(...tables: Endpoints[]): Endpoint[] {
  const all = tables.flatMap((table) =>
    Object.entries(table).map(([key, handle]): Endpoint => {
      const [method, path] = key.split(' ') as [Endpoint['method'], string]
      const pattern = new RegExp(`^${path.replaceAll(/\{\w+\}/g, '([^/]+)')}$`)
      return { method, path, shape: shapeOf(method, path), handle, pattern }
    }),
  )
  return all.sort((a, b) => Number(a.path.includes('{')) - Number(b.path.includes('{')))
}
