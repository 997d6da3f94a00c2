import type {
  PortalInvoice,
  PortalPlan,
  PortalPreview,
  PortalSubscription,
  PortalView,
  SavedCard,
} from '../engine/hosted.ts'
import { cardFields, errorSummary, type FieldErrors, type Form, field, testCardList } from './cardForm.ts'
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

function returnLink(view: OpenPortal): Content {
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

function step(place: Place, title: string, content: Content): Content {
  const { view, base } = place
  return html`<main class="sheet stack">
    ${view.flow ? returnLink(view) : html`<p><a class="back" href="${base}"><span aria-hidden="true">←</span> Back to billing</a></p>`}
    <h1>${title}</h1>
    ${content}
  </main>`
}

export function cardStep(place: Place, form: Form, errors: FieldErrors): Content {
  const present = place.view.cards.find((card) => card.isDefault)
  return step(
    place,
    present ? 'Update your card' : 'Add a card',
    html`<p class="soft">${present ? `The new card replaces ${cardText(present)} for all coming payments.` : 'It is used for all coming payments.'}</p>
    <form method="post" class="stack" novalidate>
      ${errorSummary(errors)}
      ${cardFields({ billingName: place.view.customer.name ?? '', ...form }, errors)}
      <button type="submit" class="button primary wide" data-testid="hosted-payment-submit-button">Save card</button>
    </form>
    ${testCardList()}`,
  )
}

export function customerStep(place: Place, form: Form, errors: FieldErrors): Content {
  const { customer } = place.view
  return step(
    place,
    'Billing details',
    html`<form method="post" class="stack" novalidate>
      ${errorSummary(errors)}
      ${field({ id: 'name', label: 'Name', value: form.name ?? customer.name ?? '', error: errors.name, autocomplete: 'name' })}
      ${field({ id: 'email', label: 'Email', type: 'email', inputmode: 'email', value: form.email ?? customer.email ?? '', error: errors.email, autocomplete: 'email' })}
      <button type="submit" class="button primary wide">Save details</button>
    </form>`,
  )
}

export function planStep(place: Place, subscription: PortalSubscription): Content {
  const item = subscription.items[0]
  const path = `${place.base}/subscriptions/${encodeURIComponent(subscription.id)}`
  const adjustable =
    subscription.plans.find((plan) => plan.priceId === item?.priceId)?.adjustableQuantity ??
    subscription.plans.find((plan) => plan.adjustableQuantity)?.adjustableQuantity
  return step(
    place,
    'Change plan',
    html`<form method="get" action="${path}/review" class="stack">
    <fieldset class="choices"><legend>Choose a plan</legend>
      ${subscription.plans.map((plan) => planChoice(plan, plan.priceId === item?.priceId, Boolean(adjustable ?? subscription.scheduledChange), place.pricing(plan.priceId)))}
    </fieldset>
    ${
      adjustable &&
      html`<div class="field"><label for="quantity">Quantity</label>
      <input id="quantity" name="quantity" type="number" min="${adjustable.minimum}" max="${adjustable.maximum}" value="${item?.quantity ?? 1}"></div>`
    }
    <button type="submit" class="button primary wide">Review change</button>
    <p class="hint">The next page shows the exact amounts. Nothing changes before you confirm them.</p>
  </form>`,
  )
}

function planChoice(plan: PortalPlan, current: boolean, choosable: boolean, pricing: Pricing | undefined): Content {
  const id = `plan-${plan.priceId}`
  // The present plan can be chosen again only for another quantity or to take back a change that is planned.
  return html`<label class="choice" for="${id}">
    <input type="radio" id="${id}" name="price" value="${plan.priceId}" required ${current && (choosable ? html`checked` : html`disabled`)}>
    <span class="name">${plan.productName}</span>
    ${current ? html`<span class="tag info">Current plan</span>` : html`<span></span>`}
    <span class="detail">${priceText({ ...plan, pricing })}${plan.productDescription && html`<br>${plan.productDescription}`}</span>
  </label>`
}

export function reviewStep(place: Place, preview: PortalPreview, problem: string | null): Content {
  const { current, next, currency } = preview
  const amount = (minor: number) => money(minor, currency)
  const now = preview.when === 'now'
  const total = preview.lines.reduce((sum, line) => sum + line.amount, 0)
  const path = `${place.base}/subscriptions/${encodeURIComponent(preview.subscriptionId)}`
  return step(
    place,
    'Review your change',
    html`${problem && html`<div class="notice danger" role="alert" tabindex="-1" id="error-summary"><p>${problem}</p></div>`}
    <dl class="facts">
      <div><dt>From</dt><dd>${planText(current, currency)}</dd></div>
      <div><dt>To</dt><dd><strong>${planText(next, currency)}</strong></dd></div>
      <div><dt>When</dt><dd>${now ? 'Now' : `${date(preview.effectiveAt)} (UTC), at the end of the period`}</dd></div>
    </dl>
    ${
      preview.lines.length > 0 &&
      html`<table class="table">
      <caption>What the change adds for the rest of the period</caption>
      <thead class="visually-hidden"><tr><th scope="col">Description</th><th scope="col">Amount</th></tr></thead>
      <tbody>${preview.lines.map(
        (line) =>
          html`<tr><td>${line.description}${line.amount < 0 && html` <span class="soft">(credit)</span>`}</td><td class="figure">${amount(line.amount)}</td></tr>`,
      )}</tbody>
      <tfoot><tr class="grand"><th scope="row">${total < 0 ? 'Credit for your next invoices' : 'Sum'}</th><td class="figure">${amount(total)}</td></tr></tfoot>
    </table>`
    }
    <dl class="facts">
      <div><dt>Due now</dt><dd><strong class="figure" data-testid="due-now">${amount(preview.dueNow)}</strong></dd></div>
      <div><dt>Next invoice, ${date(preview.nextInvoice.at)}</dt><dd class="figure" data-testid="next-invoice">${amount(preview.nextInvoice.amount)}</dd></div>
    </dl>
    <form method="post" action="${path}/review" class="stack">
      <input type="hidden" name="price" value="${preview.priceId}">
      <input type="hidden" name="quantity" value="${preview.quantity}">
      <input type="hidden" name="shown" value="${preview.dueNow}">
      <input type="hidden" name="when" value="${preview.when}">
      <button type="submit" class="button primary wide">${confirmLabel(preview)}</button>
    </form>
    ${place.view.flow?.type !== 'subscription_update_confirm' && html`<p><a href="${path}/plan">Choose another plan</a></p>`}`,
  )
}

// The button says what happens, with the amount and the day.
function confirmLabel(preview: PortalPreview): string {
  if (preview.when === 'period_end') return `Change to ${preview.next.productName} on ${date(preview.effectiveAt)}`
  if (preview.dueNow > 0) return `Confirm and pay ${money(preview.dueNow, preview.currency)}`
  return `Change to ${preview.next.productName} now`
}

function planText(plan: PortalPreview['current'], currency: string): string {
  const times = plan.quantity > 1 ? `${plan.quantity} × ` : ''
  return `${plan.productName}, ${times}${priceText({ ...plan, currency })}`
}

const reasonLabels: Readonly<Record<string, string>> = {
  too_expensive: 'It is too expensive',
  missing_features: 'Some features are missing',
  switched_service: 'I found an alternative',
  unused: 'I no longer need it',
  customer_service: 'Customer service was less than expected',
  too_complex: 'It was hard to use',
  low_quality: 'The quality was less than expected',
  other: 'Another reason',
}

export function cancelStep(place: Place, subscription: PortalSubscription): Content {
  const { mode, reasons } = place.view.features.subscriptionCancel
  const name = subscription.items.map((item) => item.productName).join(', ')
  const last = date(
    subscription.trialEnd !== null && subscription.status === 'trialing'
      ? subscription.trialEnd
      : subscription.currentPeriodEnd,
  )
  const immediately = mode === 'immediately'
  return step(
    place,
    'Cancel your plan',
    html`<p>${immediately ? html`<strong>${name}</strong> ends at once. This cannot be undone.` : html`<strong>${name}</strong> stays available until <strong>${last}</strong> (UTC). Until then you can change your mind here.`}</p>
    <form method="post" class="stack">
      ${
        reasons.length > 0 &&
        html`<div class="field"><label for="reason">Why do you cancel? <span class="soft">(optional)</span></label>
        <select id="reason" name="reason"><option value="">Choose a reason</option>${reasons.map((reason) => html`<option value="${reason}">${reasonLabels[reason] ?? reason}</option>`)}</select></div>
      <div class="field"><label for="comment">Anything else? <span class="soft">(optional)</span></label>
        <textarea id="comment" name="comment" rows="3" maxlength="500"></textarea></div>`
      }
      <div class="actions">
        <button type="submit" class="button danger">${immediately ? 'Cancel plan now' : `Cancel plan on ${last}`}</button>
        ${!place.view.flow && html`<a class="button" href="${place.base}">Keep plan</a>`}
      </div>
    </form>`,
  )
}
