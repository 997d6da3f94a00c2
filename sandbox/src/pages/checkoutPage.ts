import type { CheckoutLine, CheckoutView } from '../engine/hosted.ts'
import { cardFields, errorSummary, type FieldErrors, type Form, field, testCardList } from './cardForm.ts'
import { date, every, money } from './format.ts'
import { type Content, html, safeUrl } from './html.ts'
import { type Pricing, priceText, tierTable } from './priceText.ts'

type OpenCheckout = Extract<CheckoutView, { state: 'open' }>

/** Quantities by line id and a promotion code: they travel in the address, so that both forms of the page keep them. */
export type Choice = { quantities: Record<string, number>; promotionCode?: string }

type CheckoutState = {
  form: Form
  errors: FieldErrors
  choice: Choice
  choiceError: string | null
  pricing: (lineId: string) => Pricing | undefined
}

export function checkoutPage(view: OpenCheckout, state: CheckoutState): Content {
  const { form, errors } = state
  const email = view.emailEditable ? (form.email ?? view.email ?? '') : (view.email ?? '')
  return html`<main class="ticket">
  <section class="stub" aria-labelledby="order-title">
    <p class="merchant">${
      view.cancelUrl
        ? html`<a class="back" href="${safeUrl(view.cancelUrl)}" data-testid="business-link"><span aria-hidden="true">←</span> Back to ${view.merchantName}</a>`
        : view.merchantName
    }</p>
    <h1 id="order-title">${headline(view)}</h1>
    ${
      view.mode === 'setup'
        ? html`<p class="soft">${view.merchantName} will use this card for future payments.</p>`
        : order(view, state)
    }
  </section>
  <section class="pay" aria-labelledby="pay-title">
    <form method="post" class="stack" novalidate>
      <h2 id="pay-title">${view.cardRequired ? 'Card details' : 'Your details'}</h2>
      ${errorSummary(errors)}
      ${field({
        id: 'email',
        label: 'Email',
        type: 'email',
        inputmode: 'email',
        value: email,
        readonly: !view.emailEditable,
        error: errors.email,
        autocomplete: 'email',
      })}
      ${view.cardRequired && cardFields({ billingName: view.name ?? '', ...form }, errors)}
      ${view.termsRequired && termsBox(view, errors)}
      <div class="tight">
        <button type="submit" class="button primary wide" data-testid="hosted-payment-submit-button">${submitLabel(view)}</button>
        ${view.submitMessage && html`<p>${view.submitMessage}</p>`}
        <p class="hint">${promise(view)}</p>
      </div>
    </form>
    ${view.cardRequired && testCardList()}
  </section>
</main>`
}

export function checkoutTitle(view: OpenCheckout): string {
  return `${headline(view)} · ${view.merchantName}`
}

function headline(view: OpenCheckout): string {
  // Usage prices beside a plan are part of that plan; only several plans or goods need the merchant's name instead.
  const named = view.lines.filter((line) => !line.recurrence?.metered)
  const only = (named.length > 0 ? named : view.lines).length === 1 ? (named[0] ?? view.lines[0]) : undefined
  if (view.mode === 'setup') return 'Save a card'
  if (view.mode === 'payment') return only ? only.productName : `Pay ${view.merchantName}`
  const name = only ? only.productName : view.merchantName
  return view.trial ? `Try ${name}` : `Subscribe to ${name}`
}

function submitLabel(view: OpenCheckout): string {
  if (view.mode === 'setup') return 'Save card'
  if (view.mode === 'payment') return view.total === 0 ? 'Complete order' : `Pay ${money(view.total, view.currency)}`
  return view.trial ? 'Start trial' : 'Subscribe'
}

function promise(view: OpenCheckout): string {
  if (view.mode === 'setup') return 'Nothing is charged now.'
  if (view.mode === 'payment') return 'You pay once; nothing renews.'
  if (!view.trial) return 'Renews until you cancel. You can cancel at any time.'
  return `The first payment is due on ${date(view.trial.endsAt)} (UTC), unless you cancel before.`
}

function order(view: OpenCheckout, state: CheckoutState): Content {
  const { recurring, trial, currency } = view
  const interval = recurring && every(recurring.recurrence.interval, recurring.recurrence.count)
  const headAmount = trial
    ? html`<p class="amount">${trial.days} ${trial.days === 1 ? 'day' : 'days'} free</p>
      ${recurring && html`<p class="soft">Then ${money(recurring.amount, currency)} ${interval}, from ${date(trial.endsAt)}</p>`}`
    : html`<p class="amount">${money(view.total, currency)}</p>
      ${recurring && html`<p class="soft">${recurring.amount === view.total ? '' : `Then ${money(recurring.amount, currency)} `}${interval}</p>`}`
  const choosable = view.lines.some((line) => line.adjustableQuantity) || view.allowPromotionCodes
  const lines = html`<ul class="lines">${view.lines.map((line) => orderLine(view, line, state))}</ul>`
  return html`${headAmount}
    ${
      choosable
        ? html`<form method="get" class="stack">
      ${lines}
      ${view.allowPromotionCodes && promotionField(state)}
      <button type="submit" class="button">Update total</button>
    </form>`
        : lines
    }
    <dl class="totals">
      <div><dt>Subtotal</dt><dd>${money(view.subtotal, currency)}</dd></div>
      ${view.discount && html`<div><dt>${view.discount.label}</dt><dd>${money(-view.discount.amount, currency)}</dd></div>`}
      <div class="grand"><dt>Total due today</dt><dd>${money(view.total, currency)}</dd></div>
    </dl>`
}

function orderLine(view: OpenCheckout, line: CheckoutLine, state: CheckoutState): Content {
  const price = { ...line, currency: view.currency, pricing: state.pricing(line.id) }
  const limits = line.adjustableQuantity
  const id = `quantity-${line.id}`
  return html`<li>
    <span class="name">${line.productName}</span>
    <span class="figure">${line.recurrence?.metered ? 'By usage' : money(line.periodAmount, view.currency)}</span>
    ${line.productDescription && html`<span class="detail">${line.productDescription}</span>`}
    <span class="detail">${line.quantity > 1 && !limits && `${line.quantity} × `}${priceText(price)}</span>
    ${
      limits &&
      html`<span class="quantity"><label for="${id}">Quantity<span class="visually-hidden"> of ${line.productName}</span></label>
      <input id="${id}" name="${id}" type="number" min="${limits.minimum}" max="${limits.maximum}" value="${state.choice.quantities[line.id] ?? line.quantity}"></span>`
    }
    ${tierTable(price)}
  </li>`
}

function promotionField(state: CheckoutState): Content {
  return html`<div class="field${state.choiceError && ' field-bad'}">
    <label for="promotionCode">Promotion code</label>
    <input id="promotionCode" name="promotionCode" type="text" value="${state.choice.promotionCode}" autocomplete="off" autocapitalize="off" spellcheck="false"
      ${state.choiceError && html`aria-invalid="true" aria-describedby="promotionCode-error"`}>
    ${state.choiceError && html`<p class="field-error" id="promotionCode-error">${state.choiceError}</p>`}
  </div>`
}

function termsBox(view: OpenCheckout, errors: FieldErrors): Content {
  const error = errors.termsOfServiceConsentCheckbox
  return html`<div class="field${error && ' field-bad'}">
    <label class="check" for="termsOfServiceConsentCheckbox">
      <input id="termsOfServiceConsentCheckbox" name="termsOfServiceConsentCheckbox" type="checkbox" value="yes" required
        ${error && html`aria-invalid="true" aria-describedby="terms-error"`}>
      I agree to the terms of service of ${view.merchantName}</label>
    ${error && html`<p class="field-error" id="terms-error">${error}</p>`}
  </div>`
}
