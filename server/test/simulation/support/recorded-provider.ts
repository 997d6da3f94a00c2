import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type Stripe from 'stripe'

type Recorded = { id: string; object: string; url?: string }

/** One customer's copy of the recorded story, with ids of its own. */
export type Copy = {
  number: number
  /** How many of the recorded events have happened at the provider. */
  happened: number
  /** When set, answers about subscriptions wait for it, with what was true when they were asked for. */
  held: Promise<void> | null
}

/**
 * Answers the service's questions from a recorded story, as things stood after any of its events: the provider's side of
 * the wire, where every customer is at a moment of its own. Ids end in `x` and the number of the copy.
 */
export const startRecordedProvider = async (
  story: readonly Stripe.Event[],
  checkoutIdOf: (number: number) => string,
) => {
  const copies = new Map<number, Copy>()
  const asked: string[] = []
  const text = JSON.stringify(story)
  const recordedCheckout = /checkout_[0-9a-z]{26}/.exec(text)![0]
  const ids = [...new Set(text.match(/"(?:cus|sub|in|cs|evt)_[A-Za-z0-9_]+"/g))].map((quoted) => quoted.slice(1, -1))

  const rewritten = <T>(value: T, number: number): T => {
    let copy = JSON.stringify(value)
    for (const id of ids) copy = copy.replaceAll(`"${id}"`, `"${id}x${number}"`)
    return JSON.parse(copy.replaceAll(recordedCheckout, checkoutIdOf(number))) as T
  }
  const objects = (happened: number): Map<string, Recorded> =>
    new Map(story.slice(0, happened).map((event) => [idOf(event), event.data.object as unknown as Recorded]))

  const answerTo = (path: string, query: URLSearchParams): { copy: Copy; body: unknown } | null => {
    const name = query.get('customer') ?? /_[A-Za-z0-9]+x\d+$/.exec(path)?.[0] ?? ''
    const copy = copies.get(Number(name.split('x').at(-1)))
    if (!copy) return null
    const known = objects(copy.happened)
    if (path === '/v1/subscriptions') {
      const data = [...known.values()].filter((object) => object.object === 'subscription')
      return { copy, body: rewritten({ object: 'list', url: path, has_more: false, data }, copy.number) }
    }
    const id = path.split('/').at(-1)!.replace(/x\d+$/, '')
    const object = known.get(id) ?? (id.startsWith('cs_') ? openSession(story, id) : null)
    return object && { copy, body: rewritten(object, copy.number) }
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://provider')
    asked.push(`${request.method} ${url.pathname}`)
    if (url.pathname === '/v1/prices')
      return send(response, 200, {
        object: 'list',
        url: url.pathname,
        has_more: false,
        data: [...url.searchParams]
          .filter(([parameter]) => parameter.startsWith('lookup_keys'))
          .map(([, lookup_key]) => ({ id: `price_${lookup_key}`, object: 'price', lookup_key, product: 'prod_story' })),
      })
    if (request.method === 'POST' && url.pathname === '/v1/customers')
      return send(response, 200, { id: `${ids.find((id) => id.startsWith('cus_'))}x0`, object: 'customer' })
    if (request.method === 'POST' && url.pathname === '/v1/checkout/sessions')
      return send(response, 200, {
        ...rewritten(openSession(story, ids.find((id) => id.startsWith('cs_'))!), 0),
        expires_at: Math.floor(Date.now() / 1_000) + 86_400,
      })
    const answer = answerTo(url.pathname, url.searchParams)
    if (!answer)
      return send(response, 404, { error: { type: 'invalid_request_error', code: 'resource_missing', message: 'No.' } })
    const held = url.pathname === '/v1/subscriptions' ? answer.copy.held : null
    void (held ?? Promise.resolve()).then(() => send(response, 200, answer.body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Each request that came, by method and path. */
    asked,
    /** The copy of a customer; nothing of it has happened yet. */
    copy: (number: number): Copy => {
      const copy: Copy = copies.get(number) ?? { number, happened: 0, held: null }
      copies.set(number, copy)
      return copy
    },
    /** An event of the story as it is told about a copy. */
    eventOf: (copy: Copy, event: Stripe.Event): Stripe.Event => rewritten(event, copy.number),
    customerOf: (number: number): string => `${ids.find((id) => id.startsWith('cus_'))}x${number}`,
    sessionOf: (number: number): string => `${ids.find((id) => id.startsWith('cs_'))}x${number}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export type RecordedProvider = Awaited<ReturnType<typeof startRecordedProvider>>

const idOf = (event: Stripe.Event): string => (event.data.object as { id?: string }).id ?? event.id

/** The recording has no session before its completion: no event tells of the opening. */
const openSession = (story: readonly Stripe.Event[], id: string): Recorded | null => {
  const completed = story.find((event) => idOf(event) === id)?.data.object as unknown as Recorded | undefined
  const opened = { status: 'open', payment_status: 'unpaid', subscription: null, invoice: null }
  return completed ? { ...completed, ...opened, url: 'https://pay.example/open' } : null
}

const send = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_recorded' })
  response.end(JSON.stringify(body))
}
