import {
  type BodyOf,
  type DataOf,
  type EventEnvelope,
  type ParamsOf,
  type QueryOf,
  type RouteDefinition,
  type RouteName,
  type Routes,
  routes,
} from '@turnpike/contract'
import { TurnpikeError } from './errors.ts'
import { type StreamOptions, streamEvents } from './stream.ts'
import { createTransport, type Envelope, type TransportOptions } from './transport.ts'

/** Not here: the stream has its own method, the intake only a provider can sign for, an archive has an address of its own. */
const notCalled = ['streamEvents', 'receiveWebhook', 'downloadExport'] as const
type CallName = Exclude<RouteName, (typeof notCalled)[number]>
type ListName = { [N in CallName]: Routes[N] extends { kind: 'list' } ? N : never }[CallName]

type CallOptions = {
  /** Same key, same effect. Made up for every POST that has none, and kept for its retries. */
  idempotencyKey?: string
  signal?: AbortSignal
  timeoutMs?: number
  retries?: number
}
type Part<K extends string, V> = [V] extends [undefined]
  ? unknown
  : Record<never, never> extends V
    ? { [P in K]?: V }
    : { [P in K]: V }
type Input<N extends CallName> = Part<'params', ParamsOf<Routes[N]>> &
  Part<'query', QueryOf<Routes[N]>> &
  Part<'body', BodyOf<Routes[N]>> &
  CallOptions
type Arguments<N extends CallName> = Record<never, never> extends Input<N> ? [input?: Input<N>] : [input: Input<N>]
type Answer<N extends CallName> = { data: DataOf<Routes[N]>; meta: Envelope['meta'] }
type ItemOf<N extends ListName> = DataOf<Routes[N]> extends readonly (infer Item)[] ? Item : never

type Methods = { [N in CallName]: (...input: Arguments<N>) => Promise<Answer<N>> }
export type Client = Methods & {
  call: <N extends CallName>(name: N, ...input: Arguments<N>) => Promise<Answer<N>>
  /** Every item of a list, page after page. */
  paginate: <N extends ListName>(name: N, ...input: Arguments<N>) => AsyncGenerator<ItemOf<N>>
  streamEvents: (options?: StreamOptions) => AsyncGenerator<EventEnvelope>
}

/** A client of the API, typed from its route table. Runs in Node and in the browser. */
export const createClient = (options: TransportOptions): Client => {
  const transport = createTransport(options)

  const call = (name: CallName, input: LooseInput = {}): Promise<Envelope> => {
    const route: RouteDefinition = routes[name]
    const { params, ...rest } = input
    const idempotencyKey =
      input.idempotencyKey ?? (route.method === 'POST' || route.method === 'PATCH' ? newIdempotencyKey() : undefined)
    return transport.send({ ...rest, method: route.method, path: pathOf(route.path, params), idempotencyKey })
  }

  async function* paginate(name: ListName, input: LooseInput = {}): AsyncGenerator<unknown> {
    // The feed is read after a position, every other list from a cursor.
    const place = name === 'listEvents' ? 'after' : 'cursor'
    let from = input.query?.[place]
    for (;;) {
      const { data, meta } = await call(name, { ...input, query: { ...input.query, [place]: from } })
      yield* data as unknown[]
      if (!meta.cursor || meta.cursor === from) return
      from = meta.cursor
    }
  }

  const names = (Object.keys(routes) as RouteName[]).filter(
    (name): name is CallName => !(notCalled as readonly string[]).includes(name),
  )
  const methods = Object.fromEntries(names.map((name) => [name, async (input?: LooseInput) => call(name, input)]))
  const client = {
    ...methods,
    call: async (name: CallName, input?: LooseInput) => call(name, input),
    paginate,
    streamEvents: (stream?: StreamOptions) => streamEvents(transport, stream),
  }
  // The one place where the route table's names become its types.
  return client as unknown as Client
}

type LooseInput = CallOptions & { params?: Record<string, string>; query?: Record<string, unknown>; body?: unknown }

const pathOf = (template: string, params: Record<string, string> = {}): string =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(params[name] ?? '')
    // URL parsers read a dot segment as "go up", also when it is escaped: such an id would reach another route.
    if (value === '' || value === '.' || value === '..') {
      throw new TurnpikeError('invalid_argument', `\`${name}\` must be an id, not "${value}".`, {
        retry: 'after_change',
      })
    }
    return encodeURIComponent(value)
  })

// `crypto.randomUUID` is missing in pages served without TLS; this is not.
const newIdempotencyKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
