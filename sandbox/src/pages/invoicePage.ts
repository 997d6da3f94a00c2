import type { HostedInvoiceView } from '../engine/hosted.ts'
import { cardFields, errorSummary, type FieldErrors, type Form, testCardList } from './cardForm.ts'
import { date, money, period } from './format.ts'
import { type Content, html } from './html.ts'
import { cardText } from './portalPage.ts'
import { statusTag } from './statusTag.ts'

export type FoundInvoice = Extract<HostedInvoiceView, { state: 'found' }>

export function invoicePage(view: FoundInvoice, token: string, form: Form, errors: FieldErrors): Content {
  const amount = (minor: number) => money(minor, view.currency)
  const payable = view.status === 'open'
  const path = `/i/${encodeURIComponent(token)}`
  return html`<main class="${payable ? 'ticket' : 'sheet stack'}">
  <section class="${payable && 'stub'} stack" aria-labelledby="invoice-title">
    <p class="merchant">${view.merchantName}</p>
    <div class="tight">
      <div class="section-head"><h1 id="invoice-title">${title(view)}</h1>${statusTag(view.status)}</div>
      <p class="amount">${amount(payable ? view.amountRemaining : view.total)}</p>
      <p class="soft">${story(view)}</p>
    </div>
    <dl class="facts">
      <div><dt>Billed to</dt><dd>${view.customer.name}${view.customer.name && view.customer.email && html`<br>`}${view.customer.email}</dd></div>
      <div><dt>Date</dt><dd>${date(view.createdAt)}</dd></div>
    </dl>
    <table class="table">
      <caption class="visually-hidden">Lines</caption>
      <thead><tr><th scope="col">Description</th><th scope="col" class="figure">Amount</th></tr></thead>
      <tbody>${view.lines.map(
        (line) => html`<tr><td>${line.description}
        <span class="detail">${line.period && line.period.end > line.period.start && period(line.period.start, line.period.end)}</span></td>
        <td class="figure">${amount(line.amount)}</td></tr>`,
      )}</tbody>
      <tfoot>${totals(view).map(
        ([label, minor]) =>
          html`<tr class="${label === 'Total' && 'grand'}"><th scope="row">${label}</th><td class="figure">${amount(minor)}</td></tr>`,
      )}</tfoot>
    </table>
    <p class="actions"><a class="button" href="${path}/pdf">Download PDF</a></p>
  </section>
  ${payable && payment(view, form, errors)}
</main>`
}

export function title(view: FoundInvoice): string {
  return view.number ? `Invoice ${view.number}` : 'Draft invoice'
}

function story(view: FoundInvoice): Content {
  if (view.status === 'paid') return view.paidAt === null ? 'Paid' : `Paid on ${date(view.paidAt)}`
  if (view.status === 'open') return view.dueAt === null ? 'Due now' : `Due by ${date(view.dueAt)}`
  if (view.status === 'void') return 'This invoice was voided. There is nothing to pay.'
  if (view.status === 'uncollectible') return 'This invoice was given up. There is nothing to pay here.'
  return 'This invoice is not final yet.'
}

export function totals(view: FoundInvoice): readonly (readonly [label: string, minor: number])[] {
  const rows: [string, number][] = [['Subtotal', view.subtotal]]
  if (view.discount !== 0) rows.push(['Discount', -view.discount])
  if (view.tax !== 0) rows.push(['Tax', view.tax])
  rows.push(['Total', view.total])
  // What the customer's balance took or gave stands between the total and the amount due.
  if (view.amountDue !== view.total) rows.push(['Customer balance', view.amountDue - view.total])
  if (view.amountPaid !== 0) rows.push(['Paid', -view.amountPaid])
  rows.push(['Amount remaining', view.amountRemaining])
  return rows
}

function payment(view: FoundInvoice, form: Form, errors: FieldErrors): Content {
  const label = `Pay ${money(view.amountRemaining, view.currency)}`
  const last = Object.keys(errors).length === 0 && view.lastError
  return html`<section class="pay stack" aria-labelledby="pay-title">
    <h2 id="pay-title">Pay this invoice</h2>
    ${last && html`<div class="notice warning"><p>${/authentication/.test(last) ? 'Your bank did not confirm the last attempt.' : `The last attempt failed: ${last}`}</p></div>`}
    ${
      view.savedCard &&
      html`<form method="post" class="tight">
      <input type="hidden" name="with" value="saved">
      <p>${cardText(view.savedCard)}</p>
      <button type="submit" class="button primary wide" data-testid="pay-with-saved-card">${label}</button>
    </form>
    <h3>Or use another card</h3>`
    }
    <form method="post" class="stack" novalidate>
      ${errorSummary(errors)}
      ${cardFields({ billingName: view.customer.name ?? '', ...form }, errors)}
      <button type="submit" class="button ${!view.savedCard && 'primary'} wide" data-testid="hosted-payment-submit-button">${label}</button>
    </form>
    ${testCardList()}
  </section>`
}
