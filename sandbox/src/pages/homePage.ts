import type { EventObject, Stored, WebhookEndpoint } from '../objects/types.ts'
import type { Delivery } from '../store/openStore.ts'
import { clockNow, type World } from '../world.ts'
import { levers, nextBilled } from './clockLevers.ts'
import { count, moment } from './format.ts'
import { type Content, html, safeUrl } from './html.ts'
import { statusTag } from './statusTag.ts'

const shown = 20

/** What a developer wants to know at a glance. Only the clock can be moved here. */
export function homePage(world: World): Content {
  const { store, clock } = world
  const counts = store.count()
  const endpoints = store.list('webhook_endpoint').map((body) => JSON.parse(body) as WebhookEndpoint)
  const now = clockNow(world)
  const ahead = now - Math.floor(Date.now() / 1000)
  return html`<main class="column broad">
  <header class="masthead">
    <h1>Turnpike sandbox</h1>
    <p>A payment provider to develop against. It speaks the Stripe API, keeps state, sends signed webhooks and shows these
      pages to your customers. Cards are test cards.</p>
  </header>
  <section class="section" aria-labelledby="now">
    <h2 id="now">Clock and contents</h2>
    <dl class="facts">
      <div><dt>Clock</dt><dd><time datetime="${new Date(now * 1000).toISOString()}">${moment(now)}</time>${aheadText(ahead, clock.pinned !== null)}</dd></div>
      <div><dt>API address</dt><dd><code>${world.url}</code></dd></div>
      ${['customer', 'subscription', 'invoice', 'event'].map((type) => html`<div><dt>${labels[type]}</dt><dd class="figure">${count(counts[type] ?? 0)}</dd></div>`)}
    </dl>
  </section>
  ${clockSection(world)}
  ${openPages(world)}
  ${eventTable(world)}
  ${deliveryTable(world, endpoints)}
</main>`
}

const labels: Readonly<Record<string, string>> = {
  customer: 'Customers',
  subscription: 'Subscriptions',
  invoice: 'Invoices',
  event: 'Events',
}

function aheadText(seconds: number, standsStill: boolean): Content {
  if (standsStill) return html`<br><span class="soft">being moved</span>`
  if (seconds < 60) return null
  const days = Math.floor(seconds / 86_400)
  const hours = Math.round((seconds % 86_400) / 3600)
  return html`<br><span class="soft">${[days > 0 && `${count(days)} d`, hours > 0 && `${hours} h`].filter(Boolean).join(' ') || 'a little'} ahead of real time</span>`
}

function clockSection(world: World): Content {
  const billed = nextBilled(world)
  return html`<section class="section" aria-labelledby="move">
    <h2 id="move">Let time pass</h2>
    <p class="soft">Renewals, ends of trials, payments and their webhooks happen on the way, each in its time. The clock only goes
      forward. ${billed === null ? 'No subscription is about to renew.' : html`The next renewal is billed by ${moment(billed)}, when its invoice is no draft any more.`}</p>
    <form method="post" action="/clock" class="actions">
      ${billed !== null && html`<button class="button primary" name="lever" value="renewal">Past the next renewal</button>`}
      ${Object.entries(levers).map(([name, { words }]) => html`<button class="button" name="lever" value="${name}">${words}</button>`)}
    </form>
  </section>`
}

function openPages({ store }: World): Content {
  const links = [
    ...recent(store.scan('checkout.session', 'desc'), (session) =>
      session.status === 'open' && typeof session.url === 'string'
        ? ([`Checkout ${session.id}`, session.url] as const)
        : null,
    ),
    ...recent(store.scan('invoice', 'desc'), (invoice) =>
      invoice.status === 'open' && typeof invoice.hosted_invoice_url === 'string'
        ? ([`Invoice ${invoice.number ?? invoice.id}`, invoice.hosted_invoice_url] as const)
        : null,
    ),
  ]
  return html`<section class="section" aria-labelledby="open">
    <h2 id="open">Open for customers</h2>
    ${links.length === 0 && html`<p class="soft">No checkout or invoice waits for payment.</p>`}
    ${links.length > 0 && html`<ul class="tight">${links.map(([label, url]) => html`<li><a href="${safeUrl(url)}">${label}</a></li>`)}</ul>`}
  </section>`
}

// Looks at the newest objects only, so that the page stays quick in a long simulation.
function recent<Found>(bodies: Iterable<string>, pick: (object: Stored) => Found | null): Found[] {
  const found: Found[] = []
  let seen = 0
  for (const body of bodies) {
    const picked = pick(JSON.parse(body) as Stored)
    if (picked !== null) found.push(picked)
    if (found.length === 5 || ++seen === 100) break
  }
  return found
}

function eventTable({ store }: World): Content {
  const events: EventObject[] = []
  for (const body of store.scan('event', 'desc')) {
    events.push(JSON.parse(body) as EventObject)
    if (events.length === shown) break
  }
  return html`<section class="section" aria-labelledby="events">
    <h2 id="events">Events</h2>
    ${events.length === 0 && html`<p class="soft">Events appear here as soon as something happens.</p>`}
    ${
      events.length > 0 &&
      html`<table class="table fold">
      <caption>The last ${events.length}, newest first</caption>
      <thead><tr><th scope="col">Event</th><th scope="col">About</th><th scope="col">Time</th></tr></thead>
      <tbody>${events.map(
        (event) => html`<tr><th scope="row">${event.type}<span class="detail"><code>${event.id}</code></span></th>
        <td data-label="About"><code>${(event.data.object as Partial<Stored>).id ?? '–'}</code></td>
        <td data-label="Time">${moment(event.created)}</td></tr>`,
      )}</tbody>
    </table>`
    }
  </section>`
}

function deliveryTable({ store }: World, endpoints: readonly WebhookEndpoint[]): Content {
  const deliveries = store.deliveries({}, shown)
  const urls = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint.url]))
  const types = new Map<string, string>()
  for (const { event } of deliveries) {
    const body = types.has(event) ? undefined : store.find(event)?.body
    if (body) types.set(event, (JSON.parse(body) as EventObject).type)
  }
  return html`<section class="section" aria-labelledby="deliveries">
    <h2 id="deliveries">Webhook deliveries</h2>
    ${deliveries.length === 0 && html`<p class="soft">${endpoints.length === 0 ? 'No webhook endpoint is registered yet.' : 'Nothing has been sent yet.'}</p>`}
    ${
      deliveries.length > 0 &&
      html`<table class="table fold">
      <caption>The last ${deliveries.length}, newest first</caption>
      <thead><tr><th scope="col">Event</th><th scope="col">To</th><th scope="col">State</th><th scope="col" class="figure">Attempts</th></tr></thead>
      <tbody>${deliveries.map(
        (
          delivery,
        ) => html`<tr><th scope="row">${types.get(delivery.event)}<span class="detail"><code>${delivery.event}</code></span></th>
        <td data-label="To">${urls.get(delivery.endpoint) ?? 'removed endpoint'}</td>
        <td data-label="State"><span>${statusTag(delivery.status)}<span class="detail">${answer(delivery)}</span></span></td>
        <td data-label="Attempts" class="figure">${delivery.attempts.length}</td></tr>`,
      )}</tbody>
    </table>`
    }
  </section>`
}

function answer(delivery: Delivery): Content {
  const last = delivery.attempts.at(-1)
  if (!last) return null
  return last.status === null ? (last.error ?? 'no answer') : `HTTP ${last.status} in ${count(last.ms)} ms`
}
