import type { PortalInvoice, PortalSubscription, PortalView, SavedCard } from '../engine/hosted.ts'
import { date, every, money } from './format.ts'
import { type Content, html, safeUrl } from './html.ts'
import { type Pricing, priceText } from './priceText.ts'
import { statusTag } from './statusTag.ts'

export type OpenPortal = Extract<PortalView, { state: 'open' }>
export type Place = { view: OpenPortal; base: string; pricing: (priceId: string) => Pricing | undefined }

export function portalHome(place: Place, notice: string | null): Content {
  const { view, base } = place
  const canUpdateCard = view.features.paymentMethodUpdate
  return html`<main class="column">
  ${masthead(view)}
  ${notice && html`<div class="notice ok" role="status"><p>${notice}</p></div>`}
  <section class="section" aria-labelledby="subscriptions">
    <h2 id="subscriptions">${view.subscriptions.length > 1 ? 'Plans' : 'Plan'}</h2>
    ${view.subscriptions.length === 0 && html`<p class="soft">There is no subscription yet.</p>`}
    ${view.subscriptions.map((subscription) => subscriptionBlock(subscription, place))}
  </section>
  <section class="section" aria-labelledby="cards">
    <div class="section-head"><h2 id="cards">Payment method</h2>
      ${canUpdateCard && html`<a class="button" href="${base}/payment-method">${view.cards.length === 0 ? 'Add card' : 'Update card'}</a>`}</div>
    ${view.cards.length === 0 && html`<p class="soft">No card is saved.</p>`}
    ${view.cards.length > 0 && html`<ul class="tight">${view.cards.map((card) => html`<li class="section-head"><span>${cardText(card)}</span>${card.isDefault && html`<span class="tag info">Default</span>`}</li>`)}</ul>`}
  </section>
  <section class="section" aria-labelledby="details">
    <div class="section-head"><h2 id="details">Billing details</h2>
      ${view.features.customerUpdate && html`<a class="button" href="${base}/customer">Update details</a>`}</div>
    <dl class="facts">
      <div><dt>Name</dt><dd>${view.customer.name ?? '–'}</dd></div>
      <div><dt>Email</dt><dd>${view.customer.email ?? '–'}</dd></div>
    </dl>
  </section>
  ${view.features.invoiceHistory && invoiceTable(view.invoices)}
</main>`
}

function masthead(view: OpenPortal): Content {
  return html`<header class="masthead">
    ${returnLink(view)}
    <h1>${view.headline ?? `Billing for ${view.merchantName}`}</h1>
    <p class="soft">${view.customer.email ?? view.customer.name}</p>
  </header>`
}

export function returnLink(view: OpenPortal): Content {
  return (
    view.returnUrl &&
    html`<p><a class="back" href="${safeUrl(view.returnUrl)}" data-testid="return-to-business-link"><span aria-hidden="true">←</span> Return to ${view.merchantName}</a></p>`
  )
}

function subscriptionBlock(subscription: PortalSubscription, { base, pricing }: Place): Content {
  const path = `${base}/subscriptions/${encodeURIComponent(subscription.id)}`
  const { items, scheduledChange: change } = subscription
  return html`<article class="stack" data-subscription="${subscription.id}">
    <div class="section-head">
      <h3 class="plan-name">${items.map((item) => item.productName).join(', ')}</h3>
      ${statusTag(subscription.status, subscription.endsAt !== null && subscription.endedAt === null)}
    </div>
    <ul class="plan">${items.map(
      (
        item,
      ) => html`<li><p class="amount">${money(item.periodAmount, item.currency)} <small>${every(item.recurrence.interval, item.recurrence.count)}</small></p>
      ${(item.quantity ?? 1) > 1 && html`<p class="soft">${item.quantity} × ${priceText({ ...item, pricing: pricing(item.priceId) })}</p>`}</li>`,
    )}</ul>
    <p>${whatComes(subscription)}</p>
    ${
      change &&
      html`<div class="notice info"><p>Changes to <strong>${change.productName}</strong> on ${date(change.at)}.</p></div>`
    }
    ${subscription.card && html`<p class="soft">Paid with ${cardText(subscription.card)}</p>`}
    <div class="actions">
      ${subscription.canChangePlan && html`<a class="button primary" href="${path}/plan">Change plan</a>`}
      ${subscription.canCancel && html`<a class="button" href="${path}/cancel">Cancel plan</a>`}
      ${
        subscription.canUndoCancel &&
        html`<form method="post" action="${path}/undo-cancel"><button type="submit" class="button primary">Keep plan</button></form>`
      }
    </div>
  </article>`
}

function whatComes(subscription: PortalSubscription): Content {
  if (subscription.endedAt !== null) return html`Ended on ${date(subscription.endedAt)}.`
  if (subscription.endsAt !== null)
    return html`Ends on <strong>${date(subscription.endsAt)}</strong>. It will not renew.`
  if (subscription.status === 'trialing' && subscription.trialEnd !== null)
    return html`Free until <strong>${date(subscription.trialEnd)}</strong>, then the first payment is due.`
  if (subscription.status === 'past_due' || subscription.status === 'unpaid')
    return html`The last payment did not go through. Update your card or pay the open invoice below.`
  if (subscription.status === 'incomplete') return html`Waiting for the first payment.`
  if (subscription.status === 'paused') return html`Paused. Nothing is charged.`
  return html`Renews on <strong>${date(subscription.currentPeriodEnd)}</strong>.`
}

const brandNames: Readonly<Record<string, string>> = {
  visa: 'Visa',
  mastercard: 'Mastercard',
  amex: 'American Express',
  discover: 'Discover',
  jcb: 'JCB',
  diners: 'Diners Club',
  unionpay: 'UnionPay',
}

export function cardText(card: SavedCard): string {
  const brand = brandNames[card.brand] ?? 'Card'
  return `${brand} ending in ${card.last4}, expires ${String(card.expMonth).padStart(2, '0')}/${card.expYear}`
}

function invoiceTable(invoices: readonly PortalInvoice[]): Content {
  return html`<section class="section" aria-labelledby="invoices">
    <h2 id="invoices">Invoices</h2>
    ${invoices.length === 0 && html`<p class="soft">The first invoice appears here when it is made.</p>`}
    ${
      invoices.length > 0 &&
      html`<table class="table fold">
      <caption>Newest first; dates in UTC</caption>
      <thead><tr><th scope="col">Date</th><th scope="col">Invoice</th><th scope="col">Status</th><th scope="col" class="figure">Amount</th></tr></thead>
      <tbody>${invoices.map(
        (invoice) => html`<tr>
        <td data-label="Date">${date(invoice.createdAt)}</td>
        <th scope="row">${invoice.hostedUrl ? html`<a href="${safeUrl(invoice.hostedUrl)}">${invoice.number ?? invoice.id}</a>` : (invoice.number ?? 'Draft')}
          <span class="detail">${invoice.description}</span></th>
        <td data-label="Status">${statusTag(invoice.status)}</td>
        <td data-label="Amount" class="figure">${money(invoice.total, invoice.currency)}</td>
      </tr>`,
      )}</tbody>
    </table>`
    }
  </section>`
}
