import type { PortalPlan, PortalPreview, PortalSubscription } from '../engine/hosted.ts'
import { cardFields, errorSummary, type FieldErrors, type Form, field, testCardList } from './cardForm.ts'
import { date, money } from './format.ts'
import { type Content, html } from './html.ts'
import { cardText, type Place, returnLink } from './portalPage.ts'
import { type Pricing, priceText } from './priceText.ts'

// The steps of the portal: each is one sheet with one decision.
function step(place: Place, title: string, content: Content): Content {
  const { view, base } = place
  return html`<main class="sheet stack">
    ${view.flow ? returnLink(view) : html`<p><a class="back" href="${base}"><span aria-hidden="true">←</span> Back to billing</a></p>`}
    <h1>${title}</h1>
    ${content}
  </main>`
}

export function cardStep(place: Place, form: Form, errors: FieldErrors): Content {
  const present = place.view.cards.find((card) => card.isDefault) ?? place.view.cards[0]
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
