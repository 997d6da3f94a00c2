// Everything works without this file; it only saves typing.
const byId = (id) => document.getElementById(id)

const groups = (digits) =>
  /^3[47]/.test(digits) ? [digits.slice(0, 4), digits.slice(4, 10), digits.slice(10)] : digits.match(/.{1,4}/g) || []

const brands = [
  [/^4/, 'Visa'],
  [/^(5[1-5]|2[2-7])/, 'Mastercard'],
  [/^3[47]/, 'American Express'],
  [/^6(011|5)/, 'Discover'],
]

// Reformats while typing and keeps the caret behind the digit that it followed.
const formatOnInput = (input, format) => {
  input.addEventListener('input', (event) => {
    if (event.isComposing) return
    const deleting = event.inputType?.startsWith('delete')
    const caret = input.selectionStart ?? input.value.length
    const digitsBefore = input.value.slice(0, caret).replace(/\D/g, '').length
    const atEnd = caret === input.value.length
    const next = format(input.value, deleting)
    if (next === input.value) return
    input.value = next
    if (atEnd) return
    let position = 0
    for (let seen = 0; position < next.length && seen < digitsBefore; position++) if (/\d/.test(next[position])) seen++
    input.setSelectionRange(position, position)
  })
}

const formatNumber = (text) => groups(text.replace(/\D/g, '').slice(0, 19)).filter(Boolean).join(' ')

const formatExpiry = (text, deleting) => {
  if (deleting) return text
  let digits = text.replace(/\D/g, '')
  if (/^[2-9]$/.test(digits) || /^\d\s*\//.test(text.trim())) digits = `0${digits}`
  if (digits.length < 2) return digits
  return `${digits.slice(0, 2)} / ${digits.length > 4 ? digits.slice(2, 6) : digits.slice(2)}`
}

const number = byId('cardNumber')
if (number) {
  const brand = document.createElement('span')
  brand.className = 'brand'
  number.before(brand)
  const showBrand = () => {
    const digits = number.value.replace(/\D/g, '')
    brand.textContent = (brands.find(([pattern]) => pattern.test(digits)) || [])[1] || ''
  }
  formatOnInput(number, formatNumber)
  number.addEventListener('input', showBrand)
  formatOnInput(byId('cardExpiry'), formatExpiry)
}

const put = (input, value) => {
  if (!input || input.readOnly) return
  input.value = value
  input.dispatchEvent(new Event('input', { bubbles: true }))
}

for (const button of document.querySelectorAll('[data-fill-card]')) {
  button.hidden = false
  button.addEventListener('click', () => {
    const card = button.dataset.fillCard
    put(number, card)
    put(byId('cardExpiry'), '12 / 34')
    put(byId('cardCvc'), card.startsWith('37') ? '1234' : '123')
    if (byId('billingName')?.value === '') put(byId('billingName'), 'Ana Tester')
    if (byId('email')?.value === '') put(byId('email'), 'ana@example.com')
    document.querySelector('[data-fill-status]').textContent = `The form is filled in with ${card}.`
    document.querySelector('[data-testid=hosted-payment-submit-button]')?.focus()
  })
}

// A second click while the answer is on its way does nothing. The server would refuse it as well.
for (const form of document.querySelectorAll('form[method=post]')) {
  form.addEventListener('submit', (event) => {
    if (form.dataset.sent) return event.preventDefault()
    form.dataset.sent = 'yes'
    event.submitter?.setAttribute('aria-disabled', 'true')
  })
}

// Coming back with the Back button shows the page from memory, in which the form must be usable again.
addEventListener('pageshow', (event) => {
  if (!event.persisted) return
  for (const form of document.querySelectorAll('form[data-sent]')) {
    delete form.dataset.sent
    form.querySelector('[aria-disabled]')?.removeAttribute('aria-disabled')
  }
})

const summary = byId('error-summary')
if (summary) summary.focus()
