import { type Content, html } from './html.ts'

type CardEntry = { number: string; expMonth: number; expYear: number; cvc: string; name: string }
export type FieldErrors = Readonly<Record<string, string>>
export type Form = Readonly<Record<string, string>>

// Reads the typed card. The sentences are those of the real page, so that a script can wait for the same text.
export function readCard(form: Form, nowMs: number): { card: CardEntry; errors: FieldErrors } {
  const errors: Record<string, string> = {}
  const number = (form.cardNumber ?? '').replace(/[\s-]/g, '')
  const length = /^3[47]/.test(number) ? 15 : /^3[068]/.test(number) ? 14 : 16
  if (!/^\d+$/.test(number) || number.length < length) errors.cardNumber = 'Your card number is incomplete.'
  else if (number.length > 19 || !passesLuhn(number)) errors.cardNumber = 'Your card number is invalid.'

  const expiry = readExpiry(form.cardExpiry ?? '')
  const expiryError = expiry === null ? "Your card's expiration date is incomplete." : judgeExpiry(expiry, nowMs)
  if (expiryError) errors.cardExpiry = expiryError

  const cvc = (form.cardCvc ?? '').trim()
  const cvcLength = /^3[47]/.test(number) ? 4 : 3
  if (!/^\d{3,4}$/.test(cvc) || cvc.length < cvcLength) errors.cardCvc = "Your card's security code is incomplete."

  const name = (form.billingName ?? '').trim()
  if (name === '') errors.billingName = 'Enter the name on the card.'
  return { card: { number, expMonth: expiry?.month ?? 0, expYear: expiry?.year ?? 0, cvc, name }, errors }
}

function readExpiry(text: string): { month: number; year: number } | null {
  const match = /^\s*(\d{1,2})\s*[/-]\s*(\d{4}|\d{2})\s*$/.exec(text) ?? /^\s*(\d{2})(\d{4}|\d{2})\s*$/.exec(text)
  if (!match) return null
  const month = Number(match[1])
  if (month < 1 || month > 12) return null
  const year = Number(match[2])
  return { month, year: year < 100 ? 2000 + year : year }
}

// A card is good to the end of its month.
function judgeExpiry(expiry: { month: number; year: number }, nowMs: number): string | null {
  const now = new Date(nowMs)
  const year = now.getUTCFullYear()
  if (expiry.year < year) return "Your card's expiration year is in the past."
  if (expiry.year === year && expiry.month < now.getUTCMonth() + 1) return "Your card's expiration date is in the past."
  if (expiry.year > year + 50) return "Your card's expiration year is invalid."
  return null
}

function passesLuhn(number: string): boolean {
  let sum = 0
  for (let index = 0; index < number.length; index++) {
    const digit = Number(number[number.length - 1 - index])
    const doubled = index % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

export function readEmail(form: Form): { email: string; error: string | null } {
  const email = (form.email ?? '').trim()
  if (email === '') return { email, error: 'Enter your email.' }
  return { email, error: /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email) ? null : 'Your email is incomplete.' }
}

type Field = {
  id: string
  label: string
  value?: string
  error?: string | undefined
  inputmode?: string
  autocomplete: string
  hint?: string
  type?: string
  readonly?: boolean
  maxlength?: number
}

export function field(spec: Field): Content {
  const described = [spec.hint && `${spec.id}-hint`, spec.error && `${spec.id}-error`].filter(Boolean).join(' ')
  return html`<div class="field${spec.error && ' field-bad'}" data-field="${spec.id}">
    <label for="${spec.id}">${spec.label}</label>
    ${spec.hint && html`<p class="hint" id="${spec.id}-hint">${spec.hint}</p>`}
    <input id="${spec.id}" name="${spec.id}" type="${spec.type ?? 'text'}" value="${spec.value}" autocomplete="${spec.autocomplete}"
      inputmode="${spec.inputmode ?? 'text'}" maxlength="${spec.maxlength ?? 200}" autocapitalize="off" spellcheck="false" ${spec.readonly ? html`readonly` : html`required`}
      ${described !== '' && html`aria-describedby="${described}"`} ${spec.error && html`aria-invalid="true"`}>
    ${spec.error && html`<p class="field-error" id="${spec.id}-error">${spec.error}</p>`}
  </div>`
}

// The digits of a card are never sent back into the page; the name is.
export function cardFields(form: Form, errors: FieldErrors): Content {
  return html`<fieldset class="card-fields">
    <legend>Card</legend>
    ${field({ id: 'cardNumber', label: 'Card number', error: errors.cardNumber, inputmode: 'numeric', autocomplete: 'cc-number', maxlength: 30 })}
    <div class="pair">
      ${field({ id: 'cardExpiry', label: 'Expiration', hint: 'MM / YY', error: errors.cardExpiry, inputmode: 'numeric', autocomplete: 'cc-exp', maxlength: 9 })}
      ${field({ id: 'cardCvc', label: 'CVC', error: errors.cardCvc, inputmode: 'numeric', autocomplete: 'cc-csc', maxlength: 4 })}
    </div>
    ${field({ id: 'billingName', label: 'Name on card', value: form.billingName, error: errors.billingName, autocomplete: 'cc-name' })}
  </fieldset>`
}

// A decline is shown at the field that the customer can change.
export function declineErrors(decline: { code: string; message: string }): FieldErrors {
  const field = /cvc/.test(decline.code) ? 'cardCvc' : /expir/.test(decline.code) ? 'cardExpiry' : 'cardNumber'
  return { [field]: decline.message }
}

export function errorSummary(errors: FieldErrors): Content {
  const entries = Object.entries(errors)
  if (entries.length === 0) return null
  return html`<div class="notice danger" role="alert" tabindex="-1" id="error-summary" autofocus>
    <h2>${entries.length === 1 ? 'There is a problem' : `There are ${entries.length} problems`}</h2>
    <ul>${entries.map(([id, text]) => html`<li><a href="#${id}">${text}</a></li>`)}</ul>
  </div>`
}

const testCards: readonly (readonly [group: string, cards: readonly (readonly [number: string, effect: string])[]])[] =
  [
    [
      'Pays',
      [
        ['4242 4242 4242 4242', 'Visa, always pays'],
        ['5555 5555 5555 4444', 'Mastercard, always pays'],
        ['3782 822463 10005', 'American Express, always pays'],
      ],
    ],
    [
      'Asks for confirmation (3-D Secure)',
      [
        ['4000 0025 0000 3155', 'Confirms once, then pays'],
        ['4000 0027 6000 3184', 'Asks every time'],
        ['4000 0082 6000 3178', 'Confirms, then insufficient funds'],
      ],
    ],
    [
      'Refused',
      [
        ['4000 0000 0000 0002', 'Declined'],
        ['4000 0000 0000 9995', 'Insufficient funds'],
        ['4000 0000 0000 0069', 'Expired card'],
        ['4000 0000 0000 0127', 'Wrong security code'],
        ['4000 0000 0000 0119', 'Processing error'],
      ],
    ],
    [
      'Trouble later',
      [
        ['4000 0000 0000 0341', 'Is saved, then every charge fails'],
        ['4000 0000 0000 0259', 'Pays, then disputed'],
      ],
    ],
  ]

// Without the script the list still tells the numbers; with it, a click fills in the form.
export function testCardList(): Content {
  return html`<details class="test-cards">
    <summary>Test cards</summary>
    <p class="hint">Any future expiration date and any security code will do.</p>
    ${testCards.map(
      ([group, cards]) => html`<h3>${group}</h3>
    <ul>${cards.map(
      ([number, effect]) => html`<li>
      <span class="test-card"><code>${number}</code> <span>${effect}</span></span>
      <button type="button" class="quiet" data-fill-card="${number}" hidden>Use<span class="visually-hidden"> ${number}, ${effect}</span></button>
    </li>`,
    )}</ul>`,
    )}
    <p role="status" class="visually-hidden" data-fill-status></p>
  </details>`
}
