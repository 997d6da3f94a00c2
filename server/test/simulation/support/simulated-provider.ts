import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Happening } from './history.ts'

/** A webhook as far as it matters here: where to look. */
export type News = { id: string; type: string; created: number; livemode: false; data: { object: Named } }
type Named = { id: string; object: string; customer: string }
type Item = { id: string; price: string; quantity: number }
type Sub = Named & {
  status: string
  items: Item[]
  start: number
  from: number
  until: number
  anchor: number
  cancelAtEnd: boolean
  canceledAt: number | null
  endedAt: number | null
  trialEnd: number | null
  latest: string | null
}
type Invoice = Named & {
  subscription: string
  status: string
  attempts: number
  amount: number
  at: number
  from: number
  until: number
  reason: string
}
type Account = {
  number: number
  subs: Sub[]
  invoices: Invoice[]
  cardWorks: boolean
  told: number
  news: News[]
  /** How the last subscription was before it ended. */
  past: Sub | null
  lags: boolean
  /** Answers wait for it, with what was true when they were asked for. */
  held: Promise<void> | null
}
/** What a lookup key stands for. */
export type PriceList = {
  itemsOf(terms: { plan: string; price: string; seats: number }): { lookupKey: string; quantity: number }[]
  intervalOf(lookupKey: string): 'month' | 'year'
}

const day = 86_400

/**
 * A provider that is small and fast: customers with numbers, whose subscriptions live by the same rules as at Stripe, and
 * that answers the official library over HTTP. Its time is set from outside.
 */
export const startSimulatedProvider = async (prices: PriceList) => {
  const accounts = new Map<number, Account>()
  let now = 0
  let asked = 0

  const accountOf = (number: number): Account => {
    const known = accounts.get(number) ?? {
      ...{ number, subs: [], invoices: [], cardWorks: true, told: 0, news: [], past: null, lags: false, held: null },
    }
    accounts.set(number, known)
    return known
  }
  const tell = (account: Account, type: string, { id, object, customer }: Named, at: number) => {
    const created = at
    const event = { id: `evt_x${account.number}n${account.told++}`, type, created, livemode: false as const }
    account.news.push({ ...event, data: { object: { id, object, customer } } })
  }
  const updated = (account: Account, sub: Sub, at: number) => tell(account, 'customer.subscription.updated', sub, at)

  const bill = (account: Account, sub: Sub, at: number, reason: string, paid: boolean): Invoice => {
    const id = `in_x${account.number}n${account.invoices.length}`
    const invoice: Invoice = {
      ...{ id, object: 'invoice', customer: sub.customer, subscription: sub.id, status: paid ? 'paid' : 'open' },
      ...{ attempts: 1, amount: 4_900, at, from: sub.from, until: sub.until, reason },
    }
    account.invoices.push(invoice)
    sub.latest = id
    tell(account, 'invoice.created', invoice, at)
    tell(account, paid ? 'invoice.paid' : 'invoice.payment_failed', invoice, at)
    return invoice
  }

  const start = (account: Account, wanted: Happening & { kind: 'start' }): void => {
    const id = `sub_x${account.number}n${account.subs.length}`
    const trial = wanted.how === 'trial'
    const anchor = trial ? now + 14 * day : now
    const sub: Sub = {
      ...{ id, object: 'subscription', customer: `cus_x${account.number}`, status: 'incomplete' },
      ...{ items: [], start: now, from: now, until: 0, anchor, cancelAtEnd: false, canceledAt: null, endedAt: null },
      ...{ trialEnd: trial ? anchor : null, latest: null },
    }
    sub.items = itemsFor(sub, prices.itemsOf(wanted))
    sub.until = trial ? anchor : boundaryAfter(sub, now)
    account.subs.push(sub)
    if (trial) sub.status = 'trialing'
    else if (bill(account, sub, now, 'subscription_create', wanted.how === 'paid').status === 'paid')
      sub.status = 'active'
    tell(account, 'customer.subscription.created', sub, now)
  }

  const itemsFor = (sub: Sub, lines: { lookupKey: string; quantity: number }[]): Item[] =>
    lines.map(({ lookupKey, quantity }, index) => ({
      id: `si_${sub.id}_${index}_${lookupKey}`,
      price: lookupKey,
      quantity,
    }))

  const intervalOf = (sub: Sub) => prices.intervalOf(sub.items[0]!.price)
  // Whole months from the anchor, one interval after the month of `from`.
  const boundaryAfter = (sub: Sub, from: number): number => {
    const [a, f] = [new Date(sub.anchor * 1_000), new Date(from * 1_000)]
    const months = (f.getUTCFullYear() - a.getUTCFullYear()) * 12 + f.getUTCMonth() - a.getUTCMonth()
    return addMonths(sub.anchor, months + (intervalOf(sub) === 'year' ? 12 : 1))
  }

  const reprice = (account: Account, sub: Sub, items: Item[], charge: boolean): void => {
    const before = intervalOf(sub)
    sub.items = items
    if (before !== intervalOf(sub) && sub.status === 'active') sub.until = boundaryAfter(sub, sub.from)
    if (charge) bill(account, sub, now, 'subscription_update', true)
    updated(account, sub, now)
  }

  const finish = (account: Account, sub: Sub, at: number): void => {
    account.past = structuredClone(sub)
    Object.assign(sub, { status: 'canceled', endedAt: at, canceledAt: sub.canceledAt ?? at, cancelAtEnd: false })
    tell(account, 'customer.subscription.deleted', sub, at)
  }

  /** What falls due for one customer up to the present. */
  const letTimePass = (account: Account): void => {
    const sub = account.subs.at(-1)
    if (!sub) return
    if (sub.status === 'incomplete' && now >= sub.start + 23 * 3_600) {
      const at = sub.start + 23 * 3_600
      Object.assign(sub, { status: 'incomplete_expired', canceledAt: at, endedAt: at })
      const invoice = account.invoices.find(({ id }) => id === sub.latest)!
      invoice.status = 'void'
      updated(account, sub, at)
      tell(account, 'invoice.voided', invoice, at)
    }
    if (sub.status === 'paused' && sub.cancelAtEnd && now >= sub.until) finish(account, sub, sub.until)
    while (['trialing', 'active', 'past_due', 'unpaid'].includes(sub.status) && now >= sub.until) {
      const at = sub.until
      if (sub.cancelAtEnd) {
        finish(account, sub, at)
        return
      }
      if (sub.status === 'trialing') sub.status = 'active'
      sub.from = at
      sub.until = boundaryAfter(sub, at)
      const { status } = bill(account, sub, at, 'subscription_cycle', account.cardWorks && sub.status !== 'unpaid')
      if (status === 'paid') sub.status = 'active'
      else if (sub.status === 'active') sub.status = 'past_due'
      updated(account, sub, at)
    }
  }

  const happen = (account: Account, happening: Happening): void => {
    const sub = account.subs.at(-1)
    const over = !sub || sub.endedAt !== null
    if (happening.kind === 'start') {
      if (over) start(account, happening)
      return
    }
    if (happening.kind === 'card') {
      account.cardWorks = happening.works
      return
    }
    if (over) return
    const invoice = account.invoices.find(({ id }) => id === sub.latest)
    switch (happening.kind) {
      case 'change':
        if (sub.status === 'active' || sub.status === 'trialing')
          reprice(account, sub, itemsFor(sub, prices.itemsOf(happening)), false)
        return
      case 'pay':
        if (invoice?.status !== 'open') return
        Object.assign(invoice, { status: 'paid', attempts: invoice.attempts + 1 })
        tell(account, 'invoice.paid', invoice, now)
        if (['incomplete', 'past_due', 'unpaid'].includes(sub.status)) sub.status = 'active'
        updated(account, sub, now)
        return
      case 'give_up':
        if (sub.status !== 'past_due') return
        sub.status = 'unpaid'
        updated(account, sub, now)
        return
      case 'cancel_at_end':
        if (!['trialing', 'active', 'past_due', 'unpaid'].includes(sub.status)) return
        setEnd(account, sub, true)
        return
      case 'keep':
        setEnd(account, sub, false)
        return
      case 'cancel_now':
        finish(account, sub, now)
        return
      case 'pause':
        if (sub.status !== 'active') return
        sub.status = 'paused'
        updated(account, sub, now)
        return
      case 'resume':
        if (sub.status !== 'paused') return
        sub.status = 'active'
        if (now >= sub.until) {
          while (now >= sub.until) Object.assign(sub, { from: sub.until, until: boundaryAfter(sub, sub.until) })
          bill(account, sub, now, 'subscription_cycle', true)
        }
        updated(account, sub, now)
    }
  }

  const setEnd = (account: Account, sub: Sub, ends: boolean): void => {
    if (sub.cancelAtEnd === ends) return
    Object.assign(sub, { cancelAtEnd: ends, canceledAt: ends ? now : null })
    updated(account, sub, now)
  }

  /** What the service orders, in Stripe's form. */
  const order = (account: Account, sub: Sub, form: URLSearchParams): void => {
    const end = form.get('cancel_at_period_end')
    if (end !== null) setEnd(account, sub, end === 'true')
    const items = [...sub.items]
    let changed = false
    for (let index = 0; form.has(`items[${index}][price]`) || form.has(`items[${index}][id]`); index++) {
      const field = (name: string) => form.get(`items[${index}][${name}]`)
      const place = items.findIndex(({ id }) => id === field('id'))
      const price = field('price')?.replace('price_', '') ?? items[place]!.price
      const item = { id: `si_${sub.id}_${account.told}_${price}`, price, quantity: Number(field('quantity') ?? 1) }
      if (field('deleted') === 'true') items.splice(place, 1)
      else if (place >= 0) items[place] = { ...item, id: items[place]!.id }
      else items.push(item)
      changed = true
    }
    if (changed) reprice(account, sub, items, sub.status === 'active')
  }

  const shownSub = (account: Account, sub: Sub) => ({
    ...{ id: sub.id, object: 'subscription', status: sub.status, metadata: {}, schedule: null, pending_update: null },
    customer: {
      ...{ id: sub.customer, object: 'customer', default_source: null },
      invoice_settings: { default_payment_method: 'pm_card' },
    },
    items: {
      object: 'list',
      has_more: false,
      data: sub.items.map((item) => ({
        ...{ id: item.id, object: 'subscription_item', quantity: item.quantity, subscription: sub.id },
        ...{ current_period_start: sub.from, current_period_end: sub.until, price: shownPrice(item.price) },
      })),
    },
    ...{ start_date: sub.start, created: sub.start, billing_cycle_anchor: sub.anchor, trial_end: sub.trialEnd },
    ...{ cancel_at_period_end: sub.cancelAtEnd, cancel_at: sub.cancelAtEnd ? sub.until : null },
    ...{ canceled_at: sub.canceledAt, ended_at: sub.endedAt, collection_method: 'charge_automatically' },
    ...{ default_payment_method: null, default_source: null, pause_collection: null, latest_invoice: sub.latest },
    ...{ currency: 'usd', number: account.number },
  })
  const shownPrice = (lookupKey: string) => ({
    ...{ id: `price_${lookupKey}`, object: 'price', lookup_key: lookupKey, currency: 'usd', product: 'prod_1' },
    recurring: { interval: prices.intervalOf(lookupKey), interval_count: 1 },
  })
  const shownInvoice = (invoice: Invoice) => ({
    ...{ id: invoice.id, object: 'invoice', customer: invoice.customer, status: invoice.status, number: invoice.id },
    parent: { subscription_details: { subscription: invoice.subscription } },
    ...{ billing_reason: invoice.reason, amount_due: invoice.amount, currency: 'usd', attempted: true },
    amount_paid: invoice.status === 'paid' ? invoice.amount : 0,
    ...{ attempt_count: invoice.attempts, next_payment_attempt: null, hosted_invoice_url: 'https://pay.example/i' },
    ...{ created: invoice.at, status_transitions: { finalized_at: invoice.at } },
    ...{ subtotal: invoice.amount, total: invoice.amount },
    amount_remaining: invoice.status === 'paid' ? 0 : invoice.amount,
    lines: {
      ...{ object: 'list', has_more: false },
      data: [{ id: `il_${invoice.id}`, amount: invoice.amount, period: { start: invoice.from, end: invoice.until } }],
    },
  })
  const listOf = (data: unknown[]) => ({ object: 'list', url: '/', has_more: false, data })

  const answer = async (request: IncomingMessage, url: URL): Promise<unknown> => {
    const [, , kind, id] = url.pathname.split('/')
    if (kind === 'prices')
      return listOf(
        [...url.searchParams].flatMap(([name, key]) => (name.startsWith('lookup_keys') ? [shownPrice(key)] : [])),
      )
    const named = id ?? url.searchParams.get('customer') ?? url.searchParams.get('subscription') ?? ''
    const account = accounts.get(Number(/_x(\d+)/.exec(named)?.[1]))
    if (!account) return null
    if (kind === 'customers') return { id: `cus_x${account.number}`, object: 'customer', metadata: {} }
    if (kind === 'invoices' && id === undefined)
      return listOf(
        account.invoices
          .filter(({ subscription, status }) => subscription === named && status === url.searchParams.get('status'))
          .map(shownInvoice),
      )
    if (kind === 'invoices') {
      const invoice = account.invoices.find((each) => each.id === id)
      return invoice ? shownInvoice(invoice) : null
    }
    if (kind === 'subscriptions' && id === undefined) asked++
    const { past, lags, held } = account
    if (kind === 'subscriptions' && id === undefined) {
      const shown = account.subs.map((sub) => shownSub(account, lags && past?.id === sub.id ? past : sub))
      await held
      return listOf(shown.reverse())
    }
    const sub = account.subs.find((each) => each.id === id)
    if (kind !== 'subscriptions' || !sub) return null
    if (request.method === 'POST') order(account, sub, new URLSearchParams(await bodyOf(request)))
    return { ...shownSub(account, sub), latest_invoice: latestOf(account, sub) }
  }
  const latestOf = (account: Account, sub: Sub) => {
    const invoice = account.invoices.find(({ id }) => id === sub.latest)
    return invoice ? shownInvoice(invoice) : null
  }

  const server = createServer((request, response) => {
    void answer(request, new URL(request.url ?? '/', 'http://provider')).then((body) =>
      body === null
        ? send(response, 404, { error: { type: 'invalid_request_error', code: 'resource_missing', message: 'No.' } })
        : send(response, 200, body),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Moves time for everybody; what falls due happens. */
    moveTo: (seconds: number): void => {
      now = seconds
      for (const account of accounts.values()) letTimePass(account)
    },
    happen: (number: number, happening: Happening): void => happen(accountOf(number), happening),
    /** Whether asking the service for something would make sense now: it refuses the rest, which is tested elsewhere. */
    isFit: (number: number, { kind }: Happening): boolean => {
      const sub = accounts.get(number)?.subs.at(-1)
      if (!sub || sub.endedAt !== null) return false
      const isOf = (plan: string) => sub.items.some(({ price }) => price.includes(`_${plan}_`))
      if (kind === 'ask_cancel')
        return !sub.cancelAtEnd && ['trialing', 'active', 'past_due', 'unpaid'].includes(sub.status)
      if (kind === 'ask_keep') return sub.cancelAtEnd && sub.status !== 'incomplete'
      const grows = sub.status === 'trialing' || (sub.status === 'active' && accounts.get(number)!.cardWorks)
      return grows && !sub.cancelAtEnd && !isOf(kind === 'ask_scale' ? 'scale' : 'starter')
    },
    /** How often somebody has asked for a customer's subscriptions. */
    asked: (): number => asked,
    /** Lets answers about a customer wait. */
    hold: (number: number, until: Promise<void> | null): void => {
      accountOf(number).held = until
    },
    /** From now on answers are as old as before the end, and say so once more; null when nothing has ended. */
    lag: (number: number): News | null => {
      const account = accountOf(number)
      const sub = account.subs.at(-1)
      if (!sub || account.past?.id !== sub.id) return null
      account.lags = true
      updated(account, sub, now)
      return account.news.pop()!
    },
    newestOf: (number: number): string | undefined => accounts.get(number)?.subs.at(-1)?.id,
    /** What has been made known since the last call. */
    newsOf: (number: number): News[] => accounts.get(number)?.news.splice(0) ?? [],
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export type SimulatedProvider = Awaited<ReturnType<typeof startSimulatedProvider>>

const addMonths = (from: number, months: number): number => {
  const date = new Date(from * 1_000)
  const first = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1))
  const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate()
  return first.setUTCDate(Math.min(date.getUTCDate(), last)) / 1_000 + (from % day)
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}

const send = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_simulated' })
  response.end(JSON.stringify(body))
}
