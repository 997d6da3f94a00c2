import type { CardBehavior } from '../objects/types.ts'

export type TestCard = { brand: string; number: string; funding: string; country: string; behavior: CardBehavior }

const ok: CardBehavior = { kind: 'ok' }
const declines = (code: string, declineCode: string | null = null): CardBehavior => ({
  kind: 'declines',
  code,
  declineCode,
})
const authenticates = (always: boolean, thenDeclines: string | null = null): CardBehavior => ({
  kind: 'authenticates',
  always,
  thenDeclines,
})

// Test payment method ids and the card numbers that behave alike on the hosted pages.
const table: [number: string, brand: string, behavior: CardBehavior, ...names: string[]][] = [
  ['4242424242424242', 'visa', ok, 'visa', 'us'],
  ['4000056655665556', 'visa', ok, 'visa_debit'],
  ['5555555555554444', 'mastercard', ok, 'mastercard'],
  ['5200828282828210', 'mastercard', ok, 'mastercard_debit'],
  ['5105105105105100', 'mastercard', ok, 'mastercard_prepaid'],
  ['378282246310005', 'amex', ok, 'amex'],
  ['6011111111111117', 'discover', ok, 'discover'],
  ['3056930009020004', 'diners', ok, 'diners'],
  ['3566002020360505', 'jcb', ok, 'jcb'],
  ['6200000000000005', 'unionpay', ok, 'unionpay'],
  ['4000000000000077', 'visa', ok, 'bypassPending'],
  ['4000000000000002', 'visa', declines('card_declined', 'generic_decline'), 'chargeDeclined', 'visa_chargeDeclined'],
  [
    '4000000000009995',
    'visa',
    declines('card_declined', 'insufficient_funds'),
    'chargeDeclinedInsufficientFunds',
    'visa_chargeDeclinedInsufficientFunds',
  ],
  [
    '4000000000009987',
    'visa',
    declines('card_declined', 'lost_card'),
    'chargeDeclinedLostCard',
    'visa_chargeDeclinedLostCard',
  ],
  [
    '4000000000009979',
    'visa',
    declines('card_declined', 'stolen_card'),
    'chargeDeclinedStolenCard',
    'visa_chargeDeclinedStolenCard',
  ],
  ['4000000000000069', 'visa', declines('expired_card'), 'chargeDeclinedExpiredCard'],
  ['4000000000000127', 'visa', declines('incorrect_cvc'), 'chargeDeclinedIncorrectCvc'],
  ['4000000000000119', 'visa', declines('processing_error'), 'chargeDeclinedProcessingError'],
  ['4100000000000019', 'visa', declines('card_declined', 'fraudulent'), 'chargeDeclinedFraudulent', 'radarBlock'],
  [
    '4000000000000341',
    'visa',
    { kind: 'charge_fails', code: 'card_declined', declineCode: 'generic_decline' },
    'chargeCustomerFail',
  ],
  ['4000002500003155', 'visa', authenticates(false), 'authenticationRequired', 'authenticationRequiredOnSetup'],
  ['4000002760003184', 'visa', authenticates(true), 'threeDSecure2Required', 'threeDSecureRequired'],
  ['4000000000003220', 'visa', authenticates(true), 'threeDSecureAlwaysRequired'],
  [
    '4000008260003178',
    'visa',
    authenticates(true, 'insufficient_funds'),
    'authenticationRequiredChargeDeclinedInsufficientFunds',
  ],
  ['4000003800000446', 'visa', ok, 'authenticationRequiredSetupForOffSession'],
  ['4000000000000259', 'visa', ok, 'createDispute'],
  ['4000000000001976', 'visa', ok, 'createInquiry', 'createDisputeInquiry'],
  ['4000000000002685', 'visa', ok, 'createDisputeProductNotReceived', 'createProductNotReceived'],
  ['4000000000005126', 'visa', ok, 'refundFail'],
  ['4000000000007726', 'visa', ok, 'pendingRefund'],
]

const byName = new Map<string, TestCard>()
const byNumber = new Map<string, TestCard>()
for (const [number, brand, behavior, ...names] of table) {
  const funding = names[0]?.includes('debit') ? 'debit' : names[0]?.includes('prepaid') ? 'prepaid' : 'credit'
  const card: TestCard = { brand, number, funding, country: 'US', behavior }
  byNumber.set(number, card)
  for (const name of names) byName.set(name, card)
}

/** `pm_card_visa` or the older `tok_visa`. */
export function testCardByName(id: string): TestCard | undefined {
  const name = /^(?:pm_card|tok)_(.+)$/.exec(id)?.[1]
  return name ? byName.get(name) : undefined
}

/** Any number that passes the check digit is accepted; the listed ones behave as Stripe's. */
export function testCardByNumber(typed: string): TestCard | 'incorrect_number' {
  const number = typed.replace(/[\s-]/g, '')
  const known = byNumber.get(number)
  if (known) return known
  if (!/^\d{13,19}$/.test(number) || !checkDigitFits(number)) return 'incorrect_number'
  return { brand: brandOf(number), number, funding: 'credit', country: 'US', behavior: { kind: 'ok' } }
}

export function declineMessage(code: string, declineCode: string | null): string {
  const messages: Record<string, string> = {
    card_declined: 'Your card was declined.',
    insufficient_funds: 'Your card has insufficient funds.',
    expired_card: 'Your card has expired.',
    incorrect_cvc: "Your card's security code is incorrect.",
    processing_error: 'An error occurred while processing your card. Try again in a little bit.',
    incorrect_number: 'Your card number is incorrect.',
    debit_not_authorized: 'The customer has notified their bank that this payment was unauthorized.',
    account_closed: "The customer's bank account has been closed.",
    authentication_required: 'Your card was declined. This transaction requires authentication.',
  }
  return messages[declineCode ?? code] ?? messages[code] ?? 'Your card was declined.'
}

function checkDigitFits(number: string): boolean {
  let sum = 0
  for (let index = 0; index < number.length; index++) {
    let digit = Number(number[number.length - 1 - index])
    if (index % 2 === 1) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2
    sum += digit
  }
  return sum % 10 === 0
}

function brandOf(number: string): string {
  if (/^4/.test(number)) return 'visa'
  if (/^(5[1-5]|2[2-7])/.test(number)) return 'mastercard'
  if (/^3[47]/.test(number)) return 'amex'
  if (/^6(011|5)/.test(number)) return 'discover'
  return 'unknown'
}
